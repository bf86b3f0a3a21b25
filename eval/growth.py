"""Growth: shelves of generated passages, to see how a question's time, the memory and the build grow with them.

Texts are words drawn by Zipf's law; vectors lie around documents, these around topics, as real ones do. The encoder is
left out: its time does not depend on the shelf.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from index import search, store
from index.encoder import Asked, Encoded, Spans, Vectors, unit
from index.passage import Passage, Source
from index.reader.wide import levels
from index.store import Draft
from index.vectors import kind_for
from ingest.document import Block, Document

DIMENSION, TOPICS, A_DOCUMENT = 384, 256, 30  # vectors' length; passages a document
VOCABULARY, WORDS = 50_000, 60
WIDTH = 128  # of a token vector, as the built-in encoder makes them
QUESTIONS = 100
WIDE, NEAR, ASKED = 0.8, 0.9, 1.2  # spread of documents about topics, passages about documents, questions about those


@dataclass(frozen=True, slots=True)
class Size:
    """What a shelf of some size costs."""

    passages: int
    kind: str  # of its vector index
    p50_ms: float  # of a question, encoding left out
    p95_ms: float
    recall: float  # share of the ten nearest vectors that the index finds
    megabytes: float  # resident with the shelf open and questions asked, above those of the bare process
    disk_megabytes: float
    build_s: float  # of publishing: tables, vectors, words

    @property
    def bytes_a_passage(self) -> float:
        """Return the memory that a passage takes."""
        return self.megabytes * 2**20 / self.passages

    def as_json(self) -> dict[str, float | int | str]:
        """Return it for reports."""
        return {**asdict(self), "bytes_a_passage": self.bytes_a_passage}


def measure(passages: int, folder: Path) -> Size:
    """Return what a shelf of so many passages costs; it is built in `folder`, and asked in a process of its own."""
    begun = time.perf_counter()
    vectors = _vectors(passages)
    made = time.perf_counter() - begun
    draft = _draft(vectors)
    begun = time.perf_counter()
    manifest = store.publish(draft, folder / "shelves")
    built = time.perf_counter() - begun
    questions = _questions(vectors)
    nearest = np.stack([np.argsort(-(vectors @ question), kind="stable")[:10] for question in questions])
    np.savez(folder / "questions.npz", questions=questions, nearest=nearest)
    del draft, vectors, made
    asked = subprocess.run(
        [sys.executable, "-m", "eval.growth", str(folder)],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(asked.stdout)
    disk = sum(path.stat().st_size for path in (folder / "shelves" / manifest.version).rglob("*") if path.is_file())
    return Size(passages, kind_for(passages), **figures, disk_megabytes=disk / 2**20, build_s=built)


class _Known:
    """An encoder that knows the vectors of the questions."""

    name, dimension, width, window = "generated", DIMENSION, WIDTH, 256

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self._vectors[[int(text.partition(" ")[0]) for text in texts]]

    def ask(self, question: str) -> Asked:
        (vector,) = self.encode([question])
        pieces = len(question.split())
        return Asked(question, vector, np.tile(vector[:WIDTH] / pieces, (pieces, 1)))

    def encode_parts(self, texts: Sequence[str], parts: Sequence[Spans]) -> list[Encoded]:
        raise AssertionError(f"nothing is embedded here, not {len(texts)} texts of {len(parts)}")


def ask(folder: Path) -> dict[str, float]:
    """Return what questions to a shelf of generated passages take, in this process."""
    before = _resident()
    shelf = store.open_shelf(folder / "shelves")
    held = np.load(folder / "questions.npz")
    encoder = _Known(held["questions"])
    found, spent = [], []
    for number, text in enumerate(_texts(QUESTIONS, seed=7, words=8)):
        begun = time.perf_counter()
        search.hybrid(f"{number} {text}", shelf, encoder, limit=10)
        spent.append(1000 * (time.perf_counter() - begun))
        near = shelf.nearest(encoder.encode([str(number)])[0], 10)
        found.append(len(np.intersect1d(near, held["nearest"][number])) / 10)
    return {
        "p50_ms": float(np.percentile(spent, 50)),
        "p95_ms": float(np.percentile(spent, 95)),
        "recall": float(np.mean(found)),
        "megabytes": _resident() - before,
    }


def _resident() -> float:
    """Return the megabytes that this process holds in memory."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _vectors(count: int, seed: int = 0) -> Vectors:
    rng = np.random.default_rng(seed)

    def around(centres: Vectors, many: int, spread: float) -> Vectors:
        picked = centres[rng.integers(len(centres), size=many)]
        return picked + spread * rng.standard_normal(picked.shape, dtype=np.float32)

    topics = rng.standard_normal((TOPICS, DIMENSION), dtype=np.float32)
    return unit(around(around(topics, max(1, count // A_DOCUMENT), WIDE), count, NEAR))


def _questions(vectors: Vectors) -> Vectors:
    rng = np.random.default_rng(1)
    picked = vectors[rng.integers(len(vectors), size=QUESTIONS)]
    return unit(picked + ASKED / np.sqrt(DIMENSION) * rng.standard_normal(picked.shape, dtype=np.float32))


def _texts(count: int, seed: int, words: int = WORDS) -> Iterator[str]:
    """Yield texts whose words have the frequencies of a language's."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(2, VOCABULARY + 2)
    bounds = np.cumsum(share / share.sum())
    for _ in range(count):
        yield " ".join(f"w{n}" for n in np.searchsorted(bounds, rng.random(words)))


def _draft(vectors: Vectors) -> Draft:
    passages, texts, documents = [], [], []
    for number, text in enumerate(_texts(len(vectors), seed=2)):
        if number % A_DOCUMENT == 0:
            url = f"https://example.org/{number // A_DOCUMENT}"
            document = Document(url, url, url, "html", "en", text, (Block(0, len(text), "text", (), ""),), "")
            about = Source(url, url, url, url, "Generated", "article", "html", document.sha256, "", "")
            documents.append((document, about))
        passages.append(Passage(str(number), url, 0, len(text), text, (), (), "text", ((0, len(text)),)))
        texts.append(text)
    return Draft(
        encoder="generated",
        splitter="generated",
        source=str(len(vectors)),
        built_at="2026-01-01T00:00:00Z",
        documents=documents,
        passages=passages,
        vectors=vectors,
        sentence_vectors=vectors.astype(np.float16),
        width=WIDTH,
        pieces=np.full(len(vectors), WORDS),
        tokens=(levels(np.tile(unit(vector[:WIDTH]), (WORDS, 1))).tobytes() for vector in vectors),
        texts=texts,
        listings=(),
        listing_vectors=np.zeros((0, DIMENSION), dtype=np.float32),
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask(Path(sys.argv[1]))))
