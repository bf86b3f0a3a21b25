"""Draft: what a model writes, read as it comes and cut into sentences with the passages they name.

Nothing of a draft has been checked. Its thinking and its quotes are put aside, its Markdown is taken off but for lists
and code, and a sentence leaves here once it is certain where it ends and which marks are its own.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from app import marks
from app.answer import REFUSAL
from index.split import sentence_bounds

LONGEST = 1200  # characters of a sentence; a longer one is cut
HEAD = 24  # characters of a line that tell what it is
REPEATS = 4  # times that a model may say what it has said, before it is taken to go in circles
LOOP = 48  # characters of a stream, of whatever stage, that it may repeat as often
HEARD = 4000  # characters of the stream that they are looked for in

_TAG = re.compile(r"<(/?)(think|thinking|quotes|answer)>", re.IGNORECASE)
_TAGS = tuple(f"<{slash}{name}>" for slash in ("", "/") for name in ("think", "thinking", "quotes", "answer"))
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_ITEM = re.compile(r"(\s*)(?:([-*•+])|(\d{1,2})[.)])\s+")
_HEADING = re.compile(r"#{1,6}\s|\*\*[^*]+\*\*:?$|[\s:|-]{3,}$")  # or a rule
_SOURCES = re.compile(r"\W*(?:sources|references|citations|bibliography|works cited)\W*$", re.IGNORECASE)
_MISSING = re.compile(r"\W*missing\**\s*:\**\s*", re.IGNORECASE)
_OPENER = re.compile(
    r"(?:sure|certainly|of course|okay|ok|great question"
    r"|here(?:'s| is| are) (?:the|an?|my) (?:answer|summary|response))\b.{0,80}[:!.,]$",
    re.IGNORECASE,
)
_AFTER_VARIABLE = re.compile(r"(?<!\bby )(?<!\band )(?<=[a-z\d)=] )[A-Z]\.(?= +[A-Z])")  # and no initial: "by J. Doe"
_WHOLE = re.compile(r"\s*(?:[#`~|]|\*\*)|\W*missing\b", re.IGNORECASE)  # lines that must be whole to be understood


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence as a model wrote it."""

    text: str  # without its marks
    numbers: tuple[int, ...]  # the passages that its marks name, from 1; invented ones are gone
    lead: str  # what stands before it in Markdown: "", " ", "\n\n", "\n- " ...
    whole: bool = True  # whether it was written to its end


class Reader:
    """Reads a stream of text over so many passages."""

    def __init__(self, passages: int) -> None:
        self.refused = False  # it said that the passages hold no answer
        self.missing = ""  # what they do not hold of it, as it says
        self.repeats = 0
        self._passages = passages
        self._stage = "head"  # then "think", "quotes", "answer", "over"
        self._raw = ""  # of the stream, not yet sorted into stages
        self._text = ""  # of the answer, not yet cut
        self._closed = False  # a list of sources has begun, which is not part of the answer
        self._lead = ""
        self._in_line = False
        self._code: list[str] = []  # lines of the fence that is open
        self._last: Draft | None = None  # of the line before, until it is clear that no mark follows it
        self._seen: set[str] = set()
        self._heard = ""  # of the stream, the last
        self._unheard = 0  # characters that have come since loops were looked for

    @property
    def begun(self) -> bool:
        """Return whether anything was written."""
        return bool(self._heard)

    @property
    def circles(self) -> bool:
        """Return whether the model says the same again and again."""
        return self.repeats >= REPEATS

    def feed(self, piece: str) -> list[Draft]:
        """Return the sentences that a piece of the stream completes."""
        self._raw += piece
        self._listen(piece)
        self._sort(final=False)
        return self._fresh(self._cut(final=False))

    def end(self, *, whole: bool = True) -> list[Draft]:
        """Return what is left at the end of the stream; where it was cut, the last sentence is not whole."""
        self._sort(final=True)
        drafts = list(self._cut(final=True))
        if self._code:
            drafts.append(self._fenced(whole=False))
        drafts += [self._last] if self._last else []
        self._last = None
        fresh = self._fresh(iter(drafts))
        if fresh and not whole:
            fresh[-1] = replace(fresh[-1], whole=False)
        return fresh

    def _listen(self, piece: str) -> None:
        """Notice a loop, even in what is not read as a part of the answer."""
        self._heard = (self._heard + piece)[-HEARD:]
        self._unheard += len(piece)
        if self._unheard >= LOOP:
            self._unheard = 0
            heard = re.sub(r"\d+", "0", self._heard)  # a loop may count its turns
            last = heard[-LOOP:]
            if any(map(str.isalnum, last)) and heard.count(last) > REPEATS:
                self.repeats = REPEATS

    def _sort(self, *, final: bool) -> None:
        """Move the raw text into the stage that it belongs to."""
        while found := _TAG.search(self._raw):
            self._take(self._raw[: found.start()])
            self._raw = self._raw[found.end() :]
            ends, name = bool(found[1]), found[2].lower().removesuffix("ing")
            if self._stage != "over" and (self._stage != "think" or name == "think"):
                self._stage = {"think": "head", "quotes": "answer", "answer": "over"}[name] if ends else name
        if self._stage == "head":
            # No word of the answer yet, or of a model that knows no tags; only its end tells which.
            if final:
                self._stage = "answer"
                self._take(self._raw)
            return
        opened = self._raw.rfind("<", -12)
        held = opened >= 0 and any(tag.startswith(self._raw[opened:].lower()) for tag in _TAGS)
        at = opened if held and not final else len(self._raw)
        self._take(self._raw[:at])
        self._raw = self._raw[at:]

    def _take(self, text: str) -> None:
        if self._stage == "answer" and not self._closed:
            self._text += text

    def _cut(self, *, final: bool) -> Iterator[Draft]:
        """Yield the sentences of the answer so far, line by line."""
        while self._text:
            line, newline, rest = self._text.partition("\n")
            ends = bool(newline) or final
            left = yield from self._line(line, ends=ends)
            if not ends:
                self._text = left
                return
            self._text = rest
            self._in_line = False
            if self._closed:
                self._text = ""

    def _line(self, line: str, *, ends: bool) -> Generator[Draft, None, str]:
        """Yield the sentences of a line that are certain; return what is left of it."""
        if self._code:
            if not ends:
                return line
            self._code.append(line)
            if line.strip().startswith(self._code[0].strip()[:3]):
                self._last = self._fenced(whole=True)
            return ""
        if not self._in_line:
            if not ends and (len(line.strip()) < HEAD or _WHOLE.match(line)):
                return line
            body = yield from self._begin(line)
            if not body:
                return ""
            line, self._in_line = body, True
        drafts, left = self._sentences(line, ends=ends)
        for draft in drafts:
            if self._last:
                yield self._last
            self._last = draft
        if not ends and self._last:
            yield self._last  # more of the line has come, and no mark
            self._last = None
        return left

    def _begin(self, line: str) -> Generator[Draft, None, str]:
        """Read what a line begins with; yield the draft before it once no mark can follow. Return the line's prose."""
        if not line.strip():
            self._lead = "\n\n" if self._said else ""
            return ""
        if self._last and not marks.strip(line) and (found := marks.find(line, self._passages)):
            numbers = dict.fromkeys(n for mark in found for n in mark.numbers)
            self._last = replace(self._last, numbers=tuple(dict.fromkeys([*self._last.numbers, *numbers])))
            return ""
        if self._last:
            yield self._last
            self._last = None
        if _FENCE.match(line):
            self._code = [line]
        elif _SOURCES.match(line):
            self._closed = True
        elif found_missing := _MISSING.match(line):
            self.missing = marks.strip(line[found_missing.end() :])
        elif _HEADING.match(line.strip()):
            self._lead = "\n\n" if self._said else ""
        else:
            return self._itemised(line)
        return ""

    @property
    def _said(self) -> bool:
        return bool(self._seen or self._last)

    def _itemised(self, line: str) -> str:
        """Return the text of a line; where it is an item of a list, its sentences will stand in one."""
        item = _ITEM.match(line)
        if item:
            deeper = "  " if len(item[1]) >= 2 else ""
            self._lead = f"\n{deeper}{item[3]}. " if item[3] else f"\n{deeper}- "
            return line[item.end() :]
        return line.lstrip(" \t>")

    def _fenced(self, *, whole: bool) -> Draft:
        lines, self._code = self._code, []
        rail = lines[0].strip()[:3]
        closed = lines if len(lines) > 1 and lines[-1].strip().startswith(rail) else [*lines, rail]
        self._lead = "\n\n"
        return Draft("\n".join(closed), (), "\n\n" if self._said else "", whole)

    def _sentences(self, line: str, *, ends: bool) -> tuple[list[Draft], str]:
        """Return the sentences of a line that are certain, and what is left of it."""
        at = len(line) if ends else marks.held(line)
        view = marks.plain(line[:at])
        line = view + line[at:]
        found = marks.find(view, self._passages)
        bounds = _bounds(_masked(view, found))
        certain = (
            len(bounds) if ends else max(0, len(bounds) - (1 if bounds and " " in view[slice(*bounds[-1])] else 2))
        )
        drafts = []
        for n, (start, end) in enumerate(bounds[:certain]):
            following = bounds[n + 1][0] if n + 1 < len(bounds) else len(view) + 1
            mine = [mark for mark in found if (start <= mark.start or n == 0) and mark.start < following]
            drafts.append(self._draft(view[start:end], [number for mark in mine for number in mark.numbers]))
        left = "" if ends else line[bounds[certain][0] :] if certain < len(bounds) else line
        if not ends and len(left) > LONGEST:
            drafts.append(replace(self._draft(left[:LONGEST], []), whole=False))
            left = left[LONGEST:]
        return [draft for draft in drafts if draft.text], left

    def _draft(self, text: str, numbers: list[int]) -> Draft:
        text = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", marks.strip(text))
        text = re.sub(r"[\[【［]{1,4}[\d, –-]{0,40}$", "", text.replace("**", "").rstrip()).strip()  # cut within a mark
        lead = self._lead
        if any(character.isalnum() for character in text):
            self._lead = " "
        else:
            text = ""
        return Draft(text, tuple(dict.fromkeys(numbers)), lead)

    def _fresh(self, drafts: Iterator[Draft]) -> list[Draft]:
        """Return the drafts that say something, and say it for the first time."""
        fresh = []
        for draft in drafts:
            words = " ".join(re.findall(r"\w+", draft.text.casefold()))
            if " ".join(re.findall(r"\w+", REFUSAL.casefold())) in words:
                self.refused = True
            elif words in self._seen:
                self.repeats += 1
            elif not (not self._seen and _OPENER.match(draft.text)):
                fresh.append(draft if self._seen else replace(draft, lead=draft.lead.lstrip(" ")))
                self._seen.add(words)
        return fresh


def _bounds(text: str) -> list[tuple[int, int]]:
    """Return where sentences begin and end: as for pages, and after a variable too ("grows with N. Pods never do").

    A sentence that hides behind another would pass for supported with it.
    """
    bounds: list[tuple[int, int]] = []
    for start, end in sentence_bounds(text):
        cuts = [start + found.end() for found in _AFTER_VARIABLE.finditer(text[start:end])]
        bounds += zip([start, *cuts], [*cuts, end], strict=True)
    return [(end - len(text[start:end].lstrip()), end) for start, end in bounds]


def _masked(text: str, found: list[marks.Mark]) -> str:
    """Return a text of the same length whose marks cannot pass for the end or the beginning of a sentence."""
    for mark in found:
        after_end = re.search(r"[.!?][\"')\]”’]*\s*$", text[: mark.start])
        text = text[: mark.start] + (" " if after_end else "x") * (mark.end - mark.start) + text[mark.end :]
    return text
