"""Threads: GitHub's issues, pull requests and discussions: what was asked, and what people answered.

Issues and pull requests are had through the interface that GitHub offers to programs; discussions, and whatever that
interface does not give, from their page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ingest.message import Ask, FetchError, Get, Response

if TYPE_CHECKING:
    from ingest.document import Piece
    from ingest.extract import Extract

NAME = "thread"
KEEPS = 1
PAGES = 1

_THREAD = re.compile(
    r"https?://(?:www\.)?github\.com/([\w.-]+/[\w.-]+)/(issues|pull|discussions)/(\d+)/?(?:[?#].*)?", re.IGNORECASE
)
_API = re.compile(r"https://api\.github\.com/repos/([\w.-]+/[\w.-]+)/issues/(\d+)")


def fits(url: str) -> bool:
    """Return whether an address is that of a thread."""
    return bool(_THREAD.fullmatch(url))


def gather(url: str, get: Get) -> list[Response]:
    """Return what the interface says of a thread, and its comments; else its page."""
    api = api_address(url)
    if api:
        try:
            first = get(Ask(api, interface=True))
            if first.status in {200, 304}:
                return [first, get(Ask(f"{api}/comments?per_page=100", interface=True))]
        except FetchError:
            pass  # its page may be had all the same
    return [get(Ask(url.partition("#")[0]))]


def read(parts: Sequence[Response]) -> Extract:
    """Return what was asked and answered; raises Unreadable where there is neither."""
    from ingest.extract import Unreadable, extract

    if "json" not in parts[0].content_type:
        return _of_page(parts[0]) or extract(parts[0])
    try:
        asked, comments = (json.loads(part.body) for part in (*parts, Response("", 200, "", b"[]", ""))[:2])
        return _of_json(asked, comments if isinstance(comments, list) else [])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"GitHub's answer cannot be read ({type(error).__name__})") from error


def onward(base: str, links: Sequence[str], prefixes: Sequence[str]) -> list[str]:  # noqa: ARG001
    """Return nothing: a thread is one text."""
    return []


def api_address(url: str) -> str:
    """Return where the interface has a thread; "" for a discussion, which it does not have, and other addresses.

    >>> api_address("https://github.com/o/r/pull/7#issuecomment-1"), api_address("https://github.com/o/r/discussions/7")
    ('https://api.github.com/repos/o/r/issues/7', '')
    """
    found = _THREAD.fullmatch(url)
    if not found or found.group(2).lower() == "discussions":
        return ""
    return f"https://api.github.com/repos/{found.group(1)}/issues/{found.group(3)}"


def page_address(url: str) -> str:
    """Return the page of what the interface has at an address; "" for any other address."""
    found = _API.fullmatch(url)
    return f"https://github.com/{found.group(1)}/issues/{found.group(2)}" if found else ""


def _of_json(asked: dict[str, Any], comments: list[Any]) -> Extract:
    from ingest.extract import Extract

    shown: list[str] = []
    pieces = list(_said(asked, shown))
    for comment in comments:
        if (comment.get("user") or {}).get("type") != "Bot":
            pieces += _said(comment, shown, f"{(comment.get('user') or {}).get('login') or 'somebody'} answers")
    author = str((asked.get("user") or {}).get("login") or "")
    found = Extract("html", str(asked["title"]), "", (), "\n".join(shown), published=str(asked["created_at"])[:10])
    return found.holding(pieces, authors=(author,) if author else ())


def _said(post: dict[str, Any], shown: list[str], heading: str = "") -> Iterator[Piece]:
    """Yield what one post says, and add to `shown` what its page shows of it."""
    from dataclasses import replace

    from ingest import webpage
    from ingest.document import Piece
    from ingest.forms import markdown

    pieces, seen = webpage.whole(markdown.to_html(str(post.get("body") or ""))) if post.get("body") else ([], "")
    shown.append(seen)
    if heading and pieces:
        yield Piece("heading", heading, 2)
    for piece in pieces:
        yield replace(piece, place="", level=piece.level + 2 if piece.kind == "heading" else piece.level)


def _of_page(response: Response) -> Extract | None:
    """Return the posts on a thread's page; None where there are none."""
    from ingest import hidden, webpage
    from ingest.decoding import decode
    from ingest.details import details_of
    from ingest.extract import Extract

    tree = webpage.parse(decode(response.body, response.content_type))
    known = details_of(tree, response.where)
    hidden.strip(tree)
    posts = tree.xpath("//*[contains(concat(' ', normalize-space(@class), ' '), ' markdown-body ')]")
    blocks = [block for post in posts for block in webpage.page_blocks(post)]
    if not blocks:
        return None
    title = re.sub(r"\s*·.*$", "", known.title)
    shown = webpage.visible_text(webpage.page_blocks(tree))
    found = Extract("html", title, "", (), shown, published=known.published, canonical=known.canonical)
    return found.holding([block.piece for block in blocks])
