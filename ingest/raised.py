"""Raised and lowered type: powers, indices, ordinals and the marks of notes, as they read in plain text."""

from __future__ import annotations

import re

from lxml import html

_HIGH = str.maketrans("0123456789+-−–=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱ")
_LOW = str.maketrans("0123456789+-−–=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_SIGNS = {"tm": "™", "sm": "℠", "(r)": "®", "(c)": "©"}
_NUMBER = re.compile(r"\d{1,3}(?:\s*[,–-]\s*\d{1,3})*")
_NUMBERS = re.compile(r"\d{1,3}(?:\s*[,–-]\s*\d{1,3})+")
_WORD_ENDS = re.compile(r"[^\W\d_]{3}$")
_BRACKETED = re.compile(r"\[[^\]]{1,12}\]|\(\d{1,3}\)|[*†‡§¶]{1,3}")  # what stands for a note wherever it is
_SENTENCE_ENDS = re.compile(r"[.,;:!?…\"”’»]$")
_FORMULA_ENDS = re.compile(r"[\d)\]}∞]$|(?<![^\W\d_])[^\W\d_]$")  # a number, a bracket, or a letter on its own
_NOTE_NUMBER = re.compile(r"[\[(]?(?:\d{1,3}|[*†‡§]{1,3}|[a-z])[\])]?")
_NOTE_CLASS = re.compile(r"\b(?:reference|footnote-ref|footnote-reference|d-cite)\b")


def plain(element: html.HtmlElement, before: str) -> str | None:
    """Return a sup or sub element as text behind what stands before it; None for a note's mark, which is not read."""
    text = " ".join("".join(element.itertext()).split())
    if element.tag == "sub":
        return lowered(text, before)
    if _NOTE_CLASS.search(element.get("class", "")) or _leads_to_a_note(element, text):
        return None
    if _BRACKETED.fullmatch(text) or (_NUMBER.fullmatch(text) and _SENTENCE_ENDS.search(before.rstrip())):
        return None
    if _NUMBERS.fullmatch(text) and _WORD_ENDS.search(before):
        return None
    return raised(text, before)


def raised(text: str, before: str) -> str:
    """Return raised text as it reads behind `before`.

    >>> raised("-6", "10"), raised("th", "the 5"), raised("2 log n", "in n"), raised("TM", "Foo")
    ('⁻⁶', 'th', '^(2 log n)', '™')
    """
    if text.lower() in _SIGNS:
        return _SIGNS[text.lower()]
    if re.fullmatch(r"st|nd|rd|th", text) or (text.isalpha() and before[-1:].isdigit() and 1 < len(text) < 4):
        return text  # an ordinal
    if re.search(r"[\w)\]}∞]$", before) and (high := _all_in(text, _HIGH)):
        return high
    if not _FORMULA_ENDS.search(before) and not (len(text) == 1 and _WORD_ENDS.search(before)):
        return text
    return f"^{text}" if len(text) == 1 else f"^({text})"


def lowered(text: str, before: str) -> str:
    """Return lowered text as it reads behind `before`.

    >>> lowered("2", "H"), lowered("i", "x"), lowered("max", "x"), lowered("2", "log")
    ('₂', 'ᵢ', '_max', '₂')
    """
    if not re.search(r"\w$", before):
        return text
    alone = _FORMULA_ENDS.search(before)
    if (low := _all_in(text, _LOW)) and (not text.isalpha() or (alone and len(text) == 1)):
        return low
    return f"_{text}" if alone and text.isalnum() else text


def _all_in(text: str, table: dict[int, int]) -> str:
    bare = text.replace(" ", "")
    return bare.translate(table) if all(ord(character) in table for character in bare) else ""


def _leads_to_a_note(sup: html.HtmlElement, text: str) -> bool:
    """Return whether what stands high is the number of a note: linked to a place on a page; 10⁹ and N² are not."""
    around = sup.getparent()
    link = around if around is not None and around.tag == "a" else sup.find(".//a")
    leads = link is not None and "#" in (link.get("href") or "")
    return leads and all(_NOTE_NUMBER.fullmatch(part) for part in re.split(r"\s*,\s*", text))
