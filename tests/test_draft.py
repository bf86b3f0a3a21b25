"""A draft is read as it comes, and the same however it is cut into pieces."""

from __future__ import annotations

import random

import pytest

from app.answer import REFUSAL
from app.draft import LONGEST, REPEATS, Draft, Reader

WRITTEN = f"""<think>The user wants [1]. <answer>No.</answer></think>
Here are the quotes:
<quotes>
[1] "A ring sums a buffer."
</quotes>
<answer>
Sure! Here is the answer:
Ring-allreduce sums a buffer over N workers [1]. It has two phases.[2][9] Each worker, e.g. in Fig. 3, sends 2(N-1)/N of it [1-2], which does not grow with N【3】. It ends here
[3]

## Cost
There are two kinds:
- **First**: a scatter-reduce [[1]].
- Second, an allgather. [2]
  - deeper \\[1\\]

```python
x[1] = y[2]

z = 3
```
[2]
1. one more [1](http://evil.test)
{REFUSAL}
MISSING: its date [1].
Sources:
[1] foo bar
</answer> and more"""


def read(*pieces: str, passages: int = 3, whole: bool = True) -> tuple[list[Draft], Reader]:
    reader = Reader(passages)
    drafts = [draft for piece in pieces for draft in reader.feed(piece)]
    return drafts + reader.end(whole=whole), reader


def test_a_draft_is_cut_into_sentences_each_with_its_own_marks():
    drafts, reader = read(WRITTEN)
    assert [(draft.lead, draft.text, draft.numbers) for draft in drafts] == [
        ("", "Ring-allreduce sums a buffer over N workers.", (1,)),
        (" ", "It has two phases.", (2,)),
        (" ", "Each worker, e.g. in Fig. 3, sends 2(N-1)/N of it, which does not grow with N.", (1, 2, 3)),
        (" ", "It ends here", (3,)),
        ("\n\n", "There are two kinds:", ()),
        ("\n- ", "First: a scatter-reduce.", (1,)),
        ("\n- ", "Second, an allgather.", (2,)),
        ("\n  - ", "deeper", (1,)),
        ("\n\n", "```python\nx[1] = y[2]\n\nz = 3\n```", (2,)),
        ("\n1. ", "one more", (1,)),
    ]
    assert (reader.refused, reader.missing) == (True, "its date.")


@pytest.mark.parametrize("seed", range(60))
def test_it_is_the_same_however_it_is_cut_into_pieces(seed):
    chance = random.Random(seed)
    pieces, rest = [], WRITTEN
    while rest:
        size = chance.randint(1, chance.choice([1, 4, 40]))
        pieces.append(rest[:size])
        rest = rest[size:]
    assert read(*pieces)[0] == read(WRITTEN)[0]


def test_a_sentence_leaves_once_the_next_has_begun_and_its_marks_cannot_change():
    reader = Reader(3)
    assert reader.feed("<answer>Rings sum large buffers over workers [1") == []
    assert reader.feed("]. ") == []
    assert reader.feed("[2") == []
    assert [(d.text, d.numbers) for d in reader.feed("] They scale well")] == [
        ("Rings sum large buffers over workers.", (1, 2))
    ]


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("Hello [1]", ["Hello"]),  # no tags at all
        ("Let me think.</think>Rings sum.", ["Rings sum."]),  # its tag stood in the template
        ("<quotes>[1] Rings.</quotes>Rings sum.", ["Rings sum."]),
        ("<quotes>[1] Rings.", []),
        ("<answer>Rings sum.", ["Rings sum."]),
        ("<think>Rings", []),
        ("", []),
        ("<answer>\n[1]\n</answer>", []),
        (f"<answer>{REFUSAL}</answer>", []),
        ("<answer>If a < b then [", ["If a < b then"]),
    ],
)
def test_models_that_know_no_tags_or_forget_one_are_read_too(written, texts):
    assert [draft.text for draft in read(written)[0]] == texts


def test_what_was_cut_is_not_whole():
    drafts, _ = read("<answer>Rings sum. They send 2(N", whole=False)
    assert [(draft.text, draft.whole) for draft in drafts] == [("Rings sum.", True), ("They send 2(N", False)]


def test_a_model_that_goes_in_circles_is_noticed_and_said_once():
    drafts, reader = read("<answer>" + "Rings sum buffers [1]. " * (REPEATS + 1))
    assert [draft.text for draft in drafts] == ["Rings sum buffers."]
    assert reader.circles


@pytest.mark.parametrize(
    "written",
    [
        "Rings sum buffers well and so do trees. " * 12,
        "".join(f"[{n}] The answer is:\n" for n in range(30)),
        "la " * 90,
    ],
)
@pytest.mark.parametrize("stage", ["", "<think>", "<quotes>\n", "<answer>"])
def test_a_loop_is_noticed_wherever_it_stands(written, stage):
    reader = Reader(3)
    heard = 0
    for at in range(0, len(written), 5):
        reader.feed((stage if not at else "") + written[at : at + 5])
        heard += not reader.circles
    assert reader.circles and heard * 5 < 400


def test_a_list_and_a_program_are_no_loops():
    items = "".join(
        f"- Worker {n} sends chunk {'abcdefgh'[n]} to its neighbour {'ijklmnop'[n]} [1].\n" for n in range(8)
    )
    _, reader = read("<answer>" + items + "```python\n" + "".join(f"x[{n}] = {n}\n" for n in range(4)) + "```</answer>")
    assert not reader.circles


def test_a_sentence_without_end_is_cut():
    reader = Reader(3)
    drafts = [draft for _ in range(600) for draft in reader.feed("<answer>" if not _ else "spam ")]
    assert drafts and not drafts[0].whole and len(drafts[0].text) <= LONGEST
