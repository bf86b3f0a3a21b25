"""Settle: what becomes of a page, now that it was read, or could not be: its document, its row, what to do about it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ingest import document
from ingest.catalogue import Resource
from ingest.fixes import fix_of
from ingest.folder import Folder
from ingest.ledger import Ledger
from ingest.message import FetchError, RefusedError, Response, UnknownHostError, UnknownRulesError
from ingest.parsing import READER, Parsed
from ingest.row import Copy, Row, Trail
from ingest.sources import is_captions, kind_of, walled
from ingest.status import HAS_TEXT, READ, Status, Verdict

READS = ("en",)  # languages that the built-in encoder reads
MISSES = 2  # times in a row that a page is not found before its document goes


def moment() -> str:
    """Return the time in ISO 8601, UTC, to the microsecond: fine enough to tell two runs apart."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def digest_of(hashes: Sequence[str]) -> str:
    """Return one hash for the hashes of the parts of a text."""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


class Settler:
    """Enters in the ledger what became of pages; each in one transaction, after its files are on disk."""

    def __init__(self, ledger: Ledger, folder: Folder, names: Mapping[str, str]) -> None:
        """`names` are the file names that stand for curated links among saved material."""
        self._ledger = ledger
        self._folder = folder
        self._resources = {resource.url: resource for resource in ledger.resources()}
        self._names = {url: name for name, url in names.items()}

    def is_sound(self, row: Row | None) -> bool:
        """Return whether what is known of a page holds as long as its bytes do."""
        if row is None or row.reader != READER or not row.sha256:
            return False
        if row.document:
            return (self._folder.documents / row.document).exists()
        if row.status is Status.DUPLICATE:
            holder = self._ledger.row(row.holder)
            return holder is not None and holder.status in READ
        return row.status not in READ

    def settle(self, parsed: Parsed, copies: Sequence[Copy] | None = None, trail: Trail | None = None) -> Row:
        """Enter what was read, and return its row.

        What cannot be read any more does not displace what was read before, unless it is the same bytes that are now
        read differently, or it was not found twice in a row.
        """
        job, known = parsed.job, self._ledger.row(parsed.job.page)
        had = known is not None and bool(known.document)
        row = Row(
            url=job.page,
            resource=job.resource,
            title=(parsed.document.title if parsed.document else "") or job.title or parsed.title or job.url,
            status=Status.TEXT,
            fetched_at=job.parts[0].fetched_at,
            sha256=job.digest,
            about=parsed.about,
            final="" if parsed.final == job.page else parsed.final,
            checked_at=moment() if job.asked else "",
            reader=READER,
            saved=job.saved,
            paper=job.paper,
        )
        if parsed.document:
            row = self._with_document(row, parsed)
        elif parsed.verdict:
            if known and had and known.sha256 != job.digest:
                row = self._kept(known, parsed.verdict, row)
            else:
                row = self._ended(row, parsed.verdict)
        if row.document and not parsed.document:
            copies = trail = None  # those of the text that stays: what came instead of it says nothing of that
        self._ledger.record(row, copies=copies, trail=trail, sketch=parsed.sketch if parsed.document else None)
        if known and known.document and known.document != row.document:
            document.remove(self._folder.documents / known.document)
        return row

    def unchanged(self, row: Row) -> None:
        """Enter that a site was asked for a page, and that it is as it was."""
        self._ledger.record(replace(row, checked_at=moment(), misses=0, reason=_lasting(row.reason)))

    def failed(self, page: str, resource: str, title: str, error: FetchError) -> Row:
        """Enter that a page could not be fetched; what was read of it before stays."""
        verdict = _verdict_of(error, page)
        known = self._ledger.row(page)
        row = Row(page, resource, title or page, verdict.status, checked_at=moment(), reader=READER)
        if known and (known.document or known.status is Status.DUPLICATE):
            row = self._kept(known, verdict, row)
        else:
            row = self._ended(replace(row, about=known.about if known else ""), verdict)
        self._ledger.record(row)
        return row

    def missing(self, resource: Resource, *, reason: str) -> None:
        """Enter a row for a curated link that was not fetched."""
        url = resource.fetch or resource.url
        verdict = walled.verdict_of(url) or Verdict(Status.PENDING, reason)
        if resource.kind in {"video", "channel", "playlist"}:
            verdict = Verdict(Status.PENDING, f"a {resource.kind}: YouTube was not asked; {reason}")
        self._ledger.record(self._ended(Row(resource.url, resource.url, resource.title, verdict.status), verdict))

    def refused(self, resource: Resource, verdict: Verdict) -> None:
        """Enter a row for a curated link that nothing can be fetched from."""
        self._ledger.record(self._ended(Row(resource.url, resource.url, resource.title, verdict.status), verdict))

    # --- rows -------------------------------------------------------------------------------------

    def _with_document(self, row: Row, parsed: Parsed) -> Row:
        found = parsed.document
        assert found is not None
        path = document.write(found, self._folder.documents)
        reasons = self._remarks(row)
        status = Status.TRANSCRIPT if found.form == "transcript" else Status.TEXT
        if parsed.verdict:
            status, reasons = parsed.verdict.status, [parsed.verdict.reason, *reasons]
        if found.language not in READS:
            reasons.append(f"read, and not searched: its language is {found.language}; only English is searched")
            status = Status.FOREIGN if status in HAS_TEXT else status
        reasons += [f"left out: {what}" for what in parsed.left_out]
        if "instructions" in found.flags:
            reasons.append("it holds words that address a program; they are text like any other")
        fix = self._fix(status, row) if parsed.verdict else ""
        place = str(path.relative_to(self._folder.documents))
        return replace(row, status=status, reason="; ".join(reasons), fix=fix, words=found.words, document=place)

    def _ended(self, row: Row, verdict: Verdict) -> Row:
        reason = "; ".join([verdict.reason, *self._remarks(row)])
        ended = replace(row, status=verdict.status, reason=reason, misses=int(verdict.status is Status.DEAD))
        return replace(ended, fix=self._fix(verdict.status, row))

    def _kept(self, known: Row, verdict: Verdict, tried: Row) -> Row:
        """Return the row of a page that was read before and could not be read now."""
        misses = known.misses + 1 if verdict.status is Status.DEAD and tried.checked_at else known.misses
        if misses >= MISSES:
            return self._ended(replace(tried, title=known.title), Verdict(Status.DEAD, f"{verdict.reason}, twice"))
        day = (tried.checked_at or tried.fetched_at)[:10]
        reason = "; ".join(filter(None, [_lasting(known.reason), f"not read again on {day}: {verdict.reason}"]))
        return replace(known, reason=reason, misses=misses, checked_at=tried.checked_at or known.checked_at)

    def _remarks(self, row: Row) -> list[str]:
        resource = self._resources.get(row.resource)
        if resource is None:
            return [f"from {row.saved}; no list names it" if row.saved else "from the archive; no list names it"]
        remarks = [f"from {row.saved}"] if row.saved else []
        if row.url == resource.url and resource.fetch:
            remarks.append(f"the listed address is malformed; read from {resource.fetch}")
        if row.paper:
            what = "transcript" if is_captions(row.paper) else "PDF"
            remarks.append(f"the {what} that its page leads to, {row.paper}")
        return remarks

    def _fix(self, status: Status, row: Row) -> str:
        resource = self._resources.get(row.resource)
        if resource is None or row.url != resource.url:
            return ""
        return fix_of(status, kind_of(resource.fetch or row.url), row.url, self._names.get(row.url, ""))


def copies_of(page: str, parts: Sequence[Response], known: Mapping[str, Copy]) -> list[Copy]:
    """Return what to remember of responses; of one that only said that it still holds, what was known."""
    return [
        known[part.url]
        if part.status == 304 and part.url in known
        else Copy(part.url, page, hashlib.sha256(part.body).hexdigest(), part.etag, part.modified)
        for part in parts
    ]


def _lasting(reason: str) -> str:
    """Return a reason without what was said of a failed try to read the page again."""
    return re.sub(r"(?:; )?not read again on .*", "", reason, flags=re.DOTALL)


def _verdict_of(error: FetchError, page: str) -> Verdict:
    if beforehand := walled.verdict_of(page):
        return Verdict(beforehand.status, f"{beforehand.reason} (its page: {error})")
    if isinstance(error, RefusedError) and not isinstance(error, UnknownRulesError):
        status = Status.WALLED if "robots.txt" in str(error) else Status.REJECTED
        return Verdict(status, str(error))
    if isinstance(error, UnknownHostError):
        return Verdict(Status.FAILED, f"{error}; the site may be gone")
    return Verdict(Status.FAILED, str(error))
