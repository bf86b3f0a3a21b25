"""Build: documents in, a published shelf out; what was embedded before is not embedded again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from index import manifest, planted, split, store
from index.cache import DamagedError, opened
from index.cuts import Cuts
from index.encoder import Encoder
from index.manifest import Manifest
from index.passage import Listing, Passage, Source
from index.planted import Head
from index.store import Draft
from ingest import IngestError, Track, silently
from ingest.archive import now
from ingest.document import Document, read
from ingest.ledger import Ledger

_GROUP = 512  # passages embedded between two writes to the cache: what a kill may lose
LANGUAGES = frozenset({"en"})  # what the built-in encoder reads; in other scripts it sees mostly unknown words


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did."""

    manifest: Manifest
    embedded: int  # passages that were not embedded before
    new: bool  # False: the documents were unchanged, and nothing was done


def readable(book: Ledger, folder: Path, tell: Callable[[str], None]) -> list[tuple[Document, Source]]:
    """Return the documents that the ledger names, with what their sources are called; `tell` hears of damaged ones."""
    found = []
    names = {entry.row.url: entry.row.title for entry in book.entries()}
    for entry in book.entries():
        if not entry.row.document:
            continue
        try:
            document = read(folder / entry.row.document)
        except IngestError as error:
            tell(str(error))
            continue
        about = Source(
            url=document.url,
            title=document.title,
            resource=entry.row.resource,
            resource_title=names.get(entry.row.resource, document.title),
            topic=entry.topic,
            kind=entry.kind,
            form=document.form,
            sha256=document.sha256,
            published=document.published,
            fetched_at=document.fetched_at,
        )
        found.append((document, about))
    return found


def listed(book: Ledger) -> list[Listing]:
    """Return every resource of the ledger: the curated links, the notes, and stray pages of archives that have text."""
    notes = {resource.url: resource.note for resource in book.resources()}
    return [
        Listing(
            url=entry.row.url,
            title=entry.row.title,
            topic=entry.topic,
            kind=entry.kind,
            status=entry.row.status.value,
            words=entry.row.words,
            note="" if entry.kind == "note" else notes.get(entry.row.url, ""),
            stage=_stage(notes.get(entry.row.url, "")),
            reason=entry.row.reason,
            curated=entry.curated,
        )
        for entry in book.entries()
        if entry.row.url == entry.row.resource and (entry.curated or entry.row.document)
    ]


def _stage(note: str) -> str:
    """Return the stage that a note of ours gives itself.

    >>> _stage("stage: walk"), _stage("read this first")
    ('walk', '')
    """
    return note.removeprefix("stage: ") if note.startswith("stage: ") else ""


def build(
    documents: Iterable[tuple[Document, Source]],
    encoder: Encoder,
    folder: Path,
    *,
    listings: Sequence[Listing] = (),
    track: Track = silently,
) -> Built:
    """Publish a shelf of the documents under `folder`, unless the one that serves is of the same ones.

    Raises ShelfError where there is nothing to put on it or it cannot be written.
    """
    readable = [(document, source) for document, source in documents if document.language in LANGUAGES]
    head = planted.read(encoder.name)
    source = _fingerprint(readable, listings, head.name if head else "")
    if served := _served(folder / "shelves", (source, encoder.name, split.VERSION, manifest.FORMAT)):
        return Built(served, 0, new=False)
    for trial in (1, 2):
        try:
            cut = _cut(readable, head, encoder, folder, track)
            draft, embedded = _draft(readable, cut.passages, cut.contexts, listings, encoder, folder, source, track)
            draft = replace(draft, left_out=cut.left_out)
            return Built(store.publish(draft, folder / "shelves"), cut.embedded + embedded, new=True)
        except DamagedError:  # all that it holds can be made again
            if trial == 2:
                raise
            for path in folder.glob("embeddings.db*"):
                path.unlink(missing_ok=True)
    raise AssertionError("the second trial returns or raises")


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The passages of documents."""

    passages: Sequence[Passage]
    contexts: Sequence[str]  # where each stands
    left_out: Mapping[str, int]  # how many paragraphs of each resource are in none
    embedded: int  # passages that were embedded anew to tell what to leave out


def _cut(
    documents: Sequence[tuple[Document, Source]], head: Head | None, encoder: Encoder, folder: Path, track: Track
) -> _Pieces:
    """Return the passages of documents without the paragraphs that address a model or ask the reader for secrets.

    Which those are shows when all is embedded.
    """
    with Cuts(folder / "cuts.db", encoder.name, encoder.count) as cuts:
        parts = {document.url: cuts.split(document) for document, _ in track(documents, "Splitting", len(documents))}
    passages, contexts = _placed(documents, parts)
    if not head:
        return _Pieces(passages, contexts, {}, 0)
    keys, embedded = _embedded(passages, contexts, encoder, folder / "embeddings.db", track)
    with opened(folder / "embeddings.db", encoder.dimension) as kept:
        _, vectors, _ = kept.get(keys)
    by_url = {document.url: document for document, _ in documents}
    found = planted.blocks(head, by_url, passages, vectors, encoder.encode)
    left_out: dict[str, int] = {}
    for document, about in documents:
        if here := found.get(document.url):
            parts[document.url] = split.split(planted.without(document, here), encoder.count)
            left_out[about.resource] = left_out.get(about.resource, 0) + len(here)
    return _Pieces(*_placed(documents, parts), left_out, embedded)


def _placed(
    documents: Sequence[tuple[Document, Source]], parts: Mapping[str, Sequence[Passage]]
) -> tuple[list[Passage], list[str]]:
    """Return the passages of documents in their order, and where each stands."""
    both = [(passage, about.title) for document, about in documents for passage in parts[document.url]]
    return [one for one, _ in both], [split.context_of(title, one.heading) for one, title in both]


def _served(shelves: Path, made_by: tuple[str, str, str, int]) -> Manifest | None:
    """Return the manifest of the shelf that serves, if it was made of and by just this, and is sound."""
    served, problems = manifest.sound(shelves)
    if served is None or (served.source, served.encoder, served.splitter, served.format) != made_by:
        return None
    if problems:  # only what points at it was damaged, or a shelf of something else
        store.point(shelves, served.version)
    return served


def embed(document: Document, encoder: Encoder, folder: Path) -> int:
    """Embed the passages of a document ahead of a build, and return how many were not embedded before."""
    if document.language not in LANGUAGES:
        return 0
    passages = split.split(document, encoder.count)
    contexts = [split.context_of(document.title, passage.heading) for passage in passages]
    return _embedded(passages, contexts, encoder, folder / "embeddings.db", silently)[1]


def shelf_of(
    documents: Sequence[tuple[Document, Source]],
    passages: Sequence[Passage],
    contexts: Sequence[str],
    encoder: Encoder,
    folder: Path,
    *,
    track: Track = silently,
) -> store.Shelf:
    """Publish passages that were cut elsewhere (a benchmark's, say) under `folder`, and open their shelf."""
    draft, _ = _draft(documents, passages, contexts, (), encoder, folder, "", track)
    store.publish(draft, folder / "shelves")
    return store.open_shelf(folder / "shelves")


def _draft(
    documents: Sequence[tuple[Document, Source]],
    passages: Sequence[Passage],
    contexts: Sequence[str],
    listings: Sequence[Listing],
    encoder: Encoder,
    folder: Path,
    source: str,
    track: Track,
) -> tuple[Draft, int]:
    keys, embedded = _embedded(passages, contexts, encoder, folder / "embeddings.db", track)
    with opened(folder / "embeddings.db", encoder.dimension) as kept:
        vectors, sentence_vectors, pieces = kept.get(keys)
    draft = Draft(
        encoder=encoder.name,
        width=encoder.width,
        splitter=split.VERSION,
        source=source,
        built_at=now(),
        documents=documents,
        passages=passages,
        vectors=vectors,
        sentence_vectors=sentence_vectors,
        pieces=pieces // encoder.width if encoder.width else pieces,
        tokens=_tokens(keys, encoder, folder / "embeddings.db"),
        texts=[f"{context}\n{passage.text}".strip() for context, passage in zip(contexts, passages, strict=True)],
        listings=listings,
        listing_vectors=encoder.encode([listing.described for listing in listings]),
    )
    return draft, embedded


def _fingerprint(documents: Sequence[tuple[Document, Source]], listings: Sequence[Listing], head: str) -> str:
    parts = sorted(f"{document.sha256}\0{source}" for document, source in documents)
    parts += [*(str(listing) for listing in listings), head]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _embedded(
    passages: Sequence[Passage], contexts: Sequence[str], encoder: Encoder, cache: Path, track: Track
) -> tuple[list[bytes], int]:
    """See that the vectors of all passages are kept; return their keys, and how many had to be made."""
    heads = {context: _fit(context, encoder) for context in set(contexts)}
    inputs = [heads[context] for context in contexts]
    keys = [_key(encoder.name, head, passage) for head, passage in zip(inputs, passages, strict=True)]
    with opened(cache, encoder.dimension) as kept:
        missing = kept.missing(keys)
        # Longest first, so that batches hold texts of like length and the estimate of the time left falls.
        order = iter(sorted(missing, key=lambda n: -len(passages[n].text)))
        groups = iter(lambda: list(islice(order, _GROUP)), [])
        for group in track(groups, "Embedding", -(-len(missing) // _GROUP)):
            texts = [f"{inputs[n]}{passages[n].text}" for n in group]
            parts = [[(a + len(inputs[n]), b + len(inputs[n])) for a, b in passages[n].sentences] for n in group]
            kept.keep(dict(zip((keys[n] for n in group), encoder.encode_parts(texts, parts), strict=True)))
    return keys, len(missing)


def _tokens(keys: Sequence[bytes], encoder: Encoder, cache: Path) -> Iterator[bytes]:
    """Yield the token vectors of passages, one after the other: together they may be larger than the memory."""
    with opened(cache, encoder.dimension) as kept:
        yield from kept.tokens(keys)


def _fit(context: str, encoder: Encoder) -> str:
    """Return a context as it is put in front of a passage, its outer steps left out where it is too long."""
    steps = context.split(" > ")
    while len(steps) > 1 and encoder.count([" > ".join(steps)])[0] > split.CONTEXT_PIECES:
        steps.pop(1 if len(steps) > 2 else 0)  # the title and the nearest heading say most
    head = " > ".join(steps)
    while head and encoder.count([head])[0] > split.CONTEXT_PIECES:
        head = head[: len(head) * 3 // 4].rpartition(" ")[0]
    return f"{head}\n" if head else ""


def _key(encoder: str, head: str, passage: Passage) -> bytes:
    return hashlib.sha256(f"{encoder}\0{head}\0{passage.text}\0{passage.sentences}".encode()).digest()
