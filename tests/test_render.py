"""Answers, hits and the ledger as they are read: on a terminal, in a file, by a script."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console

from app import render
from app.answer import REFUSAL, Answer, Citation, Done, Nearest, Notice, Said, Sentence, Status
from index.passage import Hit, Passage, Source
from ingest.row import Entry, Row
from ingest.status import Status as Fate

ESCAPES = re.compile(r"\x1b\][^\x07\x1b]*\x1b\\|\x1b\[[0-9;?]*[A-Za-z]")
URL = "https://example.org/ring"


def cited(n: int, quote: str, *, title: str = "Rings", kind: str = "article", url: str = URL) -> Citation:
    return Citation(n, url, f"{url}#:~:text=x", title, quote, 0, len(quote), "0" * 64, ("Ring", "Cost"), quote, kind)


LONG = "A ring of many workers sums a large buffer in two phases, and " * 4 + "then it ends."
ANSWER = Answer(
    question="how?",
    mode="extractive",
    sentences=(Sentence("Rings sum buffers.", (1,)), Sentence(LONG, (2, 1)), Sentence("Notes agree.", (3,))),
    citations=(
        cited(1, "Rings sum\nbuffers."),
        cited(2, LONG),
        cited(3, "Notes agree.", kind="note", url="ingest/starter/ring.md"),
    ),
    timings={"total": 12.34},
)
NOTHING = Answer(
    "how?", "extractive", (), (), outcome="refused", nearest=(Nearest("Pods", "https://example.org/pods"),)
)
SAYS = Answer("how?", "extractive", ANSWER.sentences[:1], ANSWER.citations[:1], missing="Nothing is said of trees.")


def shown(said: Answer, *, terminal: bool, width: int = 80) -> str:
    out = io.StringIO()
    render.answer(said, Console(file=out, force_terminal=terminal, width=width, color_system="standard"))
    return out.getvalue()


def test_into_a_pipe_an_answer_is_markdown_with_its_sources():
    assert shown(ANSWER, terminal=False).split("\n") == [
        f"Rings sum buffers. [1] {LONG} [2][1] Notes agree. [3]",
        "",
        "Sources:",
        "",
        f"1. [Rings](<{URL}#:~:text=x>): “Rings sum buffers.”",
        f"2. [Rings](<{URL}#:~:text=x>): “{LONG}”",
        "3. [Prepshelf note: Rings](<ingest/starter/ring.md#:~:text=x>): “Notes agree.”",
        "",
    ]


@pytest.mark.parametrize("said", [ANSWER, NOTHING, SAYS])
def test_into_a_pipe_goes_no_escape_sequence_and_no_line_is_broken(said):
    text = shown(said, terminal=False, width=20)
    assert "\x1b" not in text
    assert said.text.split("\n")[0] in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_on_a_terminal_it_is_wrapped_with_numbered_sources_under_it(width):
    text = shown(ANSWER, terminal=True, width=width)
    plain = ESCAPES.sub("", text)
    assert all(len(line.rstrip()) <= min(width, render.WIDTH) for line in plain.split("\n"))
    for mark in ("[1]", "[2]", "[3]"):
        assert plain.count(mark) >= 2, "in place, and under it"
    assert "]8;id=" in text or f"]8;;{URL}" in text, "a link that can be clicked"
    assert "Prepshelf note: Rings" in plain
    assert "Ring > Cost" in " ".join(plain.split())


def test_marks_stand_out_on_a_terminal():
    assert re.search(r"\x1b\[[0-9;]*m\[1\]\x1b\[0m", shown(ANSWER, terminal=True))


@pytest.mark.parametrize("terminal", [True, False])
def test_where_nothing_is_found_the_nearest_are_named(terminal):
    plain = " ".join(ESCAPES.sub("", shown(NOTHING, terminal=terminal)).split())
    assert plain.startswith(REFUSAL)
    assert "“Pods”" in plain
    assert "https://example.org/pods" in plain


@pytest.mark.parametrize("terminal", [True, False])
def test_what_the_shelf_does_not_hold_of_it_is_said(terminal):
    assert "Nothing is said of trees." in shown(SAYS, terminal=terminal)


@pytest.mark.parametrize("terminal", [True, False])
def test_an_answer_that_comes_in_parts_ends_as_if_it_had_come_whole(terminal):
    events = [Status("Searching"), Notice("The model broke off."), *map(Said, ANSWER.sentences), Done(ANSWER)]
    out = io.StringIO()
    render.live(events, Console(file=out, force_terminal=terminal, width=80, color_system="standard"))
    assert ESCAPES.sub("", out.getvalue()).endswith(ESCAPES.sub("", shown(ANSWER, terminal=terminal)))
    if not terminal:
        assert out.getvalue() == shown(ANSWER, terminal=False)


def test_markup_in_a_text_is_shown_and_does_nothing():
    said = Answer("?", "extractive", (Sentence("An array [red]a[/red] [0].", (1,)),), (cited(1, "x", title="[bold]"),))
    plain = ESCAPES.sub("", shown(said, terminal=True))
    assert "An array [red]a[/red]" in plain
    assert "[bold]" in plain


def test_items_of_a_list_are_a_list():
    said = Answer("?", "extractive", (Sentence("One.", (1,)), Sentence("Two.", (2,))), (), listed=True)
    assert said.text == "- One. [1]\n- Two. [2]"


def test_as_json_it_has_just_the_shape_that_is_promised():
    told = json.loads(json.dumps(ANSWER.as_json()))
    assert set(told) >= {"question", "mode", "abstained", "answer", "sentences", "citations", "missing", "timings"}
    assert (told["mode"], told["abstained"], told["missing"]) == ("extractive", False, None)
    assert told["sentences"][1] == {"text": LONG, "citations": [2, 1], "support": "supported"}
    assert set(told["citations"][0]) == {"n", "url", "deep_url", "title", "quote", "start", "end", "sha256"}
    assert told["answer"] == ANSWER.text
    assert told["timings"] == {"total": 12.3}
    assert NOTHING.as_json()["abstained"] is True
    assert SAYS.as_json()["missing"] == "Nothing is said of trees."


def test_hits_are_numbered_with_their_place_and_address():
    source = Source(URL, "Rings", URL, "Rings", "T", "article", "html", "", "", "")
    passage = Passage("id", URL, 0, 12, "Rings\nsum [a] buffer.", ("Cost",), (), "text", ())
    out = io.StringIO()
    render.hits([Hit(7, passage, source, 1.234, 0.5, 2.0)], Console(file=out, width=80))
    assert out.getvalue().split("\n") == ["1 Rings > Cost  1.23", "Rings sum [a] buffer.", URL, ""]


# --- the ledger -----------------------------------------------------------------------------------


def an_entry(
    url: str, status: Fate, topic: str = "T > U", *, kind: str = "article", curated: bool = True, **row
) -> Entry:
    return Entry(Row(url, row.pop("resource", url), f"Title of {url[8:]}", status, **row), topic, kind, curated)


LEDGER = [
    an_entry("https://a.example", Fate.TEXT, words=1234, reason="3 pages"),
    an_entry("https://a.example/2", Fate.TEXT, resource="https://a.example", words=200),
    an_entry("https://b.example", Fate.WALLED, reason="asks for a login (401)", fix="save the page"),
    an_entry("https://c.example", Fate.MALFORMED, "V", reason="no host can have this name"),
    an_entry("ingest/starter/x.md", Fate.TEXT, kind="note", words=900),
    an_entry("https://stray.example", Fate.TEXT, "", curated=False, words=50),
]
SHELF = {"built_at": "2026-01-01T00:00:00Z", "documents": 3, "passages": 1234, "encoder": "fake@1"}


@pytest.mark.parametrize("terminal", [True, False])
def test_the_ledger_is_a_table_by_topic_with_reasons_and_totals(terminal):
    out = io.StringIO()
    render.ledger(LEDGER, SHELF, Console(file=out, width=80, force_terminal=terminal))
    text = ESCAPES.sub("", out.getvalue())
    places = [text.index(word) for word in ("T > U", "1,234", "walled", "\nV", "malformed")]
    assert places == sorted(places)
    assert "Title of b.example" in text
    assert "asks for a login (401)" in text
    assert "Title of a.example/2" not in text
    assert "3 links: 1 full text, 1 walled, 1 malformed" in text
    assert "2 more pages: 2 full text" in text
    assert "1 notes of this project" in text
    assert "shelf of 2026-01-01T00:00:00Z: 3 documents, 1,234 passages, encoder fake@1" in text


def test_without_a_shelf_the_cure_is_named():
    assert render.totals([], None).split("\n") == [
        "0 links: none",
        "0 more pages: none",
        "0 notes of this project",
        "no shelf yet; run `prep ingest`",
    ]
