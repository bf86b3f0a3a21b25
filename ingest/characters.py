"""Characters: text as every encoder, file and database takes it. What comes in by any door passes here."""

from __future__ import annotations

import re

_HALF_OR_NUL = re.compile("[\0\ud800-\udfff]")


def whole(text: str) -> str:
    r"""Return text in which half characters and NULs, which most of what keeps text refuses, are U+FFFD.

    Halves that belong together become the character that they are.

    >>> whole("ring \ud83d\ude00"), whole("half \ud800"), whole("by a shell \udcff"), whole("\0")
    ('ring 😀', 'half �', 'by a shell �', '�')
    """
    if not _HALF_OR_NUL.search(text):
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def whole_all(value: object) -> object:
    r"""Return what JSON says with every text of it whole, keys too.

    >>> whole_all({"a\ud800": ["b\0", 1, None]})
    {'a�': ['b�', 1, None]}
    """
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list | tuple):
        return [whole_all(each) for each in value]
    if isinstance(value, dict):
        return {whole_all(key): whole_all(each) for key, each in value.items()}
    return value


def ends_in_half(text: str) -> bool:
    r"""Return whether the first half of a character ends a text, whose second half the next piece may bring.

    >>> ends_in_half("\ud83d"), ends_in_half("\ude00"), ends_in_half("")
    (True, False, False)
    """
    return "\ud800" <= text[-1:] <= "\udbff"
