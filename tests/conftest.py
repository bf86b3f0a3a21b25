"""Fakes that enter by the front door, and the few fixtures that most tests share."""

from __future__ import annotations

import hashlib
import io
import os
import re
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from app import confidence
from app.assistant import Assistant
from index import build, store
from index.encoder import Asked, Encoded, Spans, Vectors, unit
from index.lexical import terms
from index.passage import Source
from index.reader.readings import Reading, Text
from index.reader.wide import levels
from ingest.document import Document, Piece, assemble

# The same examples on every machine; `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

os.environ["CHAINLIT_APP_ROOT"] = tempfile.mkdtemp(prefix="chainlit-")  # it writes there as it is imported

# A shell's background jobs ignore Ctrl-C, and so would the commands that tests start there.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


class FakeEncoder:
    """Words become directions by their hash: texts are alike as they share words. One word piece a word."""

    name = "fake@1"
    dimension = 64
    width = 64  # of its token vectors: those of single words
    window = 256

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, 64), dtype=np.float32)

    def ask(self, question: str) -> Asked:
        words = re.findall(r"\w+", question) or [""]
        return Asked(question, self._vector(question), self.encode(words) / len(words))

    def encode_parts(self, texts: Sequence[str], parts: Sequence[Spans]) -> list[Encoded]:
        return [
            Encoded(
                self._vector(text),
                self.encode([text[a:b] for a, b in spans]),
                levels(self.encode(re.findall(r"\w+", text) or [""])),
            )
            for text, spans in zip(texts, parts, strict=True)
        ]

    def _vector(self, text: str) -> Vectors:
        vector = np.zeros(64, dtype=np.float32)
        for word in re.findall(r"\w+", text.lower()):
            vector[hashlib.sha256(word.encode()).digest()[0] % 64] += 1
        return unit(vector)


class FakeReader:
    """Reads by shared words: a text answers as it has more of the question's words than half, and so its sentences."""

    def read(self, first: str, seconds: Sequence[Text]) -> list[Reading]:
        asked = set(terms(first))

        def odds(text: str) -> float:
            return 6.0 * len(asked & set(terms(text))) / (len(asked) or 1) - 3.0

        return [
            Reading(odds(f"{one.head} {one.text}"), np.array([odds(one.text[a:b]) for a, b in one.parts], np.float32))
            for one in seconds
        ]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in a test leaves the machine: a connection to anywhere but loopback fails at once."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "local"
        if self.family != socket.AF_UNIX and not (host.startswith("127.") or host in {"::1", "localhost"}):
            raise OSError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def shared() -> Path:
    """The recorded pages and benchmarks that lie beside the checkout on the makers' machines."""
    if not SHARED.exists():
        pytest.skip("../shared with the recorded pages is not here")
    return SHARED


def a_document(url: str, *pieces: Piece | str, title: str = "", form: str = "html", language: str = "en") -> Document:
    """Return a document of paragraphs; its page shows just them."""
    text, blocks = assemble([piece if isinstance(piece, Piece) else Piece("text", piece) for piece in pieces])
    shown = "\n".join(piece if isinstance(piece, str) else piece.text for piece in pieces)
    return Document(url, title or url, url, form, language, text, blocks, shown)


def a_source(document: Document, *, topic: str = "Distributed computing", kind: str = "article") -> Source:
    """Return what is known of a document that stands for itself."""
    return Source(
        url=document.url,
        title=document.title,
        resource=document.resource,
        resource_title=document.title,
        topic=topic,
        kind=kind,
        form=document.form,
        sha256=document.sha256,
        published="",
        fetched_at="",
    )


RING = a_document(
    "https://example.org/ring",
    Piece("heading", "Ring-allreduce", 2),
    "Ring-allreduce is an algorithm that sums a buffer over N workers arranged in a ring. "
    "Ring-allreduce proceeds in two phases, a scatter-reduce and an allgather, of N-1 steps each.",
    Piece("heading", "Cost", 2),
    "Each worker in ring-allreduce sends 2(N-1)/N times the buffer, which does not grow with N.",
    title="Ring-allreduce explained",
)
PODS = a_document(
    "https://example.org/pods",
    "A Pod is the smallest deployable unit that Kubernetes creates and manages. "
    "Pods are ephemeral, so controllers such as Deployments replace them.",
    Piece("item", "A Deployment manages stateless Pods and replaces them when they fail."),
    Piece("item", "A StatefulSet gives each of its Pods a stable name and storage."),
    title="Pods",
)
CACHES = a_document(
    "https://example.org/caches",
    "A cache stampede is a burst of requests that miss one expired key at the same time. "
    "Request coalescing lets one request rebuild the key while the others wait.",
    title="Caches",
)


@pytest.fixture
def shelf_folder(tmp_path: Path, encoder: FakeEncoder) -> Path:
    """A data folder with a published shelf of three small documents."""
    documents = [(RING, a_source(RING)), (PODS, a_source(PODS, topic="DevOps")), (CACHES, a_source(CACHES))]
    build.build(documents, encoder, tmp_path)
    return tmp_path


@pytest.fixture
def assistant(shelf_folder: Path, encoder: FakeEncoder) -> Iterator[Assistant]:
    yield Assistant(store.open_shelf(shelf_folder / "shelves", encoder=encoder.name), encoder, reader=FakeReader())


@pytest.fixture
def sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is found answers: how likely it does was fitted to a real reader, and is not told of the fake one."""
    monkeypatch.setattr(confidence, "confidence", lambda hits: confidence.Confidence(0.9, "answered"))


@pytest.fixture
def warc(tmp_path: Path) -> Callable[..., Path]:
    """Returns a function that records responses, given as {address: (content type, body)}, in a WARC file."""

    def record(pages: dict[str, tuple[str, bytes]], name: str = "pages.warc.gz", status: str = "200 OK") -> Path:
        path = tmp_path / name
        with path.open("wb") as stream:
            writer = WARCWriter(stream, gzip=name.endswith(".gz"))
            for url, (content_type, body) in pages.items():
                headers = StatusAndHeaders(status, [("Content-Type", content_type)], protocol="HTTP/1.1")
                record = writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=headers)
                writer.write_record(record)
                record.raw_stream.close()
        return path

    return record


def in_a_child(work: Callable[[], object]) -> int:
    """Do something in another process that may be killed by it, and return how that ended, as Popen.returncode is."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def a_pdf(*pages: Sequence[str]) -> bytes:
    """Return a PDF whose pages hold lines of text, one below the other; a page without lines is blank."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    objects.append(font)
    kids = []
    for lines in pages:
        shown = "".join(f"1 0 0 1 72 {720 - 14 * n} Tm ({line}) Tj\n" for n, line in enumerate(lines))
        stream = f"BT /F1 12 Tf\n{shown}ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        content = len(objects)
        resources = "<< /Font << /F1 3 0 R >> >>"
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources {resources} /Contents {content} 0 R >>"
        objects.append(page)
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    body, offsets = "%PDF-1.4\n", []
    for n, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{n} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF"
    return f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")
