"""Markup as people write it: what a site generator or a note taker puts between the lines is read as a reader sees it."""

from __future__ import annotations

import pytest

from ingest import gate
from ingest.extract import extract
from ingest.message import Response


def read(source, name="x.md"):
    return extract(Response(f"https://a.test/{name}", 200, "text/plain", source.encode(), ""))


def lines(source, name="x.md"):
    return [f"{piece.kind}: {piece.text}" for piece in read(source, name).pieces]


MARKDOWN = {
    "MkDocs": ('!!! warning "Cold"\n\n    Warm it up.\n\nAfter.', ["text: Cold", "text: Warm it up.", "text: After."]),
    "MkDocs without a title or a blank line": ("!!! note\n    Warm it up.\n    ```\n    x = 1\n    ```\n", ["text: Warm it up.", "code: x = 1"]),
    "MkDocs that fold, hold tabs, and stand in an item": (
        '??? info "Open"\n\n    === "Linux"\n\n        Use apt.\n\n    === "Mac"\n\n        Use brew.\n\n- item\n\n    ???+ tip "In it"\n        A tip.',
        ["text: Open", "text: Linux", "text: Use apt.", "text: Mac", "text: Use brew.", "item: item", "text: In it", "text: A tip."],
    ),
    "blocks of Python-Markdown": ("/// note | Mind it\nWarm it up.\n///\n\nAfter.", ["text: Mind it", "text: Warm it up.", "text: After."]),
    "a cry is no admonition": ("!!! never do this\n\nAfter.", ["text: !!! never do this", "text: After."]),
    "Docusaurus and VuePress": (":::tip[Warm up]\n\nOne.\n\n:::\n\n::: warning Mind it\nTwo.\n:::\n", ["text: Warm up", "text: One.", "text: Mind it", "text: Two."]),
    "a listing by colons": (":::code{language=bash showLineNumbers=false}\none \\\\\n  two\n:::\n", ["code: one \\\\\n  two"]),
    "MyST, by colons": (":::{admonition} Mind it\n:class: tip\nOne.\n:::\n\n:::{code-block} python\n:linenos:\n\none()\n:::\n", ["text: Mind it", "text: One.", "code: one()"]),
    "MyST, by fences": (
        "```{note} Mind it\nOne **two**.\n```\n\n````{tab-set}\n```{tab-item} Mac\nUse brew.\n```\n````\n\n```{code-block} python\n---\nlinenos: true\n---\none()\n```\n\n```{math}\na^2\n```\n\n```{toctree}\na\nb\n```\n",
        ["text: Mind it", "text: One two.", "text: Mac", "text: Use brew.", "code: one()", "text: $a^2$"],
    ),
    "MyST's roles": ("See {ref}`the ring <ring>` and {math}`n^2` by {cite:p}`x2020`, `{kept}`.", ["text: See the ring and $n^2$ by , {kept}."]),
    "Quarto": ("::: {.callout-note title=\"Mind it\"}\nOne.\n:::\n\n```{python}\none()\n```\n", ["text: Mind it", "text: One.", "code: one()"]),
    "Obsidian": (
        "> [!warning]- Mind it\n> One.\n\n%% not shown %%\nA ==marked== word, see [[Rings|the ring]] and [[Trees#Cost]]. ^ab12\n\n%%\nnor this\n\nor this\n%%\n![[picture.png]]\n",
        ["text: Mind it", "text: One.", "text: A marked word, see the ring and Trees."],
    ),
    "GitHub's alerts and tasks": ("> [!NOTE]\n> One.\n\n- [ ] two\n- [x] three\n", ["text: One.", "item: two", "item: three"]),
    "Hugo": (
        '{{% alert title="Mind it" %}}\nOne.\n{{% /alert %}}\n\n{{< tab "Linux" >}}\nUse apt.\n{{< /tab >}}\n\n{{< highlight go >}}\nmain()\n{{< /highlight >}}\n',
        ["text: Mind it", "text: One.", "text: Linux", "text: Use apt.", "code: main()"],
    ),
    "Jekyll and GitBook": (
        '{% highlight ruby linenos %}\none\n{% endhighlight %}\n\n{% code title="a.py" %}\n```python\ntwo()\n```\n{% endcode %}\n\n{% raw %}\nThe {{ name }} stays.\n{% endraw %}\n\n{% include x.html %}\n',
        ["code: one", "code: two()", "text: The {{ name }} stays."],
    ),
    "a template in a listing is the listing": ("```liquid\n{% highlight ruby %}\n{{ page.title }}\n{% endhighlight %}\n```\n", ["code: {% highlight ruby %}\n{{ page.title }}\n{% endhighlight %}"]),
    "double braces are kept": ("The set {{1}, {2}} and ${{ secrets.T }}, $\\frac{{a}}{{b}}$.\n\n$$\n\\mathbf{{q}} #tag\n$$\n", ["text: The set {{1}, {2}} and ${{ secrets.T }}, $\\frac{{a}}{{b}}$.", "text: $\\mathbf{{q}} #tag$"]),
    "colons of a language are words": ("::operator new asks, a==b and c==d, std::move.", ["text: ::operator new asks, a==b and c==d, std::move."]),
    "MDX": (
        "import A from '@x';\nexport const most = 7;\n\n<Tabs>\n<TabItem value='g' label=\"GPU\" icon={<I/>}>\n\nAt most {most}.{/* no */}\n\n</TabItem>\n</Tabs>\n",
        ["text: GPU", "text: At most 7."],
    ),
    "Pelican": ("    :::python\n    one()\n", ["code: one()"]),
    "notes at the foot": ("Ten seconds[^a] pass.[^2]\n\n[^a]: A choice of the operator.\n[^2]: https://a.test/x\n", ["text: Ten seconds pass.", "item: A choice of the operator.", "reference: https://a.test/x"]),
    "comments": ("One.\n<!-- two\n\nthree -->\nFour `<!-- five -->`.", ["text: One.", "text: Four <!-- five -->."]),
}  # fmt: skip


@pytest.mark.parametrize("name", MARKDOWN)
def test_markdown_of_any_maker_is_read_as_it_is_seen(name):
    source, expected = MARKDOWN[name]
    assert lines(source) == expected


def test_listings_formulas_and_what_is_indented_know_their_lines():
    source = '# A\n\n```python\none()\n```\n\n!!! note "B"\n\n    Two.\n\n$$\nx\n$$\n\n<details><summary>C</summary>\n\nThree.\n\n</details>\n'
    places = {piece.text: piece.place for piece in read(source).pieces}
    assert places == {"one()": "L4", "B": "L7", "Two.": "L9", "$x$": "L11", "C": "L15", "Three.": "L17"}


RST = {
    "listings with options": (".. code-block:: python\n   :linenos:\n   :caption: a.py\n\n   one()\n\n.. code-tab:: go\n\n   two()\n", ["reference: a.py", "code: one()", "code: two()"]),
    "tabs, cards and what folds": (
        ".. tab-set::\n\n   .. tab-item:: Mac\n      :sync: m\n\n      Use brew.\n\n.. dropdown:: More of it\n\n   One.\n\n.. grid-item-card:: Card\n   :link: x\n\n   Two.\n",
        ["text: Mac", "text: Use brew.", "text: More of it", "text: One.", "text: Card", "text: Two."],
    ),
    "notes and what was added": (".. note:: One\n   two.\n\n.. versionadded:: 1.2\n   Three.\n\n.. seealso::\n\n   Four.\n", ["text: Note", "text: One two.", "text: 1.2 Three.", "text: Four."]),
    "figures and tables with options nobody knows": (
        ".. figure:: a.png\n   :foo: x\n\n   A caption.\n\n.. list-table:: Limits\n   :foo: x\n   :header-rows: 1\n\n   * - a\n     - b\n   * - 1\n     - 2\n",
        ["reference: A caption.", "reference: Limits", "table: | a | b |\n| 1 | 2 |"],
    ),
    "roles and formulas": ("See :py:func:`~a.b.send`, :doc:`the guide <x>` and :foo:`bar`: :math:`n^2`.\n\n.. math::\n   :label: e\n\n   a^2\n", ["text: See send, the guide and bar: $n^2$.", "text: $a^2$"]),
    "nothing is read from elsewhere": ("One two.\n\n.. include:: /etc/passwd\n\n.. literalinclude:: /etc/passwd\n\n.. automodule:: os\n   :members:\n\n.. raw:: html\n\n   <b>x</b>\n", ["text: One two."]),
    "terms": (".. glossary::\n\n   ring\n      Workers in a circle.\n", ["text: ring: Workers in a circle."]),
}  # fmt: skip


@pytest.mark.parametrize("name", RST)
def test_restructured_text_is_read_with_what_sphinx_adds(name):
    source, expected = RST[name]
    assert lines(source, "x.rst") == expected


SAID = "A pod takes its rights from a role that is bound to its service account, and this role names no table at all, so that the query is refused."


@pytest.mark.parametrize(
    "shown", ["```\nAn error occurred: service unavailable\n```", "| a | b |\n|---|---|\n| bad gateway | x |"]
)
def test_a_note_on_an_error_is_not_an_error(shown):
    source = f"# A refused read\n\n{SAID}\n\n{shown}\n\nThe role is mended then.\n"
    assert gate.by_text(Response("https://a.test/x.md", 200, "text/plain", b"", ""), read(source)) is None
