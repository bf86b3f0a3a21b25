"""Documents: clean text in blocks, each of which knows its place, from every kind of markup."""

from __future__ import annotations

import random
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
import trafilatura
from conftest import a_pdf
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from ingest import IngestError, document, maintext, pdf, webpage
from ingest.document import Document, Piece, assemble
from ingest.duplicates import same_texts, sketch
from ingest.extract import extract
from ingest.forms import front, markdown
from ingest.message import Response
from ingest.transcript import Spoken, chapters_of, pieces_of

# --- offsets --------------------------------------------------------------------------------------

KINDS = st.sampled_from(["heading", "text", "item", "code", "table", "reference"])
PIECES = st.lists(st.builds(Piece, KINDS, st.text(max_size=40), st.integers(0, 7), st.just("")), max_size=12)


@given(PIECES)
@settings(max_examples=150, deadline=None)
def test_every_block_is_where_it_says_and_they_do_not_overlap(pieces):
    text, blocks = assemble(pieces)
    assert all(0 <= block.start < block.end <= len(text) for block in blocks)
    assert all(one.end <= other.start for one, other in pairwise(blocks))
    outside = "".join(
        text[a:b] for a, b in zip([0, *(b.end for b in blocks)], [*(b.start for b in blocks), len(text)], strict=True)
    )
    assert outside.strip() == ""


@given(PIECES)
@settings(max_examples=40, deadline=None)
def test_a_document_comes_back_as_it_was_written(tmp_path_factory, pieces):
    text, blocks = assemble(pieces)
    written = Document("https://a.test/x", "T", "https://a.test/x", "html", "en", text, blocks, "shown", authors=("A",))
    path = document.write(written, tmp_path_factory.mktemp("d"))
    assert document.read(path) == written
    assert path.read_text(encoding="utf-8") == text


def test_another_text_is_another_pair_of_files(tmp_path):
    """A kill between the two files of a pair then spoils neither the old text nor the new one."""
    one, two = (
        Document("https://a.test", "T", "r", "html", "en", *assemble([Piece("text", said)]), "")
        for said in ("One", "Two")
    )
    before = document.write(one, tmp_path)
    after = document.write(two, tmp_path)
    assert before != after
    assert document.read(before) == one
    assert document.read(after) == two


def test_any_character_leads_to_its_heading_and_place():
    text, blocks = assemble([
        Piece("heading", "A", 1, "a"), Piece("text", "One.", place="a"), Piece("heading", "B", 2, "b"),
        Piece("item", "Two", place="b"), Piece("heading", "C", 1, "c"), Piece("text", "Three", place="page=3"),
    ])  # fmt: skip
    found = Document("u", "t", "u", "html", "en", text, blocks, "")
    at = {word: found.block_at(text.index(word)) for word in ("One", "Two", "Three")}
    assert [at[word].heading for word in at] == [("A",), ("A", "B"), ("C",)]
    assert [at[word].place for word in at] == ["a", "b", "page=3"]


def test_a_document_that_was_changed_is_not_read(tmp_path):
    text, blocks = assemble([Piece("text", "One.")])
    path = document.write(Document("https://a.test", "T", "r", "html", "en", text, blocks, ""), tmp_path)
    path.write_text("Two.")
    with pytest.raises(IngestError, match="was changed since it was written; `prep ingest --refresh`"):
        document.read(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(IngestError, match="cannot be read"):
        document.read(path)


def test_names_of_files_stay_inside_the_folder_and_apart():
    urls = [
        "https://a.test/../../etc/passwd",
        "https://a.test/" + "x" * 900,
        "https://a.test/A",
        "https://a.test/a",
        "x:/..",
        "",
    ]
    stems = [document.file_stem(url) for url in urls]
    assert len({stem.lower() for stem in stems}) == len(stems)
    assert not any(".." in stem.split("/") or stem.startswith("/") or len(stem) > 200 for stem in stems)


# --- markup ---------------------------------------------------------------------------------------


def blocks_of(source, kind="text/markdown", url="https://a.test/x.md"):
    found = extract(Response(url, 200, kind, source.encode(), "2026-11-21T10:00:00Z"))
    return found, [(piece.kind, piece.text) for piece in found.pieces]


PROSE = "A worker hands its block to the next one, and waits until it has one itself."
MARKDOWN = f"""---
title: "Rings"
tags: [a, b]
---
{{{{< toc >}}}}
<!-- not to be read -->

## How it works {{#how}}

{PROSE} See [the paper](https://b.test/p.pdf) and $N-1$ steps.

::: note
{PROSE.upper()}
:::

- one step
  - a step in it
1. first

```yaml
token: ${{{{ secrets.TOKEN }}}}  # <!-- kept -->
```

| step | sent |
|------|------|
| 1 | 1/N |

![a picture](ring.png)
"""


def test_markdown_keeps_headings_lists_code_and_tables_and_drops_what_generators_put_in():
    found, blocks = blocks_of(MARKDOWN)
    text = "\n".join(text for _, text in blocks)
    assert found.title == "Rings"
    assert ("heading", "How it works") in blocks
    assert ("code", "token: ${{ secrets.TOKEN }}  # <!-- kept -->") in blocks
    assert any(kind == "table" and "| 1 | 1/N |" in text for kind, text in blocks)
    assert [text for kind, text in blocks if kind == "item"] == ["one step", "a step in it", "first"]
    assert "See the paper and $N-1$ steps." in text
    assert not any(word in text for word in ("toc", "not to be read", ":::", "tags", "ring.png", "{#how}"))
    assert found.links() == ("https://b.test/p.pdf",)


def test_markdown_knows_its_lines():
    found, _ = blocks_of(MARKDOWN)
    lines = MARKDOWN.splitlines()
    places = {piece.text: piece.place for piece in found.pieces}
    assert lines[int(places["How it works"][1:]) - 1].startswith("## How it works")
    assert lines[int(places["one step"][1:]) - 1] == "- one step"


RST = f"""
Rings
=====

.. _ring: https://b.test/ring

{PROSE} See :ref:`the other page <other>` and `the paper`__.

__ https://b.test/p

.. code-block:: python

   send(block)

.. include:: /etc/passwd

.. raw:: html

   <script>alert(1)</script>

* one step
"""


def test_restructured_text_is_read_and_neither_files_nor_raw_markup_come_in():
    _, blocks = blocks_of(RST, "text/x-rst", "https://a.test/x.rst")
    text = "\n".join(text for _, text in blocks)
    assert PROSE in text
    assert ("code", "send(block)") in blocks
    assert ("item", "one step") in blocks
    assert "root:" not in text
    assert "alert" not in text


HTML = f"""<html lang=en><head><title>Rings - Site</title><meta property=og:title content="Rings"></head><body>
<nav><a href=/>Home</a></nav><article><h1>Rings</h1><h2 id=how>How</h2><p>{PROSE}</p><p>{PROSE} It takes 2(N-1) steps.</p>
<pre><code>for n in range(N):
    send(n)</code></pre><ul><li>one {PROSE}</li><li>two {PROSE}</li></ul>
<table><tr><th>step</th><th>sent</th></tr><tr><td>1</td><td>1/N</td></tr></table>
<p>Formula <math alttext="N-1"><mi>N</mi></math> ends it, as {PROSE}<sup class=reference>[3]</sup></p>
<h2>References</h2><ul><li><a href=https://b.test>{PROSE}</a></li></ul></article><footer>Copyright</footer></body></html>"""


def test_html_keeps_headings_code_tables_formulas_and_anchors():
    found, blocks = blocks_of(HTML, "text/html", "https://a.test/x")
    kinds = {text: kind for kind, text in blocks}
    assert kinds["for n in range(N):\n    send(n)"] == "code"
    assert any(kind == "table" and "| 1 | 1/N |" in text for text, kind in kinds.items())
    assert any("Formula $N-1$ ends it" in text and "[3]" not in text for text in kinds)
    assert next(piece.place for piece in found.pieces if "2(N-1)" in piece.text) == "how"
    assert not any("Copyright" in text or text == "Home" for text in kinds)
    assert all(piece.kind in {"heading", "reference"} for piece in found.pieces[-2:])


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_markup_breaks_the_readers(source):
    for read in (markdown.to_html, front.settings):
        read(source)
    with suppress(ValueError):  # nothing in it is markup
        webpage.whole(source)


# --- PDF ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('It is optimal<a href="#ref-4"><sup>4</sup></a>.', "It is optimal."),
        ('It is optimal<sup><a href="#fn_3">3</a></sup>.', "It is optimal."),
        ('It is optimal<sup><a href="#fn">[a]</a></sup>.', "It is optimal."),
        ('<sup><a href="#reffn_3">3</a></sup>: It takes as many.', "3: It takes as many."),
        ("It takes 10<sup>9</sup> steps.", "It takes 10⁹ steps."),
        ('It takes N<sup><a href="#cost">2 log N</a></sup> steps.', "It takes N^(2 log N) steps."),
        ("It sorts in n<sup>2</sup> steps.<sup>12</sup>", "It sorts in n² steps."),
        ("It holds 2<sup>n+1</sup> keys,<sup>1, 2</sup> at 10<sup>-6</sup> s.", "It holds 2ⁿ⁺¹ keys, at 10⁻⁶ s."),
        ("Said twice<sup>[7]</sup> and again<sup>†</sup>.", "Said twice and again."),
        ('Elsewhere<sup><a href="https://a.test/notes#fn4">4</a></sup>.', "Elsewhere."),
        (
            "The 5<sup>th</sup> of x<sub>i</sub> and H<sub>2</sub>O, log<sub>2</sub> n.",
            "The 5th of xᵢ and H₂O, log₂ n.",
        ),
        ("See it<sup>1</sup>, then this<sup>2,3</sup>, log<sup>k</sup> n.", "See it¹, then this, log^k n."),
        ("Area in km<sup>2</sup> of Foo<sup>TM</sup> at x<sup>T</sup>.", "Area in km² of Foo™ at x^T."),
    ],
)
def test_numbers_of_notes_are_no_part_of_a_sentence(markup, text):
    (piece,), shown = webpage.whole(f"<p>{markup}</p>")
    assert piece.text == text
    assert shown == "".join(html.fromstring(f"<p>{markup}</p>").itertext()), "a browser shows them"


@pytest.mark.parametrize(("count", "read"), [(20, 2), (200, 1)], ids=["short", "long"])
def test_only_where_little_is_found_all_that_may_be_text_is_taken(monkeypatch, count, read):
    first, second = words(1, count), words(2, count)
    found = trafilatura.settings.Document(body=html.fromstring(f"<body><p>{first}</p></body>"))
    monkeypatch.setattr(maintext.trafilatura, "bare_extraction", lambda *_, **__: found)
    beside = f"<nav><p>{words(3, count)}</p></nav><p><a href='/'>{words(4, count)}</a></p>"
    _, blocks = blocks_of(f"<article><p>{first}</p><p>{second}</p></article>{beside}", "text/html")
    assert len(blocks) == read


def test_a_page_whose_text_stands_beside_is_read_all_the_same():
    _, blocks = blocks_of(f"<body><footer><p>{words(1, 90)}</p><p>{words(2, 90)}</p></footer></body>", "text/html")
    assert blocks == [("text", words(1, 90)), ("text", words(2, 90))]


def test_authors_are_known_by_whichever_name_a_page_gives_them():
    page = f"<meta name='author' property='og:author' content='Ada Ring'><p>{words(1, 90)}</p>"
    assert blocks_of(page, "text/html")[0].authors == ("Ada Ring",)


def test_the_colours_of_a_listing_are_no_words_of_their_own():
    source = (
        '<pre><code><span class="k">def</span> <span class="nf">ring</span>(n):\n    <span>pass</span></code></pre>'
    )
    _, blocks = blocks_of(f"<article><p>{words(1, 90)}</p>{source}<p>{words(2, 90)}</p></article>", "text/html")
    assert ("code", "def ring(n):\n    pass") in blocks


@pytest.mark.parametrize("seed", range(3))
def test_the_filter_misses_no_number_and_finds_hardly_one_that_is_not_there(seed):
    drawn = np.random.default_rng(seed).integers(0, 2**32, size=(2, 10_000), dtype=np.uint64)
    numbers, others = drawn[0], np.concatenate([drawn[1], drawn[0][:5_000]])
    found = maintext.among(numbers, others)
    assert found[np.isin(numbers, others)].all()
    assert found[~np.isin(numbers, others)].mean() < 0.005


def test_a_pdf_has_pages_and_no_running_heads_hyphens_or_page_numbers():
    def sheet(n, *lines):
        return ["Rings in practice", *lines, f"{n}"]

    body = [f"On page NUM the worker of shard {n} sends its block and waits for the next to come." for n in range(12)]
    content = a_pdf(*[sheet(n, *[line.replace("NUM", str(n)) for line in body]) for n in range(1, 6)])
    pieces = pdf.read(content).pieces
    text = "\n".join(piece.text for piece in pieces)
    assert text.count("Rings in practice") <= 1
    assert {piece.place for piece in pieces if piece.kind == "text"} == {f"page={n}" for n in range(1, 6)}
    assert not any(piece.text.strip().isdigit() for piece in pieces)


def test_what_follows_the_references_of_a_paper_is_marked():
    lines = [f"Sentence {n} of the text says what a worker does with shard {n}." for n in range(20)]
    pieces = pdf.read(
        a_pdf(lines, ["References", "", *[f"[{n}] A. Ring. On trees. In Proc. 2019." for n in range(9)]])
    ).pieces
    cited = [piece for piece in pieces if "On trees" in piece.text]
    assert cited
    assert {piece.kind for piece in cited} == {"reference"}


# --- duplicates -----------------------------------------------------------------------------------


def words(seed, count=400):
    chance = random.Random(seed)
    return " ".join(f"w{chance.randrange(3000)}" for _ in range(count))


@pytest.mark.parametrize(
    ("texts", "pairs"),
    [
        ({"a": words(1), "b": words(1)}, [("a", "b")]),
        ({"a": words(1), "b": words(1).upper().replace(" ", "\n")}, [("a", "b")]),
        ({"a": words(1), "b": words(1) + " " + words(2, 1200)}, [("b", "a")]),
        ({"a": words(1), "b": words(2)}, []),
        ({"a": words(1), "b": words(1, 200) + " " + words(3, 200)}, []),
        ({"a": "", "b": ""}, []),
        ({"a": "the same few words", "b": "the same few words"}, []),
    ],
)
def test_the_same_text_is_found_under_two_addresses(texts, pairs):
    assert same_texts({name: sketch(text) for name, text in texts.items()}) == pairs


# --- transcripts ----------------------------------------------------------------------------------


def test_captions_that_roll_say_each_line_once():
    rolling = [
        Spoken(0, "hello there\nall of you", 2),
        Spoken(2, "all of you\nwho came here", 2),
        Spoken(4, "who came here", 2),
    ]
    (only,) = pieces_of(rolling)
    assert only.text == "hello there all of you who came here"


@pytest.mark.parametrize(
    ("description", "chapters"),
    [
        ("0:00 A\n1:00 B", 0),
        ("0:00 A\n1:00 B\n0:30 C", 0),
        ("0:10 A\n1:00 B\n2:00 C", 0),
        ("0:00 A\n1:00 B\n2:00 C", 3),
    ],
)
def test_chapters_are_taken_as_the_site_takes_them(description, chapters):
    assert len(chapters_of(description)) == chapters
