"""The archive: responses as they came, in WARC files that any tool reads and any run can replay."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from ingest import IngestError

MAX_BODY = 64 * 2**20  # bytes; the largest paper of the lists has 4 MB


@dataclass(frozen=True, slots=True)
class Response:
    """What an address answered."""

    url: str  # the address that was asked for
    status: int
    content_type: str
    body: bytes
    fetched_at: str  # ISO 8601
    etag: str = ""
    modified: str = ""  # Last-Modified, as sent


def now() -> str:
    """Return the time in ISO 8601, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def replay(path: Path, *, damaged: Callable[[str], None]) -> Iterator[Response]:
    """Yield the responses of a WARC file, plain or gzipped.

    A damaged record ends the file there: `damaged` is called with the reason, what came before stays.
    Raises IngestError where there is no such file, or it is no WARC at all.
    """
    count = 0
    try:
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream):
                if record.rec_type == "response":
                    count += 1
                    yield _response(record)
    except OSError as error:
        raise IngestError(f"{path} cannot be read ({error}); name a WARC file (.warc or .warc.gz).") from error
    except (ArchiveLoadFailed, zlib.error, EOFError, ValueError, AttributeError) as error:
        if not count:
            raise IngestError(f"{path} is no WARC file ({error}); name one (.warc or .warc.gz).") from error
        damaged(f"{path} is damaged after record {count} ({error}); what came before it was read.")
        return
    if not count:
        raise IngestError(f"{path} holds no responses; name a WARC file that does.")


def _response(record: object) -> Response:
    headers = record.http_headers  # type: ignore[attr-defined]  # warcio has no types
    body = record.content_stream().read(MAX_BODY)  # type: ignore[attr-defined]
    return Response(
        url=record.rec_headers.get_header("WARC-Target-URI") or "",  # type: ignore[attr-defined]
        status=int(headers.get_statuscode() or 0) if headers else 0,
        content_type=(headers.get_header("Content-Type") or "") if headers else "",
        body=body,
        fetched_at=record.rec_headers.get_header("WARC-Date") or "",  # type: ignore[attr-defined]
        etag=(headers.get_header("ETag") or "") if headers else "",
        modified=(headers.get_header("Last-Modified") or "") if headers else "",
    )


def keep(response: Response, folder: Path) -> None:
    """Append a response to the archive's file of the day."""
    folder.mkdir(parents=True, exist_ok=True)
    headers = [("Content-Type", response.content_type), ("Content-Length", str(len(response.body)))]
    headers += [
        (name, value) for name, value in (("ETag", response.etag), ("Last-Modified", response.modified)) if value
    ]
    with (folder / f"fetched-{response.fetched_at[:10]}.warc.gz").open("ab") as stream:
        writer = WARCWriter(stream, gzip=True)
        record = writer.create_warc_record(
            response.url,
            "response",
            payload=io.BytesIO(response.body),
            http_headers=StatusAndHeaders(f"{response.status} ", headers, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": response.fetched_at},
        )
        writer.write_record(record)
