"""Notebooks: Jupyter's, through nbformat: text as Markdown, code as listings, of the outputs the short ones in text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ingest import webpage
from ingest.decoding import decode
from ingest.document import NOTHING_SHOWN, Piece
from ingest.forms import markdown
from ingest.message import Response

if TYPE_CHECKING:
    from ingest.extract import Extract

MOST_OUTPUT = 1_000  # characters; a longer output is a log


def read(response: Response) -> Extract:
    """Return the cells of a notebook, in order; raises ValueError where it is none."""
    from nbformat import convert, reader

    from ingest.extract import Extract

    try:
        # Without a check against the format's schema: many notebooks break it, and can be read.
        book = convert(reader.reads(decode(response.body, response.content_type)), 4)
    except Exception as error:  # it fails in as many ways as JSON can be no notebook
        raise ValueError(f"no notebook: {str(error)[:80]}") from error
    pieces = [piece for cell in book.cells for piece in _cell(cell)]
    opening = pieces[0] if pieces and pieces[0].kind == "text" else None
    title = str(book.metadata.get("title") or "") or (opening.text if opening and _names(opening.text) else "")
    return Extract("notebook", title, "", tuple(pieces), NOTHING_SHOWN)


def _names(text: str) -> bool:
    """Return whether a text is a title that its author only made bold."""
    return text.count(" ") < 10 and not text.endswith((".", ":", "!", "?"))


def _cell(cell: Any) -> Iterator[Piece]:  # noqa: ANN401  # nbformat has no types
    source = _text(cell.get("source"))
    if cell.get("cell_type") == "markdown":
        for piece in webpage.whole(markdown.to_html(source))[0] if source.strip() else ():
            yield replace(piece, place="")  # lines of a cell are none of the file's
    elif cell.get("cell_type") == "code":
        yield Piece("code", source.strip("\n"))
        for output in cell.get("outputs") or ():
            said = _text(output.get("text") or (output.get("data") or {}).get("text/plain"))
            if 0 < len(said) <= MOST_OUTPUT and not re.fullmatch(r"<[^\n]*>|Figure\([^\n]*\)", said.strip()):
                yield Piece("code", said.strip("\n"))


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
