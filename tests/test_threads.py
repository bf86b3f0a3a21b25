"""What GitHub, arXiv, YouTube and viewers of notebooks show is read from where it is kept best."""

from __future__ import annotations

import json

import pytest
from ingesting import rows, text_of
from links import PAGES, PLAYER, RAW, WATCH, FakeDoor, atom, prose, video
from test_sources import fetch

from app.links import deep_link
from ingest.address import same_page
from ingest.message import Response
from ingest.owners import Owners
from ingest.sources import address_to_read, arxiv, github, public_address, source_of, threads

API = "https://api.github.com/repos/o/r/issues/7"
ISSUE = {
    "title": "Ring stalls",
    "body": f"## What\n\n{prose(1)}\n\n```\nring()\n```",
    "user": {"login": "ada"},
    "created_at": "2024-05-01T00:00:00Z",
}
COMMENTS = [
    {"body": f"It waits. {prose(2)}", "user": {"login": "bo", "type": "User"}},
    {"body": "This issue is stale.", "user": {"login": "stale[bot]", "type": "Bot"}},
]
DISCUSSION = (
    "<title>How do rings add up? · o/r · Discussion #9</title><nav>Menu of many words that are no post of anybody</nav>"
    f"<td class='comment-body markdown-body'><p>{prose(3)}</p></td><div class='markdown-body js-comment'><p>{prose(4)}</p></div>"
)
NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [{"cell_type": "markdown", "metadata": {}, "source": f"# Rings\n\n{prose(5)}"}],
    }
)
FORMULA = "<table class='ltx_equation ltx_eqn_table'><tr><td><math alttext='2(n-1)/n'><mi>n</mi></math></td><td>(1)</td></tr></table>"
PAPER = (
    f"<html><body><article class='ltx_document'><h1 class='ltx_title'>Rings</h1><div class='ltx_authors'>Ada Ring, Tree University</div>"
    f"<section><h2>1 Cost</h2><div class='ltx_para'><p>{prose(6)}<span class='ltx_note'>1 A note.</span></p>{FORMULA}<p>{prose(7)}</p></div></section></article></body></html>"
)
CHAPTERS = {
    "x": [
        {"chapterRenderer": {"title": {"simpleText": name}, "timeRangeStartMillis": 1000 * at}}
        for name, at in (("Opening", 0), ("The ring", 40))
    ]
}
ANSWERS = PAGES | {
    API: json.dumps(ISSUE), f"{API}/comments?per_page=100": json.dumps(COMMENTS),
    "https://github.com/o/r/discussions/9": DISCUSSION,
    f"{RAW}/wiki/o/r/Home.md": f"# Rings\n\n{prose(8)}", f"{RAW}/wiki/o/r/Cost.asciidoc": f"= Cost\n\n{prose(9)}",
    f"{RAW}/o/r/main/a.ipynb": NOTEBOOK,
    "https://arxiv.org/html/2401.00001": PAPER, "https://export.arxiv.org/api/query?id_list=2401.00001": atom("Rings that sum"),
    "https://arxiv.org/pdf/2402.00002": PAGES["https://arxiv.org/pdf/1708.05031"], "https://export.arxiv.org/api/query?id_list=2402.00002": atom("Rings on paper"),
    "https://www.youtube.com/watch?v=VIDEO000009": WATCH + f"<script>var ytInitialData = {json.dumps(CHAPTERS)};</script>",
    f"{PLAYER}#VIDEO000009": json.dumps({**video("Rings"), "videoDetails": {"title": "Rings"}}).replace("VIDEO&", "VIDEO000009&"),
    "https://www.youtube.com/api/timedtext?v=VIDEO000009&lang=en": PAGES["https://www.youtube.com/api/timedtext?v=VIDEO000001&lang=en"],
}  # fmt: skip


def read(tmp_path, url):
    door = fetch(tmp_path, [url], ANSWERS)
    return text_of(tmp_path / "data", url), [ask.url for ask in door.asked]


def test_an_issue_is_what_was_asked_and_what_people_answered(tmp_path):
    found, asked = read(tmp_path, "https://github.com/o/r/issues/7")
    assert (found.title, found.authors, found.published) == ("Ring stalls", ("ada",), "2024-05-01")
    assert [block.kind for block in found.blocks] == ["heading", "text", "code", "heading", "text"]
    assert "bo answers" in found.text
    assert "stale" not in found.text
    assert asked == [API, f"{API}/comments?per_page=100"]


def test_an_issue_whose_interface_refuses_is_read_from_its_page(tmp_path):
    page = {"https://github.com/o/r/pull/8": DISCUSSION}
    fetch(
        tmp_path,
        ["https://github.com/o/r/pull/8"],
        page | {"https://api.github.com/repos/o/r/issues/8": (403, "application/json", "{}")},
    )
    assert prose(3) in text_of(tmp_path / "data", "https://github.com/o/r/pull/8").text


def test_a_discussion_is_its_posts(tmp_path):
    found, _ = read(tmp_path, "https://github.com/o/r/discussions/9")
    assert (found.title, found.text) == ("How do rings add up?", f"{prose(3)}\n\n{prose(4)}")


@pytest.mark.parametrize(
    ("url", "text"), [("https://github.com/o/r/wiki", prose(8)), ("https://github.com/o/r/wiki/Cost", prose(9))]
)
def test_a_wiki_is_read_as_it_was_written_and_opened_where_it_is_shown(tmp_path, url, text):
    found, _ = read(tmp_path, url)
    assert (found.url, found.text) == (url, text)
    assert deep_link(url, found.form, "L3", text[:40], found.page_text).startswith(f"{url}#:~:text=")
    assert public_address(address_to_read(url)) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/o/r/blob/main/a.ipynb",
        "https://nbviewer.org/github/o/r/blob/main/a.ipynb",
        "https://colab.research.google.com/github/o/r/blob/main/a.ipynb",
    ],
)
def test_a_notebook_is_read_wherever_it_is_shown(tmp_path, url):
    found, asked = read(tmp_path, url)
    assert (found.title, found.text, found.url) == ("Rings", prose(5), url)
    assert asked == [f"{RAW}/o/r/main/a.ipynb"]
    assert deep_link(url, found.form, "", found.text[:40], found.page_text) == url


def test_a_paper_with_a_page_is_read_from_it_with_sections_and_formulas(tmp_path):
    found, asked = read(tmp_path, "https://arxiv.org/abs/2401.00001")
    assert (found.title, found.form) == ("Rings that sum", "html")
    assert "$2(n-1)/n$" in found.text
    assert not any(word in found.text for word in ("Tree University", "A note", "(1)"))
    assert "https://arxiv.org/pdf/2401.00001" not in asked
    quote = found.text[found.blocks[-1].start :][:60]
    assert deep_link(found.url, found.form, "", quote, found.page_text).startswith(
        "https://arxiv.org/html/2401.00001#:~:text="
    )


@pytest.mark.parametrize(
    ("url", "asks"), [("https://arxiv.org/abs/2402.00002", True), ("https://arxiv.org/abs/1708.05031", False)]
)
def test_a_paper_without_a_page_is_read_from_its_pdf(tmp_path, url, asks):
    found, asked = read(tmp_path, url)
    assert found.form == "pdf"
    assert (arxiv.html_address(url) in asked) is asks


def test_chapters_that_youtube_made_are_headings(tmp_path):
    found, _ = read(tmp_path, "https://www.youtube.com/watch?v=VIDEO000009")
    assert [found.text[b.start : b.end].strip("# ") for b in found.blocks if b.kind == "heading"] == [
        "Opening",
        "The ring",
    ]


def test_a_podcast_is_read_from_the_transcript_that_its_page_leads_to(tmp_path):
    said = "WEBVTT\n\n" + "".join(f"00:{n:02}:00.000 --> 00:{n:02}:50.000\n{prose(n, 2)}\n\n" for n in range(4))
    page = f"<h1>Rings</h1><audio src=/a.mp3></audio><p>{prose(20)}</p><a href='/7.vtt'>Transcript</a>"
    fetch(
        tmp_path,
        ["https://pod.test/7"],
        {"https://pod.test/7": page, "https://pod.test/7.vtt": (200, "text/vtt", said)},
    )
    row = rows(tmp_path / "data")["https://pod.test/7"]
    assert (str(row.status), "the transcript that its page leads to" in row.reason) == ("transcript", True)
    assert text_of(tmp_path / "data", "https://pod.test/7").url == "https://pod.test/7"
    assert "t=60" in {block.place for block in text_of(tmp_path / "data", "https://pod.test/7").blocks}


def test_threads_are_kept_in_the_archive_and_read_from_it(tmp_path):
    url = "https://github.com/o/r/issues/7"
    fetch(tmp_path, [url], ANSWERS)
    text = text_of(tmp_path / "data", url).text
    (tmp_path / "again/data").mkdir(parents=True)
    (tmp_path / "data/archive").rename(tmp_path / "again/data/archive")
    fetch(tmp_path / "again", [url], FakeDoor({}).pages, offline=True)
    assert text_of(tmp_path / "again/data", url).text == text
    assert list(rows(tmp_path / "again/data")) == [url]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://github.com/o/r/issues", "page"),
        ("https://github.com/o/r/issues/7", "thread"),
        ("https://github.com/o/r/discussions/9#x", "thread"),
        ("https://github.com/o/r", "github"),
    ],
)
def test_each_address_is_of_its_kind(url, kind):
    assert kind == source_of(url).NAME


def test_answers_that_are_none_are_a_reason():
    from ingest.extract import Unreadable

    for body in (b"[]", b"{}", b"nonsense", b'{"title": 1}'):
        with pytest.raises(Unreadable):
            threads.read([Response(API, 200, "application/json", body, "")])
    assert github.page_address(f"{RAW}/wiki/o/r/Home.md") == "https://github.com/o/r/wiki"
    assert same_page(threads.page_address(API)) == "github.com/o/r/issues/7"
    assert Owners([]).of(API) is None
