"""GitHub: pages of repositories, folders and files, and the raw files behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.address import without_tracking
from ingest.message import Ask, Get, Response

if TYPE_CHECKING:
    from ingest.extract import Extract

NAME = "github"
KEEPS = 0
PAGES = 1

_FILE = re.compile(r"https?://(?:www\.)?github\.com/([^/]+)/([^/#?]+)/(?:blob|raw)/([^/]+)/([^#?]+)", re.IGNORECASE)
_TREE = re.compile(r"https?://(?:www\.)?github\.com/([^/]+)/([^/#?]+)/tree/([^/#?]+)/?([^#?]*)", re.IGNORECASE)
_ROOT = re.compile(r"https?://(?:www\.)?github\.com/([^/]+)/([^/#?]+?)(?:\.git)?/?(?:[#?].*)?", re.IGNORECASE)
_RAW = re.compile(r"https?://raw\.githubusercontent\.com/([^/]+)/([^/]+)/([^/]+)/(.+)", re.IGNORECASE)
_ABOUT_GITHUB = {"features", "topics", "trending", "orgs", "sponsors", "marketplace", "settings", "login", "about"}
_READMES = ("README.md", "readme.md", "README.rst", "README.markdown", "README.txt", "README", "docs/README.md")
_TEXT = re.compile(r"\.(?:md|markdown|mdx|rst)$", re.IGNORECASE)
# What stands in most repositories and says nothing of their subject; translations of the same text.
_HOUSEKEEPING = re.compile(
    r"(?:^|/)(?:\.github/.*|(?:contributing|code[_-]of[_-]conduct|changelog|changes|license|security|support|authors"
    r"|maintainers|pull_request_template|contributors|history|releases?)(?:[-_.][\w-]*)?\.\w+"
    r"|readme[-_.](?:[a-z]{2}(?:[-_][a-z]{2,4})?)\.\w+)$",
    re.IGNORECASE,
)


def fits(url: str) -> bool:
    """Return whether an address is that of a repository, a folder or a file in one."""
    return bool(raw_address(url) or _RAW.fullmatch(url))


def gather(url: str, get: Get) -> list[Response]:
    """Return the file, or the README of the repository or folder, by whichever of the usual names it has."""
    if not (folder := _readme_folder(url)):
        return [get(Ask(raw_address(url) or url))]
    for name in _READMES:
        response = get(Ask(f"{folder}{name}"))
        if response.status != 404:
            return [response]
    return [response]


def read(parts: Sequence[Response]) -> Extract:
    """Return what the file holds."""
    from ingest.extract import extract

    return extract(parts[0])


def onward(base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:
    """Return the pages of the repository's other Markdown files that a file links to, each once.

    `base` is the raw file that holds the links; a prefix keeps to the folder that a resource names.

    >>> base = "https://raw.githubusercontent.com/o/r/HEAD/README.md"
    >>> onward(base, ["https://raw.githubusercontent.com/o/r/HEAD/sections/01.md"], ["github.com/o/r/"])
    ['https://github.com/o/r/blob/HEAD/sections/01.md']
    """
    found: dict[str, str] = {}
    home = repository(base)
    for link in links:
        raw = raw_address(without_tracking(link)) or without_tracking(link)
        file = _RAW.fullmatch(raw)
        if (
            not file
            or repository(raw) != home
            or not _TEXT.search(file.group(4))
            or _HOUSEKEEPING.search(file.group(4))
        ):
            continue
        page = page_address(raw)
        if any(re.sub(r"^https?://", "", page).lower().startswith(prefix.lower()) for prefix in prefixes):
            found.setdefault(file.group(4).lower(), page)
    return list(found.values())


def raw_address(url: str) -> str:
    """Return the raw file behind a file's page, or the README's behind a repository's; "" for any other address.

    >>> raw_address("https://github.com/andkret/Cookbook")
    'https://raw.githubusercontent.com/andkret/Cookbook/HEAD/README.md'
    """
    if found := _FILE.match(url):
        return f"https://raw.githubusercontent.com/{'/'.join(found.groups())}"
    folder = _readme_folder(url)
    return f"{folder}README.md" if folder else ""


def _readme_folder(url: str) -> str:
    """Return the raw folder of a repository or a folder in it, with a slash at its end; "" for any other address."""
    if found := _TREE.fullmatch(url.partition("#")[0].partition("?")[0]):
        owner, name, branch, path = found.groups()
        return f"https://raw.githubusercontent.com/{owner}/{name}/{branch}/{path}".rstrip("/") + "/"
    if (found := _ROOT.fullmatch(url)) and found.group(1).lower() not in _ABOUT_GITHUB:
        return f"https://raw.githubusercontent.com/{found.group(1)}/{found.group(2)}/HEAD/"
    return ""


def page_address(url: str) -> str:
    """Return the page on github.com of a raw file; "" for any other address.

    >>> page_address("https://raw.githubusercontent.com/o/r/main/docs/a.md")
    'https://github.com/o/r/blob/main/docs/a.md'
    """
    found = _RAW.fullmatch(url)
    if not found:
        return ""
    owner, repository, branch, path = found.groups()
    if branch == "HEAD" and path == "README.md":
        return f"https://github.com/{owner}/{repository}"
    return f"https://github.com/{owner}/{repository}/blob/{branch}/{path}"


def repository(url: str) -> str:
    """Return "owner/name" of the repository a GitHub address lies in, in lower case; "" for any other address."""
    found = re.match(r"https?://(?:www\.)?(?:raw\.githubusercontent|github)\.com/([^/]+)/([^/#?]+)", url, re.IGNORECASE)
    return f"{found.group(1)}/{found.group(2)}".lower().removesuffix(".git") if found else ""
