"""Markdown and reStructuredText -> HTML, for the one walk that makes pieces of any markup."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

_FRONT_MATTER = re.compile(r"\A\ufeff?(---|\+\+\+)[ \t]*\r?\n(.*?)\r?\n\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_SETTING = re.compile(r"""^(\w+)\s*[:=]\s*(["']?)(.+?)\2\s*$""", re.MULTILINE)
_FENCE = re.compile(r"^\s*(```|~~~)")

# What site generators put between the lines of a text. Each is replaced by what a reader would see of it.
_SHOWN_WORDS = re.compile(r"""\{\{[<%]\s*glossary_tooltip\b[^>}]*?\btext=["']([^"']*)["'][^>}]*[>%]\}\}""")
# Comments and what generators fill in; first the code, in which both are what is meant to be read.
_NOT_SHOWN = re.compile(
    r"(?P<code>^[ \t]*(?P<mark>```+|~~~+)[^\n]*\n.*?(?:^[ \t]*(?P=mark)[`~]*[ \t]*$|\Z)|`[^`\n]+`)"
    r"|<!--.*?-->|\{\{[<%].*?[>%]\}\}|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL | re.MULTILINE,
)
_ROLE = re.compile(r":(?:label|eqlabel|numref|eqref|begin_tab|end_tab|width|height|bibliography):`[^`]*`")
_CITE_ROLE = re.compile(r"\s?:cite[a-z]*:`[^`]*`")
_TEXT_DIRECTIVE = re.compile(r"^(\s*):{1,2}[a-z][\w-]*\[(.*)\](?:\{[^}]*\})?\s*$")
_CODE_DIRECTIVE = re.compile(r"^\s*:::+code(?:\{(?P<options>[^}]*)\})?\s*$")
_OTHER_DIRECTIVE = re.compile(r"^\s*:{2,}(?:\s*[\w-]+.*|\s*)$")
_ATTRIBUTES = re.compile(r"\{[:#.][^}\n]*\}\s*$")
_PRESENTED_LINES = re.compile(r"^\s*(?:!\[[^\]]*\]\([^)]*\)|\[!\w+\]|>\s*\[!\w+\])\s*$")


def front_matter(source: str) -> dict[str, str]:
    """Return the plain settings at the head of a file (YAML or TOML) without quotes; nested ones are left out."""
    found = _FRONT_MATTER.match(source)
    return {key: value.strip() for key, _, value in _SETTING.findall(found.group(2))} if found else {}


def markdown_to_html(source: str) -> str:
    """Return HTML with the source line of each block in `data-line`; raw HTML in the source stays."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader = reader.use(dollarmath_plugin, allow_space=False, double_inline=True).use(deflist_plugin)
    reader.add_render_rule("math_inline", _math)
    reader.add_render_rule("math_inline_double", _math)
    reader.add_render_rule("math_block", _math)
    tokens = reader.parse(_plain_markdown(source))
    for token in tokens:
        if token.map and token.nesting >= 0 and token.type != "inline":
            token.attrSet("data-line", str(token.map[0] + 1))
    return f"<body>{reader.renderer.render(tokens, reader.options, {})}</body>"


def _math(_: object, tokens: list, index: int, *__: object) -> str:  # type: ignore[type-arg]  # markdown-it's own
    source = tokens[index].content.strip().replace("&", "&amp;").replace("<", "&lt;")
    return f"<p>${source}$</p>" if tokens[index].type == "math_block" else f"${source}$"


def _plain_markdown(source: str) -> str:
    """Return the source without front matter and generator syntax, its lines still where they were."""
    front = _FRONT_MATTER.match(source)
    if front:
        source = "\n" * front.group(0).count("\n") + source[front.end() :]
    lines = []
    fence = ""
    in_code_directive = False
    for line in _blank_comments(source).split("\n"):
        mark = _FENCE.match(line)
        if mark and fence in {"", mark.group(1)}:
            fence = "" if fence else mark.group(1)
        elif not fence and _CODE_DIRECTIVE.match(line):
            in_code_directive = True
            line = "```"  # one line in, one line out
        elif in_code_directive and line.strip().startswith(":::"):
            in_code_directive, line = False, "```"
        elif not fence and not in_code_directive:
            line = _plain_line(line)
        lines.append(line)
    return "\n".join(lines)


def _blank_comments(source: str) -> str:
    """Blank HTML comments and shortcodes outside of code, keeping the number of lines."""

    def blank(found: re.Match[str]) -> str:
        return found.groupdict().get("code") or "\n" * found.group(0).count("\n")

    source = _SHOWN_WORDS.sub(lambda found: f"{found.group(1)}{blank(found)}", source)
    return _NOT_SHOWN.sub(blank, source)


def _plain_line(line: str) -> str:
    if _PRESENTED_LINES.match(line) or (_OTHER_DIRECTIVE.match(line) and not _TEXT_DIRECTIVE.match(line)):
        return ""
    if directive := _TEXT_DIRECTIVE.match(line):
        line = f"{directive.group(1)}{directive.group(2)}"
    return _ATTRIBUTES.sub("", _ROLE.sub("", _CITE_ROLE.sub("", line)))


def rst_to_html(source: str) -> str:
    """Return HTML of reStructuredText; directives that would read files or run code do nothing.

    Unknown (Sphinx) directives and roles are dropped with their options; their text stays where they have any.
    """
    from docutils.core import publish_parts  # slow to import, and few lists hold reStructuredText

    source = re.sub(
        r":(?:ref|doc|class|func|meth|mod|term|option|file|code):`([^`<]*?)\s*(?:<[^`>]*>)?`", r"``\1``", source
    )
    parts = publish_parts(
        source,
        writer="html5",
        settings_overrides={
            "file_insertion_enabled": False,
            "raw_enabled": False,
            "report_level": 5,
            "halt_level": 5,
            "_disable_config": True,
            "initial_header_level": 2,
            "math_output": "LaTeX",
            "smart_quotes": False,
            "doctitle_xform": False,
        },
    )
    return f"<body>{parts['body']}</body>"
