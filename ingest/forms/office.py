"""Office files: Word documents through mammoth, PowerPoint slides through python-pptx."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ingest import tables, webpage
from ingest.document import NOTHING_SHOWN, Piece
from ingest.message import Response
from ingest.pieces import ranges

if TYPE_CHECKING:
    from ingest.extract import Extract

MAX_PART = 64 * 2**20  # bytes of all XML in a file, inflated
_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"
_BACK = re.compile(r'<a href="#(?:foot|end)note-ref-[^"]*">↑</a>')
_PICTURE, _GROUP, _CHART = 13, 6, 3  # MSO_SHAPE_TYPE


def read_document(response: Response) -> Extract:
    """Return the text of a Word document; raises ValueError for what no such file holds."""
    import mammoth

    from ingest.extract import Extract

    with zipfile.ZipFile(io.BytesIO(response.body)) as file:
        parts = _checked(file)
    made = mammoth.convert_to_html(
        io.BytesIO(response.body),
        style_map=_STYLES,
        convert_image=mammoth.images.img_element(lambda _: {}),
    )
    shown = _BACK.sub("", made.value).replace("<table>", '<table role="table">')  # its cells hold paragraphs
    pieces, _ = webpage.whole(f"<body>{shown}</body>")
    formulas = len(re.findall(rb"<m:oMath[ />]", parts.get("word/document.xml", b"")))
    left_out = (f"{formulas} formula{'s' * (formulas != 1)}",) if formulas else ()
    return Extract("text", _title(parts), "", tuple(pieces), NOTHING_SHOWN, left_out=left_out)


def read_slides(response: Response) -> Extract:
    """Return the slides of a presentation, each under its title."""
    from pptx import Presentation

    from ingest.extract import Extract

    with zipfile.ZipFile(io.BytesIO(response.body)) as file:
        title = _title(_checked(file))
    pieces: list[Piece] = []
    pictures = []
    for n, slide in enumerate(Presentation(io.BytesIO(response.body)).slides, 1):
        found = list(_slide(slide, n))
        if len(found) == 1 and any(shape.shape_type in {_PICTURE, _CHART} for shape in slide.shapes):
            pictures.append(n)
        pieces += found
    left_out = (f"{ranges(pictures, 'slide')} without text: pictures or charts",) if pictures else ()
    return Extract("slides", title, "", tuple(pieces), NOTHING_SHOWN, left_out=left_out)


def _checked(file: zipfile.ZipFile) -> dict[str, bytes]:
    """Return the few parts of an office file that are looked at; raises ValueError for a bomb, or hidden entities."""
    named = [info for info in file.infolist() if info.filename.lower().endswith((".xml", ".rels"))]
    if sum(info.file_size for info in named) > MAX_PART:
        raise ValueError(f"more than {MAX_PART // 2**20} MiB of text")
    parts: dict[str, bytes] = {}
    for info in named:
        content = file.read(info)
        if b"<!DOCTYPE" in content[:4096] or b"<!ENTITY" in content:
            raise ValueError("a document type, which no office file has")
        if info.filename in {"word/document.xml", "docProps/core.xml"}:
            parts[info.filename] = content
    return parts


def _title(parts: dict[str, bytes]) -> str:
    found = re.search(rb"<dc:title[^>]*>([^<]+)</dc:title>", parts.get("docProps/core.xml", b""))
    return webpage.squeeze(found.group(1).decode("utf-8", "replace")) if found else ""


def _slide(slide: Any, n: int) -> Iterator[Piece]:  # noqa: ANN401  # python-pptx has no types
    place = f"slide={n}"
    head = slide.shapes.title
    title = webpage.squeeze(head.text_frame.text) if head is not None and head.has_text_frame else ""
    yield Piece("heading", title or f"Slide {n}", 2, place)
    for shape in _shapes(slide.shapes):
        if head is not None and shape.shape_id == head.shape_id:
            continue
        if getattr(shape, "has_table", False) and shape.has_table:
            rows = [[webpage.squeeze(cell.text_frame.text) for cell in row.cells] for row in shape.table.rows]
            yield Piece("table", tables.as_lines(rows), place=place)
        elif shape.has_text_frame:
            said = [(webpage.squeeze(one.text), one.level) for one in shape.text_frame.paragraphs]
            said = [(text, level) for text, level in said if text]
            for text, level in said:
                yield Piece("item" if len(said) > 1 or level else "text", text, level, place)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        for line in slide.notes_slide.notes_text_frame.text.splitlines():
            yield Piece("text", webpage.squeeze(line), place=place)


def _shapes(shapes: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield shapes, those in groups too."""
    for shape in shapes:
        if shape.shape_type == _GROUP:
            yield from _shapes(shape.shapes)
        else:
            yield shape
