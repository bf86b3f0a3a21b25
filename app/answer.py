"""Answer: sentences, each with the citations that prove it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Support = Literal["supported", "weak", "unsupported"]
Mode = Literal["extractive", "llm"]

REFUSAL = "The shelf does not hold the answer to this."


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


@dataclass(frozen=True, slots=True)
class Nearest:
    """A resource that comes near to what was asked."""

    title: str
    url: str


@dataclass(frozen=True)
class Answer:
    """What is shown for a question."""

    question: str
    mode: Mode
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    listed: bool = False  # the sentences are items of a list
    missing: str | None = None  # what the shelf does not hold of what was asked
    nearest: tuple[Nearest, ...] = ()  # where to look instead
    timings: dict[str, float] = field(default_factory=dict)  # milliseconds a stage

    @property
    def abstained(self) -> bool:
        """Return whether nothing is answered."""
        return not self.sentences

    @property
    def text(self) -> str:
        """Return the answer as Markdown, its marks in place."""
        if self.abstained:
            return " ".join(filter(None, [REFUSAL, nearest_line(self.nearest)]))
        said = [f"{sentence.text} {marks(sentence.citations)}".strip() for sentence in self.sentences]
        body = "\n".join(f"- {line}" for line in said) if self.listed else " ".join(said)
        return f"{body}\n\n{self.missing}" if self.missing else body

    def as_json(self) -> dict[str, Any]:
        """Return the shape that `prep ask --json` prints."""
        keys = ("n", "url", "deep_url", "title", "quote", "start", "end", "sha256")
        return {
            "question": self.question,
            "mode": self.mode,
            "abstained": self.abstained,
            "answer": self.text,
            "sentences": [
                {"text": sentence.text, "citations": list(sentence.citations), "support": sentence.support}
                for sentence in self.sentences
            ],
            "citations": [{key: getattr(citation, key) for key in keys} for citation in self.citations],
            "missing": self.missing,
            "timings": {stage: round(spent, 1) for stage, spent in self.timings.items()},
        }


def marks(numbers: Sequence[int]) -> str:
    """Return citation marks.

    >>> marks([2, 1])
    '[2][1]'
    """
    return "".join(f"[{n}]" for n in numbers)


def nearest_line(nearest: Sequence[Nearest]) -> str:
    """Return a sentence that names where to look instead; "" where there is nowhere."""
    if not nearest:
        return ""
    names = [f"“{resource.title}” ({resource.url})" for resource in nearest]
    return f"Nearest on the shelf: {'; '.join(names)}."
