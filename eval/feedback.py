"""Feedback: what people judged in the chat, as drafts of cases. A person completes them; nothing here is gold."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from eval import EvalError

_JUDGED = """
select a."question", a."record", f."value", f."comment" from feedbacks f
join answers a on a."runId" = f."forId" or a."stepId" = f."forId"
where a."kind" = 'answer' order by f."createdAt"
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer that somebody found helpful, or not."""

    question: str
    helpful: bool
    comment: str
    abstained: bool
    urls: tuple[str, ...]  # of the sources that the answer cites, in order
    sentences: tuple[str, ...]


def read(path: Path) -> list[Judged]:
    """Return the judged answers in the chat's memory, oldest first.

    Raises EvalError where there is no such memory.
    """
    if not path.exists():
        raise EvalError(f"{path} is not there: the chat keeps its memory there once somebody has talked to it.")
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            rows = db.execute(_JUDGED).fetchall()
    except sqlite3.Error as error:
        raise EvalError(f"{path} is no memory of the chat ({error}).") from error
    return [_judged(*row) for row in rows]


def _judged(question: str, record: str, value: int, comment: str | None) -> Judged:
    answer = json.loads(record).get("answer", {})
    return Judged(
        question=" ".join(question.split()),
        helpful=value > 0,
        comment=" ".join((comment or "").split()),
        abstained=bool(answer.get("abstained")),
        urls=tuple(dict.fromkeys(citation["url"] for citation in answer.get("citations", []))),
        sentences=tuple(" ".join(sentence["text"].split()) for sentence in answer.get("sentences", [])),
    )


def drafts(judged: Iterable[Judged]) -> Iterator[str]:
    """Yield a [[case]] table for each judged answer, a question that was judged twice once, what to decide as comments.

    What was helpful suggests its own sources; what was not leaves them open, as the answer may be anywhere, or nowhere.
    """
    seen: set[str] = set()
    for one in judged:
        key = case_id(one.question)
        if key in seen:
            continue
        seen.add(key)
        verdict = "helpful" if one.helpful else "not helpful"
        lines = [_comment(f"Judged {verdict}{': ' + one.comment if one.comment else ''}")]
        lines += [_comment(f"It said: {sentence}") for sentence in one.sentences[:8]]
        lines += ["# It said that the shelf does not hold this."] if one.abstained else []
        lines += ["[[case]]", f"id = {_string(key)}", f"question = {_string(one.question)}"]
        lines += ['kind = "" # eval/README.md lists the kinds', 'topic = ""']
        lines.append(f"found = [{', '.join(map(_string, one.urls if one.helpful else ()))}]")
        lines += ["facts = [] # what an answer must hold", 'quote = "" # what the passage that answers holds']
        yield "\n".join(lines) + "\n"


def case_id(question: str) -> str:
    """Return an id for a question: its first words, and enough of its hash to be its own.

    >>> case_id("How does ring-allreduce work?").startswith("how-does-ring-allreduce-")
    True
    """
    words = re.findall(r"[a-z0-9]+", question.lower())[:4]
    return "-".join([*words, hashlib.sha256(question.lower().encode()).hexdigest()[:4]])


def _comment(text: str) -> str:
    return "# " + re.sub(r"[\x00-\x1f\x7f]", " ", text)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # else TOML's strings are as JSON's
