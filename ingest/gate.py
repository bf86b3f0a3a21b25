"""The gate: what was read is text worth keeping, or it becomes a status with a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest import messages
from ingest.document import Piece
from ingest.extract import Extract, quotable
from ingest.message import Response
from ingest.status import Status, Verdict

MIN_WORDS = 30  # fewer are a heading, a teaser or a message, not a text
SHORT = 250  # words; a page about errors or logins is longer than an error or login page
PREVIEW = 700  # words; what a wall lets one see is shorter
_SHOWN = ("code", "table")
LABEL = 9  # words; a line without a full stop and no longer names something, and says nothing of it

_BY_CODE = {
    401: Verdict(Status.WALLED, "asks for a login (401)"),
    402: Verdict(Status.WALLED, "asks for payment (402)"),
    403: Verdict(Status.WALLED, "refused (403)"),
    404: Verdict(Status.DEAD, "not found (404)"),
    410: Verdict(Status.DEAD, "gone (410)"),
    451: Verdict(Status.DEAD, "withheld for legal reasons (451)"),
    429: Verdict(Status.FAILED, "too many requests (429)"),
}
_NOT_FREE = re.compile(rb"isaccessibleforfree[\"']?\s*(?:content)?\s*[:=]\s*[\"']?false")  # in small letters
_SHELL = re.compile(
    rb"<div[^>]+id=[\"']?(?:root|app|__next|__nuxt|svelte|main-app)\b|javascript to run this", re.IGNORECASE
)
_COOKIES = re.compile(
    r"\b(?:cookies?|consent|partners|third part(?:y|ies)|personali[sz]ed (?:ads|content))\b", re.IGNORECASE
)

_DATED = re.compile(
    r"\breading time\b|\bmin(?:ute)?s? read\b|\b[A-Z][a-z]{2,8} \d{1,2}, \d{4}\b|\b\d{1,2} [A-Z][a-z]{2,8} \d{4}\b"
    r"|\b\d{4}-\d\d-\d\d\b"
)


def by_code(response: Response) -> Verdict | None:
    """Return why a response is no document, going by its status code alone."""
    if response.status in _BY_CODE:
        return _BY_CODE[response.status]
    if response.status >= 500:
        return Verdict(Status.FAILED, f"the server failed ({response.status})")
    if not 200 <= response.status < 300:
        return Verdict(Status.FAILED, f"answered with status {response.status}")
    return None


def by_text(response: Response, found: Extract) -> Verdict | None:
    """Return why what was read is no document."""
    if _prose(found.pieces, PREVIEW) >= PREVIEW:  # nothing that is no text has so much of it
        return None
    text = quotable(found.pieces)
    words = len(text.split(maxsplit=PREVIEW)) if found.language not in {"zh", "ja", "th"} else len(text) // 2
    if found.form == "html" and (verdict := _rubbish(response, found, text, words)):
        return verdict
    if found.form == "text" and words < SHORT and (said := messages.in_text(_spoken(found), "")):
        return _with_words(said, words)
    if words < MIN_WORDS:
        if _labels(found.pieces) > 5:
            return Verdict(Status.OUTLINE, f"{_labels(found.pieces)} headings and links, hardly a sentence")
        return Verdict(Status.REJECTED, f"only {words} words of text")
    return None


def without_text(response: Response) -> Verdict | None:
    """Return what a page is in which no text was found; None where that cannot be told."""
    if _SHELL.search(response.body):
        return Verdict(Status.REJECTED, "a page that needs JavaScript: there is no text in what the server sends")
    return None


def _rubbish(response: Response, found: Extract, text: str, words: int) -> Verdict | None:
    if words < PREVIEW:
        if verdict := messages.in_title(found.title):
            return _with_words(verdict, words)
        if _NOT_FREE.search(response.body.lower()) or messages.is_preview(found.page_text):
            return Verdict(Status.WALLED, f"only a preview of {words} words is free")
    if words < SHORT:
        main = _spoken(found) if text else f"{found.title}\n{found.page_text[:2000]}"
        seen = "" if _tells_of_errors(found.pieces) else found.page_text[:2000]
        if verdict := messages.in_text(main, seen):
            return _with_words(verdict, words)
        if _is_about_cookies(text):
            return Verdict(Status.REJECTED, f"text about cookies, {words} words")
    if words < MIN_WORDS and (shell := without_text(response)):
        return shell
    if _prose(found.pieces, MIN_WORDS) < MIN_WORDS and _labels(found.pieces) > 5:
        return Verdict(Status.OUTLINE, f"{_labels(found.pieces)} headings and links, hardly a sentence")
    return None


def _with_words(verdict: Verdict, words: int) -> Verdict:
    return Verdict(verdict.status, f"{verdict.reason}, with {words} words")


def _spoken(found: Extract) -> str:
    """Return what a short text says itself: an error in a listing is what an article shows."""
    own = [piece for piece in found.pieces if piece.kind not in _SHOWN]
    return f"{found.title}\n{quotable(own if _tells_of_errors(found.pieces) else found.pieces)}"


def _tells_of_errors(pieces: Sequence[Piece]) -> bool:
    """Return whether there is a text around what listings and tables show."""
    shown = any(piece.kind in _SHOWN for piece in pieces)
    return shown and _prose([piece for piece in pieces if piece.kind not in _SHOWN], MIN_WORDS) >= MIN_WORDS


def _is_about_cookies(text: str) -> bool:
    sentences = [sentence for sentence in re.split(r"(?<=[.!?])\s+", text) if sentence.count(" ") > 3]
    return len(sentences) > 1 and 2 * sum(bool(_COOKIES.search(sentence)) for sentence in sentences) > len(sentences)


def _prose(pieces: Sequence[Piece], enough: int) -> int:
    """Return how many words stand in pieces that are no labels, counted until there are enough."""
    words = 0
    for piece in pieces:
        if words >= enough:
            break
        words += 0 if _is_label(piece) else len(piece.text.split())
    return words


def _labels(pieces: tuple[Piece, ...]) -> int:
    return sum(_is_label(piece) for piece in pieces)


def _is_label(piece: Piece) -> bool:
    """Return whether a piece only names something: a heading, a link, a short line without a full stop."""
    if piece.kind in {"heading", "reference"}:
        return True
    if piece.kind in {"code", "table"}:
        return False
    blanks = piece.text.count(" ")
    if blanks < 2 * LABEL and _DATED.search(piece.text):
        return True
    return blanks < LABEL and not re.search(r"[.!?:;。！？]\s*[\"')\]]*$", piece.text.strip())
