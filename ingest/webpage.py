"""HTML -> blocks: one walk over a page's markup, for pages and for all that is rendered to HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lxml import etree, html

from ingest import hidden
from ingest.document import ZERO_WIDTH, Kind, Piece

_BLOCK_TAGS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol p pre section summary table tbody td "
    "tfoot th thead tr ul".split()
)
_LISTS = {"ul", "ol", "dl"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_DROPPED = frozenset(
    "script style noscript template svg head iframe object embed canvas audio video select option button input "
    "textarea label map datalist".split()
)
_WHOLE = frozenset("table math mjx-container d-cite d-footnote sup".split())  # may be taken as one; formulas are, too
_ACTING = _BLOCK_TAGS | {"a", "br"}
_APART = {"nav", "aside", "footer", "form", "menu", "dialog"}  # never the article itself
_APART_ROLES = {"navigation", "banner", "contentinfo", "search", "menu", "dialog", "complementary"}
_CONTROLS = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f{ZERO_WIDTH}]")
_NOTE_NUMBER = re.compile(r"[\[(]?(?:\d{1,3}|[*†‡§]{1,3}|[a-z])[\])]?")
_BREAK = "\0"  # in collected text; none is in a page's own
_FORMULA = re.compile(r"\b(?:katex|mwe-math-element|MathJax)\b")
_NOTE_MARK = re.compile(r"\b(?:reference|footnote-ref|footnote-reference|d-cite)\b")


# lxml asks a function in Python for the class of each element, which takes as long as the rest of a walk.
_ONE_CLASS = etree.ElementDefaultClassLookup(element=html.HtmlElement)


@dataclass(frozen=True, slots=True)
class PageBlock:
    """One visible block of a page."""

    piece: Piece
    visible: str  # as the browser shows it: with note marks, without the source of formulas
    apart: bool  # inside navigation, a footer, a form and the like
    linked: float  # share of its characters inside links


@dataclass
class _Run:
    """The inline text collected since the last block began."""

    text: list[str] = field(default_factory=list)
    visible: list[str] = field(default_factory=list)
    linked: int = 0

    def add(self, text: str, visible: str, *, in_link: bool) -> None:
        self.text.append(text)
        self.visible.append(visible)
        self.linked += len(text.strip()) if in_link else 0


def parse(markup: str) -> html.HtmlElement:
    """Return the tree of a page; raises ValueError where nothing in it is markup."""
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    parser.set_element_class_lookup(_ONE_CLASS)
    plain = _CONTROLS.sub("", markup)  # some end the page for the parser, and not for a browser; some split words
    try:
        tree = html.document_fromstring(plain.encode("utf-8", "replace"), parser=parser)
    except etree.LxmlError as error:
        raise ValueError(str(error)) from error
    if tree is None:
        raise ValueError("no markup")
    return tree


def whole(markup: str) -> tuple[list[Piece], str]:
    """Return all blocks of markup that holds nothing but its text (rendered Markdown, say), and what it shows."""
    tree = parse(markup)
    hidden.strip(tree)
    blocks = page_blocks(tree)
    return [block.piece for block in blocks], visible_text(blocks)


def visible_text(blocks: Iterable[PageBlock]) -> str:
    """Return what a browser shows, a line a block: where a text fragment must be unique."""
    return "\n".join(squeeze(block.visible) for block in blocks if block.visible.strip())


def squeeze(text: str) -> str:
    """Return the text with every run of white space as one blank."""
    return " ".join(text.split())


def page_blocks(tree: html.HtmlElement) -> list[PageBlock]:
    """Return the visible blocks of a page in document order."""
    return _Walker().walk(tree)


# --- the walk -----------------------------------------------------------------------------------


class _Walker:
    """Turns a tree into visible blocks, without recursion: pages nest as deep as they like."""

    def __init__(self) -> None:
        self.blocks: list[PageBlock] = []
        self.run = _Run()
        self.anchor = ""
        self.line = ""
        self.apart = 0
        self.captions = 0
        self.links = 0
        self.pre = 0
        self.lists: list[str] = []
        self.item_open = False

    def walk(self, tree: html.HtmlElement) -> list[PageBlock]:
        events = etree.iterwalk(tree, events=("start", "end"))
        passed: etree._Element | None = None  # an element that was not entered: only its tail is left of it
        for event, element in events:
            tag = element.tag
            if event == "start":
                css = element.get("class", "")
                if tag in _DROPPED or ((tag in _WHOLE or _FORMULA.search(css)) and self._took(element, css)):
                    passed = element
                    events.skip_subtree()
                    continue
                if tag in _ACTING:
                    self._open(element)
                text = element.text
            else:
                if element is not passed and tag in _ACTING:
                    self._close(element)
                passed = None
                text = None if element is tree else element.tail
            if text:
                self._text(text)
        self._flush()
        return self.blocks

    def _took(self, element: html.HtmlElement, css: str) -> bool:
        """Return whether an element was taken as a whole, so that it is not entered."""
        whole = _as_one(element, css)
        if whole is not None:
            self._one(element, whole)
        return whole is not None

    def _open(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag in _BLOCK_TAGS:
            self._flush()
            self.line = element.get("data-line") or self.line
            self.apart += _is_apart(element)
            self.captions += tag == "figcaption"
        if tag in _LISTS:
            self.lists.append(tag)
        elif tag == "li":
            self.item_open = True
        elif tag == "pre":
            self.pre += 1
        elif tag == "a":
            self.links += 1
        elif tag == "br":
            self.run.add(_BREAK, "\n", in_link=False)
        if tag in _HEADINGS:
            self.anchor = element.get("id") or next(iter(element.xpath(".//@id|.//a/@name")), "") or self.anchor

    def _close(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag in _BLOCK_TAGS:
            self._flush(tag)
            self.apart -= self.apart > 0 and _is_apart(element)
            self.captions -= tag == "figcaption"
        if tag in _LISTS:
            self.lists.pop()
        elif tag == "pre":
            self.pre -= 1
        elif tag == "a":
            self.links -= 1

    def _one(self, element: html.HtmlElement, whole: tuple[Kind | None, str, str]) -> None:
        kind, text, visible = whole
        if kind is None:  # inline: a formula, a note mark
            opens = not any(map(str.strip, self.run.text))  # then it is the note itself that has the number
            self.run.add(text or visible if opens else text, visible, in_link=self.links > 0)
            return
        self._flush()
        self.line = element.get("data-line") or self.line
        linked = min(1.0, sum(len("".join(a.itertext())) for a in element.iter("a")) / max(1, len(text)))
        self.blocks.append(PageBlock(Piece(kind, text, place=self._place()), visible, self.apart > 0, linked))

    def _text(self, text: str) -> None:
        if self.run.text or self.pre or not text.isspace():
            self.run.add(text, text, in_link=self.links > 0)

    def _place(self) -> str:
        return f"L{self.line}" if self.line else self.anchor

    def _flush(self, closing: str = "") -> None:
        run = self.run
        if not run.text:
            return
        self.run = _Run()
        text = "".join(run.text)
        if self.pre:
            text = text.replace(_BREAK, "\n").strip("\n").rstrip()
        else:
            text = "\n".join(map(squeeze, text.split(_BREAK))).strip()
        if not text:
            return
        kind: Kind = "text"
        level = 0
        if closing in _HEADINGS:
            kind, level, text = "heading", int(closing[1]), squeeze(text).rstrip("¶#§ ")
        elif self.pre:
            kind = "code"
        elif self.lists and self.lists[-1] != "dl" and self.item_open:
            kind, level, self.item_open = "item", len(self.lists) - 1, False
        linked = min(1.0, run.linked / max(1, len(text)))
        if self.captions or (kind == "item" and linked > 0.8):  # about a picture, or a way to read on: nothing to quote
            kind = "reference"
        piece = Piece(kind, text, level, self._place())
        self.blocks.append(PageBlock(piece, "".join(run.visible), self.apart > 0, linked))


def _is_apart(element: html.HtmlElement) -> bool:
    return element.tag in _APART or element.get("role") in _APART_ROLES


def _as_one(element: html.HtmlElement, css: str) -> tuple[Kind | None, str, str] | None:
    """Return (kind, text, visible text) of an element that is taken as a whole, else None.

    Kind None is inline: a formula becomes its TeX source, a note mark such as "[3]" nothing.
    """
    tag = element.tag
    if tag == "table":
        rows = _data_rows(element)
        return None if rows is None else ("table", "\n".join(rows), "\n".join(rows))
    if tag in {"math", "mjx-container"} or _FORMULA.search(css):
        return None, _tex(element), squeeze("".join(element.itertext()))
    if tag in {"d-cite", "d-footnote"} or (tag == "sup" and (_NOTE_MARK.search(css) or _leads_to_a_note(element))):
        return None, "", "".join(element.itertext())
    return None


def _leads_to_a_note(sup: html.HtmlElement) -> bool:
    """Return whether what stands high is the number of a note: linked, on this page; 10⁹ and N² are not."""
    around = sup.getparent()
    link = around if around is not None and around.tag == "a" else sup.find("a")
    leads = link is not None and (link.get("href") or "").startswith("#")
    return leads and bool(_NOTE_NUMBER.fullmatch("".join(sup.itertext()).strip()))


def _tex(element: html.HtmlElement) -> str:
    source = next(iter(element.xpath(".//annotation[contains(@encoding, 'tex')]//text()")), None)
    if source is None:
        source = element.get("alttext") or next(iter(element.xpath(".//img/@alt")), None)
    if source is None:
        return squeeze("".join(element.itertext()))
    inner = re.fullmatch(r"\s*\{\\(?:displaystyle|textstyle)\s*(.*)\}\s*", source, re.DOTALL)
    return f"${squeeze(inner.group(1) if inner else source)}$"


def _data_rows(table: html.HtmlElement) -> list[str] | None:
    """Return the rows of a data table as Markdown-like lines, None for a table that only lays out a page."""
    if table.xpath(".//table|.//pre|.//h1|.//h2|.//h3") or not table.xpath(".//th|self::*[count(.//p|.//ul)=0]"):
        return None
    rows = []
    for row in table.iter("tr"):
        cells = [squeeze("".join(_seen_text(cell))) for cell in row if cell.tag in {"td", "th"}]
        if any(cells):
            rows.append(f"| {' | '.join(cells)} |")
    return rows if any(row.count("|") > 2 for row in rows) else None


def _seen_text(cell: html.HtmlElement) -> Iterator[str]:
    for event, element in etree.iterwalk(cell, events=("start", "end")):
        if event == "start":
            if isinstance(element.tag, str) and element.tag not in _DROPPED:
                yield element.text or ""
        elif element is not cell:
            yield element.tail or ""
