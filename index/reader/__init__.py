"""The reader: small models trained for Prepshelf that tell whether a passage answers a question, and which words do.

The wide one orders many candidates by token vectors made at indexing; the narrow one reads a few passages together
with the question; the third tells whether sentences support a claim. All start from all-MiniLM-L6-v2.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.reader.narrow import Reader


def load(folder: str = "", *, engines: Path | None = None) -> Reader:
    """Return the narrow reader: "" is the built-in one, else the folder of a cross-encoder.

    `engines` is a folder that remembers that the built-in one was checked on this machine. Raises ShelfError if it
    cannot be loaded.
    """
    if folder:
        from index.slow import CrossEncoder

        return CrossEncoder(Path(folder).expanduser(), setting="PREPSHELF_READER")
    from index.reader import cross

    return cross.load("narrow", engines=engines)
