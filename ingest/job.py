"""The ingestion job: lists and archives go in, documents and a ledger come out."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from ingest import IngestError, Track, archive, catalogue, document, markup, silently, webpage
from ingest.archive import Response
from ingest.catalogue import Resource, same_page
from ingest.document import Document, assemble
from ingest.duplicates import same_texts, sketch
from ingest.fetch import Door, FetchError, NoNetworkError
from ingest.ledger import HAS_TEXT, Ledger, Row, Status, open_ledger
from ingest.parsing import Job, Parsed, parse_all
from ingest.sources import address_to_read, github, public_address, wall_of, well_formed

READS = ("en",)  # languages that the built-in encoder reads
UNREACHED = 3  # hosts in a row that could not be reached: there is no network


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder: all that programs write."""

    path: Path

    @property
    def documents(self) -> Path:
        """Return where the texts lie."""
        return self.path / "documents"

    @property
    def archive(self) -> Path:
        """Return where responses are kept."""
        return self.path / "archive"

    @property
    def ledger(self) -> Path:
        """Return the ledger's file."""
        return self.path / "ledger.db"


@dataclass(frozen=True, slots=True)
class Request:
    """What to ingest."""

    lists: tuple[Path, ...] = ()  # none: the lists that ship with the project
    warcs: tuple[Path, ...] = ()
    only: str = ""  # a topic, or a part of its name
    refresh: bool = False  # read again what has not changed
    offline: bool = False


@dataclass
class Outcome:
    """What an ingestion did."""

    read: int = 0  # responses that were parsed
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)  # what a person should know


def ingest(
    request: Request, folder: Folder, *, door: Callable[[], Door] | None = None, track: Track = silently
) -> Outcome:
    """Read what is asked for into the folder, and enter in the ledger what became of every address.

    Raises IngestError where a list or an archive cannot be read; what was there before stays as it was.
    """
    resources = catalogue.read(request.lists) if request.lists else catalogue.built_in()
    wanted = [resource for resource in resources if request.only.lower() in resource.topic.lower()]
    if not wanted:
        topics = ", ".join(sorted({resource.topics[0] for resource in resources}))
        raise IngestError(f"no topic is like {request.only!r}; there are: {topics}.")
    for path in request.warcs:
        next(archive.replay(path, damaged=lambda _: None))
    outcome = Outcome()
    with open_ledger(folder.ledger) as ledger:
        ledger.add_resources(resources)
        _ingest_notes(ledger, folder)
        owners = Owners(ledger.resources())
        responses = _responses(request, folder, wanted, door, outcome, track)
        jobs = _changed_jobs(responses, owners, ledger, folder, request, outcome)
        for parsed in parse_all(jobs, workers=os.cpu_count() or 1):
            outcome.read += 1
            _record(parsed, owners, ledger, folder)
        _point_duplicates(ledger, folder)
        _enter_missing(ledger, offline=request.offline)
    return outcome


class Owners:
    """Tells which curated link an address belongs to."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._own = {same_page(spelling): resource for resource in resources for spelling in _spellings(resource)}
        self._prefixes = sorted(
            ((prefix, resource) for resource in resources for prefix in _prefixes(resource)),
            key=lambda pair: -len(pair[0]),
        )

    def of(self, url: str) -> Resource | None:
        """Return the resource an address is, or lies under; None for a stray page."""
        page = same_page(url)
        if page in self._own:
            return self._own[page]
        return next((resource for prefix, resource in self._prefixes if f"{page}/".startswith(prefix)), None)

    def is_own(self, url: str, resource: Resource) -> bool:
        """Return whether an address is the resource itself, not a page under it."""
        return self._own.get(same_page(url)) == resource


def _spellings(resource: Resource) -> set[str]:
    listed = {resource.url, resource.fetch} - {""}
    return listed | {address_to_read(url) for url in listed} | {public_address(url) for url in listed}


def _prefixes(resource: Resource) -> Iterator[str]:
    """Yield the beginnings of addresses that belong to a resource of many pages."""
    if resource.pages < 2:
        return
    for url in (resource.url, *resource.under):
        if repository := github.repository(url):
            yield f"github.com/{repository}/"
            yield f"raw.githubusercontent.com/{repository}/"
            continue
        page = same_page(url).partition("?")[0]
        last = page.rpartition("/")[2]
        is_file = "." in last and "/" in page
        yield f"{page.rpartition('/')[0] if is_file else page}/"


# --- where responses come from --------------------------------------------------------------------


def _responses(
    request: Request,
    folder: Folder,
    wanted: Sequence[Resource],
    door: Callable[[], Door] | None,
    outcome: Outcome,
    track: Track,
) -> Iterator[Response]:
    for path in request.warcs or (sorted(folder.archive.glob("*.warc*")) if request.offline else ()):
        count = sum(1 for _ in archive.replay(path, damaged=lambda _: None))
        yield from track(archive.replay(path, damaged=outcome.notes.append), f"Reading {path.name}", count)
        if path.parent != folder.archive:
            _keep_archive(path, folder.archive)
    if not request.offline and door:
        yield from _fetched(wanted, folder, door, outcome, track)


def _keep_archive(path: Path, folder: Path) -> None:
    """Copy an archive into the data folder, once, so that a later run can replay it."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:8]
    target = folder / f"{path.name.partition('.')[0]}-{digest}{''.join(path.suffixes)}"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        shutil.copyfile(path, part)
        part.replace(target)


def _fetched(
    wanted: Sequence[Resource], folder: Folder, door: Callable[[], Door], outcome: Outcome, track: Track
) -> Iterator[Response]:
    unreached: set[str] = set()
    with door() as client:
        for resource in track(wanted, "Fetching", len(wanted)):
            url = resource.fetch or resource.url
            if not well_formed(url) or wall_of(url):
                continue
            try:
                response = client.get(address_to_read(url))
            except NoNetworkError as error:
                unreached.add(urlsplit(url).hostname or "")
                if len(unreached) >= UNREACHED:
                    outcome.notes.append(f"There is no network: {error}. Nothing more was asked for.")
                    return
            except FetchError as error:
                outcome.notes.append(f"{url}: {error}")
            else:
                unreached.clear()
                archive.keep(response, folder.archive)
                yield response


# --- what becomes of them -------------------------------------------------------------------------


def _changed_jobs(
    responses: Iterable[Response], owners: Owners, ledger: Ledger, folder: Folder, request: Request, outcome: Outcome
) -> Iterator[Job]:
    """Yield a job for each response that the ledger does not know to be unchanged."""
    for response in responses:
        public = public_address(response.url)
        owner = owners.of(public) or owners.of(response.url)
        own = owner is not None and owners.is_own(response.url, owner)
        url = owner.url if owner and own and not owner.fetch else public
        known = ledger.row(owner.url if owner and own else url)
        digest = hashlib.sha256(response.body).hexdigest()
        if known and known.sha256 == digest and not request.refresh and _still_there(known, folder):
            outcome.unchanged += 1
            continue
        yield Job(response, url, owner.url if owner else url, owner.title if owner and own else "")


def _still_there(row: Row, folder: Folder) -> bool:
    return row.status not in HAS_TEXT or (folder.documents / row.document).exists()


def _record(parsed: Parsed, owners: Owners, ledger: Ledger, folder: Folder) -> None:
    job = parsed.job
    owner = owners.of(job.response.url) or owners.of(job.url)
    own = owner is not None and owners.is_own(job.response.url, owner)
    row = Row(
        url=owner.url if owner and own else job.url,
        resource=job.resource,
        title=(parsed.document.title if parsed.document else "") or job.title or job.url,
        status=Status.TEXT,
        fetched_at=job.response.fetched_at,
        sha256=hashlib.sha256(job.response.body).hexdigest(),
    )
    reasons = [] if owner else ["from the archive; no list names it"]
    if owner and own and owner.fetch:
        reasons.append(f"the listed address is malformed; read from {owner.fetch}")
    if parsed.document:
        path = document.write(parsed.document, folder.documents)
        row = replace(row, words=parsed.document.words, document=str(path.relative_to(folder.documents)))
        if parsed.document.language not in READS:
            reasons.append(f"its language is {parsed.document.language}; only English is searched")
    elif parsed.verdict:
        reasons.append(parsed.verdict.reason)
        row = replace(row, status=parsed.verdict.status, fix=_fix(parsed.verdict.status, job.url))
    ledger.record(replace(row, reason="; ".join(reasons)))


def _ingest_notes(ledger: Ledger, folder: Folder) -> None:
    """Enter the project's own study notes: the part of every shelf that needs no network."""
    for path in sorted(catalogue.STARTER.glob("*.md")):
        source = path.read_text(encoding="utf-8")
        front = markup.front_matter(source)
        url = f"ingest/starter/{path.name}"
        known = ledger.row(url)
        digest = hashlib.sha256(source.encode()).hexdigest()
        if known and known.sha256 == digest and _still_there(known, folder):
            continue
        note = read_note(path, url)
        ledger.add_resources([Resource(url, note.title, (front.get("topic", ""),), f"stage: {front.get('stage', '')}")])
        written = document.write(note, folder.documents)
        ledger.record(
            Row(
                url,
                url,
                note.title,
                Status.TEXT,
                "a note of this project",
                "",
                note.words,
                "",
                str(written.relative_to(folder.documents)),
                digest,
            )
        )


def read_note(path: Path, url: str) -> Document:
    """Return a study note as a document."""
    from ingest.extract import mark_link_sections, without_title

    source = path.read_text(encoding="utf-8")
    pieces, shown = webpage.whole(markup.markdown_to_html(source))
    title = next(piece.text for piece in pieces if piece.kind == "heading")
    text, blocks = assemble(without_title(mark_link_sections(pieces), title))
    return Document(url, title, url, "note", "en", text, blocks, shown)


def _point_duplicates(ledger: Ledger, folder: Folder) -> None:
    """Keep one of the documents that hold the same text, and point the others at it."""
    rows = [row for row in ledger.rows() if row.status in HAS_TEXT and row.document]
    curated = {resource.url for resource in ledger.resources()}
    # The one to keep comes first: a curated page before a stray one, a web page before its PDF, the longer text.
    rows.sort(key=lambda row: (row.resource not in curated, ".pdf" in row.url, -row.words))
    sketches = {row.url: sketch((folder.documents / row.document).read_text(encoding="utf-8")) for row in rows}
    by_url = {row.url: row for row in rows}
    gone: set[str] = set()
    for kept, other in same_texts(sketches):
        if kept in gone or other in gone:
            continue
        gone.add(other)
        row = by_url[other]
        document.remove(folder.documents / row.document)
        ledger.record(replace(row, status=Status.DUPLICATE, reason=f"the same text as {kept}", document=""))


# --- what a person can do -------------------------------------------------------------------------


def _fix(status: Status, url: str) -> str:
    saved = f"open {url}, save the page as HTML or PDF into data/saved, run `prep ingest --saved data/saved`"
    return {
        Status.WALLED: saved,
        Status.REJECTED: saved,
        Status.UNREADABLE: saved,
        Status.DEAD: "correct the address in the list, or take the link out",
        Status.FAILED: "run `prep ingest` again later",
        Status.PENDING: "run `prep ingest` with a network",
        Status.METADATA: saved,
    }.get(status, "")


def _enter_missing(ledger: Ledger, *, offline: bool) -> None:
    """Enter a row, with its reason, for every curated link for which nothing was got."""
    for resource in ledger.resources():
        if ledger.row(resource.url):
            continue
        url = resource.fetch or resource.url
        status, reason = Status.PENDING, "not in the archive, and the network was not used" if offline else "no answer"
        fix = _fix(status, url)
        if not well_formed(url):
            status, reason, fix = Status.MALFORMED, "no host can have this name", "correct the address in the list"
        elif wall := wall_of(url):
            status, reason, fix = Status.WALLED, wall, _fix(Status.WALLED, url)
        elif resource.kind == "book":
            status, reason = Status.METADATA, "a store page: the book itself is not free"
            fix = "drop a PDF or notes of your own into data/saved"
        elif resource.kind in {"video", "channel", "playlist"}:
            reason = "a video: its transcript needs the network"
        ledger.record(Row(resource.url, resource.url, resource.title, status, reason, fix))
