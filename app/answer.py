"""Answer: what is said, each sentence with the citations that prove it, and the sections that it stands in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Support = Literal["supported", "weak", "unsupported"]
Mode = Literal["extractive", "llm"]
Length = Literal["short", "standard", "long"]
Outcome = Literal["answered", "closest", "refused"]
Show = Callable[[str], str]

REFUSAL = "The shelf does not hold the answer to this."
CLOSEST = "Nothing on the shelf answers this. What comes closest:"
# What stands behind a sentence that a language model wrote, by how far its passages support it.
LABELS: dict[Support, str] = {
    "supported": "",
    "weak": "(loosely supported)",
    "unsupported": "(not supported by the shelf)",
}


@dataclass(frozen=True, slots=True)
class Citation:
    """A pointer to an exact quote: `document.text[start:end] == quote`."""

    n: int  # its number in the answer, from 1
    url: str
    deep_url: str  # opens the source at the quote, where that can be done without doubt
    title: str
    quote: str
    start: int  # characters into the document's text
    end: int
    sha256: str  # of the document's text
    heading: tuple[str, ...] = ()  # where the quote stands
    passage: str = ""  # the text around it
    kind: str = ""  # of the resource: "article", "paper", "note" ...

    @property
    def source(self) -> str:
        """Return the title as sources are named; the project's own notes are called what they are."""
        return f"Prepshelf note: {self.title}" if self.kind == "note" else self.title


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer."""

    text: str
    citations: tuple[int, ...]
    support: Support = "supported"
    lead: str = " "  # what stands before it in Markdown: " ", a new paragraph, an item's bullet

    def written(self, show: Show = str, *, first: int = 0) -> str:
        """Return it as Markdown with its label and its marks, numbered on from `first`; `show` fits text to a face."""
        after = marks([first + n for n in self.citations]), LABELS[self.support]
        gap = "\n" if self.text.endswith(("```", "~~~")) else " "  # a fence ends with its line
        return self.lead + gap.join(filter(None, [show(self.text), " ".join(filter(None, after))]))


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a source, shown as it stands there."""

    n: int  # of its citation
    title: str  # of the source
    heading: tuple[str, ...]
    text: str
    marks: tuple[tuple[int, int], ...] = ()  # where in the text the words stand that answer
    said: int = 0  # characters at its beginning that the answer leads with, and that are not said again

    @property
    def name(self) -> str:
        """Return what it is called: the source and the heading that it stands under."""
        return " › ".join([self.title, *(step for step in self.heading[-1:] if step != self.title)])

    @property
    def rest(self) -> str:
        """Return what the answer has not said yet."""
        return self.text[self.said :].strip()

    def written(self, show: Show = str, *, first: int = 0) -> str:
        """Return it as Markdown: its name with its mark, and its text as a quotation."""
        lines = show(self.rest).split("\n")
        return f"**{show(self.name)}** {marks([first + self.n])}\n\n" + "\n".join(
            f"> {line}".rstrip() for line in lines
        )

    def parts(self) -> Iterator[tuple[str, bool]]:
        """Yield what the answer has not said yet in stretches, each with whether it is marked.

        >>> list(Section(1, "t", (), "No. Yes! No.", ((4, 8),)).parts())
        [('No. ', False), ('Yes!', True), (' No.', False)]
        >>> list(Section(1, "t", (), "No. Yes! No.", ((4, 8),), said=8).parts())
        [(' No.', False)]
        """
        at = self.said
        for start, end in (mark for mark in self.marks if mark[0] >= self.said):
            both = (self.text[at:start], False), (self.text[start:end], True)
            yield from (each for each in both if each[0])
            at = end
        if self.text[at:]:
            yield self.text[at:], False


@dataclass(frozen=True, slots=True)
class Nearest:
    """A resource that comes near to what was asked."""

    title: str
    url: str
    note: str = ""  # why it is no answer itself: it could not be read here


@dataclass(frozen=True)
class Answer:
    """What is shown for a question."""

    question: str
    mode: Mode
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    sections: tuple[Section, ...] = ()  # of the sources; of what comes closest, if nothing answers
    outcome: Outcome = "answered"
    listed: bool = False  # the sentences are items of a list
    aside: bool = False  # what was typed asks nothing of the sources; the notice replies to it
    differ: str = ""  # where its sources give different numbers
    missing: str | None = None  # what the shelf does not hold of what was asked
    notice: str = ""  # why a language model did not answer, or not to the end
    notice_at: int = 0  # the sentence that the notice stands before
    nearest: tuple[Nearest, ...] = ()  # where to look instead
    confidence: float | None = None  # how likely the shelf is to hold the answer; None where it was not weighed
    timings: dict[str, float] = field(default_factory=dict)  # milliseconds a stage

    @property
    def abstained(self) -> bool:
        """Return whether nothing is answered."""
        return self.outcome != "answered"

    @property
    def text(self) -> str:
        """Return the answer as Markdown, its marks in place."""
        return self.written()

    def written(self, show: Show = str, *, first: int = 0) -> str:
        """Return the answer as Markdown, its marks numbered on from `first`; `show` fits every text to a face."""
        said = []
        for n, sentence in enumerate(self.sentences):
            lead = "\n- " if self.listed and sentence.lead == " " else sentence.lead
            if self.notice and n == self.notice_at:
                said.append(f"\n\n{show(self.notice)}\n\n")
                lead = lead.lstrip(" \n")
            said.append(replace(sentence, lead=lead).written(show, first=first))
        parts = ["".join(said).strip()]
        if self.notice and self.notice_at >= len(self.sentences):
            parts.append(show(self.notice))
        if self.abstained and not self.aside:
            parts.append(CLOSEST if self.sections else REFUSAL)
        parts += [section.written(show, first=first) for section in self.sections if section.rest]
        parts += [show(self.differ), show(self.missing) if self.missing else "", nearest_line(self.nearest, show)]
        return "\n\n".join(filter(None, parts))

    def as_json(self) -> dict[str, Any]:
        """Return the shape that `prep ask --json` prints."""
        keys = ("n", "url", "deep_url", "title", "quote", "start", "end", "sha256")
        return {
            "question": self.question,
            "mode": self.mode,
            "outcome": self.outcome,
            "abstained": self.abstained,
            "answer": self.text,
            "sentences": [
                {"text": sentence.text, "citations": list(sentence.citations), "support": sentence.support}
                for sentence in self.sentences
            ],
            "sections": [self._section(section) for section in self.sections],
            "citations": [{key: getattr(citation, key) for key in keys} for citation in self.citations],
            "differ": self.differ or None,
            "missing": self.missing,
            "notice": self.notice or None,
            "nearest": [{"title": near.title, "url": near.url, "note": near.note} for near in self.nearest],
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "timings": {stage: round(spent, 1) for stage, spent in self.timings.items()},
        }

    def _section(self, section: Section) -> dict[str, Any]:
        cited = next(citation for citation in self.citations if citation.n == section.n)
        return {
            "n": section.n,
            "url": cited.url,
            "deep_url": cited.deep_url,
            "title": section.title,
            "heading": " > ".join(section.heading),
            "text": section.text,
            "marks": [list(mark) for mark in section.marks],
        }


def marks(numbers: Sequence[int]) -> str:
    """Return citation marks.

    >>> marks([2, 1])
    '[2][1]'
    """
    return "".join(f"[{n}]" for n in numbers)


def nearest_line(nearest: Sequence[Nearest], show: Show = str) -> str:
    """Return a sentence that names where to look instead; "" where there is nowhere."""
    if not nearest:
        return ""
    names = [f"“{show(one.title)}” ({', '.join(filter(None, [one.url, show(one.note)]))})" for one in nearest]
    return f"Nearest on the shelf: {'; '.join(names)}."


# --- an answer as it comes ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Status:
    """What is being done."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """The next sentence, checked, with the citations that are new with it."""

    sentence: Sentence
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """The next section, with its citation."""

    section: Section
    citation: Citation


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened to the language model; the sentences after it are quoted."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The whole answer; what came before it was the same in parts."""

    answer: Answer


Event = Status | Said | Shown | Notice | Done
