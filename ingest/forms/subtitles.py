"""Subtitles and transcripts: WebVTT, SubRip, the JSON of podcasts and of speech recognition, text with times in it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ingest.decoding import decode
from ingest.message import Response
from ingest.transcript import Spoken, pieces_of, seconds

if TYPE_CHECKING:
    from ingest.extract import Extract

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<(?:\d+:)?\d+:\d+[.,]\d+>|\{\\[^}]*\}")
_SPEAKER_DASH = re.compile(r"^\s*[-–—]\s+")
_STAMP = r"(?P<stamp>(?:\d{1,2}:)?\d{1,2}:\d{2})(?:[.,]\d{1,3})?"
_SPAN = rf"[\[(]?{_STAMP}(?:\s*(?:-->|[-–—])\s*(?:\d{{1,2}}:)?\d{{1,2}}:\d{{2}}(?:[.,]\d{{1,3}})?)?[\])]?"
_STAMPED = re.compile(
    rf"^(?:(?P<name>[^\W\d_][^\n\[(:]{{0,40}}?)[ \t]*:?[ \t]+)?{_SPAN}[ \t]*[-–—:|]?[ \t]*(?P<said>.*)$", re.MULTILINE
)


def read(response: Response, form: str) -> Extract:
    """Return what is said; raises Unreadable where the file is malformed, or says nothing."""
    from ingest.extract import Extract, Unreadable

    text = decode(response.body, response.content_type).lstrip("\ufeff").replace("\r\n", "\n")
    spoken = list(_of_json(text) if form == "json" else _captions(text, form))
    if not spoken:
        raise Unreadable("there are no captions in it" if form != "json" else "JSON that is no transcript")
    return Extract("transcript", "", "", tuple(pieces_of(spoken)), "")


def _captions(text: str, form: str) -> Iterator[Spoken]:
    import webvtt
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    from ingest.extract import Unreadable

    try:
        captions = webvtt.from_buffer(io.StringIO(text), format=form).captions
    except (MalformedCaptionError, MalformedFileError) as error:
        raise Unreadable(f"the subtitles are malformed ({error})") from error
    for caption in captions:
        lines = [_plain(line) for line in (caption.raw_text or caption.text).splitlines()]
        said = "\n".join(line for line in lines if line)
        yield Spoken(caption.start_in_seconds, said, caption.end_in_seconds - caption.start_in_seconds)


def _plain(line: str) -> str:
    r"""Return a line of a caption without its markup.

    >>> _plain("{\\an8}- <i>R&amp;D</i> writes &lt;key, value&gt;")
    'R&D writes <key, value>'
    """
    return _SPEAKER_DASH.sub("", unescape(_TAG.sub("", line))).strip()


def _of_json(text: str) -> Iterator[Spoken]:
    """Yield what is said in a transcript of a podcast (Podcasting 2.0), of Whisper, or of YouTube's player."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return
    parts = data.get("segments") or data.get("events") or [] if isinstance(data, dict) else data
    speaker = ""
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, dict):
            continue
        begin, end, said = _segment(part)
        name = str(part.get("speaker") or "")
        if said:
            yield Spoken(begin, f"{name}: {said}" if name and name != speaker else said, max(0.0, end - begin))
        speaker = name or speaker


def _segment(part: Mapping[str, Any]) -> tuple[float, float, str]:
    if "tStartMs" in part:
        said = "".join(str(piece.get("utf8") or "") for piece in part.get("segs") or () if isinstance(piece, dict))
        begin = _number(part["tStartMs"]) / 1000
        return begin, begin + _number(part.get("dDurationMs")) / 1000, said.strip()
    begin = _number(part.get("startTime", part.get("start")))
    said = part.get("body") or part.get("text") or ""
    return begin, _number(part.get("endTime", part.get("end", begin))), str(said).strip()


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return 0.0


def stamped(text: str) -> list[Spoken]:
    r"""Return what is said in a text with times at its lines, as people transcribe podcasts; [] for any other text.

    >>> found = stamped("[00:00] Hello there.\n[00:07] A ring.\nIt adds up.\n[01:10] Bye.")
    >>> [(words.second, words.text) for words in found]
    [(0.0, 'Hello there.'), (7.0, 'A ring. It adds up.'), (70.0, 'Bye.')]
    """
    marks = list(_STAMPED.finditer(text))
    times = [seconds(mark["stamp"]) for mark in marks]
    lines = sum(bool(line.strip()) for line in text.splitlines())
    if len(marks) < 3 or 5 * len(marks) < lines or not all(a <= b for a, b in pairwise(times)):
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    found = []
    for mark, time, end in zip(marks, times, ends, strict=True):
        said = " ".join(f"{mark['said']} {text[mark.end() : end]}".split())
        name = (mark["name"] or "").strip()
        if said:
            found.append(Spoken(time, f"{name}: {said}" if name else said))
    return found
