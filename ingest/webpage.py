"""HTML -> blocks: one walk over a page's markup, for pages and for all that is rendered to HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree, html

from ingest import formulas, hidden, raised, tables
from ingest.blocks import BREAK, PageBlock, Run, beside
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
_WHOLE = frozenset("table math mjx-container script img d-cite d-footnote sup sub".split())  # may be taken as one
_ACTING = _BLOCK_TAGS | {"a", "br"}
_APART = {"nav", "aside", "footer", "form", "menu", "dialog"}  # never the article itself
_APART_ROLES = {"navigation", "banner", "contentinfo", "search", "menu", "dialog", "complementary"}
_CONTROLS = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f{ZERO_WIDTH}]")
_MAY_BE_FORMULA = re.compile(r"katex|mwe-math-element|MathJax|ltx_eqn_table")
_NUMBERED = {"td", "th", "span", "pre"}
LINE_NUMBERS = re.compile(r"(?:^|\s)(?:lineno|linenos|gutter|line-numbers-rows)(?:\s|$)")  # beside a listing
_LATEXML = re.compile(r"\bltx_(?:note|authors|page_footer|page_navbar|TOC)\b")  # no part of a paper's text
_ADDRESS = re.compile(r"https?://\S+")
_SENTENCE_ENDS = re.compile(r"[.:?!…–—-]$")


# lxml asks a function in Python for the class of each element, which takes as long as the rest of a walk.
_ONE_CLASS = etree.ElementDefaultClassLookup(element=html.HtmlElement)


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
    lines = (squeeze(line) for block in blocks for line in block.visible.split(BREAK))
    return "\n".join(line for line in lines if line)


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
        self.run = Run()
        self.term: PageBlock | None = None  # what a definition that comes next defines
        self.anchor = ""
        self.line = ""
        self.apart = 0
        self.captions = 0
        self.links = 0
        self.pre = 0
        self.lists: list[str] = []
        self.item_open = False
        self.at_foot = False  # in a note there

    def walk(self, tree: html.HtmlElement) -> list[PageBlock]:
        events = etree.iterwalk(tree, events=("start", "end"))
        passed: etree._Element | None = None  # an element that was not entered: only its tail is left of it
        for event, element in events:
            tag = element.tag
            if event == "start":
                css = element.get("class", "")
                if self._took(element, tag, css):
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
        self._end_term()
        return self.blocks

    def _took(self, element: html.HtmlElement, tag: str, css: str) -> bool:
        """Return whether an element was taken as a whole, or is passed over, so that it is not entered."""
        if tag in _WHOLE or (css and _MAY_BE_FORMULA.search(css)):
            if formulas.is_formula(element, css):
                self._inline(*formulas.tex(element))
                return True
            if tag == "table":
                return not self.pre and self._table(element)
            if tag in {"d-cite", "d-footnote"} or (tag in {"sup", "sub"} and not self.pre):
                self._raised(element)
                return True
        if css and (_LATEXML.search(css) or (tag in _NUMBERED and LINE_NUMBERS.search(css))):
            return True
        return tag in _DROPPED

    def _open(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag in _BLOCK_TAGS and self.pre:
            self._begin_line()
        elif tag in _BLOCK_TAGS:
            self._flush()
            self.line = element.get("data-line") or self.line
            self.apart += _is_apart(element)
            self.captions += tag == "figcaption"
        if tag in _LISTS:
            self.lists.append(tag)
        elif tag == "li":
            self.item_open = not self.pre
            self.at_foot = "footnote" in element.get("class", "")
        elif tag == "pre":
            self.pre += 1
        elif tag == "a":
            self.links += 1
        elif tag == "br":
            self.run.add(BREAK, "\n", in_link=False)
        if tag in _HEADINGS:
            self.anchor = element.get("id") or next(iter(element.xpath(".//@id|.//a/@name")), "") or self.anchor

    def _close(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag in _BLOCK_TAGS and self.pre and tag != "pre":
            self._begin_line()
        elif tag in _BLOCK_TAGS:
            self._flush(tag)
            self.apart -= self.apart > 0 and _is_apart(element)
            self.captions -= tag == "figcaption"
        if tag in _LISTS:
            self.lists.pop()
        elif tag == "pre":
            self.pre -= 1
        elif tag == "a":
            self.links -= 1
        if tag == "dl":
            self._end_term()

    def _begin_line(self) -> None:
        """Begin a new line of a listing, unless one has just begun."""
        if self.run.text and not self.run.text[-1].endswith((BREAK, "\n")):
            self.run.add(BREAK, "\n", in_link=False)

    def _table(self, element: html.HtmlElement) -> bool:
        """Take a table as a whole, with what stands over it; return False for one that only lays out a page."""
        found = tables.rows_of(element, _cell)
        if found is None:
            return False
        self._flush()
        self.line = element.get("data-line") or self.line
        for caption in element.iterfind("caption"):
            said = squeeze("".join(caption.itertext()))
            self._add(PageBlock(Piece("reference", said, place=self._place()), said, self.apart > 0, 0.0))
        text = tables.as_lines(found[0])
        linked = min(1.0, sum(len("".join(a.itertext())) for a in element.iter("a")) / max(1, len(text)))
        piece = Piece("table", text, place=self._place())
        self._add(PageBlock(piece, BREAK.join(found[1]), self.apart > 0, linked))
        return True

    def _raised(self, element: html.HtmlElement) -> None:
        before = "".join(self.run.text[-3:])
        text = raised.plain(element, before) if element.tag in {"sup", "sub"} else None
        shown = "".join(element.itertext())
        opens = text is None and not any(
            map(str.strip, self.run.text)
        )  # then it is the note itself that has the number
        self._inline(shown if opens else text or "", shown)

    def _inline(self, text: str, visible: str) -> None:
        self.run.add(text, visible, in_link=self.links > 0)

    def _text(self, text: str) -> None:
        if self.run.text or self.pre or not text.isspace():
            self.run.add(text, text, in_link=self.links > 0)

    def _place(self) -> str:
        return f"L{self.line}" if self.line else self.anchor

    def _flush(self, closing: str = "") -> None:
        run = self.run
        if not run.text:
            return
        self.run = Run()
        text = "".join(run.text)
        if self.pre:
            text = text.replace(BREAK, "\n").strip("\n").rstrip()
        else:
            text = "\n".join(map(squeeze, text.split(BREAK))).strip()
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
        leads_on = kind == "item" and (linked > 0.8 or (self.at_foot and _ADDRESS.fullmatch(text)))
        if self.captions or leads_on:  # about a picture, or a way to read on: nothing to quote
            kind = "reference"
        piece = Piece(kind, text, level, self._place())
        block = PageBlock(piece, "".join(run.visible), self.apart > 0, linked)
        if closing == "dt":
            self.term = beside(self.term, block, ", ") if self.term else block
        else:
            self._add(block)

    def _add(self, block: PageBlock) -> None:
        """Add a block; a definition with what it defines."""
        if self.term and block.piece.kind == "text":
            joint = " " if _SENTENCE_ENDS.search(self.term.piece.text) else ": "
            block, self.term = beside(self.term, block, joint), None
        self._end_term()
        self.blocks.append(block)

    def _end_term(self) -> None:
        """Add a term that nothing defines as a block of its own."""
        if self.term:
            self.blocks.append(self.term)
            self.term = None


def _cell(cell: html.HtmlElement) -> tuple[str, str]:
    """Return what a cell of a table says, in one line, and what a browser shows of it."""
    if not len(cell):
        said = squeeze(cell.text or "")
        return said, said
    blocks = _Walker().walk(cell)
    return squeeze(" ".join(block.piece.text for block in blocks)), BREAK.join(block.visible for block in blocks)


def _is_apart(element: html.HtmlElement) -> bool:
    return element.tag in _APART or element.get("role") in _APART_ROLES
