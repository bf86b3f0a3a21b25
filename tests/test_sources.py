"""Every kind of link ends with the right status, its text in the right pieces, and what to do about it."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from ingesting import Inline, a_list, rows, text_of
from links import CAPTIONS, PAGES, RAW, WATCH, FakeDoor, prose

from ingest import job
from ingest.folder import Folder
from ingest.job import Request
from ingest.message import BrokenError, FetchError
from ingest.status import Status

LINKS = {
    "article": "https://blog.test/ring",
    "paper": "https://papers.test/download?id=7",
    "landing": "https://research.google/pubs/rings/",
    "journal": "https://ojs.aaai.org/index.php/AAAI/article/view/10",
    "arxiv": "https://arxiv.org/abs/1708.05031",
    "arxiv without a PDF": "https://arxiv.org/abs/hep-th/9901001v2",
    "repository": "https://github.com/o/book",
    "file": "https://github.com/o/one/blob/main/docs/a.md",
    "folder": "https://github.com/o/one/tree/main/docs",
    "video": "https://youtu.be/VIDEO000001",
    "video without subtitles": "https://www.youtube.com/watch?v=VIDEO000002",
    "video that is gone": "https://www.youtube.com/watch?v=VIDEO000003",
    "video behind a robot check": "https://www.youtube.com/watch?v=VIDEO000004",
    "wikipedia": "https://en.wikipedia.org/wiki/Ring_%28computing%29",
    "store": "https://www.amazon.com/Rings/dp/0135957052",
    "publisher": "https://www.oreilly.com/library/view/rings/9781098107956/",
    "course": "https://www.educative.io/courses/grokking-rings",
    "practice": "https://leetcode.com/assessment/",
    "post": "https://www.linkedin.com/posts/ada_rings",
    "slides": "https://blog.test/slides",
    "empty": "https://blog.test/nothing",
    "missing": "https://blog.test/missing",
    "malformed": "http://wide%20&%20deep%20learning/",
}
STATUS = {
    "article": (Status.TEXT, ""),
    "paper": (Status.TEXT, ""),
    "landing": (Status.TEXT, "the PDF that its page leads to"),
    "journal": (Status.TEXT, "the PDF that its page leads to"),
    "arxiv": (Status.TEXT, ""),
    "arxiv without a PDF": (Status.METADATA, "only the abstract"),
    "repository": (Status.TEXT, ""),
    "file": (Status.TEXT, ""),
    "folder": (Status.TEXT, ""),
    "video": (Status.TRANSCRIPT, ""),
    "video without subtitles": (Status.METADATA, "no transcript: it has no subtitles"),
    "video that is gone": (Status.DEAD, "the video is gone"),
    "video behind a robot check": (Status.FAILED, "YouTube refuses programs from here"),
    "wikipedia": (Status.TEXT, ""),
    "store": (Status.METADATA, "a store page"),
    "publisher": (Status.METADATA, "a store page"),
    "course": (Status.WALLED, "Educative's courses are paid"),
    "practice": (Status.WALLED, "LeetCode asks for a login"),
    "post": (Status.WALLED, "members only"),
    "slides": (Status.UNREADABLE, "is not one that holds text"),
    "empty": (Status.UNREADABLE, "the body is empty"),
    "missing": (Status.DEAD, "not found (404)"),
    "malformed": (Status.MALFORMED, "no host can have this name"),
}


def fetch(folder, links, pages=PAGES, door=None, **asked):
    """Ingest a list of links from a table of answers; return the door, for what was asked of it."""
    door = door or FakeDoor(pages)
    home = Folder(folder / "data")
    with home.alone(), patch.object(job, "Parsers", Inline):
        job.ingest(Request(lists=(a_list(folder, links),), **asked), home, lambda: door, workers=1)
    return door


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The data folder after all kinds of link were fetched."""
    folder = tmp_path_factory.mktemp("kinds")
    fetch(folder, list(LINKS.values()))
    return folder / "data"


@pytest.mark.parametrize("kind", LINKS)
def test_each_kind_of_link_ends_with_its_status(found, kind):
    row, (status, reason) = rows(found)[LINKS[kind]], STATUS[kind]
    assert (row.status, reason in row.reason) == (status, True), row.reason
    assert bool(row.fix) is (status not in {Status.TEXT, Status.TRANSCRIPT})
    assert bool(row.document) is (status in {Status.TEXT, Status.TRANSCRIPT} or kind == "arxiv without a PDF")


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("store", ".epub"),
        ("course", "save its lessons or your notes as data/saved/educative-grokking-rings.html"),
        ("video without subtitles", "save its subtitles as data/saved/VIDEO000002.vtt"),
        ("practice", "open https://leetcode.com/assessment/, save the page as data/saved/leetcode-assessment.html"),
        ("malformed", "fetch: ADDRESS"),
        ("missing", "correct the address in the list"),
    ],
)
def test_the_fix_says_what_to_drop_where(found, kind, fix):
    assert fix in rows(found)[LINKS[kind]].fix


def test_a_paper_of_arxiv_has_what_its_interface_says(found):
    paper = text_of(found, LINKS["arxiv"])
    assert (paper.title, paper.authors, paper.published) == ("Rings that filter", ("Ada Ring", "Bo Tree"), "2017-08-16")
    assert {block.place for block in paper.blocks} == {"page=1"}
    assert "Worker 5-0" in paper.text


def test_a_transcript_knows_the_second_of_every_stretch_and_its_chapters(found):
    said = text_of(found, LINKS["video"])
    assert said.form == "transcript"
    assert rows(found)[LINKS["video"]].about == "A channel · 1:02:05 · chapters: Opening, The ring, Its cost"
    places = {block.place: block.heading for block in said.blocks if block.kind == "text"}
    assert set(places) <= {f"t={20 * n}" for n in range(4)}
    assert places["t=0"] == ("Opening",)
    assert places["t=40"] == ("The ring",)


def test_a_store_page_is_a_row_with_author_and_price_and_no_text(found):
    row = rows(found)[LINKS["store"]]
    assert row.about == "Ada Ring · book · USD 36.99"
    assert row.words == 0


def test_the_pages_under_a_repository_are_read_within_its_folder_and_bounds(tmp_path):
    fetch(tmp_path, ["https://github.com/o/book <!-- pages: 2 -->"])
    found = {url for url, row in rows(tmp_path / "data").items() if row.document}
    under = {f"https://github.com/o/book/blob/HEAD/sections/0{n}.md" for n in (1, 2)}
    assert found == {"https://github.com/o/book"} | under


def test_a_site_is_walked_within_its_folder_then_its_sitemap_is_asked(tmp_path):
    door = fetch(tmp_path, ["https://docs.test/guide/ <!-- pages: 9 -->"])
    read = {url.removeprefix("https://docs.test") for url, row in rows(tmp_path / "data").items() if row.document}
    assert read == {"/guide/", "/guide/one", "/guide/two", "/guide/one/deep", "/guide/unlinked"}
    assert not any("/blog/" in ask.url or "/shop" in ask.url for ask in door.asked)
    assert all(row.resource == "https://docs.test/guide/" for row in rows(tmp_path / "data").values())


@pytest.mark.parametrize(
    ("setting", "read"),
    [("pages: 2", 3), ("pages: 3", 4), ("pages: 9; depth: 1", 4)],
)
def test_the_list_bounds_a_walk(tmp_path, setting, read):
    fetch(tmp_path, [f"https://docs.test/guide/ <!-- {setting} -->"])
    assert sum(bool(row.document) for row in rows(tmp_path / "data").values()) == read


@pytest.mark.parametrize("url", ["https://www.youtube.com/playlist?list=PL1", "https://www.youtube.com/@rings"])
def test_the_videos_of_a_list_are_resources_under_it(tmp_path, url):
    fetch(tmp_path, [f"{url} <!-- pages: 9 -->"])
    found = rows(tmp_path / "data")
    assert found["https://www.youtube.com/watch?v=VIDEO000001"].status is Status.TRANSCRIPT
    assert found["https://www.youtube.com/watch?v=VIDEO000001"].resource == url
    assert found[url].status is Status.TRANSCRIPT
    assert "read" in found[url].reason


def test_a_paper_whose_pdf_cannot_be_had_is_its_landing_page(tmp_path):
    pages = PAGES | {"https://research.google/pubs/pdf/7.pdf": (500, "text/html", "")}
    fetch(tmp_path, [LINKS["landing"]], pages)
    row = rows(tmp_path / "data")[LINKS["landing"]]
    assert (row.status, row.paper) == (Status.TEXT, "")


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (BrokenError("the connection broke"), Status.FAILED, "the connection broke"),
        (FetchError("it is larger than 32 MiB"), Status.FAILED, "larger than"),
    ],
)
def test_what_cannot_be_fetched_says_why(tmp_path, error, status, reason):
    fetch(tmp_path, [LINKS["article"]], {LINKS["article"]: error})
    row = rows(tmp_path / "data")[LINKS["article"]]
    assert (row.status, reason in row.reason) == (status, True)


def test_a_host_that_wants_no_programs_is_walled_and_says_so(tmp_path):
    door = FakeDoor(PAGES)
    door.closed_to = {"blog.test"}
    fetch(tmp_path, [LINKS["article"]], door=door)
    row = rows(tmp_path / "data")[LINKS["article"]]
    assert (row.status, "robots.txt" in row.reason) == (Status.WALLED, True)


@pytest.mark.parametrize(
    "url",
    [
        "https://arxiv.org/pdf/1708.05031",
        "https://arxiv.org/pdf/1708.05031.pdf",
        "http://www.arxiv.org/abs/1708.05031",
        "https://export.arxiv.org/abs/1708.05031",
    ],
)
def test_all_spellings_of_a_paper_are_read(tmp_path, url):
    fetch(tmp_path, [url])
    assert rows(tmp_path / "data")[url].status is Status.TEXT


def test_a_link_without_a_fetchable_address_is_read_from_its_repair(tmp_path):
    fetch(tmp_path, ["[Wide](http://wide%20&%20deep%20learning/) <!-- fetch: https://arxiv.org/abs/1708.05031 -->"])
    (row,) = rows(tmp_path / "data").values()
    assert row.status is Status.TEXT
    assert "the listed address is malformed; read from https://arxiv.org/abs/1708.05031" in row.reason


def test_subtitles_that_cannot_be_read_are_asked_for_again(tmp_path):
    captions = "https://www.youtube.com/api/timedtext?v=VIDEO000001&lang=en"
    for n, broken in enumerate(("", "<transcript>", "\x00", CAPTIONS[: len(CAPTIONS) // 2])):
        (tmp_path / str(n)).mkdir()
        fetch(tmp_path / str(n), [LINKS["video"]], PAGES | {captions: broken})
        assert rows(tmp_path / str(n) / "data")[LINKS["video"]].status in {Status.FAILED, Status.UNREADABLE}


@pytest.mark.parametrize("page", ["", "<html>", WATCH.replace("key1", ""), "{}", "x" * 9])
def test_a_watch_page_in_another_shape_is_asked_for_again(tmp_path, page):
    fetch(tmp_path, [LINKS["video"]], PAGES | {"https://www.youtube.com/watch?v=VIDEO000001": page})
    assert rows(tmp_path / "data")[LINKS["video"]].status in {Status.FAILED, Status.UNREADABLE}


def test_the_readme_is_found_under_its_other_names(tmp_path):
    pages = {f"{RAW}/o/rst/HEAD/README.rst": f"Rings\n=====\n\n{prose(1)}\n"}
    fetch(tmp_path, ["https://github.com/o/rst"], pages)
    assert rows(tmp_path / "data")["https://github.com/o/rst"].status is Status.TEXT
