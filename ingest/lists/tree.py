"""Tree: the links of a list in markup, read as a person would.

Headings, bullets without a link that have bullets with links under them, what folds, and folders of bookmarks are
topics; text beside or under a link is the curator's note on it. A comment behind a link sets how it is read:
`<!-- fetch: ADDRESS; pages: 40; depth: 2; also: PREFIX; under: PREFIX -->`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.address import join
from ingest.lists.found import Found, Part, is_generic, titles

if TYPE_CHECKING:
    from lxml import html

MANY = 3  # links of a list with the same one or two words: they name none of them
_SETTING = re.compile(r"\b(fetch|pages|depth|also|under)\s*:\s*([^;>]+?)\s*(?=;|$)")
_BLOCKS = frozenset(
    "address article blockquote body caption center dd details dialog div dl dt fieldset figcaption figure form"
    " h1 h2 h3 h4 h5 h6 header hr html li main ol p pre section summary table tbody thead tfoot tr ul".split()
)
_PASSED = frozenset(
    "script style nav footer aside svg head template noscript pre iframe button form select sup".split()
)
_SEPARATOR = " | "  # between the cells of a row
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}


def links_of(tree: html.HtmlElement, base: str = "") -> list[Found]:
    """Return the links of a list, given as a tree; relative ones where the address of the list is known."""
    return _Reader(tree, base).read()


class _Reader:
    """Goes through a tree line by line; a line is what a person sees as one: a bullet, a paragraph, a row."""

    def __init__(self, tree: html.HtmlElement, base: str) -> None:
        self._tree = tree
        self._base = base
        texts = Counter(" ".join("".join(a.itertext()).split()).lower() for a in tree.iter("a"))
        self._repeated = frozenset(text for text, count in texts.items() if count >= MANY and text.count(" ") < 2)
        self._headings: list[tuple[int, str]] = []
        self._groups: list[str] = []  # of what is open, outermost first; "" where it is no topic
        self._about: list[int | None] = []  # the link that each open group is about
        self._line: list[Part] = []
        self._settings: dict[str, str] = {}
        self._link: str | None = None
        self._said: list[str] = []  # within the link
        self._folder = ""  # the name of one that comes next, in bookmarks
        self._folders = 0  # that are open
        self._heading = 0
        self.found: list[Found] = []

    def read(self) -> list[Found]:
        from lxml import etree

        events = etree.iterwalk(self._tree, events=("start", "end", "comment"))
        passed: object = None  # an element that was not entered: only its tail is left of it
        for event, element in events:
            if event == "comment":
                self._settings |= dict(_SETTING.findall(element.text or ""))
                self._text(element.tail)
            elif event == "start" and element.tag in _PASSED:
                passed = element
                events.skip_subtree()
            elif event == "start":
                self._open(element)
                self._text(element.text)
            else:
                if element is not passed:
                    self._close(element)
                passed = None
                self._text(element.tail if element is not self._tree else "")
        self._flush()
        return self.found

    def _text(self, text: str | None) -> None:
        if text and self._link is not None:
            self._said.append(text)
        elif text:
            self._line.append(Part(text))

    # --- what is open -----------------------------------------------------------------------------

    def _open(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag in _BLOCKS:
            self._flush()
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag in {"li", "details"}:
            self._enter("")
        elif tag == "dl":
            self._folders += 1
            self._enter(self._folder)
            self._folder = ""
        elif tag == "a" and (url := self._address(element)):
            self._link, self._said = url, []

    def _close(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag == "a" and self._link is not None:
            text = " ".join("".join(self._said).split())
            if text or not element.findall(".//img"):  # a badge is no link of the list
                self._line.append(Part(text, self._link))
            self._link = None
        elif tag in {"td", "th"} and self._line:
            self._line.append(Part(_SEPARATOR))
        if tag in _BLOCKS:
            self._flush(tag)
        if tag in _HEADINGS:
            self._heading = 0
        elif tag in {"li", "details", "dl"} and self._groups:
            self._groups.pop()
            self._about.pop()
            self._folders -= tag == "dl"

    def _enter(self, group: str) -> None:
        self._groups.append(group)
        self._about.append(None)

    def _address(self, element: html.HtmlElement) -> str:
        """Return the web address of an anchor; "" for any other, and for one that was made of a word."""
        href = (element.get("href") or "").strip()
        if element.get("data-guess"):
            return ""
        if re.match(r"https?://", href, re.IGNORECASE):
            return href
        if href.startswith("//") and "." in href.partition("?")[0]:
            return f"https:{href}"
        return join(self._base, href) if self._base and href and not href.startswith("#") else ""

    # --- lines ------------------------------------------------------------------------------------

    def _flush(self, closing: str = "") -> None:
        parts, self._line = self._line, []
        settings, self._settings = self._settings, {}
        while parts and not parts[-1].url and parts[-1].text in {_SEPARATOR, ""}:
            parts.pop()
        has_link = any(part.url for part in parts)
        text = _squeezed(parts)
        if not has_link and not text:
            self._settings = settings  # of a link that comes next, or came before
            if settings and self.found:
                self.found[-1] = replace(self.found[-1], settings={**self.found[-1].settings, **settings})
            return
        if self._heading and self._folders:
            self._folder = text
        elif self._heading:
            self._on_heading(parts, settings, text, has_link=has_link)
        elif has_link:
            self._on_links(parts, settings)
        else:
            self._on_text(text, closing)

    def _on_heading(self, parts: list[Part], settings: dict[str, str], text: str, *, has_link: bool) -> None:
        """Take a heading as a topic; one that is a link is both."""
        self._headings = [step for step in self._headings if step[0] < self._heading]
        named = _squeezed([part for part in parts if not (part.url and is_generic(part.text, self._repeated))])
        if has_link:
            self._on_links(parts, settings)
        self._headings.append((self._heading, re.sub(r"\s*[\[(]\s*[\])]", "", named).strip() or text))

    def _on_text(self, text: str, closing: str) -> None:
        above = next((about for about in reversed(self._about) if about is not None), None)
        if closing == "dd" and self.found:
            above = len(self.found) - 1
        if above is not None:
            known = self.found[above]
            self.found[above] = replace(known, note=" ".join(filter(None, [known.note, text])))
        elif self._groups:
            self._groups[-1] = text.rstrip(":")

    def _on_links(self, parts: list[Part], settings: dict[str, str]) -> None:
        topic = " > ".join([title for _, title in self._headings] + [group for group in self._groups if group])
        called = titles(parts, list(self._context()), self._repeated)
        note = _note(parts)
        for title, part in zip(called, (part for part in parts if part.url), strict=True):
            self.found.append(Found(part.url, title, (topic,), note, settings))
        if self._about:
            self._about[-1] = len(self.found) - 1

    def _context(self) -> Iterator[str]:
        """Yield what stands above a line, the nearest first: the link it is about, its group, its heading."""
        if (above := next((about for about in reversed(self._about) if about is not None), None)) is not None:
            yield self.found[above].title
        yield from (group for group in reversed(self._groups) if group)
        yield from (title for _, title in reversed(self._headings))


def _squeezed(parts: list[Part]) -> str:
    return " ".join("".join(part.text for part in parts).split())


def _note(parts: list[Part]) -> str:
    """Return the text beside the links of a line, without what only joins them."""
    beside = " ".join("".join(" " if part.url else part.text for part in parts).replace(_SEPARATOR, "; ").split())
    note = re.sub(r"\(\s*\)|\[\s*\]", "", beside).strip(" -:–—·|,.;()[]")
    return note if note.count(" ") > 1 and "|" not in note else ""
