"""The ledger never says more than is true: what was read and is not searched, and what was left out, is said."""

from __future__ import annotations

import random

import pytest
from ingesting import a_list, ingest, rows
from test_forms import XHTML, a_book
from test_pdf import a_file, a_sheet, turned

from app import browse, render
from ingest.duplicates import same_texts, sketch
from ingest.folder import Folder
from ingest.ledger import open_ledger
from ingest.status import Status

URL = "https://a.test/x"
GERMAN = (
    "Ein Ring hat keinen Server in der Mitte. Jeder Arbeiter spricht nur mit zwei Nachbarn, und die Zeit für einen "
    "Schritt wächst nicht mit der Zahl der Arbeiter, solange die Puffer groß sind gegen die Laufzeit eines Sprungs."
)
ENGLISH = (
    "A ring has no server in its middle. Each worker talks to two neighbours only, and the time for a step does not "
    "grow with the number of workers, as long as the buffers are large against the latency of one hop."
)


def saved(tmp_path, files, links=(URL,)):
    folder = tmp_path / "saved"
    folder.mkdir(exist_ok=True)
    for name, body in files.items():
        (folder / name).write_bytes(body if isinstance(body, bytes) else body.encode())
    outcome = ingest(tmp_path / "data", a_list(tmp_path, list(links)), saved=folder)
    return rows(tmp_path / "data"), outcome


def test_a_text_in_another_language_is_read_and_counts_apart(tmp_path):
    found, _ = saved(tmp_path, {"a.md": f"{URL}\n\n{GERMAN}\n", "b.md": f"{URL}/2\n\n{ENGLISH}\n"}, [URL, f"{URL}/2"])
    row = found[URL]
    assert (row.status, row.words > 30, bool(row.document)) == (Status.FOREIGN, True, True)
    assert "read, and not searched: its language is de; only English is searched" in row.reason
    with open_ledger(Folder(tmp_path / "data").ledger) as book:
        entries = book.entries()
    assert browse.coverage(entries) == (1, 2)
    assert "1 of 2 links have text that answers can quote" in render.totals(entries, None)
    assert "2 links: 1 full text, 1 other language" in render.totals(entries, None)
    assert "1 of 2 links have text that answers can quote.** 1 more was read in other languages" in browse.overview(
        entries
    )
    assert next(entry.row.words for entry in entries if entry.row.url == URL) == row.words


def test_the_counts_of_the_topics_add_up_to_those_of_all_links(tmp_path):
    saved(tmp_path, {"b.md": f"{URL}\n\n{ENGLISH}\n"}, [URL, f"{URL}/2"])
    with open_ledger(Folder(tmp_path / "data").ledger) as book:
        entries = book.entries()
    covered = [topic.covered for topic in browse.topics(entries)]
    assert (sum(a for a, _ in covered), sum(b for _, b in covered)) == browse.coverage(entries)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.epub", a_book([("a.xhtml", XHTML), ("gone.xhtml", XHTML)], ["OEBPS/a.xhtml"]), "left out: 1 of 2 chapters (gone.xhtml: it is not in the file)"),
        ("a.pdf", a_file(a_sheet(*turned(0)), a_sheet(picture=True), a_sheet(picture=True)), "left out: pages 2-3: pictures without text"),
    ],
)  # fmt: skip
def test_what_of_a_document_was_left_out_is_said(tmp_path, name, body, said):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/index.csv").write_text(f"{name},{URL}\n")
    if name.endswith("epub"):
        body = a_book([("a.xhtml", XHTML), ("gone.xhtml", XHTML)], [], more={"OEBPS/a.xhtml": f"<p>{ENGLISH}</p>"})
    found, _ = saved(tmp_path, {name: body})
    assert found[URL].status is Status.TEXT
    assert said in found[URL].reason


def some_words(seed, count):
    chance = random.Random(seed)
    return " ".join(
        f"{chance.choice('ring tree queue lease shard cache'.split())}{chance.randrange(999)}" for _ in range(count)
    )


def test_two_short_texts_that_share_a_paragraph_are_two(tmp_path):
    def text(seed, own):
        return f"It is so: {some_words(seed, 29)}.\n\nAnd the rest is this: {some_words(own, 24)}.\n"

    def alike(seed):
        return bool(same_texts({"one": sketch(text(seed, 1)), "two": sketch(text(seed, 2))}))

    seed = next(filter(alike, range(10_000)))  # by their sketches they are the same
    files = {"a.md": f"{URL}\n\n{text(seed, 1)}", "b.md": f"{URL}/2\n\n{text(seed, 2)}"}
    files |= {f"{n}.md": f"{URL}/{n}\n\nIt is so: {some_words(7, 120)}.\n" for n in (3, 4)}
    found, _ = saved(tmp_path, files, [URL, *(f"{URL}/{n}" for n in (2, 3, 4))])
    held = [found[url].status is Status.DUPLICATE for url in (URL, f"{URL}/2", f"{URL}/3", f"{URL}/4")]
    assert held == [False, False, False, True]
