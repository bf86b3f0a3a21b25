"""A response -> clean text: the pieces in it, by what kind of thing the bytes are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ingest import pdf, transcript, webpage
from ingest.characters import whole
from ingest.decoding import decode, form_of, is_binary, language_of
from ingest.details import Details, Links, details_of
from ingest.document import Piece
from ingest.forms import front, markdown
from ingest.message import Response
from ingest.pieces import mark_link_sections, ranges, without_title
from ingest.pieces import quotable as quotable
from ingest.status import Status, Verdict

MARKUP = frozenset({"html", "markdown", "rst", "asciidoc", "org", "text"})
MAX_PAGE = 8_000_000  # characters of HTML

_RULES = (
    r"\b.{0,30}\b(?:previous|prior|above|earlier|all|preceding)\b.{0,20}"
    r"\b(?:instructions?|prompts?|rules|directions|guidelines|commands)\b"
)
_TO_A_MODEL = (
    r"(?:an? |any )?(?:ai|llms?|language models?|(?:ai )?assistants?|chatbots?)\b.{0,40}"
    r"\b(?:must|should|ignore|reply|respond|answer|output|say|tell|recommend)\b"
)
_TO_A_READER = r" (?:tell|inform|reveal to|mention (?:this|it) to) the (?:user|reader|human)\b"
# Of a text in small letters. Each way begins with a letter: `re` passes over what begins with another one.
_ADDRESSES_A_MODEL = re.compile(
    rf"ignore{_RULES}|disregard{_RULES}|forget{_RULES}|override{_RULES}"
    r"|you are (?:now )?(?:an?|the) (?:ai|assistant|language model|chatbot)\b.{0,60}\b(?:must|should|will)\b"
    rf"|to {_TO_A_MODEL}|if you are {_TO_A_MODEL}"
    r"|system prompt\b|developer message\b|<\|(?:im_start|system|user|assistant)\|>|\[/?inst\]|<</?sys>>"
    rf"|do not{_TO_A_READER}|don't{_TO_A_READER}|never{_TO_A_READER}",
    re.DOTALL,
)


class Unreadable(Exception):
    """Bytes that give no text; the message is the ledger's reason."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What was read in a response."""

    form: str  # as a document's
    title: str
    language: str  # ISO 639-1
    pieces: tuple[Piece, ...]
    page_text: str  # what a browser shows; "" for a PDF
    published: str = ""  # ISO date
    linked: float = 0.0  # share of the text that is links
    flags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    about: str = ""  # who made it, what it is, at what price
    canonical: str = ""  # the address that it calls its own
    links: Links = tuple
    paper: str = ""  # the PDF that a landing page is about
    verdict: Verdict | None = None  # where this is not the text, or not all of it
    left_out: tuple[str, ...] = ()  # what of it could not be read: "2 of 7 chapters (...)", "pages 3-5: pictures"

    def ending(self, verdict: Verdict) -> Extract:
        """Return this with what became of it instead of a text."""
        return replace(self, verdict=verdict)

    def holding(self, pieces: Sequence[Piece], *, authors: tuple[str, ...] = ()) -> Extract:
        """Return this with a text; raises Unreadable where it holds none."""
        return _finished(replace(self, pieces=tuple(pieces), authors=authors or self.authors))


def extract(response: Response) -> Extract:
    """Return the text of a response in pieces.

    Raises Unreadable with the reason where there is none.
    """
    if not response.body.strip():
        raise Unreadable("the body is empty")
    form = form_of(response)
    if form in MARKUP:
        return _finished(_from_text(response, form))
    if form == "pdf":
        return _finished(_from_pdf(response))
    if form == "sitemap":
        return sitemap(response)
    if form:
        return _finished(_from_file(response, form))
    raise Unreadable(f"the content type {response.content_type[:80] or 'none'} is not one that holds text")


def about_paper(title: str, authors: tuple[str, ...], published: str, abstract: str, *, reason: str) -> Extract:
    """Return the abstract of a paper whose text is not to be had."""
    found = Extract("text", title, "en", (Piece("text", abstract),), "", published=published, authors=authors)
    return _finished(found).ending(Verdict(Status.METADATA, reason))


def sitemap(response: Response) -> Extract:
    """Return the addresses that a sitemap lists, as links."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(response.body, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"the XML cannot be parsed ({error})") from error
    found = root.iterfind(".//{*}loc") if root is not None else ()
    links = tuple(dict.fromkeys((place.text or "").strip() for place in found))[:50_000]  # as many as one may have
    verdict = Verdict(Status.UNREADABLE, "a list of addresses")
    return Extract("sitemap", "", "", (), "", links=lambda: links, verdict=verdict)


def _finished(found: Extract) -> Extract:
    found = replace(
        found,
        pieces=tuple(replace(piece, text=whole(piece.text.replace("\0", ""))) for piece in found.pieces),
        title=whole(found.title),
        page_text=whole(found.page_text.replace("\0", "")),
        published=whole(found.published),
        authors=tuple(map(whole, found.authors)),
        about=whole(found.about),
        canonical=whole(found.canonical),
        paper=whole(found.paper),
    )
    pieces = without_title(mark_link_sections(found.pieces), found.title)
    text = " ".join(piece.text for piece in pieces)
    if not text.strip():
        raise Unreadable("no text in the page")
    flags = ("instructions",) if _ADDRESSES_A_MODEL.search(text.lower()) else ()
    prose = " ".join(piece.text for piece in pieces if piece.kind in {"heading", "text", "item"})
    return replace(found, pieces=tuple(pieces), language=language_of(prose or text), flags=flags)


# --- one function a form --------------------------------------------------------------------------


def _from_pdf(response: Response) -> Extract:
    try:
        paper = pdf.read(response.body)
    except ValueError as error:
        raise Unreadable(f"the PDF is {error}") from error
    pieces, title = paper.pieces, paper.title
    if not pieces:
        raise Unreadable("the pages are pictures: no text in them" if paper.pictures else "no text in its pages")
    first = next((piece.text for piece in pieces[:40] if piece.kind == "heading" and piece.place == "page=1"), "")
    opening = " ".join(piece.text for piece in pieces[:40]).lower()
    words = re.findall(r"\w{3,}", title.lower())
    # Many files still carry the title of the template, or the name of the file, they were made from.
    theirs = len(words) > 1 and sum(word in opening for word in words) > len(words) / 2
    left_out = [f"{ranges(list(paper.pictures), 'page')}: pictures without text"] if paper.pictures else []
    left_out += [f"{paper.left_out} pages after the first {pdf.MAX_PAGES}"] if paper.left_out else []
    return Extract("pdf", title if theirs else first, "", tuple(pieces), "", left_out=tuple(left_out))


def _from_file(response: Response, form: str) -> Extract:
    """Return what a file holds that is no markup; each reader loads its library."""
    from ingest.forms import book, notebook, office, saved_page, subtitles

    readers: dict[str, Callable[[Response], Extract]] = {
        "mhtml": saved_page.read,
        "epub": book.read,
        "docx": office.read_document,
        "pptx": office.read_slides,
        "notebook": notebook.read,
    }
    try:
        found = readers[form](response) if form in readers else subtitles.read(response, form)
    except Unreadable:
        raise
    except Exception as error:  # each library has its own ways to fail on a damaged file
        reason = error.args[0] if error.args else type(error).__name__
        raise Unreadable(f"the {form} file is damaged ({str(reason)[:200]})") from error
    heading = next((piece.text for piece in found.pieces if piece.kind == "heading"), "")
    return found if found.form == "transcript" else replace(found, title=found.title or heading)


def _from_text(response: Response, form: str) -> Extract:
    source = decode(response.body, response.content_type)
    if form == "text" and "\b" in source:
        source = re.sub("[^\\n]\b|\x1b\\[[0-9;]*m", "", source)  # bold and underlined type, as on a line printer
    if is_binary(source):
        raise Unreadable(f"the bytes are no text, though they are sent as {response.content_type[:80] or form}")
    try:
        if form == "html":
            return page_in(source, response.where)
        if form == "text":
            from ingest.forms import plain, subtitles

            if spoken := subtitles.stamped(source):
                return Extract("transcript", "", "", tuple(transcript.pieces_of(spoken)), "")
            known, pieces, shown = Details(), list(plain.pieces_of(source)), source
        else:
            rendered = rendered_as_html(source, form)
            links = details_of(webpage.parse(rendered), response.where).links
            known = Details(title=front.settings(source).get("title", ""), links=links)
            pieces, shown = webpage.whole(rendered)
    except (ValueError, RecursionError, AssertionError) as error:  # lxml, markdown-it and docutils on broken markup
        raise Unreadable(f"the {form} cannot be parsed ({type(error).__name__}: {str(error)[:200]})") from error
    return _described(form, known, pieces, shown)


def rendered_as_html(source: str, form: str) -> str:
    """Return markup as HTML."""
    if form == "rst":
        from ingest.forms import rst  # docutils is slow to import, and few texts need it

        return rst.to_html(source)
    if form in {"asciidoc", "org"}:
        from ingest.forms import asciidoc, org

        return markdown.lines_to_html(list((asciidoc if form == "asciidoc" else org).to_markdown(source)))
    return markdown.to_html(source)


def page_in(source: str, url: str) -> Extract:
    """Return what the HTML of the page at an address holds; raises ValueError where it cannot be parsed."""
    from ingest.maintext import article  # trafilatura: only where there is a page to read

    if len(source) > MAX_PAGE:
        raise Unreadable(f"the page has {len(source):,} characters, more than any text of one page")
    tree = webpage.parse(source)
    known = details_of(tree, url)
    return _described("html", known, *article(tree))


def _described(form: str, known: Details, pieces: Sequence[Piece], shown: str) -> Extract:
    linked = sum(len(piece.text) for piece in pieces if piece.kind == "reference")
    return Extract(
        form=form,
        title=known.title or next((piece.text for piece in pieces if piece.kind == "heading"), ""),
        language="",
        pieces=tuple(pieces),
        page_text=shown,
        published=known.published,
        linked=linked / max(1, sum(len(piece.text) for piece in pieces)),
        authors=known.authors,
        about=known.about,
        canonical=known.canonical,
        links=known.links,
        paper=known.paper,
    )
