"""Store: a shelf is published whole, opened checked, searched by vector and by word, and described.

A shelf is a folder that never changes: a FAISS index, a BM25 index, the vectors of single sentences, and a SQLite
file with passages and documents. It is built aside, fsynced, renamed into place, and then pointed at.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import ShelfError, vectors
from index import manifest as manifests
from index.encoder import Tokens, Vectors
from index.lexical import Lexical
from index.manifest import FORMAT, NAME, POINTER, Manifest, sha256
from index.passage import Listing, Passage, Source
from ingest.document import Document

TOKENS = "tokens.bin"  # a file without a header: it is written as it comes

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_SCHEMA = """
create table document (
    number integer primary key, url text unique, title text, resource text, resource_title text, topic text, kind text,
    form text, sha256 text, published text, fetched_at text, text text, page_text text
) strict;
create table passage (
    number integer primary key, id text unique, document integer, start integer, end integer, text text, heading text,
    places text, kind text, sentences text
) strict;
create index passage_document on passage (document);
create table listing (
    number integer primary key, url text unique, title text, topic text, kind text, status text, words integer,
    note text, stage text, reason text, curated integer
) strict;
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a shelf is built from."""

    encoder: str
    splitter: str
    source: str
    built_at: str
    documents: Sequence[tuple[Document, Source]]
    passages: Sequence[Passage]
    vectors: Vectors  # (passages, dimension), unit
    sentence_vectors: npt.NDArray[np.float16]  # (sentences of all passages in order, dimension), unit or zero
    width: int  # components of a token vector; 0: there are none
    pieces: Numbers  # word pieces of each passage that have a token vector
    tokens: Iterable[bytes]  # the token vectors of each passage in order, 8-bit integers
    texts: Sequence[str]  # what the lexical index holds of each passage
    listings: Sequence[Listing]
    listing_vectors: Vectors  # (listings, dimension), unit
    left_out: Mapping[str, int] = field(default_factory=dict)  # paragraphs that address a model, by resource


def publish(draft: Draft, shelves: Path) -> Manifest:
    """Build a shelf aside and put it in the place of the last one.

    Raises ShelfError where it cannot be written; the last one stays.
    """
    if not draft.passages:
        raise ShelfError(
            "there is no passage to put on a shelf; `prep ingest` reads documents, `prep status` says which."
        )
    version = f"{draft.built_at.replace(':', '').replace('-', '')}-{uuid.uuid4().hex[:6]}"
    aside = shelves / f".{version}.part"
    try:
        aside.mkdir(parents=True)
        _write_tables(draft, aside / "shelf.db")
        vectors.save(vectors.build(draft.vectors), aside / "vectors.faiss")
        np.save(aside / "sentences.npy", draft.sentence_vectors, allow_pickle=False)
        with (aside / TOKENS).open("wb") as stream:
            stream.writelines(draft.tokens)
        np.save(aside / "listings.npy", draft.listing_vectors, allow_pickle=False)
        np.save(aside / "layout.npy", _layout(draft), allow_pickle=False)
        np.save(aside / "moments.npy", _moments(draft.vectors), allow_pickle=False)
        Lexical.build(draft.texts).save(aside / "lexical")
        files = {str(path.relative_to(aside)): sha256(path) for path in sorted(aside.rglob("*")) if path.is_file()}
        manifest = Manifest(
            version=version,
            format=FORMAT,
            encoder=draft.encoder,
            dimension=draft.vectors.shape[1],
            width=draft.width,
            splitter=draft.splitter,
            source=draft.source,
            built_at=draft.built_at,
            documents=len(draft.documents),
            passages=len(draft.passages),
            sentences=len(draft.sentence_vectors),
            files=files,
            left_out=dict(draft.left_out),
        ).sealed()
        (aside / NAME).write_bytes(manifest.written())
        for path in [*aside.rglob("*"), aside]:
            _fsync(path)
        kept = _kept(shelves)
        aside.rename(shelves / version)
        point(shelves, version)
    except (OSError, sqlite3.Error, RuntimeError) as error:  # the last is FAISS's
        shutil.rmtree(aside, ignore_errors=True)
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise ShelfError(
            f"{shelves}: the shelf cannot be written ({reason}); the last one still serves."
            " Make room there, or see that it may be written, and run `prep index` again."
        ) from error
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    _sweep(shelves, keep={version, kept})
    return manifest


def _write_tables(draft: Draft, path: Path) -> None:
    with _connect(path) as db:
        db.executescript(_SCHEMA)
        numbers = {}
        for n, (document, source) in enumerate(draft.documents):
            numbers[document.url] = n
            fields = asdict(source)
            db.execute(
                f"insert into document (number, {', '.join(fields)}, text, page_text)"
                f" values (?, ?, ?{', ?' * len(fields)})",
                (n, *fields.values(), document.text, document.page_text),
            )
        for n, passage in enumerate(draft.passages):
            db.execute(
                "insert into passage values (?,?,?,?,?,?,?,?,?,?)",
                (
                    n,
                    passage.id,
                    numbers[passage.document],
                    passage.start,
                    passage.end,
                    passage.text,
                    json.dumps(passage.heading, ensure_ascii=False),
                    json.dumps(passage.places),
                    passage.kind,
                    json.dumps(passage.sentences),
                ),
            )
        db.executemany(
            "insert into listing values (?,?,?,?,?,?,?,?,?,?,?)",
            [(n, *asdict(listing).values()) for n, listing in enumerate(draft.listings)],
        )
        db.commit()


def _layout(draft: Draft) -> Numbers:
    """Return a row a passage.

    Its document, first sentence, how many it has, characters, is it prose, its listing, first token vector, how many.
    """
    numbers = {document.url: n for n, (document, _) in enumerate(draft.documents)}
    listed = {listing.url: n for n, listing in enumerate(draft.listings)}
    listing_of = {document.url: listed.get(source.resource, -1) for document, source in draft.documents}
    counts = np.asarray([len(passage.sentences) for passage in draft.passages])
    layout = np.zeros((len(draft.passages), 8), dtype=np.int64)
    layout[:, 0] = [numbers[passage.document] for passage in draft.passages]
    layout[:, 1] = np.cumsum(counts) - counts
    layout[:, 2] = counts
    layout[:, 3] = [len(passage.text) for passage in draft.passages]
    layout[:, 4] = [passage.kind == "text" for passage in draft.passages]
    layout[:, 5] = [listing_of[passage.document] for passage in draft.passages]
    layout[:, 6] = np.cumsum(draft.pieces) - draft.pieces
    layout[:, 7] = draft.pieces
    return layout


def _moments(vectors: Vectors) -> Vectors:
    """Return the mean of the vectors and, below it, their covariance, shape (dimension + 1, dimension).

    With them the mean and spread of a question's cosines over all passages are known without computing them.
    """
    mean = vectors.mean(axis=0)
    return np.vstack([mean, vectors.T @ vectors / len(vectors) - np.outer(mean, mean)]).astype(np.float32)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def point(shelves: Path, version: str) -> None:
    """Make a published shelf the one that serves."""
    part = shelves / f".{POINTER}.{version}"
    part.write_text(version, encoding="utf-8")
    _fsync(part)
    part.replace(shelves / POINTER)
    _fsync(shelves)


def _kept(shelves: Path) -> str:
    """Return the shelf that stays beside a new one: the one that serves; where that is damaged, the last good one."""
    served, _ = manifests.sound(shelves)
    return served.version if served else ""


def _sweep(shelves: Path, *, keep: Collection[str]) -> None:
    """Remove all other shelves, and what broken builds left behind."""
    for path in [*(shelves / name for name in manifests.versions(shelves)), *shelves.glob(".*.part")]:
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
    for path in shelves.glob(f".{POINTER}.*"):
        path.unlink(missing_ok=True)


# --- reading --------------------------------------------------------------------------------------


class Shelf:
    """An open shelf; it stays what it is when a new one is published."""

    def __init__(self, manifest: Manifest, folder: Path, *, trouble: str = "") -> None:
        """`trouble` says why this one serves in the place of another; "" where it does not."""
        self.manifest = manifest
        self.trouble = trouble
        self.lexical = Lexical.open(folder / "lexical")
        self._vectors = vectors.read(folder / "vectors.faiss")
        self._sentences = np.load(folder / "sentences.npy", mmap_mode="r", allow_pickle=False)
        layout = np.load(folder / "layout.npy", allow_pickle=False)
        self.document_of, self._first, self._count, self.lengths, self.prose, self._listing_of = layout.T[:6]
        self._first_token, self._tokens_of = layout.T[6:]
        self._tokens = np.zeros((0, 0), dtype=np.int8)
        if manifest.width:
            self._tokens = np.memmap(folder / TOKENS, dtype=np.int8, mode="r").reshape(-1, manifest.width)
        moments = np.load(folder / "moments.npy", allow_pickle=False)
        self._listing_vectors = np.load(folder / "listings.npy", mmap_mode="r", allow_pickle=False)
        self._mean, self._covariance = moments[0], moments[1:]
        self._db = sqlite3.connect(f"file:{folder / 'shelf.db'}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        self._documents: dict[int, Source] = {}
        self._searched: npt.NDArray[np.bool_] | None = None

    def nearest(self, vector: Vectors, limit: int, allowed: npt.NDArray[np.bool_] | None = None) -> Numbers:
        """Return the numbers of the passages nearest to a unit vector, best first; of the allowed ones, where given."""
        return self._vectors.nearest(vector, limit, allowed)

    def vectors(self, numbers: Numbers) -> Vectors:
        """Return the vectors of passages by number, shape (n, dimension)."""
        return self._vectors.get(numbers)

    def cosines(self, vector: Vectors, numbers: Numbers) -> Floats:
        """Return the cosines of some passages with a unit vector, in their order."""
        if not len(numbers):
            return np.zeros(0, dtype=np.float32)
        return np.asarray(self._vectors.get(numbers) @ vector, dtype=np.float32)

    def spread(self, vector: Vectors) -> tuple[float, float]:
        """Return the mean and standard deviation of the cosines of all passages with a unit vector."""
        return float(self._mean @ vector), float(np.sqrt(max(0.0, vector @ self._covariance @ vector)))

    def listed(self, vector: Vectors, numbers: Numbers) -> Floats:
        """Return how like a unit vector is what the lists say of some passages' resources: title, topic and note.

        In standard deviations above what is usual on the lists; 0 for passages of no listed resource.
        """
        if not len(self._listing_vectors):
            return np.zeros(len(numbers), dtype=np.float32)
        likeness = self._listing_vectors @ vector
        unusual = (likeness - likeness.mean()) / max(float(likeness.std()), 1e-9)
        of = self._listing_of[numbers]
        return np.where(of < 0, 0, unusual[of]).astype(np.float32)

    def best_sentences(self, vector: Vectors, numbers: Numbers) -> Floats:
        """Return for some passages the cosine of their nearest sentence; where they have none, their own."""
        counts = self._count[numbers]
        held = np.flatnonzero(counts)
        best = self.cosines(vector, numbers)
        if len(held):
            starts = np.cumsum(counts[held]) - counts[held]
            rows = _runs(self._first[numbers[held]], counts[held])
            best[held] = np.maximum.reduceat(self._sentences[rows].astype(np.float32) @ vector, starts)
        return best

    def tokens(self, numbers: Numbers) -> tuple[Tokens, Numbers]:
        """Return the token vectors of some passages in a row, shape (word pieces, width), and how many each has."""
        counts = self._tokens_of[numbers]
        return self._tokens[_runs(self._first_token[numbers], counts)], counts

    def narrowed(self, *, topics: Collection[str] = (), kinds: Collection[str] = (), resource: str = "") -> Shelf:
        """Return the same shelf, of which only what fits is searched; what is left empty fits all.

        `topics` are as the lists name them, `kinds` those of resources, `resource` is one curated link.
        """
        view = copy(self)
        fits = [
            (not topics or not set(topics).isdisjoint(source.topic.split("; ")))
            and (not kinds or source.kind in kinds)
            and resource in {"", source.resource}
            for source in self.sources()
        ]
        view._searched = None if all(fits) else np.asarray(fits, dtype=np.bool_)[self.document_of]
        return view

    def searched(self, topic: str = "") -> npt.NDArray[np.bool_] | None:
        """Return which passages are searched, shape (passages,); None where all are.

        `topic` narrows it further, to passages under topics that hold a word sequence.
        """
        if not topic:
            return self._searched
        rows = self._db.execute("select topic from document order by number")
        fits = np.fromiter((topic.lower() in name.lower() for (name,) in rows), dtype=np.bool_)[self.document_of]
        return np.asarray(fits if self._searched is None else fits & self._searched)

    def passages(self, numbers: Iterable[int]) -> list[tuple[Passage, Source]]:
        """Return passages by number, in the order asked for."""
        return [self._passage(int(number)) for number in numbers]

    def _passage(self, number: int) -> tuple[Passage, Source]:
        columns = "id, document, start, end, text, heading, places, kind, sentences"
        row = self._db.execute(f"select {columns} from passage where number = ?", (number,)).fetchone()
        key, document, start, end, text, heading, places, kind, sentences = row
        source = self.source(document)
        bounds = tuple((a, b) for a, b in json.loads(sentences))
        where = tuple((at, place) for at, place in json.loads(places))
        return Passage(key, source.url, start, end, text, tuple(json.loads(heading)), where, kind, bounds), source

    def place(self, url: str, start: int) -> str:
        """Return the place of what stands at an offset into a document's text; see ingest.document.Block."""
        query = (
            "select passage.start, places from passage join document on document.number = passage.document"
            " where url = ? and passage.start <= ? order by passage.start desc limit 1"
        )
        begun, places = self._db.execute(query, (url, start)).fetchone() or (0, "[]")
        return next((place for at, place in reversed(json.loads(places)) if at <= start - begun), "")

    def source(self, document: int) -> Source:
        """Return what is known of a document by its number."""
        if document not in self._documents:
            columns = "url, title, resource, resource_title, topic, kind, form, sha256, published, fetched_at"
            row = self._db.execute(f"select {columns} from document where number = ?", (document,)).fetchone()
            self._documents[document] = Source(*row)
        return self._documents[document]

    def page(self, url: str) -> tuple[str, str]:
        """Return a document's text and all that its page shows ("" where that is the text)."""
        row = self._db.execute("select text, page_text from document where url = ?", (url,)).fetchone()
        return (row[0], row[1]) if row else ("", "")

    def headings(self, url: str) -> list[tuple[tuple[str, ...], str]]:
        """Return the heading paths of a document's passages, each once and in order, with the document's title."""
        query = (
            "select distinct heading, title from passage join document on document.number = passage.document"
            " where url = ? order by passage.number"
        )
        return [(tuple(json.loads(heading)), title) for heading, title in self._db.execute(query, (url,))]

    def sentence_vectors(self, number: int) -> Vectors:
        """Return the vectors of a passage's sentences, shape (sentences, dimension)."""
        first = self._first[number]
        return np.asarray(self._sentences[first : first + self._count[number]], dtype=np.float32)

    def listings(self) -> list[Listing]:
        """Return all resources, those without text among them, in the order of the lists."""
        columns = "url, title, topic, kind, status, words, note, stage, reason, curated"
        rows = self._db.execute(f"select {columns} from listing order by number")
        return [Listing(*(*row[:-1], bool(row[-1]))) for row in rows]

    def listing_vectors(self) -> Vectors:
        """Return the vectors of all resources' descriptions, shape (listings, dimension)."""
        vectors: Vectors = self._listing_vectors
        return vectors

    def sources(self) -> list[Source]:
        """Return all documents of the shelf."""
        return [self.source(n) for (n,) in self._db.execute("select number from document order by number")]


def _runs(first: Numbers, counts: Numbers) -> Numbers:
    """Return the numbers of rows that stand in runs, one run after the other.

    >>> _runs(np.array([10, 40]), np.array([2, 3])).tolist()
    [10, 11, 40, 41, 42]
    """
    starts = np.cumsum(counts) - counts
    return np.asarray(np.repeat(first - starts, counts) + np.arange(int(counts.sum())))


def open_shelf(shelves: Path, *, encoder: str = "") -> Shelf:
    """Open the shelf that serves; where it is damaged, the last good one, which says in `trouble` what is wrong.

    Raises ShelfError where there is none, where none is what was published, or where another encoder built it.
    """
    manifest, problems = manifests.sound(shelves)
    if manifest is None:
        raise ShelfError(problems[0] if problems else f"{shelves} holds no shelf; run `prep ingest` to build one.")
    if manifest.format != FORMAT:
        raise ShelfError(
            f"{shelves / manifest.version} has format {manifest.format}; run `prep index` to rebuild it with {FORMAT}."
        )
    if encoder and manifest.encoder != encoder:
        raise ShelfError(
            f"{shelves / manifest.version} was built with {manifest.encoder};"
            f" run `prep index` to rebuild it with {encoder}."
        )
    return Shelf(manifest, shelves / manifest.version, trouble=problems[0] if problems else "")


@contextmanager
def _connect(path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(path)
    try:
        yield db
    finally:
        db.close()
