"""Markup: a list in Markdown, reStructuredText, AsciiDoc, Org or HTML as a tree in which its links are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingest.forms import front

if TYPE_CHECKING:
    from lxml import html
    from markdown_it import MarkdownIt

# An address with blanks in it: Markdown takes it for words.
_WITH_BLANKS = re.compile(r"\]\(\s*(https?://[^\s()<>\"']+(?: +[^\s()<>\"']+)+)\s*\)")
# What is defined below a note at the foot is no part of it.
_BELOW_A_NOTE = re.compile(r"^([ \t]*\[\^[^\]\n]+\]:.*\n)(?=[ \t]*\[[^\]\n^]+\]:)", re.MULTILINE)
# "[title] (address)" was meant as a link.
_APART = re.compile(r"(?<![!\]])\[([^\]\[\n^]{2,})\] \((https?://[^\s)]+)\)")


def tree_of(source: str, form: str) -> html.HtmlElement:
    """Return the tree of a list; raises ValueError where nothing in it is markup."""
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_pis=True, huge_tree=False)  # comments stay: they hold settings
    try:
        tree = html.document_fromstring(_rendered(source, form).encode("utf-8", "replace"), parser=parser)
    except etree.LxmlError as error:
        raise ValueError(str(error)) from error
    if tree is None:
        raise ValueError("no markup")
    return tree


def _rendered(source: str, form: str) -> str:
    if form == "html":
        return source
    if form == "rst":
        from ingest.forms import rst

        return rst.to_html(source)
    if form in {"asciidoc", "org"}:
        from ingest.forms import asciidoc, org

        lines = (asciidoc if form == "asciidoc" else org).to_markdown(source)
        return _markdown("\n".join(line.text for line in lines))
    return _markdown(front.BLOCK.sub("", source))


def _markdown(source: str) -> str:
    reader = _reader()
    source = _BELOW_A_NOTE.sub(r"\1\n", source)
    source = _APART.sub(r"[\1](<\2>)", _WITH_BLANKS.sub(r"](<\1>)", source))
    tokens = reader.parse(source)
    for token in tokens:
        children = token.children or []
        for n, child in enumerate(children[:-1]):
            # A link that was made of a word that is no address: "README.md", though .md is a country's domain.
            made = child.type == "link_open" and child.markup == "linkify"
            if made and not re.match(r"https?:|www\.", children[n + 1].content, re.IGNORECASE):
                child.attrSet("data-guess", "1")
    return f"<body>{reader.renderer.render(tokens, reader.options, {})}</body>"


def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt  # a look at the ledger reads no list
    from mdit_py_plugins.footnote import footnote_plugin

    reader = MarkdownIt("commonmark", {"linkify": True, "html": True}).enable(["linkify", "table", "strikethrough"])
    reader.use(footnote_plugin, inline=False)
    reader.add_render_rule("footnote_anchor", lambda *_: "")
    reader.normalizeLink = lambda url: url  # type: ignore[method-assign]  # an address stays as it is written
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005  # the reader of the tree chooses
    return reader
