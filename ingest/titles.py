"""Titles: what a document is called in a citation. "Introduction" says nothing of what it introduces.

A page's own title is taken where it says something. Where it does not, the name of its site or book is put in front;
where that is not known either, the curator's title stands for it, or what its address spells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from ingest.address import host_of, split
from ingest.sources import github

MOST = 300  # characters

_GENERIC = re.compile(
    r"intro(?:duction)?|overview|(?:pre)?requirements?|prerequisites?|index|home(?: ?page)?|readme|usage"
    r"|(?:table of )?contents?|use ?cases?|agenda|resources?|questions?|exercises?|basics|concepts?|features?|summary"
    r"|conclusions?|abstract|syllabus|faqs?|about(?: us)?|docs|documentation|welcome|get(?:ting)? started|quick ?start"
    r"|set ?up|installation|background|archives?|untitled(?: document)?|title|case studies|references?|courses?|goals?"
    r"|benchmarks?|blog|main(?: page)?|notes?|motivation|system model|table|figure|preface|stats|lessons?|slides?"
    r"|(?:chapter|part|section|week)s?|design(?: en)?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^(?:(?:chapter|part|section|week|lesson|module|lecture)\b)?[\s\d.:)_-]*", re.IGNORECASE)
_BREAK = re.compile(r"\s+[|·•—–»]\s+|\s+-\s+")
_EMOJI = re.compile(r"(?<!\S):[a-z][a-z_]+:(?!\S)")  # as READMEs write it
_ENDS = re.compile(r"\.(?:html?|xhtml|md|mdx|markdown|rst|pdf|txt|php|aspx?)$", re.IGNORECASE)
_FILLERS = {
    "docs",
    "blob",
    "tree",
    "main",
    "master",
    "head",
    "doi",
    "stable",
    "latest",
    "en",
    "en-us",
    "www",
    "pub",
    "files",
}


def is_generic(title: str) -> bool:
    """Return whether a title could stand over any text.

    >>> is_generic("1. INTRODUCTION"), is_generic("Requirements:"), is_generic("Introduction to rings")
    (True, True, False)
    """
    bare = _NUMBER.sub("", title).strip(" :.#¶*_-")
    return not re.search(r"[^\W\d_]", bare) or bool(_GENERIC.fullmatch(bare))


def of_page(title: str, shared: str, headings: Sequence[str]) -> str:
    """Return what a page is called: `title` stands in its head, `shared` is what it gives to others.

    >>> of_page("Outside the web · V8", "", ["V8", "Outside the web"]), of_page("7.1 Basics · MLIB", "", ["7.1 Basics"])
    ('Outside the web', 'MLIB: 7.1 Basics')
    """
    headings = [heading.strip("¶# ") for heading in headings if _plain(heading)]
    parts = [part.strip() for part in _BREAK.split(shared or title) if _plain(part)]
    said = [heading for heading in headings if _plain(heading) in _plain(f"{shared} {title}")]
    telling = [heading for heading in headings if not is_generic(heading)]
    if said:
        found = max(said, key=len)
    elif telling and (not shared or is_generic(parts[0])):
        found = telling[0]
    elif len(parts) > 1 and parts[0].count(" ") < 2:  # the name of the site may come first
        found = ": ".join(sorted(parts[:2], key=is_generic))
    elif parts:
        found = ": ".join(dict.fromkeys([parts[0], *headings[:1]])) if not shared else parts[0]
    else:
        found = next(iter(headings), "")
    if is_generic(found):
        others = [part for part in _BREAK.split(title) if _plain(part) not in _plain(found) and not is_generic(part)]
        found = ": ".join([*others[-1:], found])
    return found[:MOST]


def of(found: str, *, listed: str, url: str) -> str:
    """Return the title of a document: its own, else the one that a list gives it, else what its address spells.

    >>> of("Requirements:", listed="", url="https://github.com/o/MLOps-Basics/blob/main/week_4_onnx/README.md")
    'MLOps-Basics: week 4 onnx'
    >>> of("Machine learning interviews :robot:", listed="", url="https://github.com/o/interviews")
    'Machine learning interviews'
    """
    found = _EMOJI.sub("", found).strip()
    if found and not is_generic(found):
        return found
    spelled = from_address(url)
    return listed or (spelled if ": " in spelled else ": ".join(filter(None, [spelled, found]))) or url


def from_address(url: str) -> str:
    """Return what an address spells: the repository or host, and its last step that says something.

    >>> from_address("https://docs.feast.dev/getting-started/architecture/overview")
    'docs.feast.dev: architecture overview'
    """
    steps = [_words(step) for step in split(url).path.split("/") if step.lower() not in _FILLERS]
    steps = [step for step in steps if re.search(r"[^\W\d_]{2}", step) and step.lower() != "readme"]
    name = host_of(url).removeprefix("www.")
    if github.repository(url):
        name, steps = (
            split(url).path.split("/")[2],
            [step for step in steps[1:] if step != _words(split(url).path.split("/")[2])],
        )
    last = steps[-1] if steps else ""
    if len(steps) > 1 and is_generic(last) and not is_generic(steps[-2]):
        last = f"{steps[-2]} {last}"
    return ": ".join(filter(None, [name, last]))[:MOST]


def _words(step: str) -> str:
    return " ".join(re.split(r"[-_+\s]+", _ENDS.sub("", unquote(step, errors="replace")))).strip()


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
