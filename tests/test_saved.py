"""Saved material: what a person dropped into a folder finds its link, by its name, its index or its own word."""

from __future__ import annotations

import io
import zipfile

import pytest
from conftest import a_pdf
from ingesting import a_list, article, ingest, rows, text_of
from links import prose

from ingest import IngestError, sources
from ingest.status import Status

COURSE = "https://www.educative.io/courses/grokking-rings"
VIDEO = "https://www.youtube.com/watch?v=VIDEO000001"
BOOK = "https://www.amazon.com/Rings/dp/0135957052"
POST = "https://www.linkedin.com/posts/ada_rings"
LINKS = [COURSE, VIDEO, BOOK, POST]
TEXT = article("Rings", 3)
SAID = prose(5, 8)


def mhtml(url: str) -> str:
    return (
        f"From: <Saved by Blink>\nSnapshot-Content-Location: {url}\nSubject: Rings\nMIME-Version: 1.0\n"
        'Content-Type: multipart/related; type="text/html"; boundary="--b"\n\n----b\n'
        f"Content-Type: text/html; charset=utf-8\nContent-Location: {url}\n\n{TEXT}\n----b--\n"
    )


def epub() -> bytes:
    box = (
        "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles><rootfile full-path='o/p.opf'/>"
    )
    package = (
        "<package xmlns='http://www.idpf.org/2007/opf' xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata>"
        "<dc:title>Rings in practice</dc:title><dc:creator>Ada Ring</dc:creator></metadata><manifest>"
        "<item id='a' href='one.xhtml'/><item id='b' href='two.xhtml'/></manifest>"
        "<spine><itemref idref='b'/><itemref idref='a'/></spine></package>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("META-INF/container.xml", f"{box}</rootfiles></container>")
        book.writestr("o/p.opf", package)
        book.writestr("o/one.xhtml", f"<html><body><h1>Last chapter</h1><p>{prose(6)}</p></body></html>")
        book.writestr("o/two.xhtml", f"<html><body><h1>First chapter</h1><p>{prose(7)}</p></body></html>")
    return out.getvalue()


def stamp(seconds: int, mark: str) -> str:
    return f"00:00:{seconds:02}{mark}000"


VTT = "WEBVTT\n\n" + "\n".join(f"{stamp(n * 9, '.')} --> {stamp(n * 9 + 8, '.')}\n{prose(n, 2)}\n" for n in range(5))
SRT = "\n".join(f"{n + 1}\n{stamp(n * 9, ',')} --> {stamp(n * 9 + 8, ',')}\n{prose(n, 2)}\n" for n in range(5))


def saved(tmp_path, files, **asked):
    """Ingest LINKS with files that a person saved; return the outcome."""
    folder = tmp_path / "saved"
    folder.mkdir(exist_ok=True)
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body if isinstance(body, bytes) else body.encode())
    return ingest(tmp_path / "data", a_list(tmp_path, LINKS), saved=folder, **asked)


SINGLE = f"<!DOCTYPE html> <html><!--\n Page saved with SingleFile \n url: {POST} \n saved date: Sat -->{TEXT[15:]}"
FILES = {
    "by the name that the fix asks for": ("educative-grokking-rings.html", TEXT, COURSE),
    "SingleFile": ("anything.html", SINGLE, POST),
    "saved by a browser": ("page.htm", f"<!-- saved from url=(0043){POST} -->\n{TEXT}", POST),
    "its own canonical address": (
        "p.html",
        TEXT.replace("<head>", f"<head><link rel='canonical' href='{COURSE}'>"),
        COURSE,
    ),
    "MHTML": ("x.mhtml", mhtml(COURSE), COURSE),
    "PDF": ("educative-grokking-rings.pdf", a_pdf([f"{line}." for line in SAID.split(". ")]), COURSE),
    "Markdown": ("notes.md", f"# My notes\n\nSource: {COURSE}\n\n{SAID}\n", COURSE),
    "text": ("notes.txt", f"{POST}\n\n{SAID}\n", POST),
    "subtitles": ("VIDEO000001.vtt", VTT, VIDEO),
    "subtitles as a downloader names them": ("A talk [VIDEO000001].en.srt", SRT, VIDEO),
    "a book": ("amazon-0135957052.epub", epub(), BOOK),
}


@pytest.mark.parametrize("name", FILES)
def test_a_saved_file_becomes_the_text_of_its_link(tmp_path, name):
    file, body, url = FILES[name]
    saved(tmp_path, {file: body})
    row = rows(tmp_path / "data")[url]
    assert row.status in {Status.TEXT, Status.TRANSCRIPT}, row
    assert file in row.reason
    assert row.fix == ""
    assert row.words > 60


def test_the_fix_names_the_file_that_is_then_known(tmp_path):
    saved(tmp_path, {})
    for url in (COURSE, POST, BOOK, VIDEO):
        fix = rows(tmp_path / "data")[url].fix
        name = next(word for word in fix.split() if word.startswith("data/saved/")).removeprefix("data/saved/")
        name = name.strip("(),").replace(".pdf", ".md").replace(".html", ".md")
        saved(tmp_path, {f"{name.partition('.')[0]}.md": f"# Notes on {name}\n\n{prose(len(url))}"})
        assert rows(tmp_path / "data")[url].status is Status.TEXT, fix


def test_an_index_says_which_file_is_which(tmp_path):
    index = f"file,address\n# a remark\nsub/a.html,{COURSE}\n{POST}, b c.md\nmissing.html,{BOOK}\nnonsense\n"
    outcome = saved(tmp_path, {"index.csv": index, "sub/a.html": TEXT, "b c.md": SAID})
    found = rows(tmp_path / "data")
    assert (found[COURSE].status, found[POST].status, found[BOOK].status) == (Status.TEXT, Status.TEXT, Status.METADATA)
    said = "\n".join(outcome.notes)
    assert "line 5: there is no file missing.html" in said
    assert "line 6: not like FILE,ADDRESS" in said


def test_what_cannot_be_placed_is_said_with_the_cure_and_nothing_is_lost(tmp_path):
    outcome = saved(
        tmp_path, {"what.md": SAID, "x.exe": b"MZ", ".hidden.md": SAID, "educative-grokking-rings.html": TEXT}
    )
    said = "\n".join(outcome.notes)
    assert "which link is it? Add the line what.md,ADDRESS" in said
    assert "a .exe is not read" in said
    assert ".hidden" not in said
    assert rows(tmp_path / "data")[COURSE].status is Status.TEXT


def test_a_folder_that_is_none_is_an_error_with_a_cure(tmp_path):
    with pytest.raises(IngestError, match="is no folder; name the one that holds what you saved"):
        ingest(tmp_path / "data", a_list(tmp_path, LINKS), saved=tmp_path / "nowhere")


def test_a_transcript_that_was_saved_cites_the_second(tmp_path):
    saved(tmp_path, {"VIDEO000001.vtt": VTT})
    said = text_of(tmp_path / "data", VIDEO)
    assert said.form == "transcript"
    assert {block.place for block in said.blocks} <= {f"t={9 * n}" for n in range(5)}
    assert len({block.place for block in said.blocks}) > 2


def test_a_book_is_read_in_the_order_of_its_spine_and_has_no_page_of_the_store(tmp_path):
    saved(tmp_path, {"amazon-0135957052.epub": epub()})
    book = text_of(tmp_path / "data", BOOK)
    assert (book.title, book.authors) == ("Rings in practice", ("Ada Ring",))
    assert book.text.index("First chapter") < book.text.index("Last chapter")
    assert book.page_text.strip() == ""


def test_the_store_page_of_a_book_is_not_the_book(tmp_path):
    saved(tmp_path, {"amazon-0135957052.html": TEXT})
    assert rows(tmp_path / "data")[BOOK].status is Status.METADATA


@pytest.mark.parametrize("damaged", [b"", b"PK\x03\x04", b"PK" * 4000, epub()[:-200]])
def test_a_damaged_book_is_a_reason(tmp_path, damaged):
    saved(tmp_path, {"amazon-0135957052.epub": damaged})
    row = rows(tmp_path / "data")[BOOK]
    assert row.status is Status.UNREADABLE
    assert row.reason


def test_saved_material_is_kept_and_serves_the_next_run_too(tmp_path):
    saved(tmp_path, {"educative-grokking-rings.html": TEXT})
    before = text_of(tmp_path / "data", COURSE)
    ingest(tmp_path / "data", a_list(tmp_path, LINKS))
    assert text_of(tmp_path / "data", COURSE).text == before.text
    (tmp_path / "fresh").mkdir()
    (tmp_path / "data/archive").rename(tmp_path / "fresh/archive")
    ingest(tmp_path / "fresh", a_list(tmp_path, LINKS))
    assert text_of(tmp_path / "fresh", COURSE).text == before.text


def test_an_archive_among_the_saved_files_is_read(tmp_path, warc):
    path = warc({POST: ("text/html", TEXT.encode())})
    saved(tmp_path, {"mine.warc.gz": path.read_bytes()})
    assert rows(tmp_path / "data")[POST].status is Status.TEXT
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as bundle:
        bundle.writestr("archive/data.warc.gz", warc({COURSE: ("text/html", TEXT.encode())}, "b.warc.gz").read_bytes())
        bundle.writestr("datapackage.json", "{}")
    saved(tmp_path, {"mine.wacz": packed.getvalue()})
    assert rows(tmp_path / "data")[COURSE].status in {Status.TEXT, Status.DUPLICATE}


@pytest.mark.parametrize(
    ("name", "body", "url"),
    [
        ("a.md", "---\nimage: https://cdn.test/c.png\nsource: https://a.test/x\n---\nText of https://b.test/y.", "https://a.test/x"),
        ("a.md", "---\ntitle: T\nurl: 'https://a.test/x'\n---\n", "https://a.test/x"),
        ("a.md", "![cover](https://cdn.test/c.png)\n\n[from](https://a.test/x)", "https://a.test/x"),
        ("a.md", "https://cdn.test/c.webp\nhttps://a.test/x", "https://a.test/x"),
        ("a.org", "#+TITLE: T\n#+SOURCE: https://a.test/x\n", "https://a.test/x"),
        ("a.adoc", "= T\n:source: https://a.test/x\n", "https://a.test/x"),
        ("a.txt", "https://a.test/x\n".encode("utf-16"), "https://a.test/x"),
        ("a.html", "<link rel='canonical' href='https://a.test/p?id=4&amp;page=2'>", "https://a.test/p?id=4&page=2"),
        ("a.html", '<meta property="og:url" content="https://a.test/p?a=1&#38;copy=2">', "https://a.test/p?a=1&copy=2"),
        ("a.html", "<!-- saved from url=(0028)https://a.test/p?a=1&copy=2 -->", "https://a.test/p?a=1&copy=2"),
        ("a.md", "no address at all", ""),
    ],
)  # fmt: skip
def test_a_saved_file_says_where_it_is_from(name, body, url):
    content = body if isinstance(body, bytes) else body.encode()
    assert sources.saved._inside(content, f".{name.rpartition('.')[2]}") == url


def test_a_name_of_bytes_that_are_no_text_is_kept_with_a_character_that_says_so(tmp_path):
    saved(tmp_path, {"\udcff ring.html": SINGLE.replace("<title>Rings</title>", "")})
    row = rows(tmp_path / "data")[POST]
    assert (row.status, "\ufffd ring.html" in row.reason) == (Status.TEXT, True)


def test_half_characters_in_a_list_are_told_by_another(tmp_path):
    links = tmp_path / "links.json"
    links.write_text('[{"url": "https://a.test/half", "title": "half \\ud800", "tags": ["\\udc00"]}]')
    ingest(tmp_path / "data", links)
    assert rows(tmp_path / "data")["https://a.test/half"].title == "half \ufffd"
