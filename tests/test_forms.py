"""Files of every form that people keep: notebooks, office files, books, subtitles and lighter markup become clean text."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from ingest.extract import Unreadable, extract
from ingest.message import Response
from ingest.sources import saved


def read(body, name, kind=""):
    content = body if isinstance(body, bytes) else body.encode()
    sent = kind or saved._TYPES.get(f".{name.rpartition('.')[2]}", "text/plain")
    return extract(Response(f"https://a.test/{name}", 200, sent, content, ""))


def said(found):
    return [f"{piece.kind}: {piece.text}" for piece in found.pieces]


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return packed.getvalue()


# --- notebooks ------------------------------------------------------------------------------------

CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# Ring cost\n", "\n", "Each byte is sent twice, as $2(n-1)/n$ says.\n", "!!! note\n", "    Mind it."]},
    {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "cost(4)", "outputs": [
        {"output_type": "execute_result", "metadata": {}, "execution_count": 1, "data": {"text/plain": ["1.5"], "image/png": "iVBORw0KGgo" * 99}},
        {"output_type": "stream", "name": "stdout", "text": ["log\n"] * 999},
        {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "<Figure size 640x480 with 1 Axes>"}},
    ]},
]  # fmt: skip
OLD = {
    "nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "x"},
    "worksheets": [{"metadata": {}, "cells": [{"cell_type": "markdown", "metadata": {}, "source": "Old words."}, {"cell_type": "code", "input": "old()", "language": "python", "metadata": {}, "outputs": [], "collapsed": False}]}],
}  # fmt: skip


def test_a_notebook_is_its_text_and_its_code_and_no_pictures_or_logs():
    found = read(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": CELLS}), "x.ipynb")
    assert found.title == "Ring cost"
    assert said(found) == [
        "text: Each byte is sent twice, as $2(n-1)/n$ says.",
        "text: Mind it.",
        "code: cost(4)",
        "code: 1.5",
    ]
    assert {piece.place for piece in found.pieces} == {""}


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "application/octet-stream", "application/json"])
def test_a_notebook_is_one_however_it_is_sent(kind):
    assert said(read(json.dumps(OLD), "x.ipynb", kind)) == ["text: Old words.", "code: old()"]


@pytest.mark.parametrize("body", ["", "{}", "[1]", '{"nbformat": 4}', '{"nbformat": 99, "cells": []}', "nonsense"])
def test_what_is_no_notebook_is_a_reason(body):
    with pytest.raises(Unreadable):
        read(body, "x.ipynb")


# --- office files ---------------------------------------------------------------------------------

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
CORE = '<cp:coreProperties xmlns:cp="c" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Rings in practice</dc:title></cp:coreProperties>'


def a_docx(body, *, core=CORE):
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{n}"><w:name w:val="heading {n}"/></w:style>' for n in (1, 2)
    )
    relations = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
    return zipped({
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": relations,
        "word/document.xml": f'<w:document xmlns:w="{WORD}" xmlns:m="m"><w:body>{body}</w:body></w:document>',
        "word/styles.xml": f'<w:styles xmlns:w="{WORD}">{styles}</w:styles>',
        "docProps/core.xml": core,
    })  # fmt: skip


def paragraph(text, style=""):
    styled = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{styled}<w:r><w:t>{text}</w:t></w:r></w:p>"


def test_a_word_document_keeps_headings_and_tables_and_says_what_it_leaves_out():
    table = "<w:tbl>" + "".join(f"<w:tr><w:tc>{paragraph(a)}</w:tc><w:tc>{paragraph(b)}</w:tc></w:tr>" for a, b in [("Gate", "7"), ("Store", "9")]) + "</w:tbl>"  # fmt: skip
    found = read(
        a_docx(
            paragraph("Cost", "Heading1") + paragraph("A ring sends each byte twice.") + "<w:p><m:oMath/></w:p>" + table
        ),
        "x.docx",
    )
    assert (found.title, found.left_out) == ("Rings in practice", ("1 formula",))
    assert said(found) == ["text: A ring sends each byte twice.", "table: | Gate | 7 |\n| Store | 9 |"]


@pytest.mark.parametrize(
    "body",
    [b"", b"PK\x03\x04", zipped({"x": "y"}), a_docx("<w:p/>"), a_docx("", core="<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"), zipped({"word/document.xml": "<w" * 40_000_000})],
    ids=["empty", "cut off", "another zip", "no words", "entities", "a bomb"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["x.docx", "x.pptx"])
def test_a_damaged_office_file_is_a_reason(body, name):
    with pytest.raises(Unreadable):
        read(body, name)


def a_deck():
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    deck.core_properties.title = ""
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.shapes.title.text = "Why a ring"
    first.placeholders[1].text = "No server in the middle\nEach worker has two neighbours"
    first.notes_slide.notes_text_frame.text = "Say that the time does not grow."
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Cost"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for n, text in enumerate(["Workers", "Bytes", "8", "1.75"]):
        table.cell(n // 2, n % 2).text = text
    deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_picture(io.BytesIO(PNG), 0, 0)
    packed = io.BytesIO()
    deck.save(packed)
    return packed.getvalue()


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def test_slides_are_read_one_by_one_with_their_tables_and_notes():
    found = read(a_deck(), "x.pptx")
    assert found.title == "Why a ring"
    assert said(found) == [
        "item: No server in the middle", "item: Each worker has two neighbours", "text: Say that the time does not grow.",
        "heading: Cost", "table: | Workers | Bytes |\n| 8 | 1.75 |", "heading: Slide 3",
    ]  # fmt: skip
    assert [piece.place for piece in found.pieces][-1] == "slide=3"
    assert found.left_out == ("slide 3 without text: pictures or charts",)


# --- books ----------------------------------------------------------------------------------------

SAID = "A bounded queue pushes back on its producers."


def a_book(items, files, *, place="OEBPS/content.opf", more=None):
    """`items` are (href, media type) in the order of the spine."""
    manifest = "".join(f'<item id="i{n}" href="{href}" media-type="{kind}"/>' for n, (href, kind) in enumerate(items))
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(items)))
    package = f'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Queues</dc:title></metadata><manifest>{manifest}</manifest><spine>{spine}</spine></package>'
    box = f'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="{place}"/></rootfiles></container>'
    chapters = {
        name: f"<html><body><h1>{name.rpartition('/')[2][:4]}</h1><p>{SAID}</p></body></html>" for name in files
    }
    return zipped({"META-INF/container.xml": box, place: package, **chapters, **(more or {})})


XHTML = "application/xhtml+xml"


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("chapter%201.xhtml", "OEBPS/chapter 1.xhtml"),
        ("chapter 1.xhtml", "OEBPS/chapter%201.xhtml"),
        ("kapitel-%C3%BC.xhtml", "OEBPS/kapitel-ü.xhtml"),
        ("kapitel-u\u0308.xhtml", "OEBPS/kapitel-ü.xhtml"),
        ("Text/../Text/One.xhtml", "OEBPS/Text/One.xhtml"),
        ("../Text/one.xhtml", "Text/one.xhtml"),
        ("/OEBPS/one.xhtml", "OEBPS/one.xhtml"),
        ("/Text/one.xhtml", "OEBPS/Text/one.xhtml"),
        ("ONE.XHTML", "OEBPS/one.xhtml"),
        ("Text\\one.xhtml", "OEBPS/Text/one.xhtml"),
        ("one.xhtml#top", "OEBPS/one.xhtml"),
    ],
)
def test_a_chapter_is_found_however_its_address_is_written(href, name):
    found = read(a_book([(href, XHTML)], [name]), "x.epub")
    assert f"text: {SAID}" in said(found)
    assert found.left_out == ()


def test_what_is_missing_locked_or_no_text_is_told():
    items = [("a.xhtml", XHTML), ("gone.xhtml", XHTML), ("locked.xhtml", XHTML), ("map.svg", "image/svg+xml")]
    lock = '<encryption xmlns:e="e"><e:EncryptedData><e:EncryptionMethod Algorithm="aes"/><e:CipherData><e:CipherReference URI="OEBPS/locked.xhtml"/></e:CipherData></e:EncryptedData></encryption>'
    found = read(
        a_book(items, ["OEBPS/a.xhtml", "OEBPS/locked.xhtml", "OEBPS/map.svg"], more={"META-INF/encryption.xml": lock}),
        "x.epub",
    )
    assert said(found) == ["heading: a.xh", f"text: {SAID}"]
    assert found.left_out == (
        "3 of 4 chapters (gone.xhtml: it is not in the file; locked.xhtml: it is locked by its seller; map.svg: it is no text (image/svg+xml))",
    )  # fmt: skip


# --- what is said ---------------------------------------------------------------------------------


def captions(*texts, seconds=3):
    return "".join(
        f"{n}\n00:00:{seconds * n:02},000 --> 00:00:{seconds * n + seconds:02},000\n{text}\n\n" for n, text in enumerate(texts, 1)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "heard"),
    [
        (["welcome back today", "welcome back today we look at", "we look at how a ring", "how a ring adds up"], "welcome back today we look at how a ring adds up"),
        (["the", "the ring", "the ring adds", "the ring adds up"], "the ring adds up"),
        (["one line\nthe other line", "the other line\na third line", "a third line"], "one line the other line a third line"),
        (["No, no.", "No. It is not so."], "No, no. No. It is not so."),
        (["- <i>Who</i> holds it?\n- {\\an8}The leader.", "&gt;&gt; R&amp;D holds &lt;key, value&gt; pairs"], "Who holds it? The leader. R&D holds <key, value> pairs"),
    ],
)  # fmt: skip
def test_what_is_shown_twice_was_said_once(texts, heard):
    assert " ".join(piece.text for piece in read(captions(*texts), "x.srt").pieces) == heard


def test_subtitles_in_windows_letters_are_read():
    assert (
        "naïve café — “more” for 5 €"
        in read(captions("the naïve café — “more” for 5 €").encode("cp1252"), "x.srt").pieces[0].text
    )


@pytest.mark.parametrize(
    "body",
    [
        {"version": "1.0.0", "segments": [{"speaker": "Ada", "startTime": 3, "endTime": 5, "body": "Hello."}, {"speaker": "Ada", "startTime": 70, "endTime": 72, "body": "Bye."}]},
        {"text": "...", "segments": [{"start": 3.0, "end": 5.0, "text": " Ada: Hello."}, {"start": 70.2, "end": 72, "text": " Bye."}]},
        {"events": [{"tStartMs": 3000, "dDurationMs": 2000, "segs": [{"utf8": "Ada: "}, {"utf8": "Hello."}]}, {"tStartMs": 5000}, {"tStartMs": 70000, "segs": [{"utf8": "Bye."}]}]},
    ],
    ids=["podcast", "Whisper", "YouTube"],
)  # fmt: skip
def test_transcripts_in_json_are_read_with_their_seconds(body):
    found = read(json.dumps(body), "x.json")
    assert [(piece.text, piece.place) for piece in found.pieces] == [("Ada: Hello.", "t=3"), ("Bye.", "t=70")]


@pytest.mark.parametrize(
    "text",
    [
        "[00:00:03] Ada: Hello to all.\n[00:01:10] Bo: A ring adds up.\n[00:02:00] Ada: Bye.",
        "Ada 0:03\nHello to all.\n\nBo 1:10\nA ring adds up.\n\nAda 2:00\nBye.",
        "00:03 - Ada: Hello to all.\n01:10 - Bo: A ring adds up.\n02:00 - Ada: Bye.",
    ],
)
def test_a_transcript_in_plain_text_is_one(text):
    found = read(text, "x.txt")
    assert found.form == "transcript"
    assert [(piece.text, piece.place) for piece in found.pieces] == [
        ("Ada: Hello to all.", "t=3"), ("Bo: A ring adds up.", "t=70"), ("Ada: Bye.", "t=120"),
    ]  # fmt: skip


def test_a_text_that_names_a_time_is_no_transcript():
    assert read("The train leaves at 10:30 and comes at 11:40.\nAt 12:00 there is lunch.\n" * 3, "x.txt").form == "text"


# --- lighter markup and plain text ----------------------------------------------------------------

ASCIIDOC = """= Ring
Ada Ring <ada@a.test>
:name: Ringer

A worker of {name} hands on https://a.test/x[its block], <<cost,at a cost>> of 10^6^ bytes.

// no comment
[[cost]]
== Cost

[source,python]
.A listing
----
cost(n)  # <1>
----
<1> The call.

[WARNING]
====
Mind it.
====

Lease:: A right that ends.

* one
** two

|===
|Service |Per second

|Gate |7
|===

include::other.adoc[]
"""
ORG = """#+TITLE: Ring

* TODO Cost :cost:
:PROPERTIES:
:ID: x
:END:
A worker hands on [[https://a.test/x][its block]], /at/ =cost(n)=.

#+BEGIN_SRC python
cost(n)
#+END_SRC
| Service | Per second |
|---------+------------|
| Gate    | 7          |

- Lease :: A right that ends.
# no comment
"""


def test_asciidoc_is_read():
    found = read(ASCIIDOC, "x.adoc")
    assert (found.title, found.links()) == ("Ring", ("https://a.test/x",))
    assert said(found) == [
        "text: A worker of Ringer hands on its block, at a cost of 10⁶ bytes.", "heading: Cost", "text: A listing", "code: cost(n)", "item: The call.",
        "text: Mind it.", "text: Lease: A right that ends.", "item: one", "item: two", "table: | Service | Per second |\n| Gate | 7 |",
    ]  # fmt: skip
    assert next(piece.place for piece in found.pieces if piece.kind == "code") == "L14"


def test_org_is_read():
    found = read(ORG, "x.org")
    assert (found.title, found.links()) == ("Ring", ("https://a.test/x",))
    assert said(found) == [
        "heading: Cost", "text: A worker hands on its block, at cost(n).", "code: cost(n)",
        "table: | Service | Per second |\n| Gate | 7 |", "item: Lease: A right that ends.",
    ]  # fmt: skip


def test_bold_type_of_a_line_printer_is_said_once():
    assert said(read("N\bNA\bAM\bME\bE of _\bi_\bt.\n", "x.txt")) == ["text: NAME of it."]


def test_a_link_without_words_is_called_after_what_it_leads_to():
    assert said(read("= A\n\nSee <<branching#_basic_merging>>.\n", "x.adoc")) == ["text: See basic merging."]


def test_plain_text_is_read_in_paragraphs_and_keeps_what_is_set_in_columns():
    wrapped = "A worker hands its block to the next one in the ring, and\nwaits until the block of its other neighbour has come, so\nthat no link is idle.\n"
    found = read(
        f"RINGS\n=====\n\n1. INTRODUCTION\n\n{wrapped}\n  - one\n    goes on\n  - two\n\n  Service    Per second\n  Gate       7\n\nDear all,\nBye\n",
        "x.txt",
    )
    assert said(found) == [
        "heading: 1. INTRODUCTION", f"text: {' '.join(wrapped.split())}", "item: one goes on", "item: two",
        "code: Service    Per second\nGate       7", "text: Dear all,\nBye",
    ]  # fmt: skip
