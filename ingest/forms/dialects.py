"""Dialects: the Markdown of site generators, note takers and notebooks -> plain Markdown, each line with its number.

What a generator puts between the lines of a text is replaced by what a reader sees of it: an admonition, a tab or a
callout becomes its title and its prose, a listing a listing, a comment nothing. What stands in code or in a formula
stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ingest.forms import tags


class Numbered(NamedTuple):
    """A line, and which line of the file it comes from."""

    number: int
    text: str


Lines = Sequence[Numbered]

_FENCE = re.compile(r"^(?P<before>(?:[ \t]*>)*[ \t]*)(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
_ADMONITION = re.compile(
    r"""^(?P<before>[ \t]*)(?:!!!|\?\?\?\+?|={3}[!+]?(?=\s*["']))\s*(?P<kind>[\w -]*?)"""
    r"""\s*(?:"(?P<title>[^"]*)"|'(?P<other>[^']*)')?\s*$"""
)
_CONTAINER = re.compile(r"^(?P<before>[ \t]*):{3,}\s*(?P<rest>.*?)\s*$")
_SLASHES = re.compile(r"^(?P<before>[ \t]*)/{3,}(?:\s+[\w-]+)?(?:\s*\|\s*(?P<title>.*?))?\s*$")  # pymdownx's blocks
_LEAF = re.compile(r"^(\s*):{1,2}[a-z][\w-]*(?:\[(?P<text>.*)\](?:\{[^}]*\})?|\{[^}]*\})\s*$")
_CALLOUT = re.compile(r"^(?P<before>(?:[ \t]*>)+[ \t]*)\[![\w-]+(?:\|[^\]]*)?\][+-]?[ \t]*(?P<title>.*)$")
_JSX = re.compile(r"^\s*</?[A-Z][\w.]*(?:\s(?:(?!</).)*)?>\s*$")
_MODULE = re.compile(
    r"""^(?:import\s.*["'][^"']+["'];?\s*$|import\s+\{\s*$|export\s+(?:const|let|default|function|async|\{|\*))"""
)
_CONSTANT = re.compile(
    r"""^export\s+const\s+(\w+)\s*=\s*(?:(-?\d[\d._]*)|"([^"\n]*)"|'([^'\n]*)');?\s*$""", re.MULTILINE
)
_DIRECTIVE = re.compile(r"^\{(?P<name>[a-zA-Z][\w:+.-]*)\}\s*(?P<title>.*)$")
_LISTED = re.compile(r"^(?P<name>code)(?P<title>)(?:\{[^}]*\})?\s*$")
_OPTION = re.compile(r"^\s*:[\w-]+:(?:\s|$)")
_PASSED = re.compile(
    r"^\s*(?:\[TOC\]|\[\[_?toc_?\]\]|\$\{toc\}|--8<--.*|\([\w:./ -]+\)=|\+\+\+|\[!(?:INCLUDE|div)\b.*|:::.*:::)\s*$"
    r"|^(?: {4,}|\t)(?::::|#!)[a-z]\w*\s*$",
    re.IGNORECASE,
)
_CODE = frozenset(
    "code code-block sourcecode code-cell prompt parsed-literal python r julia bash sh shell sql js javascript ojs"
    " mermaid dot graphviz stan cpp c rust go java console text json yaml diff ipython ipython3".split()
)
_UNSEEN = frozenset(
    "toctree tableofcontents include literalinclude image raw bibliography contents index download meta eval-rst iframe"
    " video youtube listing embed anywidget".split()
)
_PATH = re.compile(r"^(?:\S*[/.]\S*|\S*_\S*)$")

_INLINE = re.compile(
    r"\{(?P<role>[a-z][\w:+.-]*)\}(?P<t>`+)(?P<said>.+?)(?P=t)"
    r"|(?P<kept>(?P<tick>`+)(?!`).*?(?P=tick)(?!`)|\$[^$\n]+\$)"
    r"|:(?:label|eqlabel|numref|eqref|begin_tab|end_tab|width|height|bibliography):`[^`]*`|\s?:cite[a-z]*:`[^`]*`"
    r"|!\[\[[^\]\n]*\]\]|\[\[(?P<page>[^\]\[|\n]*[^\W\d_][^\]\[|\n]*)(?:\|(?P<alias>[^\]\n]+))?\]\](?!\()"
    r"|(?<![\w=])==(?P<marked>[^\s=](?:[^=\n]*[^\s=])?)==(?![\w=])|:(?:material|fontawesome|octicons|simple)-[\w-]+:"
    r"|(?<=[\])`*_])\{\s*(?:[:.#][^}\n]*|[\w-]+=[^}\n]*)\}"
)
_AT_THE_END = re.compile(r"\s*\{\s*[:#.][^}\n$]*\}\s*$|\s\^[a-zA-Z0-9-]{3,}\s*$")


def plain(source: str) -> list[Numbered]:
    """Return the lines of plain Markdown that a file comes to, each with the number of its line in the file."""
    constants = {name: number or one or other for name, number, one, other in _CONSTANT.findall(source)}
    lines = [Numbered(n, line) for n, line in enumerate(tags.without(source).split("\n"), 1)]
    converted = list(_converted(lines))
    if not constants:
        return converted
    used = re.compile(rf"(?<![$\\{{])\{{({'|'.join(map(re.escape, constants))})\}}")
    return [Numbered(n, used.sub(lambda found: constants[found[1]], line)) for n, line in converted]


# --- line by line ---------------------------------------------------------------------------------


def _converted(lines: Lines) -> Iterator[Numbered]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if fence := _FENCE.match(line.text):
            end = _fence_end(lines, at, fence["mark"])
            yield from _fenced(lines[at:end], fence)
        elif line.text.strip().startswith("$$"):
            end = _formula_end(lines, at)
            yield from lines[at:end]
        elif (found := _ADMONITION.match(line.text)) and (end := _indented_end(lines, at, found["before"])) > at + 1:
            yield from _titled(line, found["before"], found["title"] or found["other"] or "")
            yield from _converted([_dedented(inner, found["before"]) for inner in lines[at + 1 : end]])
            yield Numbered(line.number, "")
        elif (container := _CONTAINER.match(line.text)) and (
            directive := _DIRECTIVE.match(container["rest"]) or _LISTED.match(container["rest"])
        ):
            end = at + 1 + _options_end(lines[at + 1 :])
            if _kind(directive["name"]) == "prose":
                yield from _one(line)
            else:
                end = _container_end(lines, at)
                yield from _directed(directive, line, _without_end(lines[at + 1 : end], ":::"), "")
        elif _MODULE.match(line.text):
            end = _module_end(lines, at)
        else:
            end = at + 1
            yield from _one(line)
        at = end


def _one(line: Numbered) -> Iterator[Numbered]:
    """Yield what one line outside of any block comes to."""
    text = line.text
    if text.lstrip().startswith(tags.TITLE):
        yield from _titled(line, "", text.strip(f"{tags.TITLE} \t"))
    elif _PASSED.match(text):
        yield Numbered(line.number, "")
    elif found := _CONTAINER.match(text):
        yield from _titled(line, found["before"], _container_title(found["rest"]))
    elif found := _SLASHES.match(text) or _CALLOUT.match(text):
        yield from _titled(line, found["before"], found["title"] or "")
    elif found := _LEAF.match(text):
        yield Numbered(line.number, _inline(f"{found[1]}{found['text'] or ''}"))
    elif _JSX.match(text):
        yield from _titled(line, "", tags.title_in(text))
    else:
        yield Numbered(line.number, _inline(text))


def _titled(line: Numbered, before: str, title: str) -> Iterator[Numbered]:
    """Yield a title as a paragraph of its own; a blank line where there is none."""
    quoted = before.rstrip() if ">" in before else ""
    yield Numbered(line.number, quoted)
    if re.search(r"[^\W\d_]", title):
        yield Numbered(line.number, f"{before}{_inline(title.strip())}")
        yield Numbered(line.number, quoted)


def _container_title(rest: str) -> str:
    """Return the title that follows the colons of a container.

    >>> [_container_title(rest) for rest in ("tip[Warm up]", "{note} As a rule", "{.callout title='A'}", "warning", "")]
    ['Warm up', 'As a rule', 'A', '', '']
    """
    if bracketed := re.match(r"\{?[\w.:-]+\}?\s*\[(.+?)\]", rest):
        return bracketed[1]
    if (named := tags.title_in(rest)) or rest.startswith(("{.", "{#", "{:")):
        return named
    title = rest.partition(" ")[2]
    title = re.sub(r"\{[^}]*\}|^[-+]\s*", "", title).strip(' "')
    return "" if _PATH.match(title) else title


def _inline(text: str) -> str:
    """Return a line as it reads, without roles, marks and attributes; what stands in code or formulas stays."""

    def shown(found: re.Match[str]) -> str:
        if found["kept"]:
            return found["kept"]
        if role := found["role"]:
            said = found["said"].strip()
            if role.startswith(("cite", "eq", "label", "target")):
                return ""
            return f"${said}$" if role == "math" else re.sub(r"\s*<[^<>]*>$", "", said).lstrip("~!.")
        return found["alias"] or (found["page"] or "").partition("#")[0] or found["marked"] or ""

    return _AT_THE_END.sub("", _INLINE.sub(shown, text)) if re.search(r"[{\[=:^]", text) else text


# --- blocks ---------------------------------------------------------------------------------------


def _fenced(block: Lines, fence: re.Match[str]) -> Iterator[Numbered]:
    """Yield a listing as it is, and a MyST directive in a fence as what it shows."""
    directive = _DIRECTIVE.match(fence["info"].strip())
    if directive:
        yield from _directed(directive, block[0], _without_end(block[1:], fence["mark"]), fence["before"])
    else:
        yield from block


def _directed(directive: re.Match[str], line: Numbered, inner: Lines, before: str) -> Iterator[Numbered]:
    """Yield what a MyST directive shows."""
    inner = inner[_options_end(inner) :]
    first, last = (inner[0].number - 1, inner[-1].number) if inner else (line.number, line.number)
    kind = _kind(directive["name"])
    if kind == "prose":
        title = directive["title"]
        yield from _titled(line, before, "" if _PATH.match(title) else title)
        yield from _converted(inner)
        yield Numbered(last, "")
    elif kind:
        yield from [Numbered(first, f"{before}{kind}"), *inner, Numbered(last, f"{before}{kind}")]


def _kind(name: str) -> str:
    """Return what stands in a directive: "prose", or what it is set between; "" where nothing of it is seen."""
    last = name.lower().rpartition(":")[2]
    return "$$" if last == "math" else "~~~~~~" if last in _CODE else "" if last in _UNSEEN else "prose"


def _without_end(block: Lines, mark: str) -> Lines:
    """Return the lines of a block without the mark that closes it."""
    return block[:-1] if block and block[-1].text.strip().startswith(mark) else block


def _options_end(inner: Lines) -> int:
    """Return how many lines at the head of a directive are its options."""
    at = 0
    if inner and inner[0].text.strip() == "---":
        return next((n + 1 for n, line in enumerate(inner[1:], 1) if line.text.strip() == "---"), 0)
    while at < len(inner) and _OPTION.match(inner[at].text):
        at += 1
    return at


def _closes(text: str, mark: str) -> bool:
    found = _FENCE.match(text)
    return bool(found) and found["mark"].startswith(mark) and not found["info"].strip()  # type: ignore[index]  # found


def _fence_end(lines: Lines, at: int, mark: str) -> int:
    return next((n + 1 for n in range(at + 1, len(lines)) if _closes(lines[n].text, mark)), len(lines))


def _formula_end(lines: Lines, at: int) -> int:
    if lines[at].text.count("$$") > 1:
        return at + 1
    return next((n + 1 for n in range(at + 1, min(len(lines), at + 200)) if "$$" in lines[n].text), at + 1)


def _container_end(lines: Lines, at: int) -> int:
    return next((n + 1 for n in range(at + 1, len(lines)) if re.fullmatch(r"\s*:{3,}\s*", lines[n].text)), len(lines))


def _module_end(lines: Lines, at: int) -> int:
    """Return where an import or export of MDX ends: before the next blank line."""
    return next((n for n in range(at + 1, len(lines)) if not lines[n].text.strip()), len(lines))


def _indented_end(lines: Lines, at: int, before: str) -> int:
    """Return where the lines that are indented under a marker end."""
    depth = len(before.expandtabs(4)) + 2
    end = at + 1
    for n in range(at + 1, len(lines)):
        text = lines[n].text.expandtabs(4)
        if text.strip():
            if len(text) - len(text.lstrip()) < depth:
                break
            end = n + 1
    return end


def _dedented(line: Numbered, before: str) -> Numbered:
    """Return a line under a marker without the indent that puts it there."""
    text = line.text.expandtabs(4)
    width = len(before.expandtabs(4))
    inner = text[width:]
    return Numbered(line.number, text[:width] + inner[min(4, len(inner) - len(inner.lstrip())) :])
