"""The gate: what was read is text worth keeping, or it becomes a status with a reason."""

from __future__ import annotations

import re

from ingest.extract import Extract, quotable
from ingest.message import Response
from ingest.status import Status, Verdict

MIN_WORDS = 30  # fewer are a heading, a teaser or a message, not a text
SHORT = 250  # words; a page about errors or logins is longer than an error or login page


_BY_CODE = {
    401: Verdict(Status.WALLED, "asks for a login (401)"),
    402: Verdict(Status.WALLED, "asks for payment (402)"),
    403: Verdict(Status.WALLED, "refused (403)"),
    404: Verdict(Status.DEAD, "not found (404)"),
    410: Verdict(Status.DEAD, "gone (410)"),
    451: Verdict(Status.DEAD, "withheld for legal reasons (451)"),
    429: Verdict(Status.FAILED, "too many requests (429)"),
}

# What pages say that are no text, in the order in which they are looked for: status, reason, phrases.
_MESSAGES: tuple[tuple[Status, str, tuple[str, ...]], ...] = (
    (
        Status.FAILED,
        "a page about too many requests",
        (r"too many requests", r"rate limit(?:ed)? exceeded", r"error 429", r"unusual traffic from your"),
    ),
    (
        Status.REJECTED,
        "a robot check",
        (
            r"are you a robot",
            r"verify (?:that )?you are (?:a )?human",
            r"complete the captcha",
            r"checking your browser",
            r"attention required.{0,20}cloudflare",
            r"ray id:",
        ),
    ),
    (
        Status.DEAD,
        "an error page that says it was found",
        (
            r"\b404\b.{0,60}not found",
            r"page (?:you (?:requested|are looking for).{0,40})?(?:was not|could ?n[o']t be|cannot be|not) found",
            r"page (?:does ?n[o']t|no longer) exists?",
            r"nothing (?:was )?found here",
            r"this (?:page|link) (?:is|has) (?:gone|expired|been removed)",
        ),
    ),
    (
        Status.FAILED,
        "an error page",
        (
            r"internal server error",
            r"service (?:is )?(?:temporarily )?unavailable",
            r"bad gateway",
            r"gateway time-?out",
            r"something went wrong",
            r"an error (?:has )?occurred",
            r"503 backend",
        ),
    ),
    (
        Status.REJECTED,
        "a page that needs JavaScript",
        (
            r"enable javascript",
            r"javascript (?:is )?(?:required|disabled)",
            r"requires javascript",
            r"turn on javascript",
        ),
    ),
    (
        Status.REJECTED,
        "a consent page",
        (
            r"before you continue",
            r"we (?:and our partners )?(?:use|value).{0,60}(?:cookies|privacy)",
            r"accept (?:all )?cookies",
            r"cookie (?:consent|preferences)",
            r"manage (?:your )?consent",
        ),
    ),
    (
        Status.WALLED,
        "a login or payment page",
        (
            r"(?:sign|log) ?in to (?:continue|view|read|access|see|your)",
            r"please (?:sign|log) ?in",
            r"log ?in or (?:sign|register|create)",
            r"create (?:a free|an) account",
            r"already (?:have an account|a member|a subscriber)",
            r"join now",
            r"subscribe to (?:continue|read|keep)",
            r"members?-only",
            r"start your free trial",
            r"forgot (?:your )?password",
        ),
    ),
    (
        Status.WALLED,
        "a refusal",
        (r"access (?:is )?denied", r"you (?:do ?n[o']t|do not) have (?:permission|access)", r"403 forbidden"),
    ),
)
_PATTERNS = tuple(
    (status, reason, re.compile("|".join(phrases), re.IGNORECASE | re.DOTALL)) for status, reason, phrases in _MESSAGES
)
_NOT_FREE = re.compile(rb"\"isAccessibleForFree\"\s*:\s*\"?false", re.IGNORECASE)


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
    text = quotable(found.pieces)
    words = len(text.split()) if found.language not in {"zh", "ja", "th"} else len(text) // 2
    if words < SHORT:
        said = f"{found.title}\n{text or found.page_text[:2000]}"
        for status, reason, pattern in _PATTERNS:
            if pattern.search(said):
                return Verdict(status, f"{reason}, with {words} words")
    if found.form == "html" and words < 2 * SHORT and _NOT_FREE.search(response.body):
        return Verdict(Status.WALLED, f"only a preview of {words} words is free")
    if words < MIN_WORDS:
        listed = sum(piece.kind in {"reference", "heading"} for piece in found.pieces)
        if listed > 5:
            return Verdict(Status.OUTLINE, f"{listed} headings and links, hardly a sentence")
        return Verdict(Status.REJECTED, f"only {words} words of text")
    return None
