"""Citer: makes citations of stretches of documents, each checked against the text that the shelf holds."""

from __future__ import annotations

from dataclasses import dataclass

from app import clean
from app.answer import Citation
from app.links import deep_link
from index.passage import Hit
from index.store import Shelf


@dataclass(frozen=True, slots=True)
class Citer:
    """Cites what stands on one shelf."""

    shelf: Shelf

    def cite(self, hit: Hit, start: int, end: int, n: int) -> Citation | None:
        """Return a citation, numbered `n`, of a stretch of a hit's document, in characters.

        None if it is blank, or the document is not the one that the hit was found in.
        """
        source = hit.source
        text, page_text = self.shelf.page(source.url)
        passage, quote = hit.passage, text[start:end]
        if not quote.strip() or text[passage.start : passage.end] != passage.text:
            return None
        inside = passage.start <= start and end <= passage.end
        made = Citation(
            n=n,
            url=source.url,
            deep_url=deep_link(source.url, source.form, self.shelf.place(source.url, start), quote, page_text or text),
            title=source.title,
            quote=quote,
            start=start,
            end=end,
            sha256=source.sha256,
            heading=passage.heading,
            passage=passage.text if inside else quote,
            kind=source.kind,
        )
        return clean.citation(made)

    def link(self, hit: Hit) -> str:
        """Return the address that opens a hit's source at the passage."""
        passage, source = hit.passage, hit.source
        text, page_text = self.shelf.page(source.url)
        start, end = passage.sentences[0] if passage.sentences else (0, len(passage.text))
        return deep_link(source.url, source.form, passage.place_at(start), passage.text[start:end], page_text or text)
