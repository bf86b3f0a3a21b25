"""Kinds of link: what an address is to a reader, and how its text is got."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ingest.sources import arxiv, github

_BY_HOST: dict[str, str] = {
    "amazon.com": "book",
    "oreilly.com": "book",
    "gumroad.com": "book",
    "leanpub.com": "book",
    "manning.com": "book",
    "educative.io": "course",
    "coursera.org": "course",
    "udemy.com": "course",
    "explore.skillbuilder.aws": "course",
    "ocw.mit.edu": "course",
    "linkedin.com": "course",
    "leetcode.com": "practice",
    "hackerrank.com": "practice",
    "app.codesignal.com": "practice",
    "codeforces.com": "practice",
    "workshops.aws": "workshop",
    "workshop.aws": "workshop",
    "ecsworkshop.com": "workshop",
    "eksworkshop.com": "workshop",
    "serverlessworkshops.io": "workshop",
    "awspartner.com": "workshop",
    "aws-management.tools": "workshop",
    "arxiv.org": "paper",
    "ojs.aaai.org": "paper",
    "dl.acm.org": "paper",
    "papers.nips.cc": "paper",
    "excalidraw.com": "tool",
    "github.com": "repository",
    "raw.githubusercontent.com": "repository",
}


def kind_of(url: str) -> str:
    """Return what an address is to a reader.

    >>> kind_of("https://www.youtube.com/watch?v=abc"), kind_of("https://arxiv.org/abs/1708.05031")
    ('video', 'paper')
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if not parts.scheme:
        return "note"
    if host in {"youtu.be", "www.youtube.com", "youtube.com", "m.youtube.com"}:
        channel = re.match(r"/(?:c|channel|user|@)", parts.path)
        return "channel" if channel else "playlist" if parts.path == "/playlist" else "video"
    if host.endswith("linkedin.com") and not parts.path.startswith("/learning"):
        return "article"
    if host == "leetcode.com" and parts.path.startswith("/discuss"):
        return "article"
    if parts.path.lower().endswith(".pdf"):
        return "paper"
    labels = host.split(".")
    return next((_BY_HOST[name] for n in range(len(labels)) if (name := ".".join(labels[n:])) in _BY_HOST), "article")


def address_to_read(url: str) -> str:
    """Return the address whose bytes hold the text of a link: the raw file, the PDF, most often the link itself."""
    return github.raw_address(url) or arxiv.pdf_address(url) or url


def public_address(url: str) -> str:
    """Return the address that people use for what was read at `url`."""
    return github.page_address(url) or url


_WALLS = {
    "linkedin.com": "LinkedIn shows its courses and posts to members only",
    "explore.skillbuilder.aws": "AWS Skill Builder asks for a login",
    "educative.io": "Educative's courses are paid",
    "app.codesignal.com": "CodeSignal asks for a login",
    "hackerrank.com": "HackerRank asks for a login",
    "leetcode.com": "LeetCode asks for a login",
    "quora.com": "Quora asks for a login",
}


def wall_of(url: str) -> str:
    """Return why an address shows nothing to a program, where that is known beforehand; else ""."""
    labels = (urlsplit(url).hostname or "").lower().split(".")
    return next((_WALLS[name] for n in range(len(labels)) if (name := ".".join(labels[n:])) in _WALLS), "")


def well_formed(url: str) -> bool:
    """Return whether an address can name a host at all.

    >>> well_formed("http://wide%20&%20deep%20learning/"), well_formed("https://arxiv.org/abs/1606.07792")
    (False, True)
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return bool(
        re.fullmatch(r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W_](?:[\w-]*[^\W_])?\.?|\[[0-9a-f:.]+\]|localhost", host)
    )
