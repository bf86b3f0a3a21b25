"""Manifest: what a shelf says of itself, read without any of what a search needs: `prep status` is to be quick."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index import ShelfError

FORMAT = 8  # of the files below; a shelf of another format is rebuilt
POINTER = "current"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a shelf is made of and by."""

    version: str
    format: int
    encoder: str
    dimension: int
    width: int  # components of a token vector; 0: there are none
    splitter: str
    source: str  # fingerprint of the documents
    built_at: str
    documents: int
    passages: int
    sentences: int
    files: dict[str, str]  # sha256 of each


def describe(shelves: Path) -> Manifest | None:
    """Return the manifest of the shelf that serves, None where there is none.

    Raises ShelfError where it is damaged.
    """
    try:
        version = (shelves / POINTER).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    path = shelves / version / "manifest.json"
    try:
        return Manifest(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise ShelfError(f"{path} cannot be read ({error}); run `prep index` to build the shelf anew.") from error


def check(manifest: Manifest, shelves: Path) -> None:
    """Compare a shelf's files with their checksums; raises ShelfError where one is not what was published."""
    folder = shelves / manifest.version
    for name, digest in manifest.files.items():
        # Damaged FAISS files load without complaint about half of the time: compare before it sees a byte.
        if not (folder / name).exists() or sha256(folder / name) != digest:
            raise ShelfError(f"{folder / name} is not what was published; run `prep index` to build the shelf anew.")


def sha256(path: Path) -> str:
    """Return the checksum of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def as_json(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest for people and scripts, without the files' checksums."""
    return {key: value for key, value in asdict(manifest).items() if key != "files"}
