"""Keeper: what was fetched or saved is put into the archive, and archives of others are adopted."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import time
import zipfile
from pathlib import Path
from typing import IO, BinaryIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from ingest import IngestError
from ingest.archive import scan
from ingest.message import Response, now

MAX_ARCHIVE = 8 * 2**30  # bytes of a WARC file inside a WACZ, inflated


class Keeper:
    """Appends responses to a WARC file of its own: a run that is killed spoils no file of another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stream: BinaryIO | None = None
        self._writer: WARCWriter | None = None

    def keep(self, response: Response) -> None:
        """Append a response, and the redirects that led to it; it is on disk after `sync`."""
        for step in response.via:
            self._write(step.url, step.status, [("Location", step.location)], b"", response.fetched_at)
        headers = [("Content-Type", response.content_type), ("ETag", response.etag)]
        headers += [("Last-Modified", response.modified), ("Content-Length", str(len(response.body)))]
        sent = [(name, value) for name, value in headers if value]
        self._write(response.where, response.status, sent, response.body, response.fetched_at)

    def keep_saved(self, response: Response) -> None:
        """Append a file that a person saved of an address."""
        writer = self._open()
        kind = response.content_type
        dated = {"WARC-Date": response.fetched_at}
        payload = io.BytesIO(response.body)
        record = writer.create_warc_record(
            response.url, "resource", payload=payload, warc_content_type=kind, warc_headers_dict=dated
        )
        writer.write_record(record)
        record.raw_stream.close()

    def sync(self) -> None:
        """Put on disk what was kept."""
        if self._stream:
            self._stream.flush()
            os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._stream:
            self._stream.close()

    def _open(self) -> WARCWriter:
        if self._writer is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            stamp = now().translate(str.maketrans("", "", "-:"))
            self._stream = (self._folder / f"fetched-{stamp}-{os.getpid()}-{time.monotonic_ns()}.warc.gz").open("xb")
            self._writer = WARCWriter(self._stream, gzip=True)
        return self._writer

    def _write(self, url: str, status: int, headers: list[tuple[str, str]], body: bytes, fetched_at: str) -> None:
        clean = [(name, " ".join(value.split())) for name, value in headers]
        writer = self._open()
        record = writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=StatusAndHeaders(f"{status} ", clean, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": fetched_at},
        )
        writer.write_record(record)
        record.raw_stream.close()  # warcio leaves its temporary file open


def adopt(path: Path, folder: Path, *, mark: str = "") -> list[Path]:
    """Copy an archive into a folder, once, and return the WARC files there; of a WACZ, those inside it.

    `mark` is put in front of their names.

    Raises IngestError where it is no archive.
    """
    if path.suffix.lower() == ".wacz":
        return _unpack(path, folder, mark)
    next(scan(path, damaged=lambda _: None))
    if path.parent.resolve() == folder.resolve():
        return [path]
    with path.open("rb") as stream:
        return [_copy(stream, f"{mark}{path.name}", folder)]


def _unpack(path: Path, folder: Path, mark: str) -> list[Path]:
    try:
        with zipfile.ZipFile(path) as bundle:
            names = [name for name in bundle.namelist() if re.fullmatch(r"archive/[^/]+\.warc(?:\.gz)?", name)]
            kept = []
            for name in names:
                if bundle.getinfo(name).file_size > MAX_ARCHIVE:
                    raise IngestError(f"{path}: {name} in it is larger than {MAX_ARCHIVE // 2**30} GiB; unpack it.")
                with bundle.open(name) as first, bundle.open(name) as again:
                    kept.append(_copy(first, f"{mark}{path.stem}-{Path(name).name}", folder, again))
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise IngestError(f"{path} cannot be read ({error}); name a WARC or WACZ file.") from error
    if not kept:
        raise IngestError(f"{path} holds no WARC files; name a WACZ file that does.")
    return kept


def _copy(stream: IO[bytes], name: str, folder: Path, again: IO[bytes] | None = None) -> Path:
    """Copy a stream into a folder under a name that tells its content; `again` is it once more, if it can't go back."""
    digest = hashlib.file_digest(stream, "sha256").hexdigest()[:8]  # type: ignore[arg-type]  # any readable file
    stem, _, ends = name.partition(".")
    target = folder / f"{stem}-{digest}.{ends}"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        source = again or stream
        if again is None:
            stream.seek(0)
        with part.open("wb") as out:
            shutil.copyfileobj(source, out)
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    return target
