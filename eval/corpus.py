"""Corpus: what a shelf holds, so that a change of it is told from a change of how it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eval.cases import STARTER, Case
from index.store import Shelf


@dataclass(frozen=True, slots=True)
class Corpus:
    """The parts of a shelf that decide about what can be found on it."""

    kind: str  # "starter", "recorded" (the recorded pages, all or nearly), or "other"
    documents: int
    texts: str  # digest of the documents' addresses and texts
    passages: int
    cuts: str  # digest of the passages: their texts, places and addresses
    splitter: str
    encoder: str

    def as_json(self) -> dict[str, Any]:
        """Return it for a run's header."""
        return asdict(self)


def describe(shelf: Shelf, cases: Sequence[Case]) -> Corpus:
    """Return what a shelf holds; its kind by which of the cases' documents are there."""
    sources = shelf.sources()
    urls = {source.url for source in sources}
    passages = shelf.passages(range(shelf.manifest.passages))
    return Corpus(
        kind=_kind(urls, cases),
        documents=len(sources),
        texts=_digest(f"{source.url}\0{source.sha256}" for source in sources),
        passages=len(passages),
        cuts=_digest(f"{source.url}\0{passage.start}\0{passage.text}" for passage, source in passages),
        splitter=shelf.manifest.splitter,
        encoder=shelf.manifest.encoder,
    )


def texts(shelf: Shelf) -> dict[str, str]:
    """Return the texts of a shelf by address, as the expressions of cases see them."""
    return {source.url: " ".join(shelf.page(source.url)[0].split()) for source in shelf.sources()}


def differences(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[str]:
    """Return, in words, how the shelf of one run differs from that of another.

    >>> differences({"encoder": "b", "passages": 2}, {"encoder": "a", "passages": 2})
    ['the encoder is b, it was a']
    """
    said = []
    if now.get("encoder") != then.get("encoder"):
        said.append(f"the encoder is {now.get('encoder')}, it was {then.get('encoder')}")
    if now.get("texts") != then.get("texts"):
        said.append(f"the documents changed: {now.get('documents')} now, {then.get('documents')} then")
    if now.get("splitter") != then.get("splitter"):
        said.append(f"the splitter is version {now.get('splitter')}, it was {then.get('splitter')}")
    if now.get("cuts") != then.get("cuts"):
        said.append(f"the passages changed: {now.get('passages')} now, {then.get('passages')} then")
    return said


def _kind(urls: set[str], cases: Sequence[Case]) -> str:
    if all(url.startswith(STARTER) for url in urls):
        return "starter"
    named = {url for case in cases for url in case.found if not url.startswith(STARTER)}
    return "recorded" if len(named & urls) >= 0.9 * len(named) else "other"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
