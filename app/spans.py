"""Spans: times as people write them."""

from __future__ import annotations

import re

_NUMBERS = {
    "ten": 10.0,
    "fifteen": 15.0,
    "twenty": 20.0,
    "thirty": 30.0,
    "forty": 40.0,
    "forty-five": 45.0,
    "sixty": 60.0,
    "ninety": 90.0,
    "an": 1.0,
    "a": 1.0,
    "one": 1.0,
    "two": 2.0,
    "a couple of": 2.0,
    "three": 3.0,
    "four": 4.0,
    "five": 5.0,
    "half an": 0.5,
    "a half": 0.5,
}
_HOURS = re.compile(
    r"(?P<frame>(?:in|within|for|under|less than|at most|up to|about|only|(?:i\s+)?have|(?:i['’]ve\s+)?got|i['’]ve)"
    r"\s+)*"
    r"\b(?P<number>\d+(?:[.,]\d+)?|half an|a couple of|an?|one|two|three|four|five"
    r"|ten|fifteen|twenty|thirty|forty(?:-five)?|sixty|ninety)"
    r"(?P<half> and a half)?[\s-]?(?P<unit>hours?|hrs?|h|minutes?|mins?|min|m)(?:(?P<rest>[0-5]\d)(?:\s?m(?:in)?)?)?\b"
    r"(?P<more> and a half)?(?:\s+(?:left|free|spare|to spare))?(?:\s+(?:on|of|for|about|to)\b)?",
    re.IGNORECASE,
)


def minutes(text: str) -> tuple[float | None, str]:
    """Return the minutes of the first time in a text, None where there is none, and the rest of it."""
    found = _HOURS.search(text)
    if not found:
        return None, text
    number = found["number"].lower()
    amount = _NUMBERS.get(number) or float(number.replace(",", "."))
    amount += 0.5 if found["half"] or found["more"] else 0.0
    made = amount * (60 if found["unit"].lower().startswith("h") else 1) + float(found["rest"] or 0)
    return made, f"{text[: found.start()]} {text[found.end() :]}"


def span(text: str) -> float | None:
    """Return the minutes of a time box as people write it, None where it is none.

    >>> span("3h"), span("1h30"), span("90 min"), span("45"), span("soon")
    (180.0, 90.0, 90.0, 45.0, None)
    """
    bare = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", bare):
        return float(bare)
    made, rest = minutes(bare)
    return made if made and not rest.strip() else None
