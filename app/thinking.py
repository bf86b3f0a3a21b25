"""Thinking: what a model thinks aloud between tags before it answers. It is no part of the answer."""

from __future__ import annotations

import re

_OPEN = re.compile(r"<(?:seed:)?(think|thinking|thought|reasoning)>|\[(THINK)\]", re.IGNORECASE)
_TAGS = ("<think>", "<thinking>", "<thought>", "<reasoning>", "<seed:think>", "[think]")


class Aloud:
    """Reads a stream of text and leaves its thinking out, wherever the pieces are cut."""

    def __init__(self) -> None:
        self._held = ""
        self._close = ""  # the tag that ends what is being thought

    def feed(self, piece: str) -> str:
        """Return what is said of the stream so far and was not returned before.

        >>> aloud = Aloud()
        >>> [aloud.feed(piece) for piece in ("<thi", "nk>Hm.</th", "ink>Rings", " sum < all.")]
        ['', '', 'Rings', ' sum < all.']
        """
        self._held += piece
        said = ""
        while self._held:
            if self._close:
                _, closed, rest = _cut(self._held, self._close)
                # Of what is thought no more is kept than may be the beginning of its end.
                self._held = rest if closed else self._held[-len(self._close) :]
                if not closed:
                    return said
                self._close = ""
                continue
            if opened := _OPEN.search(self._held):
                said += self._held[: opened.start()]
                self._held = self._held[opened.end() :]
                self._close = opened[0].replace("<", "</", 1).replace("[", "[/", 1).lower()
                continue
            at = _maybe(self._held)
            said, self._held = said + self._held[:at], self._held[at:]
            return said
        return said

    def end(self) -> str:
        """Return what was held back because it looked like the beginning of a tag."""
        held, self._held = self._held, ""
        return "" if self._close else held


def _cut(text: str, tag: str) -> tuple[str, bool, str]:
    at = text.lower().find(tag)
    return (text[:at], True, text[at + len(tag) :]) if at >= 0 else (text, False, "")


def _maybe(text: str) -> int:
    """Return where a tag may begin that is not whole yet; the length of the text where none does."""
    longest = max(map(len, _TAGS))
    for at in range(max(0, len(text) - longest), len(text)):
        if text[at] in "<[" and any(tag.startswith(text[at:].lower()) for tag in _TAGS):
            return at
    return len(text)
