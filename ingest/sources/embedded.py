"""Embedded: the data that a page carries for its own scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any


def in_page(page: str, name: str) -> Any:  # noqa: ANN401  # JSON
    """Return the JSON that a page assigns to a variable; {} where there is none."""
    found = re.search(rf"\b{name}\b\"?\]?\s*=\s*(?=\{{)", page)
    if not found:
        return {}
    try:
        return json.JSONDecoder().raw_decode(page, found.end())[0]
    except (ValueError, RecursionError):
        return {}


def parsed(text: str) -> Any:  # noqa: ANN401
    """Return a text as JSON; {} where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {}


def first(data: object, name: str, fits: Callable[[object], bool]) -> dict[str, Any]:
    """Return the first value under a key that fits; {} where none does."""
    return next((dict(value) for key, value in walk(data) if key == name and fits(value)), {})  # type: ignore[call-overload]  # a dict


def walk(data: object) -> Iterator[tuple[str, object]]:
    """Yield every key with its value, in order, without recursion; "" is the key of an element of a list."""
    stack: list[tuple[str, object]] = [("", data)]
    while stack:
        key, value = stack.pop()
        yield key, value
        if isinstance(value, dict):
            stack.extend(reversed([(str(name), inner) for name, inner in value.items()]))
        elif isinstance(value, list):
            stack.extend(reversed([("", inner) for inner in value]))
