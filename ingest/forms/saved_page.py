"""Saved pages: MHTML, the archive of one page that browsers save (RFC 2557)."""

from __future__ import annotations

import email
import re
from email import policy
from typing import TYPE_CHECKING

from ingest.decoding import decode
from ingest.message import Response

if TYPE_CHECKING:
    from ingest.extract import Extract


def read(response: Response) -> Extract:
    """Return the page in an archive; raises Unreadable where it holds none."""
    from ingest.extract import Unreadable, page_in

    message = email.message_from_bytes(response.body, policy=policy.compat32)
    for part in message.walk():
        if part.get_content_type() in {"text/html", "application/xhtml+xml"}:
            body = part.get_payload(decode=True)
            if isinstance(body, bytes):
                return page_in(decode(body, part.get("Content-Type") or ""), response.where)
    raise Unreadable("the MHTML file holds no page")


def address_in(head: bytes) -> str:
    """Return the address that an MHTML file was saved from, given its beginning; "" where it does not say."""
    found = re.search(rb"^(?:Snapshot-)?Content-Location:\s*(\S+)", head, re.IGNORECASE | re.MULTILINE)
    return found.group(1).decode("utf-8", "replace") if found else ""
