"""Saved: what a person saved of links that show nothing to a program, matched to its link.

By a line in `index.csv` ("FILE,ADDRESS"), by the address inside the file (browsers, SingleFile and MHTML write it), or
by the file's name: the ledger's fix column says which name is known.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

from ingest import IngestError
from ingest.address import host_of, split, well_formed
from ingest.decoding import decode
from ingest.forms import front
from ingest.message import MAX_BODY, Get, Response
from ingest.sources import arxiv, walled, youtube

if TYPE_CHECKING:
    from ingest.extract import Extract

NAME = "saved"
KEEPS = 0
PAGES = 1
INDEX = "index.csv"
MARK = "saved-"  # begins the name of an archive that a person saved: what it holds of a walled link is its text
ARCHIVES = (".warc", ".warc.gz", ".wacz")

_TYPES = {
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".mhtml": "multipart/related",
    ".mht": "multipart/related",
    ".pdf": "application/pdf",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".mdx": "text/markdown",
    ".qmd": "text/markdown",
    ".rst": "text/x-rst",
    ".adoc": "text/asciidoc",
    ".asciidoc": "text/asciidoc",
    ".asc": "text/asciidoc",
    ".org": "text/x-org",
    ".txt": "text/plain",
    ".ipynb": "application/x-ipynb+json",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".json": "application/json",
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
    ".epub": "application/epub+zip",
}
_HEAD = 512 * 1024  # bytes in which a file says where it is from
_SAID = (
    re.compile(rb"Page saved with SingleFile\s+url:\s*(\S+)"),
    re.compile(rb"<!-- saved from url=\(\d+\)(\S+) -->"),
    re.compile(rb"<link[^>]+rel=[\"']?canonical[\"']?[^>]*?href=[\"']([^\"'>]+)", re.IGNORECASE),
    re.compile(rb"<link[^>]+href=[\"']([^\"'>]+)[\"'][^>]*?rel=[\"']?canonical", re.IGNORECASE),
    re.compile(rb"<meta[^>]+og:url[\"'][^>]*?content=[\"']([^\"'>]+)", re.IGNORECASE),
)
_LINK = re.compile(r"(?P<picture>!\[[^\]\n]*\]\(\s*<?)?(?P<url>https?://[^\s<>\"')\]]+)")
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|avif|ico)$", re.IGNORECASE)
_SOURCE = "source url link canonical canonical_url source_url original original_url page_url".split()  # in front matter
_MARKUP = (".md", ".markdown", ".mdx", ".qmd", ".txt", ".rst", ".adoc", ".asciidoc", ".org", ".vtt", ".srt")
_FIRST = 12  # lines of a text in which it says where it is from


@dataclass(frozen=True, slots=True)
class Saved:
    """A file and the address it belongs to."""

    path: Path
    response: Response


def fits(url: str) -> bool:  # noqa: ARG001
    """Return False: it is asked for by name."""
    return False


def gather(url: str, get: Get) -> list[Response]:  # noqa: ARG001
    """Return nothing: it lies here already."""
    return []


def read(parts: Sequence[Response]) -> Extract:
    """Return what a saved file holds; of a store's page, what it says of the book."""
    from ingest.decoding import form_of
    from ingest.document import NOTHING_SHOWN
    from ingest.extract import extract

    response = parts[0]
    if walled.is_store(response.url) and form_of(response) in {"html", "mhtml"}:
        return walled.read(parts)
    found = extract(response)
    if found.form == "pdf" and not (split(response.url).path.lower().endswith(".pdf") or arxiv.fits(response.url)):
        pieces = tuple(replace(piece, place="") for piece in found.pieces)  # pages of a file that has no address
        return replace(found, pieces=pieces, page_text=NOTHING_SHOWN)
    if walled.is_store(response.url):
        return replace(found, page_text=NOTHING_SHOWN)
    return found


def onward(base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:  # noqa: ARG001
    """Return nothing: what was not saved is not here."""
    return []


def archives(folder: Path) -> list[Path]:
    """Return the web archives in a folder."""
    return [path for path in _files(folder) if path.name.lower().endswith(ARCHIVES)]


def files(folder: Path, names: Mapping[str, str], tell: Callable[[str], None]) -> Iterator[Saved]:
    """Yield the saved files of a folder with their addresses; `tell` hears of those that cannot be placed.

    `names` are the file names, without their ends, that stand for addresses. Raises IngestError where there is no
    such folder.
    """
    listed = _index(folder, tell)
    for path in _files(folder):
        suffix = path.suffix.lower()
        if path.name == INDEX or path.name.lower().endswith(ARCHIVES):
            continue
        if suffix not in _TYPES:
            tell(f"{path}: a {suffix or 'file without an end'} is not read; {_known()}")
            continue
        if path.stat().st_size > MAX_BODY:
            tell(f"{path}: larger than {MAX_BODY // 2**20} MiB; split it")
            continue
        body = path.read_bytes()
        url = listed.get(str(path.relative_to(folder))) or _name(path, names) or _inside(body, suffix)
        if not well_formed(url):
            tell(f"{path}: which link is it? Add the line {path.relative_to(folder)},ADDRESS to {folder / INDEX}")
            continue
        saved_at = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield Saved(path, Response(url, 200, _TYPES[suffix], body, saved_at))


def names_of(urls: Iterable[str]) -> dict[str, str]:
    """Return for addresses the file names, without their ends, under which their saved material is known.

    >>> names_of(["https://www.educative.io/courses/grokking-the-system-design-interview"])
    {'educative-grokking-the-system-design-interview': 'https://www.educative.io/courses/grokking-the-system-design-interview'}
    """
    names: dict[str, str] = {}
    for url in urls:
        name, n = name_of(url), 1
        while name in names and names[name] != url:
            n += 1
            name = f"{name_of(url)}-{n}"
        names[name] = url
    return names


def name_of(url: str) -> str:
    """Return a short file name for an address: of a video its identifier, else the site and the last step."""
    if video := youtube.video_id(url):
        return video
    parts = split(url)
    labels = host_of(url).removeprefix("www.").split(".")
    steps = [step for step in parts.path.split("/") if step and not re.fullmatch(r"[a-z]{2}-[A-Z]{2}|index\.\w+", step)]
    site = labels[-2] if len(labels) > 1 else labels[0]
    longest = max(steps[-3:], key=len, default="")
    return re.sub(r"[^a-z0-9]+", "-", f"{site}-{longest}".lower()).strip("-")[:60].strip("-") or "page"


def _known() -> str:
    return f"known are {', '.join(_TYPES)}, {', '.join(ARCHIVES)}"


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise IngestError(f"{folder} is no folder; name the one that holds what you saved.")
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(step.startswith(".") or step.endswith("_files") for step in path.relative_to(folder).parts)
    ]


def _index(folder: Path, tell: Callable[[str], None]) -> dict[str, str]:
    """Return the addresses that `index.csv` gives for files."""
    path = folder / INDEX
    if not path.is_file():
        return {}
    listed: dict[str, str] = {}
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
        for number, row in enumerate(csv.reader(stream, skipinitialspace=True), 1):
            cells = [cell.strip() for cell in row if cell.strip()]
            urls = [cell for cell in cells if "://" in cell]
            others = [cell for cell in cells if "://" not in cell]
            if not cells or cells[0].startswith("#") or cells[0].lower() == "file":
                continue
            if not urls or not others:
                tell(f"{path}, line {number}: not like FILE,ADDRESS; passed over")
            elif not (folder / others[0]).is_file():
                tell(f"{path}, line {number}: there is no file {others[0]}")
            else:
                listed[others[0]] = urls[0]
    return listed


def _name(path: Path, names: Mapping[str, str]) -> str:
    """Return the address that a file's name stands for: as the ledger asks for it, or as video downloaders write it."""
    stem = path.name.partition(".")[0]
    if stem in names:
        return names[stem]
    found = re.search(r"\[([\w-]{11})\]", path.name)
    return youtube.watch_address(found.group(1)) if found else ""


def _inside(body: bytes, suffix: str) -> str:
    """Return the address that a file says it is from; "" where it does not say."""
    from ingest.forms.saved_page import address_in

    head = body[:_HEAD]
    if suffix in {".mhtml", ".mht"}:
        return address_in(head)
    if suffix in {".html", ".htm", ".xhtml"}:
        found = next(((said, n) for n, pattern in enumerate(_SAID) if (said := pattern.search(head))), None)
        url = found[0].group(1).decode("utf-8", "replace") if found else ""
        # Attributes are written with entities; comments are not.
        return re.sub(r"&#?\w+;", lambda entity: unescape(entity[0]), url) if found and found[1] > 1 else url
    return _in_text(decode(head)) if suffix in _MARKUP else ""


def _in_text(text: str) -> str:
    """Return the address that a text says it is from: in its front matter, else in its first lines; no picture's."""
    said = {name.lower(): value for name, value in front.settings(text).items()}
    if url := next((said[name] for name in _SOURCE if said.get(name, "").startswith(("http://", "https://"))), ""):
        return url
    body = front.BLOCK.sub("", text) if said else text
    links = _LINK.finditer("\n".join(body.splitlines()[:_FIRST]))
    urls = (link["url"] for link in links if not link["picture"])
    return next((url for url in urls if not _PICTURE.search(split(url).path)), "")
