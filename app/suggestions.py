"""Suggestions: where an answer can be gone on from, drawn from the sections of its own sources."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.answer import Answer
from index.lexical import terms
from index.store import Shelf

_DULL = re.compile(
    r"(?:further reading|introduction|overview|summary|conclusions?|references|abstract|contents|background|notes?"
    r"|acknowledge?ments?|appendix.*|related work|see also|resources|next steps|requirements|prerequisites)$",
    re.IGNORECASE,
)

_SECTION = re.compile(r"^\s*\d+(?:\.\d+)*\.?\s+")
_INDIRECT = re.compile(r"(?:why|how|what|when|where|which)\b", re.IGNORECASE)


def after(said: Answer, shelf: Shelf) -> Iterator[str]:
    """Yield questions about sections of an answer's sources that it has not quoted, its first source's first."""
    asked = set(terms(said.question))
    read = {(citation.url, citation.heading) for citation in said.citations}
    known: set[str] = set()
    for url in dict.fromkeys(citation.url for citation in said.citations):
        for heading, title in shelf.headings(url):
            name = heading[-1] if heading else ""
            words = set(terms(name))
            new = bool(words - asked) and name.casefold() not in known
            if new and (url, heading) not in read and len(name) <= 80 and not _DULL.match(name.strip(" .:0123456789")):
                known.add(name.casefold())
                yield _asked(name, title)


def _asked(heading: str, title: str) -> str:
    """Return a heading as a question.

    >>> _asked("Push and pull", "Parameter servers"), _asked("Why shard?", "Parameter servers")
    ('Parameter servers: what about push and pull?', 'Why shard?')
    >>> _asked("2.1 Loss of a server", "Parameter servers"), _asked("How servers fail", "Parameter servers")
    ('What about loss of a server?', 'Explain how servers fail.')
    """
    name = _SECTION.sub("", heading).strip(" .:")
    if name.endswith("?"):
        return name
    lower = name[:1].lower() + name[1:] if name[1:2].islower() else name
    opening, end = ("explain", ".") if _INDIRECT.match(name) else ("what about", "?")
    if set(terms(name)) & set(terms(title)):  # it says itself what it is about
        return f"{opening.capitalize()} {lower}{end}"
    return f"{title}: {opening} {lower}{end}"
