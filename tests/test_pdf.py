"""PDFs: the text in the order in which it is read, whichever way a sheet is turned and however its columns are stored."""

from __future__ import annotations

import pytest

from ingest import columns, pdf
from ingest.extract import Unreadable, extract
from ingest.ligatures import LINE_END_HYPHEN, Ligatures
from ingest.message import Response

TURNS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
PICTURE = (
    "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>"
    "\nstream\nx\nendstream"
)
SAID = [
    "Replicas vote on each write, and a write counts when three of five have it on disk.",
    "The leader sends its heartbeat every ninety milliseconds to all of the others,",
    "and a follower that hears nothing of it for a second asks for votes itself.",
]


def a_sheet(*lines, rotate=0, picture=False):
    """Return a sheet; a line is (x, y, text) with its size, its font and its matrix where they are not the usual ones."""
    shown = ""
    for x, y, text, *rest in lines:
        size, font, matrix = (*rest, *(10, "F1", TURNS[0])[len(rest) :])
        shown += f"BT /{font} {size} Tf {' '.join(map(str, matrix))} {x} {y} Tm ({text}) Tj ET\n"
    return rotate, shown + ("q 100 0 0 100 0 0 cm /I Do Q\n" if picture else "")


def a_file(*sheets):
    fonts = [
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
    ]
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", *fonts, PICTURE]
    kids = []
    for rotate, shown in sheets:
        objects.append(f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream")
        resources = "<< /Font << /F1 3 0 R /F2 4 0 R >> /XObject << /I 5 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Rotate {rotate} /Resources {resources}"
            f" /Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    body, offsets = "%PDF-1.4\n", []
    for n, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{n} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF"
    return f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


def turned(turn, lines=SAID):
    """Return lines that run a way of the sheet."""
    starts = {0: (72, 700, 0, -13), 90: (100, 72, 13, 0), 180: (540, 100, 0, 13), 270: (500, 700, -13, 0)}
    x, y, right, up = starts[turn]
    return [(x + n * right, y + n * up, text, 10, "F1", TURNS[turn]) for n, text in enumerate(lines)]


def texts(*sheets):
    return [piece.text for piece in pdf.read(a_file(*sheets)).pieces]


@pytest.mark.parametrize("rotate", TURNS)
@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_sheet_is_read_from_its_head(rotate, turn):
    assert texts(a_sheet(*turned(turn), rotate=rotate)) == [" ".join(SAID)]


def test_sheets_may_be_turned_each_its_own_way_and_each_knows_its_page():
    pieces = pdf.read(a_file(*[a_sheet(*turned(turn, [f"Sheet {n}: {line}" for line in SAID])) for n, turn in enumerate(TURNS)])).pieces  # fmt: skip
    assert [piece.place for piece in pieces] == ["page=1", "page=2", "page=3", "page=4"]
    assert all(piece.text.count(f"Sheet {n}:") == len(SAID) for n, piece in enumerate(pieces))


def test_a_stamp_in_the_margin_and_one_across_the_page_are_no_text():
    stamp = (30, 200, "arXiv:2101.00001v1 [cs.DC] 1 Jan 2021", 20, "F1", TURNS[90])
    aslant = (150, 200, "CONFIDENTIAL DRAFT", 60, "F2", (0.7, 0.7, -0.7, 0.7))
    assert texts(a_sheet(*turned(0), stamp, aslant)) == [" ".join(SAID)]


LEFT = [
    "A parameter server keeps the weights on a few hosts,",
    "and workers pull them before a step and push the",
    "gradients after it, so that its links fill up first",
    "when there are many of them in the run.",
]
RIGHT = [
    "A ring has no server in its middle. Each worker talks",
    "to two neighbours only, and the time for a step does",
    "not grow with the number of workers, as long as the",
    "buffers are large against the latency.",
]


def test_columns_that_are_stored_row_by_row_are_read_one_after_the_other():
    rows = [line for n, (one, other) in enumerate(zip(LEFT, RIGHT, strict=True)) for line in ((60, 690 - 13 * n, one, 9), (320, 690 - 13 * n, other, 9))]  # fmt: skip
    assert texts(a_sheet((60, 730, "Ways to add", 16, "F2"), *rows)) == ["Ways to add", " ".join(LEFT), " ".join(RIGHT)]


def test_columns_that_are_stored_one_after_the_other_stay_so():
    lines = [(60, 690 - 13 * n, one, 9) for n, one in enumerate(LEFT)] + [(320, 690 - 13 * n, one, 9) for n, one in enumerate(RIGHT)]  # fmt: skip
    assert texts(a_sheet(*lines)) == [" ".join(LEFT), " ".join(RIGHT)]


def test_three_columns_are_read_from_left_to_right():
    words = [[f"{name} column line {n} goes on with" for n in range(5)] for name in ("first", "second", "third")]
    rows = [(40 + 190 * c, 690 - 13 * n, words[c][n], 9) for n in range(5) for c in range(3)]
    assert " ".join(texts(a_sheet(*rows))) == " ".join(line for column in words for line in column)


def test_a_table_is_rows_of_cells_not_a_sentence():
    head = [(72, 640, "Service", 10, "F2"), (220, 640, "Per second", 10, "F2"), (360, 640, "Payload", 10, "F2")]
    rows = [(x, 626 - 14 * n, cell) for n, row in enumerate([("Gateway", "10000", "10 MB"), ("Queue", "", "256 KB"), ("Store", "400", "1 GB")]) for x, cell in zip((72, 220, 360), row, strict=True)]  # fmt: skip
    after = [(72, 560, "Quotas are raised on request, after a review of the traffic of the last month.")]
    pieces = pdf.read(a_file(a_sheet(*turned(0), *head, *rows, *after))).pieces
    assert [(piece.kind, piece.text) for piece in pieces[1:]] == [
        ("table", "| Service | Per second | Payload |\n| Gateway | 10000 | 10 MB |\n| Queue |  | 256 KB |\n| Store | 400 | 1 GB |"),
        ("text", after[0][2]),
    ]  # fmt: skip


def test_items_and_numbered_equations_are_no_tables():
    lines = [(72, 600 - 14 * n, f"{n + 1}.") for n in range(3)] + [
        (110, 600 - 14 * n, "is an item of a list.") for n in range(3)
    ]
    parts = columns.parts_of([("1.", 72, 80), ("is", 110, 118), ("one", 121, 140)], 10)
    assert [part.text for part in parts] == ["1. is one"]
    assert not any(piece.kind == "table" for piece in pdf.read(a_file(a_sheet(*turned(0), *lines))).pieces)


def test_headings_and_last_lines_that_are_alike_on_all_pages_are_no_running_heads():
    head, foot = "Handbook of the platform team", "The quota is checked before each write."
    sheets = [
        a_sheet((72, 760, head, 8), (72, 720, f"Region {n}", 16, "F2"), *turned(0, SAID[:2]), (72, 674, foot), (300, 40, f"{n}", 8))
        for n in (1, 2, 3)
    ]  # fmt: skip
    pieces = pdf.read(a_file(*sheets)).pieces
    assert [piece.text for piece in pieces if piece.kind == "heading"] == ["Region 1", "Region 2", "Region 3"]
    assert sum(foot in piece.text for piece in pieces) == 3
    assert not any(head in piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["a point-in-", "time join"], "a point-in-time join"),
        (["the state-of-", "the-art one"], "the state-of-the-art one"),
        (["an end-", "to-end test"], "an end-to-end test"),
        (["a 1,000-", "fold cost"], "a 1,000-fold cost"),
        (["by Kullback-", "Leibler"], "by Kullback-Leibler"),
        (["a small clus-", "ter of eight"], "a small cluster of eight"),
        ([f"the inter{LINE_END_HYPHEN}connect is"], "the interconnect is"),
        (["a high-", "throughput queue"], "a high-throughput queue"),
        (["low-latency or low-", "latency"], "low-latency or low-latency"),
        (["is consider-", "able"], "is considerable"),
        (["a low-dimen-", "sional space"], "a low-dimensional space"),
    ],
)
def test_a_word_at_the_end_of_a_line_keeps_a_hyphen_of_its_own(lines, text):
    known = "Its high load and throughput are dimensional. We consider what is able: capable, scalable, usable."
    assert Ligatures("\n".join([known, *lines])).joined(lines) == text


def test_what_is_said_of_a_file_without_text_is_true():
    def reason(*sheets):
        with pytest.raises(Unreadable) as caught:
            extract(Response("https://a.test/x.pdf", 200, "application/pdf", a_file(*sheets), ""))
        return str(caught.value)

    assert reason(a_sheet(picture=True)) == "the pages are pictures: no text in them"
    assert reason(a_sheet()) == "no text in its pages"


def test_pages_that_are_pictures_are_known():
    found = pdf.read(a_file(a_sheet(*turned(0)), a_sheet(picture=True), a_sheet(), a_sheet(picture=True)))
    assert found.pictures == (2, 4)
