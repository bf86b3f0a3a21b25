"""Markdown -> HTML, for the one walk that makes pieces of any markup."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from ingest.forms import dialects, front

if TYPE_CHECKING:
    from markdown_it.token import Token


def to_html(source: str) -> str:
    """Return HTML with the source line of each block in `data-line`; raw HTML in the source stays."""
    if head := front.BLOCK.match(source):
        source = "\n" * head.group(0).count("\n") + source[head.end() :]
    lines = dialects.plain(source.replace("\r\n", "\n"))
    return lines_to_html(lines)


def lines_to_html(lines: Sequence[dialects.Numbered]) -> str:
    """Return HTML of plain Markdown, with the numbers of its lines in `data-line`."""
    reader = _reader()
    tokens = reader.parse("\n".join(line.text for line in lines))
    for token in tokens:
        if token.map and token.nesting >= 0 and token.type != "inline":
            first = token.map[0] + (token.type == "fence")  # a listing begins below its mark
            token.attrSet("data-line", str(lines[min(first, len(lines) - 1)].number))
    return f"<body>{reader.renderer.render(tokens, reader.options, {})}</body>"


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": True, "tasklists": True}).enable(["table", "strikethrough"])
    reader = reader.use(dollarmath_plugin, allow_space=False, double_inline=True).use(deflist_plugin)
    reader = reader.use(footnote_plugin, inline=False)
    for name in ("math_inline", "math_inline_double", "math_block", "math_block_label"):
        reader.add_render_rule(name, _math)
    for name in ("fence", "code_block"):
        reader.add_render_rule(name, _listing)
    reader.add_render_rule("html_block", _markup)
    reader.add_render_rule("footnote_anchor", _nothing)
    return reader


def _math(_: object, tokens: list[Token], index: int, *__: object) -> str:
    token = tokens[index]
    source = escape(token.content.strip(), quote=False)
    return f"{_line(token, 'p')}${source}$</p>" if token.type.startswith("math_block") else f"${source}$"


def _listing(_: object, tokens: list[Token], index: int, *__: object) -> str:
    return f"{_line(tokens[index], 'pre')}<code>{escape(tokens[index].content, quote=False)}</code></pre>\n"


def _markup(_: object, tokens: list[Token], index: int, *__: object) -> str:
    return f"{_line(tokens[index], 'div')}</div>{tokens[index].content}"


def _nothing(*_: Any) -> str:  # noqa: ANN401
    return ""


def _line(token: Token, tag: str) -> str:
    """Return an opening tag that knows its line."""
    return f'<{tag} data-line="{token.attrs.get("data-line", "")}">'
