"""Org (Emacs) -> plain Markdown, line by line, each with its number; no maintained library reads its markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.forms.dialects import Numbered

_HEADING = re.compile(
    r"^(\*+)\s+(?:(?:TODO|DONE|NEXT|WAITING|CANCELLED)\s+)?(?:\[#[A-Z]\]\s*)?(.*?)(?:\s+:[\w@#%:]+:)?\s*$"
)
_BLOCK = re.compile(r"^\s*#\+begin_(\w+)\b", re.IGNORECASE)
_END = re.compile(r"^\s*#\+end_(\w+)\b", re.IGNORECASE)
_SETTING = re.compile(r"^\s*#\+([\w-]+)(?:\[.*?\])?:\s*(.*)$")
_DRAWER = re.compile(r"^\s*:[\w-]+:\s*$")
_PLANNED = re.compile(r"^\s*(?:CLOSED|SCHEDULED|DEADLINE|CLOCK):")
_LINK = re.compile(r"\[\[([^\]\[]+)\](?:\[((?:[^\]\[]|\[[^\]\[]*\])+)\])?\]")
_INLINE = re.compile(
    r"(?P<code>(?<![\w=~])(?P<tick>[=~])(?P<said>[^\s=~](?:[^\n]*?[^\s])?)(?P=tick)(?![\w=~]))"
    r"|(?<![\w/:<])/(?P<leaning>[^\s/][^\n/]*?[^\s/]|[^\s/])/(?![\w/])"
    r"|(?<![\w*])\*(?P<bold>[^\s*][^\n*]*?[^\s*]|[^\s*])\*(?![\w*])"
    r"|\\\((?P<formula>.+?)\\\)|\[fn:(?P<note>[\w-]+)\]"
)
_LISTINGS = {"src", "example", "export_html"}
_UNSEEN = {"comment", "export"}


def to_markdown(source: str) -> Iterator[Numbered]:
    """Yield the lines of the Markdown that an Org file comes to."""
    block, drawer, table = "", False, False
    for n, line in enumerate(source.replace("\r\n", "\n").split("\n"), 1):
        if block:
            if (end := _END.match(line)) and end[1].lower() == block:
                yield Numbered(n, "```" if block in _LISTINGS else "")
                block = ""
            elif block in _LISTINGS:
                yield Numbered(n, line.removeprefix(","))
            elif block not in _UNSEEN:
                yield Numbered(n, _inline(line))
        elif drawer:
            drawer = line.strip().upper() != ":END:"
        elif begin := _BLOCK.match(line):
            block = begin[1].lower()
            yield from (Numbered(n, ""), Numbered(n, "```" if block in _LISTINGS else ""))
        elif line.lstrip().startswith("|"):
            yield from _row(n, line, first=not table)
        elif _DRAWER.match(line):
            drawer = line.strip().upper() != ":END:"
        else:
            yield _line(n, line)
        table = line.lstrip().startswith("|")


def _line(n: int, line: str) -> Numbered:
    if heading := _HEADING.match(line):
        return Numbered(n, f"{'#' * min(6, len(heading[1]) + 1)} {_inline(heading[2])}")  # below the file's title
    if setting := _SETTING.match(line):
        return Numbered(n, f"# {setting[2]}" if setting[1].lower() == "title" else "")
    if line.startswith("# ") or line.strip() == "#" or _PLANNED.match(line):
        return Numbered(n, "")
    if fixed := re.match(r"^\s*: (.*)$", line):
        return Numbered(n, f"    {fixed[1]}")
    if note := re.match(r"^\[fn:([\w-]+)\]\s+(.*)$", line):
        return Numbered(n, f"[^{note[1]}]: {_inline(note[2])}")
    line = re.sub(r"^(\s*(?:[-+]|\d+[.)]))\s+(.*?)\s+::\s+", r"\1 \2: ", line)
    return Numbered(n, _inline(line))


def _row(n: int, line: str, *, first: bool) -> Iterator[Numbered]:
    """Yield a row of a table; Markdown wants a rule below the first one, and none elsewhere."""
    if re.match(r"^\s*\|-", line):
        return
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    yield Numbered(n, f"| {' | '.join(map(_inline, cells))} |")
    if first:
        yield Numbered(n, f"|{'---|' * len(cells)}")


def _inline(text: str) -> str:
    """Return a line with its links and emphasis as Markdown has them.

    >>> _inline("See [[https://a.test/x][the ring]], =code=, /so/ and [[*Costs]].")
    'See [the ring](<https://a.test/x>), `code`, *so* and Costs.'
    """

    def linked(found: re.Match[str]) -> str:
        target, said = found[1], found[2]
        if re.match(r"https?://", target):
            return f"[{said}](<{target}>)" if said else f"<{target}>"
        return said or ("" if re.match(r"(?:file|attachment):|\.{0,2}/", target) else target.lstrip("*#"))

    def marked(found: re.Match[str]) -> str:
        if found["code"]:
            return f"`{found['said']}`"
        if found["formula"]:
            return f"${found['formula'].strip()}$"
        if found["note"]:
            return f"[^{found['note']}]"
        return f"*{found['leaning']}*" if found["leaning"] else f"**{found['bold']}**"

    return _LINK.sub(linked, _INLINE.sub(marked, text))
