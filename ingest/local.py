"""Local: what is here already is read: web archives, and files that a person saved."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ingest import IngestError, archive, sources
from ingest.address import same_page
from ingest.archive import Archive, Capture
from ingest.catalogue import Resource
from ingest.characters import whole
from ingest.folder import Folder
from ingest.keeper import Keeper
from ingest.message import Ask, FetchError, Response
from ingest.owners import Owners
from ingest.parsing import Job, Parsed
from ingest.row import Row
from ingest.run import Run
from ingest.settle import digest_of
from ingest.sources import address_to_read, public_address, saved, source_of, walled

AHEAD = 8  # jobs that wait for a parser: enough to keep it busy, few enough for the memory
# What browsers record beside a page and nobody reads.
_NOT_READ = re.compile(r"(?:image|font|audio|video)/|(?:text|application)/(?:css|javascript|x-javascript|json|wasm)")


class LocalRun(Run):
    """Reads archives and saved files into the ledger."""

    def read_archives(self, paths: Sequence[Path], *, named: bool) -> None:
        """Read all that web archives hold; a damaged one is read up to its damage.

        Raises IngestError where one that a person named is no archive. Those of earlier runs are passed over then: a
        run that was killed may leave one without a whole record.
        """
        captures: list[Capture] = []
        for path in paths:
            self.progress.enter(f"Opening {path.name}")
            try:
                captures += archive.scan(path, damaged=self.progress.tell)
            except IngestError as error:
                if named:
                    raise
                self.progress.tell(f"{error} It was passed over.")
        if captures:
            self._archive(Archive(captures))

    def _archive(self, held: Archive) -> None:
        self._held = held
        leads = held.redirects()
        owners = Owners(self.ledger.resources(), leads)
        pages = [capture for capture in held.captures() if not sources.is_part(capture.url)]
        stray = [capture for capture in pages if _NOT_READ.match(capture.content_type) and not owners.of(capture.url)]
        if stray:
            self.progress.tell(f"{len(stray)} records are pictures, styles and scripts, and were passed over.")
        skipped = {capture.url for capture in stray}
        pages = [capture for capture in pages if capture.url not in skipped]
        self.progress.enter("Reading the archive", len(pages))
        self._drain(job for capture in pages if (job := self._job_of(capture, held, owners)))
        for row in self.ledger.rows():
            paper = self.ledger.row(row.paper) if row.paper else None
            if paper and paper.resource == paper.url:
                self.ledger.drop_page(paper.url)  # it was read for the page that leads to it

    def read_saved(self, place: Path, names: Mapping[str, str], folder: Folder) -> None:
        """Read the files that a person saved, and keep them in the archive; raises IngestError without the folder."""
        self.progress.enter(f"Reading {place}")
        owners = Owners(self.ledger.resources())
        keeper = Keeper(folder.archive)
        try:
            found = list(saved.files(place, names, self.progress.tell))
            self.progress.total = len(found)
            self._drain(job for file in found if (job := self._job_of_saved(file, owners, keeper)))
        finally:
            keeper.close()

    def _drain(self, jobs: Iterator[Job]) -> None:
        """Have jobs parsed, a few ahead of what is settled."""
        for job in jobs:
            self.submit(job)
            while self.parsing >= AHEAD:
                self._take()
        while self.parsing:
            self._take()

    def _take(self) -> None:
        parsed = self.events.get()
        assert isinstance(parsed, Parsed)
        self.parsing -= 1
        if parsed.paper and not parsed.job.paper and (paper := self._paper(parsed)):
            self.submit(paper)
        else:
            self.settle(parsed)

    def _paper(self, landing: Parsed) -> Job | None:
        """Return the job for the PDF that a page leads to, where the archive holds it."""
        try:
            response = self._held.get(Ask(landing.paper))
        except FetchError:
            return None
        if response.status != 200:
            return None
        digest = hashlib.sha256(response.body).hexdigest()
        url = landing.job.url if sources.is_captions(landing.paper) else landing.paper
        return replace(landing.job, parts=(response,), url=url, paper=landing.paper, digest=digest)

    # --- jobs -------------------------------------------------------------------------------------

    def _job_of(self, capture: Capture, held: Archive, owners: Owners) -> Job | None:
        """Return the job for a captured page; None where it is known and unchanged."""
        public = public_address(capture.url)
        owner = owners.of(public) or owners.of(capture.url)
        own = owner is not None and (owners.is_own(capture.url, owner) or owners.is_own(public, owner))
        page, url = _addresses(owner, public, own=own)
        source = source_of(page if own else public)
        if source is walled and not own:
            source = sources.page
        by_hand = capture.saved or (source is walled and capture.path.name.startswith(saved.MARK))
        hashes, parts = [capture.sha256], None
        if source.NAME in {"arxiv", "youtube", "thread"} and not capture.saved:
            parts = _gathered(source, page, capture, held)
            hashes = [hashlib.sha256(part.body).hexdigest() for part in parts]
        digest = digest_of(hashes)
        known = self.ledger.row(page)
        read = held.capture(known.paper) if known and known.paper else None
        if self._is_known(known, read.sha256 if read else digest):
            self.count_unchanged()
            return None
        return Job(
            parts=parts or (archive.load(capture),),
            page=page,
            url=url,
            resource=owner.url if owner else page,
            source=saved.NAME if by_hand else source.NAME,
            title=owner.title if owner and own else "",
            digest=digest,
            saved="a saved file" if by_hand else "",
        )

    def _job_of_saved(self, file: saved.Saved, owners: Owners, keeper: Keeper) -> Job | None:
        response = file.response
        owner = owners.of(response.url)
        own = owner is not None and owners.is_own(response.url, owner)
        page, url = _addresses(owner, response.url, own=own)
        digest = hashlib.sha256(response.body).hexdigest()
        if self._is_known(self.ledger.row(page), digest):
            self.count_unchanged()
            return None
        keeper.keep_saved(response)
        keeper.sync()
        title = owner.title if owner and own else whole(file.path.stem)
        return Job(
            (response,),
            page,
            url,
            owner.url if owner else page,
            "saved",
            title,
            digest=digest,
            saved=whole(file.path.name),
        )

    def _is_known(self, known: Row | None, digest: str) -> bool:
        sound = known is not None and known.sha256 == digest and self.settler.is_sound(known)
        return sound and not self.refresh


def _addresses(owner: Resource | None, public: str, *, own: bool) -> tuple[str, str]:
    """Return the ledger's address of a page, and the one that a citation links to."""
    page = owner.url if owner and own else public
    return page, public if owner and own and owner.fetch else page


def _gathered(source: sources.Source, page: str, capture: Capture, held: Archive) -> tuple[Response, ...]:
    """Return all that an archive holds of a text in several parts."""

    def get(ask: Ask) -> Response:
        try:
            return held.get(ask)
        except FetchError:
            if same_page(address_to_read(capture.url)) != same_page(ask.url):
                raise
            return archive.load(capture)

    try:
        return tuple(source.gather(page, get)) or (archive.load(capture),)
    except FetchError:
        return (archive.load(capture),)
