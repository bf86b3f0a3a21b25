"""Manifest: what a shelf says of itself, and whether every byte of it is what was published.

`current` names a folder; its manifest carries the checksums of all other files, and one of itself. Where any of that
does not hold, the newest shelf of which all holds takes its place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from index import ShelfError

FORMAT = 9  # of the files below; a shelf of another format is rebuilt
POINTER = "current"
NAME = "manifest.json"
_CURE = "run `prep index` to build the shelf anew"


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
    left_out: dict[str, int] = field(default_factory=dict)  # paragraphs that address a model, by resource
    checksum: str = ""  # sha256 of all of the above as it is written

    def sealed(self) -> Manifest:
        """Return the manifest with its checksum."""
        return replace(self, checksum=hashlib.sha256(replace(self, checksum="").written()).hexdigest())

    def written(self) -> bytes:
        """Return the manifest as its file holds it."""
        return json.dumps(asdict(self), indent=1).encode()


def describe(shelves: Path) -> Manifest | None:
    """Return the manifest of the shelf that serves, None where there is none; its other files are not looked at.

    Raises ShelfError where no manifest can be read.
    """
    problems: list[ShelfError] = []
    for version in _versions(shelves, problems):
        try:
            return _read(shelves / version)
        except ShelfError as error:
            problems.append(error)
    if problems:
        raise problems[0]
    return None


def sound(shelves: Path) -> tuple[Manifest | None, list[str]]:
    """Return the manifest of the first shelf that is what was published, and what is wrong with those before it.

    The first is the one pointed at, then comes the newest. A shelf of another format is left to whoever opens it: its
    checksums are not known.
    """
    problems: list[ShelfError] = []
    return next(_sound(shelves, problems), None), list(map(str, problems))


def survey(shelves: Path) -> tuple[Manifest | None, list[str]]:
    """Return what `sound` does, with what is wrong with any of the shelves that are there."""
    problems: list[ShelfError] = []
    found = list(_sound(shelves, problems))
    return found[0] if found else None, list(map(str, problems))


def _sound(shelves: Path, problems: list[ShelfError]) -> Iterator[Manifest]:
    for version in _versions(shelves, problems):
        try:
            manifest = _read(shelves / version)
            if manifest.format == FORMAT:
                check(manifest, shelves)
            yield manifest
        except ShelfError as error:
            problems.append(error)


def _versions(shelves: Path, problems: list[ShelfError]) -> Iterator[str]:
    """Yield the names of the shelves: the one pointed at, then the others, newest first.

    What is wrong with the pointer goes to `problems`.
    """
    there = versions(shelves)
    pointer = shelves / POINTER
    try:
        given = pointer.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        given = None
        if there:
            problems.append(ShelfError(f"{pointer} is gone; run `prep index` to write it anew."))
    except OSError as error:
        given = b""
        problems.append(ShelfError(f"{pointer} cannot be read ({error.strerror}); see that it may be read."))
    pointed = next((name for name in there if name.encode() == given), None)
    if given and not pointed:
        problems.append(ShelfError(f"{pointer} names no shelf that is here; {_CURE}."))
    elif given == b"" and not problems:
        problems.append(ShelfError(f"{pointer} is empty; {_CURE}."))
    yield from ([pointed] if pointed else [])
    yield from (name for name in there if name != pointed)


def versions(shelves: Path) -> list[str]:
    """Return the names of all published shelves, newest first: a name begins with when it was built."""
    try:
        found = [path.name for path in shelves.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found, key=lambda name: (name[:16], (shelves / name).stat().st_mtime_ns), reverse=True)


def _read(folder: Path) -> Manifest:
    """Return the manifest in a shelf's folder; raises ShelfError where it is not what was published."""
    path = folder / NAME
    try:
        content = path.read_bytes()
        said = json.loads(content)
        if isinstance(said, dict) and isinstance(said.get("format"), int) and said["format"] != FORMAT:
            known = {name: said.get(name) for name in Manifest.__dataclass_fields__}
            return Manifest(**known | {"version": folder.name, "files": {}})  # type: ignore[arg-type]  # of other times
        manifest = Manifest(**said)
        if manifest.sealed().written() != content or manifest.version != folder.name:
            raise ValueError("it is not what was published")
        return manifest
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ShelfError(f"{path} cannot be read ({error}); {_CURE}.") from error


def check(manifest: Manifest, shelves: Path) -> None:
    """Compare a shelf's files with their checksums; raises ShelfError where one is not what was published."""
    folder = shelves / manifest.version
    for name, digest in manifest.files.items():
        # Damaged FAISS files load without complaint about half of the time: compare before it sees a byte.
        try:
            same = sha256(folder / name) == digest
        except OSError:
            same = False
        if not same:
            raise ShelfError(f"{folder / name} is not what was published; {_CURE}.")


def sha256(path: Path) -> str:
    """Return the checksum of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def as_json(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest for people and scripts, without checksums."""
    return {key: value for key, value in asdict(manifest).items() if key not in {"files", "checksum"}}
