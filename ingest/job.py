"""The ingestion job: lists, archives and saved files go in, documents and a ledger come out."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest import IngestError, catalogue, document, notes, tidy
from ingest.address import well_formed
from ingest.catalogue import Resource
from ingest.document import Document
from ingest.fetch import Door
from ingest.folder import Folder as Folder
from ingest.keeper import Keeper, adopt
from ingest.ledger import GATHERING, Ledger, open_ledger
from ingest.lists import web
from ingest.local import LocalRun
from ingest.online import NO_NETWORK, OnlineRun
from ingest.parsing import Parsers
from ingest.progress import Progress
from ingest.run import Events
from ingest.settle import Settler, moment
from ingest.sources import saved
from ingest.status import Status, Verdict

ROUND = timedelta(hours=24)  # a run that was stopped is gone on with for so long


@dataclass(frozen=True, slots=True)
class Request:
    """What to ingest."""

    lists: tuple[Path | str, ...] = ()  # files, or addresses; none: the lists that ship with the project
    warcs: tuple[Path, ...] = ()
    saved: Path | None = None  # a folder of what a person saved
    only: str = ""  # a topic, or a part of its name
    refresh: bool = False  # read again what has not changed
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an ingestion did."""

    read: int = 0  # pages that were parsed
    unchanged: int = 0
    notes: tuple[str, ...] = ()  # what a person should know


def ingest(
    request: Request,
    folder: Folder,
    door: Callable[[], Door] | None = None,
    *,
    progress: Progress | None = None,
    fetched: Callable[[Document], None] | None = None,
    workers: int = 2,
) -> Outcome:
    """Read what is asked for into the folder, and enter in the ledger what became of every address.

    `fetched` hears of each document that came from the network as soon as it is written. Raises IngestError where a
    list, an archive or a folder cannot be read; what was there before stays as it was. Whoever calls it holds the
    folder (`Folder.alone`).
    """
    progress = progress or Progress()
    resources = _listed(request, folder, door)
    wanted = _wanted(resources, request.only)
    named = _named_archives(request, folder)
    kept = sorted(folder.archive.glob("*.warc*")) if request.offline else []
    events: Events = queue.SimpleQueue()
    with open_ledger(folder.ledger) as ledger, Parsers(workers, events.put) as parsers:
        _enter_lists(ledger, resources, folder)
        notes.enter(ledger, folder)
        names = saved.names_of(resource.url for resource in ledger.resources())
        settler = Settler(ledger, folder, names)
        for resource in wanted:
            if not well_formed(resource.fetch or resource.url):
                settler.refused(resource, Verdict(Status.MALFORMED, "no host can have this name"))
        local = LocalRun(ledger, settler, parsers, events, progress, refresh=request.refresh)
        local.read_archives(named or kept, named=bool(named))
        if request.saved:
            local.read_saved(request.saved, names, folder)
        online = OnlineRun(ledger, settler, parsers, events, progress, refresh=request.refresh, written=fetched)
        reason = "not in the archive, and the network was not used"
        if not request.offline and door:
            reason = _fetched(wanted, online, folder, door)
        for resource in wanted:
            if not ledger.row(resource.url):
                settler.missing(resource, reason=reason)
        tidy.point_duplicates(ledger, folder)
        tidy.sweep(ledger, folder)
    return Outcome(local.read + online.read, local.unchanged + online.unchanged, tuple(progress.notes))


def _fetched(wanted: Sequence[Resource], online: OnlineRun, folder: Folder, door: Callable[[], Door]) -> str:
    """Fetch curated links in one round; return why those without a row have none."""
    ledger = online.ledger
    begun = _round(ledger, online.progress, refresh=online.refresh)
    with door() as client, closing(Keeper(folder.archive)) as keeper:
        reason = online.fetch(wanted, client, keeper, begun)
    ledger.note("round", "")
    if reason != NO_NETWORK:
        ledger.note(GATHERING, "")
    return reason


def _listed(request: Request, folder: Folder, door: Callable[[], Door] | None) -> list[Resource]:
    """Return the resources of the lists that are asked for; those of the web are fetched first."""
    if not request.lists:
        return catalogue.built_in()
    urls = [each for each in request.lists if isinstance(each, str) and web.is_web(each)]
    fetched = {origin.url: origin for origin in web.kept(urls, folder.lists, None if request.offline else door)}
    return catalogue.read(fetched.get(str(each)) or Path(each) for each in request.lists)


def _wanted(resources: Sequence[Resource], only: str) -> list[Resource]:
    """Return the resources under topics like `only`; raises IngestError where there are none."""
    wanted = [resource for resource in resources if only.lower() in resource.topic.lower()]
    if not wanted:
        topics = ", ".join(dict.fromkeys(topic for resource in resources for topic in resource.topics))
        raise IngestError(f"no topic is like {only!r}; there are: {topics}.")
    return wanted


def _round(ledger: Ledger, progress: Progress, *, refresh: bool) -> str:
    """Return when this round of asking sites began: just now, or with a run that was stopped before its end."""
    known = json.loads(ledger.fact("round") or "{}")
    begun = str(known.get("begun", ""))
    if begun and known["refresh"] == refresh and datetime.now(UTC) - datetime.fromisoformat(begun) < ROUND:
        progress.tell(f"Going on with the run of {begun[:16].replace('T', ' ')} UTC, which was stopped.")
        return begun
    begun = moment()
    ledger.note("round", json.dumps({"begun": begun, "refresh": refresh}))
    return begun


def _enter_lists(ledger: Ledger, resources: Sequence[Resource], folder: Folder) -> None:
    """Enter what the lists hold, and forget what was taken out of them, its documents included."""
    before = ledger.resources()
    ledger.add_resources(resources)
    read = {name for resource in resources for name in resource.lists}
    here = {resource.url for resource in resources}
    for resource in before:
        if resource.lists and read.issuperset(resource.lists) and resource.url not in here:
            for row in ledger.drop_resource(resource.url):
                if row.document:
                    document.remove(folder.documents / row.document)


def _named_archives(request: Request, folder: Folder) -> list[Path]:
    """Return the archives that were named, copied into the data folder, so that they stay.

    Raises IngestError where one of them is none.
    """
    kept = [path for each in request.warcs for path in adopt(each, folder.archive)]
    for each in saved.archives(request.saved) if request.saved else ():
        kept += adopt(each, folder.archive, mark=saved.MARK)
    return kept
