"""GitHub: pages of repositories, folders, files and wikis, and the raw files behind them."""

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
_WIKI = re.compile(r"https?://(?:www\.)?github\.com/([^/]+/[^/#?]+)/wiki(?:/([^/#?]+))?/?(?:[#?].*)?", re.IGNORECASE)
_RAW_WIKI = re.compile(r"https?://raw\.githubusercontent\.com/wiki/([^/]+/[^/]+)/([^/#?]+)\.\w+", re.IGNORECASE)
_WIKI_FORMS = ("md", "markdown", "asciidoc", "rst", "org")
# What shows the notebooks of repositories elsewhere.
_VIEWED = re.compile(
    r"https?://(?:nbviewer\.(?:jupyter\.)?org/github|colab\.research\.google\.com/github|githubtocolab\.com)"
    r"/([^/]+)/([^/#?]+)/blob/([^/]+)/([^#?]+)",
    re.IGNORECASE,
)
_ABOUT_GITHUB = {"features", "topics", "trending", "orgs", "sponsors", "marketplace", "settings", "login", "about"}
_READMES = ("README.md", "readme.md", "README.rst", "README.markdown", "README.txt", "README", "docs/README.md")
_TEXT = re.compile(r"\.(?:md|markdown|mdx|rst|adoc|asciidoc|org|ipynb)$", re.IGNORECASE)
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
    if wiki := _WIKI.fullmatch(url):
        return [_wiki_page(url, wiki, get)]
    if not (folder := _readme_folder(url)):
        return [get(Ask(raw_address(url) or url))]
    for name in _READMES:
        response = get(Ask(f"{folder}{name}"))
        if response.status != 404:
            return [response]
    return [response]


def _wiki_page(url: str, wiki: re.Match[str], get: Get) -> Response:
    """Return a page of a wiki as it was written, by whichever of the usual ends; else as it is shown."""
    for form in _WIKI_FORMS:
        response = get(Ask(f"https://raw.githubusercontent.com/wiki/{wiki[1]}/{wiki[2] or 'Home'}.{form}"))
        if response.status != 404:
            return response
    return get(Ask(url.partition("#")[0]))


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
    if found := _WIKI.fullmatch(url):
        return f"https://raw.githubusercontent.com/wiki/{found[1]}/{found[2] or 'Home'}.md"
    if found := _FILE.match(url) or _VIEWED.match(url):
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
    if wiki := _RAW_WIKI.fullmatch(url):
        return f"https://github.com/{wiki[1]}/wiki" + ("" if wiki[2] == "Home" else f"/{wiki[2]}")
    found = _RAW.fullmatch(url)
    if not found:
        return ""
    owner, repository, branch, path = found.groups()
    if branch == "HEAD" and path == "README.md":
        return f"https://github.com/{owner}/{repository}"
    return f"https://github.com/{owner}/{repository}/blob/{branch}/{path}"


def line_address(url: str, place: str) -> str:
    """Return the address of a line ("L12") of the file that a page shows; "" for a page that shows no file.

    >>> line_address("https://github.com/o/r", "L12"), line_address("https://github.com/o/r/wiki/A", "L12")
    ('https://github.com/o/r/blob/HEAD/README.md?plain=1#L12', '')
    """
    bare = url.partition("#")[0].partition("?")[0]
    file = bare if _FILE.fullmatch(bare) else f"{bare.rstrip('/')}/blob/HEAD/README.md" if _ROOT.fullmatch(bare) else ""
    return f"{file}?plain=1#{place}" if file else ""  # rendered markup has no line anchors


def repository(url: str) -> str:
    """Return "owner/name" of the repository a GitHub address lies in, in lower case; "" for any other address."""
    found = re.match(r"https?://(?:www\.)?(?:raw\.githubusercontent|github)\.com/([^/]+)/([^/#?]+)", url, re.IGNORECASE)
    return f"{found.group(1)}/{found.group(2)}".lower().removesuffix(".git") if found else ""
