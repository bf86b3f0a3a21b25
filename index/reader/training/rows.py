"""Rows: questions and claims to train on: openly licensed ones from a folder, and our own over passages of a shelf.

Our own lie beside this module and hold no text of the pages: a passage is named by its address and by digests of its
sentences, and found again on a shelf of the recorded pages.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.passage import Passage
from index.split import context_of
from index.store import Shelf

HERE = Path(__file__).parent
READER = (
    "own squadshifts_wiki squad_train_part selqa qed_nq_dev doqa covidqa medquad_passage pubmedqa tatqa_text".split()
)
SUPPORT = (
    "own fever_part fever_part_mismatch fm2 fever_symmetric feverous_sentences summedits_part faithdial_audit"
    " factcheck_gpt wice_train_partial quotesum_dev_claims"
).split()
UNSEEN = ("scifact_train", "citation_integrity", "begin")  # sets of claims that nothing is trained on, for the report
LABELS = {"supported": 1.0, "partial": 0.3, "unsupported": 0.0}
PARTS = 12  # one of so many passages is held out of training, for the curve
ALIKE = 0.6  # share of a passage's sentences by which it is found again after it was cut otherwise

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Text:
    """A passage: where it stands, and its text."""

    key: str
    head: str  # title and headings
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A question, and the passage that answers it or is near to that."""

    question: str
    passage: Text
    answers: tuple[Span, ...]  # of the passage's text; none: it does not answer
    style: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, and what it is held against."""

    claim: str
    evidence: Text
    supported: float  # 0 to 1
    says: tuple[Span, ...] = ()  # the sentences of the evidence that it is about
    pair: str = ""  # true and changed claims of one pair differ in one point
    change: str = ""  # the kind of that point


def held_out(url: str) -> bool:
    """Return whether nothing was written to train on over a document: a fifth of them, fixed by the address."""
    return hashlib.sha256(f"held:{url}".encode()).digest()[0] < 51


def kept_for_curve(passage: Text) -> bool:
    """Return whether a passage is held out of training, for the curve: one of twelve, fixed by its key."""
    return hashlib.sha256(passage.key.encode()).digest()[1] % PARTS == 0


# --- questions ------------------------------------------------------------------------------------


def questions(folder: Path, shelf: Shelf) -> dict[str, list[Row]]:
    """Return the rows of the reader's sets by name; "shelf" are ours, over the pages of a shelf."""
    rows = {name: list(_questions(folder, name)) for name in READER}
    rows["shelf"] = list(_own_questions(shelf))
    return rows


def _questions(folder: Path, name: str) -> Iterator[Row]:
    for row in lines(folder / "reader" / f"{name}.jsonl.gz"):
        # Without what was said before, a question of a dialogue cannot be understood.
        if row.get("history") or (not row["answers"] and name != "own"):
            continue
        head = context_of(row.get("title", ""), row.get("heading", ()))
        text = Text(f"{name}:{row['passage']}", head, row["passage"])
        yield Row(row["question"], text, _spans(row["answers"]), row.get("style", ""))


def unanswered(folder: Path) -> list[Row]:
    """Return questions with passages that do not answer them, of sets that have such."""
    names = ("squadshifts_wiki_neg", "doqa", "squad_train_part", "liveqa_med_judged")
    rows = (row for name in names for row in lines(folder / "reader" / f"{name}.jsonl.gz"))
    return [
        Row(row["question"], Text("", row.get("title") or "", row["passage"]), (), "near")
        for row in rows
        if not row["answers"] and not row.get("history")
    ]


def _own_questions(shelf: Shelf) -> Iterator[Row]:
    for row, text, passage in _found(HERE / "questions.jsonl.gz", shelf):
        for style in ("paraphrase", "situation", "typed"):
            question, answers = row[style]
            yield Row(question, text, _said(passage, row, answers), style)
        yield Row(row["near"], text, (), "near")


# --- claims ---------------------------------------------------------------------------------------


def claims(folder: Path, shelf: Shelf) -> dict[str, list[Claim]]:
    """Return the rows of the support check's sets by name; "shelf" are ours, over the pages of a shelf."""
    rows = {name: list(claims_of(folder, name)) for name in SUPPORT}
    rows["shelf"] = list(own_claims(shelf))
    return rows


def claims_of(folder: Path, name: str) -> Iterator[Claim]:
    """Yield the claims of one set."""
    for row in lines(folder / "support" / f"{name}.jsonl.gz"):
        # The ids of `own` begin with their passage: its claims differ in one point or say something else.
        key = f"{name}:{row['id'][:9] if name == 'own' else row['evidence'][:200]}"
        says = row.get("answer_sentence") or ()
        yield Claim(
            row["claim"],
            Text(key, "", row["evidence"]),
            LABELS[row["label"]],
            _spans(says if says and not isinstance(says[0], int) else ()),
            key if name == "own" else "",
            row.get("edit", ""),
        )


def own_claims(shelf: Shelf) -> Iterator[Claim]:
    """Yield our own claims over the pages of a shelf."""
    for row, text, passage in _found(HERE / "claims.jsonl.gz", shelf):
        for n, claim in enumerate(row["claims"]):
            yield Claim(
                claim["claim"],
                Text(text.key, "", text.text),
                float(claim["true"]),
                _said(passage, row, claim["of"]),
                f"{text.key}:{n // 2}",
                claim.get("change", ""),
            )


# --- what both share ------------------------------------------------------------------------------


def texts(shelf: Shelf) -> list[Text]:
    """Return the passages of a shelf that may be trained with: those of documents that are not held out."""
    held = shelf.passages(range(shelf.manifest.passages))
    return [
        Text(passage.id, context_of(source.title, passage.heading), passage.text)
        for passage, source in held
        if not held_out(source.url)
    ]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a compressed file that has one a line."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _found(path: Path, shelf: Shelf) -> Iterator[tuple[dict[str, Any], Text, Passage]]:
    """Yield the rows of one of our files with their passages, those that the shelf does not hold left out."""
    by_url: dict[str, list[tuple[Passage, str]]] = {}
    for passage, source in shelf.passages(range(shelf.manifest.passages)):
        by_url.setdefault(source.url, []).append((passage, context_of(source.title, passage.heading)))
    for row in lines(path):
        wanted = set(row["sentences"])
        among = ((len(wanted & set(_digests(one))), one, head) for one, head in by_url.get(row["url"], ()))
        best = max(among, key=lambda each: each[0], default=None)
        if best and best[0] >= ALIKE * len(wanted):
            yield row, Text(best[1].id, best[2], best[1].text), best[1]


def _digests(passage: Passage) -> list[str]:
    said = (" ".join(passage.text[start:end].split()) for start, end in passage.sentences)
    return [hashlib.sha256(text.encode()).hexdigest()[:8] for text in said]


def _said(passage: Passage, row: dict[str, Any], numbers: Iterable[int]) -> tuple[Span, ...]:
    """Return where the sentences of a row, by their numbers, stand in the passage."""
    at = dict(zip(_digests(passage), passage.sentences, strict=True))
    return tuple(at[row["sentences"][n]] for n in numbers if row["sentences"][n] in at)


def _spans(spans: Sequence[Sequence[int]]) -> tuple[Span, ...]:
    return tuple((start, end) for start, end in spans)
