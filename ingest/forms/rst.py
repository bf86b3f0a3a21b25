"""reStructuredText -> HTML, with Sphinx's directives and roles, for the one walk that makes pieces of any markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from docutils.core import publish_parts
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.languages import en

_NAMED = re.compile(r"^[ \t]*\.\.[ \t]+(?:\|[^|\n]+\|[ \t]+)?([A-Za-z][\w:+.-]*)::", re.MULTILINE)
_ROLES = re.compile(r":([a-zA-Z][\w:+.-]*):`")
_CODE = frozenset(
    "code code-block sourcecode highlight prompt ipython doctest testcode testsetup testoutput parsed-literal code-tab"
    " productionlist command-output program-output".split()
)
_UNSEEN = frozenset(  # what shows nothing of its own, or would read a file or run code
    "toctree include literalinclude raw index contents bibliography meta module currentmodule sectnum default-role"
    " title graphviz mermaid uml plot inheritance-diagram image video youtube tabularcolumns testcleanup".split()
)
_KNOWN = frozenset(  # docutils' own, which make more of what stands in them
    "figure table list-table csv-table math replace unicode date container compound epigraph highlights pull-quote"
    " line-block rubric topic sidebar class role attention caution danger error hint important note tip warning"
    " admonition".split()
)
_OWN_ROLES = frozenset(
    "math emphasis strong literal subscript superscript title-reference sub sup title t code raw".split()
)
_DROPPED_ROLES = ("cite", "footcite", "label", "eq", "index", "raw")
_PATH = re.compile(r"\S*[/\\.]\S*")
_FORMULA = re.compile(r'<(tt|code|span|div|pre) class="(?:docutils )?math(?: [^"]*)?">(.*?)</\1>', re.DOTALL)


class _AnyOption(dict[str, Callable[[str | None], Any]]):
    """Takes an option by any name."""

    def __missing__(self, name: str) -> Callable[[str | None], Any]:
        return lambda given: given or ""


class _Any(Directive):
    """A directive that docutils does not know: its title, and what stands in it."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = _AnyOption({"class": str})

    def run(self) -> list[nodes.Node]:
        shown: list[nodes.Node] = []
        title = " ".join(" ".join(self.arguments).split())
        if title and not (self.content and _PATH.fullmatch(title)):
            inline, messages = self.state.inline_text(title, self.lineno)
            shown += [nodes.paragraph(title, "", *inline), *messages]
        holder = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, holder, match_titles=True)
        return [*shown, *holder.children]


class _Listing(_Any):
    """A listing: its caption, and its lines as they are."""

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content)
        listing = [nodes.literal_block(text, text)] if text else []
        caption = self.options.get("caption", "")
        return [nodes.figure("", nodes.caption(caption, caption)), *listing] if caption else [*listing]


class _Nothing(_Any):
    """A directive of which nothing is seen."""

    def run(self) -> list[nodes.Node]:
        return []


def to_html(source: str) -> str:
    """Return HTML of reStructuredText; directives that would read files or run code do nothing."""
    for name in set(_NAMED.findall(source)):
        _register(name.lower())
    for name in set(_ROLES.findall(source)) - _OWN_ROLES:
        roles.register_local_role(name, _say)  # type: ignore[arg-type]  # it may return any node
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
            "syntax_highlight": "none",
        },
    )
    return f"<body>{_FORMULA.sub(_in_dollars, parts['body'])}</body>"


def _register(name: str) -> None:
    """Have docutils read a directive, whoever made it, with whatever options it is given."""
    last = name.rpartition(":")[2]
    if last in _CODE:
        directives.register_directive(name, _Listing)
    elif last in _UNSEEN or last.startswith("auto"):
        directives.register_directive(name, _Nothing)
    elif last not in _KNOWN:
        directives.register_directive(name, _Any)
    elif name not in {"role", "class", "unicode", "date", "replace"}:
        own, _ = directives.directive(name, en, None)  # type: ignore[arg-type]  # no document: there is none yet
        if own and not isinstance(own.option_spec, _AnyOption):
            lenient = type(own.__name__, (own,), {"option_spec": _AnyOption(dict[str, Any](own.option_spec or {}))})
            directives.register_directive(name, lenient)


def _say(
    role: str, rawtext: str, text: str, lineno: int, inliner: object, options: object = None, content: object = ()
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Return what a role shows: its text, without the target that it names; docutils says what is passed."""
    del lineno, inliner, options, content
    if role.lower().startswith(_DROPPED_ROLES):
        return [], []
    said = re.sub(r"\s*<[^<>]*>$", "", nodes.unescape(text)).strip()
    said = said.rpartition(".")[2] if said.startswith("~") else said.lstrip("!")
    return [nodes.inline(rawtext, said)], []


def _in_dollars(found: re.Match[str]) -> str:
    source = " ".join(found[2].split())
    return f"<p>${source}$</p>" if found[1] in {"pre", "div"} else f"${source}$"
