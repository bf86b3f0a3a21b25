"""The archive: responses as they came, in WARC files that any tool reads and any run can replay."""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed

from ingest import IngestError
from ingest.address import join
from ingest.message import MAX_BODY, Ask, FetchError, Redirect
from ingest.message import Response as Response
from ingest.message import now as now

_BLOCK = 2**18  # bytes
_REDIRECTS = range(300, 400)
_DAMAGE = (ArchiveLoadFailed, zlib.error, EOFError, ValueError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True)
class Capture:
    """Where one response lies."""

    path: Path
    offset: int  # bytes into the file
    url: str
    status: int
    content_type: str
    sha256: str  # of the body
    fetched_at: str
    location: str = ""  # where a redirect leads
    saved: bool = False  # whether a person saved it: a record of a file, not of a response


class Archive:
    """The captures of many WARC files; nothing but their places is held in memory."""

    def __init__(self, captures: Iterable[Capture] = ()) -> None:
        self._by_url: dict[str, list[Capture]] = {}
        for capture in sorted(captures, key=lambda capture: capture.fetched_at):
            self._by_url.setdefault(capture.url, []).append(capture)

    def captures(self) -> list[Capture]:
        """Return of every address the capture that counts, without redirects, in the order they were recorded."""
        chosen = (self.capture(url) for url in self._by_url)
        return [capture for capture in chosen if capture and capture.status not in _REDIRECTS]

    def capture(self, url: str) -> Capture | None:
        """Return the capture that counts: what a person saved, else the newest good response.

        Where there is neither, and where it was not found twice in a row, that is the newest one.
        """
        known = self._by_url.get(url, [])
        if not known:
            return None
        if kept := [capture for capture in known if capture.saved]:
            return kept[-1]
        if len(known) > 1 and all(capture.status in {404, 410} for capture in known[-2:]):
            return known[-1]
        good = [capture for capture in known if 200 <= capture.status < 300]
        return (good or known)[-1]

    def redirects(self) -> dict[str, str]:
        """Return where addresses lead, for those that lead on."""
        chosen = {url: self.capture(url) for url in self._by_url}
        leads = {url: self._end(url)[0] for url, capture in chosen.items() if capture and capture.location}
        return {url: end for url, end in leads.items() if end != url}

    def get(self, ask: Ask) -> Response:
        """Return what an address answered; raises FetchError where the archive does not hold it."""
        url, via = self._end(ask.key)
        capture = self.capture(url)
        if capture is None or capture.status in _REDIRECTS:
            raise FetchError("not in the archive")
        return replace(load(capture), url=ask.url, final=url if via else "", via=tuple(via))

    def _end(self, url: str) -> tuple[str, list[Redirect]]:
        via: list[Redirect] = []
        for _ in range(6):
            capture = self.capture(url)
            if capture is None or capture.status not in _REDIRECTS or not capture.location:
                break
            via.append(Redirect(url, capture.status, capture.location))
            url = join(url, capture.location)
        return url, via


def load(capture: Capture) -> Response:
    """Return a captured response; raises IngestError where its file changed meanwhile."""
    try:
        with capture.path.open("rb") as stream:
            stream.seek(capture.offset)
            return _response(next(iter(ArchiveIterator(stream))))
    except (OSError, StopIteration, *_DAMAGE) as error:
        raise IngestError(f"{capture.path} changed while it was read ({error}); run `prep ingest` again.") from error


def scan(path: Path, *, damaged: Callable[[str], None]) -> Iterator[Capture]:
    """Yield the captures of a WARC file, plain or gzipped record by record.

    A damaged record ends the file there: `damaged` is called with the reason, what came before stays.
    Raises IngestError where there is no such file, or it is no WARC at all.
    """
    count = last = 0
    try:
        with path.open("rb") as stream:
            _check_beginning(stream, path)
            size = path.stat().st_size
            records = ArchiveIterator(stream)
            for record in records:
                if record.rec_type not in {"response", "resource"}:
                    last = records.get_record_offset()
                    continue
                response = _response(record)
                last = records.get_record_offset()
                if stream.tell() >= size and _rest(stream, last) < 0:
                    raise EOFError("the file ends in the midst of the next one")
                location = (record.http_headers.get_header("Location") or "") if record.http_headers else ""
                digest = hashlib.sha256(response.body).hexdigest()
                count += 1
                yield Capture(
                    path=path,
                    offset=records.get_record_offset(),
                    url=response.url,
                    status=response.status,
                    content_type=response.content_type,
                    sha256=digest,
                    fetched_at=response.fetched_at,
                    location=location,
                    saved=record.rec_type == "resource",
                )
            if _rest(stream, last):  # warcio passes over a record that is cut off in its head
                raise EOFError("the file ends in the midst of the next one")
    except OSError as error:
        raise IngestError(f"{path} cannot be read ({error.strerror}); name a WARC file (.warc or .warc.gz).") from error
    except _DAMAGE as error:
        if "non-chunked gzip" in str(error):
            raise IngestError(
                f"{path} is compressed as a whole; `warcio recompress {path} NEW.warc.gz` makes a readable copy."
            ) from error
        reason = " ".join(str(error).split())[:200]
        if not count:
            raise IngestError(f"{path} is no WARC file ({reason}); name one (.warc or .warc.gz).") from error
        damaged(f"{path} is damaged after record {count} ({reason}); what came before it was read.")
        return
    if not count:
        raise IngestError(f"{path} holds no responses; name a WARC file that does.")


def _check_beginning(stream: BinaryIO, path: Path) -> None:
    """Raise IngestError unless a stream begins as a WARC file does; warcio takes some noise for one."""
    head = stream.read(4096)
    if head.startswith(b"\x1f\x8b"):
        head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 5)
    if not head.startswith(b"WARC/"):
        raise IngestError(f"{path} is no WARC file; name one (.warc or .warc.gz).")
    stream.seek(0)


def _rest(stream: BinaryIO, start: int) -> int:
    """Return how many bytes follow the record that begins at a byte of a file; -1 where the file ends in its midst."""
    place, size = stream.tell(), stream.seek(0, io.SEEK_END)
    stream.seek(start)
    block = stream.read(_BLOCK)
    if block.startswith(b"\x1f\x8b"):
        inflating = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while block and not inflating.eof:
            inflating.decompress(block)
            block = stream.read(_BLOCK)
        rest = len(inflating.unused_data) + len(block) if inflating.eof else -1
    else:
        head, blank, _ = block.partition(b"\r\n\r\n")
        length = re.search(rb"^content-length:\s*(\d{1,15})", head, re.IGNORECASE | re.MULTILINE)
        end = start + len(head) + len(blank) + int(length.group(1) if length else 0)
        # Two line ends follow a record; some leave them out at the end of a file.
        rest = -1 if not blank or end > size else max(0, size - end - 4)
    stream.seek(place)
    return rest


def _response(record: Any) -> Response:  # noqa: ANN401  # warcio has no types
    headers = record.http_headers
    sent: Mapping[str, str] = {name.lower(): value for name, value in headers.headers} if headers else {}
    kept = record.rec_headers
    status = (headers.get_statuscode() or "0") if headers else "200"  # a saved file has no status
    return Response(
        url=kept.get_header("WARC-Target-URI") or "",
        status=int(status) if status.isdigit() else 0,
        content_type=sent.get("content-type", "") if headers else kept.get_header("Content-Type") or "",
        body=_body(record, sent),
        fetched_at=kept.get_header("WARC-Date") or "",
        etag=sent.get("etag", ""),
        modified=sent.get("last-modified", ""),
    )


def _body(record: Any, headers: Mapping[str, str]) -> bytes:  # noqa: ANN401
    """Return the body of a record without its codings, at most MAX_BODY of it."""
    chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    stream = ChunkedDataReader(record.raw_stream) if chunked else record.raw_stream
    body: bytes = stream.read(MAX_BODY)
    # warcio reads what is there; a record without a length was cut off in its head.
    if len(body) < MAX_BODY and not chunked and getattr(stream, "limit", 1) > 0:
        raise EOFError("the record is cut off")
    if headers.get("content-encoding", "").strip().lower() in {"", "identity"}:
        return body
    from ingest.exchange import inflated  # archives of others only: ours hold what was inflated

    try:
        return inflated(headers, body)
    except FetchError as error:
        raise ValueError(str(error)) from error
