"""GitHub: pages of repositories and files, and the raw files behind them."""

from __future__ import annotations

import re

_FILE = re.compile(r"https?://(?:www\.)?github\.com/([^/]+)/([^/#?]+)/(?:blob|raw)/([^/]+)/([^#?]+)", re.IGNORECASE)
_ROOT = re.compile(r"https?://(?:www\.)?github\.com/([^/]+)/([^/#?]+?)(?:\.git)?/?(?:[#?].*)?", re.IGNORECASE)
_RAW = re.compile(r"https?://raw\.githubusercontent\.com/([^/]+)/([^/]+)/([^/]+)/(.+)", re.IGNORECASE)
_ABOUT_GITHUB = {"features", "topics", "trending", "orgs", "sponsors", "marketplace", "settings", "login"}


def raw_address(url: str) -> str:
    """Return the raw file behind a file's page, or the README's behind a repository's; "" for any other address.

    >>> raw_address("https://github.com/andkret/Cookbook")
    'https://raw.githubusercontent.com/andkret/Cookbook/HEAD/README.md'
    """
    if found := _FILE.fullmatch(url):
        return f"https://raw.githubusercontent.com/{'/'.join(found.groups())}"
    if (found := _ROOT.fullmatch(url)) and found.group(1).lower() not in _ABOUT_GITHUB:
        return f"https://raw.githubusercontent.com/{found.group(1)}/{found.group(2)}/HEAD/README.md"
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
    if branch == "HEAD" and path.lower() == "readme.md":
        return f"https://github.com/{owner}/{repository}"
    return f"https://github.com/{owner}/{repository}/blob/{branch}/{path}"


def repository(url: str) -> str:
    """Return "owner/name" of the repository a GitHub address lies in, in lower case; "" for any other address."""
    found = re.match(r"https?://(?:www\.)?(?:raw\.githubusercontent|github)\.com/([^/]+)/([^/#?]+)", url, re.IGNORECASE)
    return f"{found.group(1)}/{found.group(2)}".lower().removesuffix(".git") if found else ""
