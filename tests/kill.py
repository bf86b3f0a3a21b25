"""Kills an ingestion at random moments, again and again: `python tests/kill.py --kills 200`.

A site of many pages is ingested and published by a child process, which is killed (SIGKILL) at a random moment of its
ingest or of its publish, and started again until it ends. After every kill the shelf must open and answer, and no
document that the ledger had may be gone. After every run that ends, documents, rows and passages must be those of a
run that nobody interrupted. Then the site changes, and it begins anew over what is there. Exit 1 where that fails.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conftest import FakeEncoder
from ingesting import a_list, article
from loopback import LOOPBACK, TRUST, Reply, Site

from index import ShelfError, build, search, store
from ingest import IngestError, job, ledger
from ingest.document import read
from ingest.fetch import Door
from ingest.folder import Folder
from ingest.job import Request
from ingest.manners import Manners

HOSTS = 6
PAGES = 8  # a host
MANNERS = Manners(gap=0.05, backoff=0.05)


# --- what is killed -------------------------------------------------------------------------------


def child(folder: Path, links: Path, port: int) -> None:
    """Ingest and publish, as `prep ingest` does, saying on stdout when each begins."""
    home = Folder(folder)

    def door() -> Door:
        found = lambda host, _: ["127.0.0.1"]  # noqa: E731
        return Door(contact="x", allow=[LOOPBACK], ports={port}, manners=MANNERS, resolve=found, trust=TRUST)

    say("ingest")
    with home.alone():
        job.ingest(Request(lists=(links,)), home, door, workers=1)
        say("publish")
        with ledger.open_ledger(home.ledger) as book:
            build.build(build.readable(book, home.documents, say), FakeEncoder(), folder, listings=build.listed(book))
    say("done")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# --- what must hold -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Content:
    """All that a person would miss: what became of every address, and every passage."""

    rows: frozenset[tuple[str, str, str, int]]  # address, status, hash of the document, words
    passages: frozenset[tuple[str, str]]  # address, text


def content(folder: Path) -> Content:
    """Return what a folder holds; raises where any of it cannot be read."""
    home, rows = Folder(folder), set()
    with ledger.open_ledger(home.ledger) as book:
        for row in book.rows():
            text = read(home.documents / row.document).sha256 if row.document else ""
            rows.add((row.url, row.status.value, text, row.words))
    shelf = store.open_shelf(folder / "shelves")
    found = shelf.passages(range(shelf.manifest.passages))
    return Content(frozenset(rows), frozenset((source.url, passage.text) for passage, source in found))


def documents(folder: Path) -> set[str]:
    """Return the addresses whose documents the ledger has; raises IngestError where one of them cannot be read."""
    home = Folder(folder)
    if not home.ledger.exists():
        return set()
    with ledger.open_ledger(home.ledger) as book:
        rows = [row for row in book.rows() if row.document]
    for row in rows:
        read(home.documents / row.document)
    return {row.url for row in rows}


def serves(folder: Path) -> None:
    """Raise ShelfError unless the shelf opens and finds something, where one was ever published."""
    if not (folder / "shelves" / store.POINTER).exists():
        return
    shelf, encoder = store.open_shelf(folder / "shelves", encoder=FakeEncoder.name), FakeEncoder()
    if not search.hybrid("Which machine holds a ring?", shelf, encoder, limit=3):
        raise ShelfError("the shelf finds nothing")


# --- the killing ----------------------------------------------------------------------------------


@dataclass
class Tally:
    """What happened."""

    kills: int = 0
    in_publish: int = 0
    ended: int = 0
    unreadable: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        where = f"{self.kills - self.in_publish} in ingest, {self.in_publish} in publish"
        return (
            f"{self.kills} kills ({where}), {self.ended} runs ended: {len(self.unreadable)} unreadable shelves,"
            f" {len(self.lost)} lost documents, {len(self.different)} runs with other content"
        )


class Changing:
    """A site of several hosts whose pages change with its edition; some are dead, some rubbish."""

    def __init__(self) -> None:
        self.edition = 0
        self.site = Site(answer=self.answer)

    def answer(self, request: object) -> Reply | None:
        host, path = request.host, request.path  # type: ignore[attr-defined]
        if not path.startswith("/p"):
            return None
        page = int(path[2:]) + 100 * int(host.removeprefix("host").partition(".")[0])
        if page % 11 == 5:
            return Reply("gone", 404)
        if page % 13 == 6:
            return Reply(
                "<title>Just a moment...</title><p>Verifying you are human.</p>", 200, {"Content-Type": "text/html"}
            )
        edition = self.edition if (page + self.edition) % 3 == 0 else 0
        body = article(f"Page {page}", page, f"<p>It is edition {edition} of page {page} that says so.</p>")
        tag = f'"{page}-{edition}"'
        if request.headers.get("if-none-match") == tag:  # type: ignore[attr-defined]
            return Reply("", 304)
        return Reply(body, 200, {"Content-Type": "text/html", "ETag": tag})

    def links(self) -> list[str]:
        return [self.site.url(f"/p{n}", f"host{host}.test") for host in range(HOSTS) for n in range(PAGES)]


def start(folder: Path, links: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--child", str(folder), str(links), str(port)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def uninterrupted(folder: Path, links: Path, port: int) -> tuple[float, float]:
    """Run to the end; return the seconds of its ingest and of its publish."""
    times, running = {}, start(folder, links, port)
    assert running.stdout
    for line in running.stdout:
        times[line.strip()] = time.monotonic()
    if running.wait() or "done" not in times:
        raise SystemExit("a run that nobody interrupted failed")
    return times["publish"] - times["ingest"], times["done"] - times["publish"]


def kill_once(folder: Path, links: Path, port: int, seconds: tuple[float, float], chance: random.Random) -> str:
    """Start a run and kill it at a random moment; return the stage it was in, "done" where it had ended."""
    stage, running = "ingest" if chance.random() < 0.6 else "publish", start(folder, links, port)
    assert running.stdout
    reached = ""
    for line in running.stdout:
        reached = line.strip()
        if reached == stage:
            time.sleep(chance.uniform(0, 1.05 * seconds[stage == "publish"]))
            break
        if reached == "done":
            break
    running.send_signal(signal.SIGKILL)
    reached = ([reached, *(line.strip() for line in running.stdout)])[-1]
    running.wait()
    return "done" if reached == "done" else reached


def after(folder: Path, before: set[str], tally: Tally) -> set[str]:
    """Check what must hold after a kill, and return the documents that are there now."""
    try:
        serves(folder)
    except (ShelfError, OSError) as error:
        tally.unreadable.append(str(error))
    try:
        now = documents(folder)
    except (IngestError, OSError) as error:
        tally.lost.append(str(error))
        return before
    tally.lost += sorted(before - now)
    return now


def main() -> int:
    """Kill as often as asked; return 0 where everything held."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        child(Path(given.child[0]), Path(given.child[1]), int(given.child[2]))
        return 0
    chance, tally, pages = random.Random(given.seed), Tally(), Changing()
    work = Path(tempfile.mkdtemp(prefix="prepshelf-kill-"))
    with pages.site.open() as site:
        links, victim = a_list(work, pages.links()), work / "victim"
        before: set[str] = set()
        while tally.kills < given.kills:
            whole = work / f"whole{pages.edition}"
            if pages.edition:
                shutil.copytree(victim, whole)  # the run that nobody interrupts begins where the other does
            seconds = uninterrupted(whole, links, site.port)
            for _ in range(chance.randint(2, 9)):
                stage = kill_once(victim, links, site.port, seconds, chance)
                if stage == "done":
                    break
                tally.kills += 1
                tally.in_publish += stage == "publish"
                before = after(victim, before, tally)
                say(f"{tally.kills:4} killed in {stage}; {len(before)} documents")
                if tally.kills == given.kills:
                    break
            uninterrupted(victim, links, site.port)
            tally.ended += 1
            before = after(victim, before, tally)
            if content(victim) != content(whole):
                tally.different.append(f"edition {pages.edition}")
            shutil.rmtree(whole)
            pages.edition += 1
    say(str(tally))
    for line in [*tally.unreadable, *tally.lost, *tally.different]:
        say(f"  {line}")
    shutil.rmtree(work)
    return 1 if tally.unreadable or tally.lost or tally.different else 0


if __name__ == "__main__":
    sys.exit(main())
