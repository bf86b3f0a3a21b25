"""Links and saved files become clean documents, each with its place in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class IngestError(Exception):
    """Something a person can cure: the message says what, where, and how."""


class Track(Protocol):
    """Passes items through and shows a person how far they are."""

    def __call__(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """Yield the items; `total` where it is known before."""
        ...


def silently(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:  # noqa: ARG001
    """Yield the items and show nothing."""
    yield from items
