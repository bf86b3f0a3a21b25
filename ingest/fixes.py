"""Fixes: what a person can do about a link that gave no text, said so that it can be done."""

from __future__ import annotations

from ingest.sources import youtube
from ingest.status import Status

SAVED = "data/saved"


def fix_of(status: Status, kind: str, url: str, name: str) -> str:
    """Return what to do, in one line; "" where nothing is to be done.

    `name` is the file name, without its end, under which saved material is known (`sources.saved.names_of`).
    """
    then = f"run `prep ingest --saved {SAVED}`"
    saved = f"open {url}, save the page as {SAVED}/{name}.html (or .pdf, .md), {then}"
    if kind == "book":
        saved = f"put a PDF or EPUB of the book, or your notes on it, into {SAVED}/{name}.pdf (.epub, .md), {then}"
    elif kind == "course":
        saved = f"save its lessons or your notes as {SAVED}/{name}.html (or .pdf, .md), {then}"
    elif youtube.video_id(url):
        saved = f"save its subtitles as {SAVED}/{name}.vtt (or .srt), or notes as {name}.md, {then}"
    return {
        Status.WALLED: saved,
        Status.REJECTED: saved,
        Status.UNREADABLE: saved,
        Status.METADATA: "" if kind in {"practice", "tool"} else saved,
        Status.OUTLINE: f"give it more pages in the list (`<!-- pages: 40 -->` behind the link), or {saved}",
        Status.DEAD: f"correct the address in the list or take it out; if you have the text, {saved}",
        Status.MALFORMED: "correct the address in the list, or add `<!-- fetch: ADDRESS -->` behind it",
        Status.FAILED: f"run `prep ingest` again later; or {saved}",
        Status.PENDING: f"run `prep ingest` with a network; or {saved}",
    }.get(status, "")
