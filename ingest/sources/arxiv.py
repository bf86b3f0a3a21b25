"""arXiv: the PDF behind an abstract's page."""

from __future__ import annotations

import re

_PAPER = re.compile(
    r"https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/((?:[a-z-]+(?:\.[A-Z]{2})?/\d{7}|\d{4}\.\d{4,5})(?:v\d+)?)(?:\.pdf)?/?",
    re.IGNORECASE,
)


def paper_id(url: str) -> str:
    """Return the identifier in an arXiv address, its version included; "" for any other address.

    >>> paper_id("https://arxiv.org/pdf/2006.11632.pdf"), paper_id("https://arxiv.org/abs/hep-th/9901001v2")
    ('2006.11632', 'hep-th/9901001v2')
    """
    found = _PAPER.fullmatch(url.partition("#")[0])
    return found.group(1) if found else ""


def pdf_address(url: str) -> str:
    """Return the address of the PDF behind any address of a paper; "" for any other address."""
    paper = paper_id(url)
    return f"https://arxiv.org/pdf/{paper}" if paper else ""
