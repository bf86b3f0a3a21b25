"""Web: lists that are pages of the web, fetched through the guarded door and kept for runs without a network."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from ingest import IngestError, sources
from ingest.address import split, well_formed
from ingest.catalogue import Origin
from ingest.document import file_stem, replace_file
from ingest.fetch import Door
from ingest.message import MAX_BODY, Ask, FetchError, Response

MAPS = 10  # sitemaps that an index of them names, at most
_LOC = re.compile(rb"<loc>\s*(https?://[^<\s]+)\s*</loc>", re.IGNORECASE)


def is_web(name: str) -> bool:
    """Return whether a list is named by an address."""
    return bool(re.match(r"https?://", name, re.IGNORECASE))


def kept(urls: list[str], folder: Path, door: Callable[[], Door] | None) -> list[Origin]:
    """Return where lists of the web lie now that they were fetched, or, without a network, where they were kept.

    Raises IngestError where one can be had neither way.
    """
    if not urls:
        return []
    if door is None:
        return [_here(url, folder, "the network was not used") for url in urls]
    with door() as client:
        return [_fetched(url, folder, client) for url in urls]


def _fetched(url: str, folder: Path, client: Door) -> Origin:
    if not well_formed(url):
        raise IngestError(f"{url} is no address of a page; name a list such as https://example.org/list.md.")
    try:
        response = sources.source_of(url).gather(url, client.get)[0]
        body = _whole(response, client)
    except FetchError as error:
        return _here(url, folder, str(error))
    if response.status != 200:
        return _here(url, folder, f"it was answered with {response.status}")
    path = _path(url, folder, response)
    replace_file(path, body)
    replace_file(path.with_name(f"{path.name}.type"), f"{response.content_type}\n{response.where}".encode())
    return _origin(url, path)


def _here(url: str, folder: Path, reason: str) -> Origin:
    """Return a list that was kept before; raises IngestError where none was."""
    stem = Path(file_stem(url)).name
    found = [path for path in folder.glob(f"{stem}*") if path.suffix != ".type"]
    if not found:
        raise IngestError(f"{url} could not be fetched ({reason}); save the list as a file and name that.")
    return _origin(url, found[0])


def _origin(url: str, path: Path) -> Origin:
    kind, _, where = path.with_name(f"{path.name}.type").read_text("utf-8", "replace").partition("\n")
    return Origin(path, url=url, content_type=kind, base=where if "html" in kind else "")


def _path(url: str, folder: Path, response: Response) -> Path:
    suffix = PurePosixPath(split(response.where).path).suffix.lower()
    return folder / f"{Path(file_stem(url)).name}{suffix if re.fullmatch(r'[.][a-z]{2,8}', suffix) else ''}"


def _whole(response: Response, client: Door) -> bytes:
    """Return the body of a list, inflated; of an index of sitemaps, the sitemaps that it names."""
    body = _inflated(response.body)
    if b"<sitemapindex" not in body[:4096]:
        return body
    maps = [client.get(Ask(place.decode("utf-8", "replace"))) for place in _LOC.findall(body)[:MAPS]]
    places = [place for each in maps if each.status == 200 for place in _LOC.findall(_inflated(each.body))]
    return b"<urlset>" + b"".join(b"<url><loc>%b</loc></url>" % place for place in places) + b"</urlset>"


def _inflated(body: bytes) -> bytes:
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, MAX_BODY) if body[:2] == b"\x1f\x8b" else body
