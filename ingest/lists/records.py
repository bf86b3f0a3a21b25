"""Records: lists that programs export: CSV, JSON, OPML, sitemaps, and plain lines of addresses."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest.lists.found import Found, label

_URL = re.compile(r"https?://[^\s<>\"'|]*[^\s<>\"'|.,;:!?)\]]", re.IGNORECASE)
# What exporters call their columns and fields, the surest first.
_ADDRESS = "url link href uri address web_url resolved_url given_url source_url".split()
_TITLE = "title name text resolved_title given_title description".split()
_FOLDERS = "folder collection category folders collections categories group list section parent path".split()
_TAGS = "tags tag tag_names keywords keyword labels label".split()
_NOTE = "note notes comment comments description extended annotation selection excerpt abstract".split()
_CHILDREN = "children bookmarks results items links entries roots list data".split()
MAX_DEPTH = 40


def of_csv(source: str) -> list[Found]:
    """Return the links of a table, its columns known by their names, or by what stands in them.

    Raises ValueError where no column holds addresses.
    """
    try:
        dialect: Any = csv.Sniffer().sniff(source[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = [row for row in csv.reader(io.StringIO(source), dialect) if any(cell.strip() for cell in row)]
    names = [cell.strip().lower().replace(" ", "_") for cell in rows[0]] if rows else []
    if not any(name in names for name in _ADDRESS) or any(_URL.match(cell.strip()) for cell in rows[0]):
        return [found for row in rows if (found := _bare_row(row))]
    return [found for row in rows[1:] if (found := _of_record(dict(zip(names, row, strict=False)), ()))]


def _bare_row(row: Sequence[str]) -> Found | None:
    """Return the link of a row in a table without a head: its address, its first other words, and the rest."""
    cells = [cell.strip() for cell in row if cell.strip()]
    url = next((cell for cell in cells if _URL.match(cell)), "")
    words = [cell for cell in cells if cell != url and not cell.isdigit()]
    return Found(url, words[0] if words else "", ("",), " ".join(words[1:])) if url else None


def of_json(source: str) -> list[Found]:
    """Return the links of an export in JSON, of whatever program: folders are topics, and tags; raises ValueError."""
    try:
        return list(_walk(json.loads(source), (), 0))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _walk(value: object, path: tuple[str, ...], depth: int) -> Iterator[Found]:
    if depth > MAX_DEPTH:
        raise ValueError("it is nested too deep")
    if isinstance(value, list):
        for one in value:
            yield from _walk(one, path, depth + 1)
    elif isinstance(value, dict):
        record = {str(key).lower(): inner for key, inner in value.items()}
        if isinstance(content := record.get("content"), dict) and not _address_in(record):  # Karakeep
            record = {**{str(key).lower(): inner for key, inner in content.items()}, **_given(record)}
        if found := _of_record(record, path):
            yield found
            return
        title = _first(record, _TITLE)
        holders = [key for key in _CHILDREN if isinstance(record.get(key), list | dict)]
        inner = (*path, title) if title and holders else path
        named = set(holders) or {key for key, each in record.items() if isinstance(each, list | dict)}
        for key in record:
            if key in named:
                yield from _walk(record[key], inner, depth + 1)


def _given(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value not in (None, "")}


def _address_in(record: Mapping[str, Any]) -> str:
    """Return the web address in a record; of a work without one, where its DOI leads."""
    found = next((url for name in _ADDRESS if (url := _URL.match(str(record.get(name) or "").strip()))), None)
    if found:
        return found.group()
    doi = re.search(r"10\.\d{4,9}/\S+", str(record.get("doi") or ""))
    return f"https://doi.org/{doi.group()}" if doi else ""


def _of_record(record: Mapping[str, Any], path: tuple[str, ...]) -> Found | None:
    if not (url := _address_in(record)):
        return None
    folder = [step.strip() for step in re.split(r"\s*[/>]\s*", _first(record, _FOLDERS)) if step.strip()]
    topics = [" > ".join([*path, *folder])] + [tag for name in _TAGS for tag in _tags(record.get(name))]
    title = _first(record, _TITLE)
    note = next((said for name in _NOTE if (said := _first(record, (name,))) and said != title), "")
    return Found(url, title, tuple(dict.fromkeys(filter(None, topics))) or ("",), note)


def _first(record: Mapping[str, Any], names: Sequence[str]) -> str:
    values = (record.get(name) for name in names)
    return next((" ".join(value.split()) for value in values if isinstance(value, str) and value.strip()), "")


def _tags(value: object) -> list[str]:
    """Return tags as exporters write them: a list, or words with commas, bars or blanks between them."""
    if isinstance(value, str):
        parts: list[object] = list(re.split(r"[,;|]", value) if re.search(r"[,;|]", value) else [value])
    else:
        parts = list(value) if isinstance(value, list) else []
    named = (_first(part, ("tag", "name", "title")) if isinstance(part, dict) else str(part) for part in parts)
    return [tag for each in named if (tag := each.strip().lstrip("#"))]


# --- XML ------------------------------------------------------------------------------------------


def of_xml(source: bytes) -> list[Found]:
    """Return the links of an OPML file, its outlines as topics, or of a sitemap; raises ValueError."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(source, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error
    if root is None:
        raise ValueError("no XML")
    if root.find(".//outline") is not None:
        return list(_outlines(root.find("body") if root.find("body") is not None else root))
    places = [(place.text or "").strip() for place in root.iterfind(".//{*}loc")]
    return [Found(url, topics=("",)) for url in places if _URL.match(url) and not re.search(r"\.xml(?:\.gz)?$", url)]


def _outlines(root: Any) -> Iterator[Found]:  # noqa: ANN401  # an element of lxml's
    stack: list[tuple[Any, tuple[str, ...]]] = [(outline, ()) for outline in reversed(root.findall("outline"))]
    while stack:
        outline, path = stack.pop()
        title = " ".join((outline.get("title") or outline.get("text") or "").split())
        urls = (outline.get(name) or "" for name in ("url", "htmlUrl", "xmlUrl"))
        url = next((url for url in urls if _URL.match(url)), "")
        if url:
            tags = _tags(outline.get("category"))
            topics = tuple(dict.fromkeys(filter(None, [" > ".join(path), *tags]))) or ("",)
            yield Found(url, title, topics, outline.get("description") or "")
        inner = path if url else (*path, title) if title else path
        stack += [(each, inner) for each in reversed(outline.findall("outline"))]


# --- lines ----------------------------------------------------------------------------------------


def of_lines(source: str) -> list[Found]:
    r"""Return the links of plain lines, as OneTab and people keep them: a line without one above others is a topic.

    >>> [(one.url, one.title, one.topics) for one in of_lines("Storage:\nhttps://a.test/x | Leases\nhttps://a.test/y")]
    [('https://a.test/x', 'Leases', ('Storage',)), ('https://a.test/y', '', ('Storage',))]
    """
    found: list[Found] = []
    topic = ""
    for line in source.splitlines():
        urls = _URL.findall(line)
        if not urls:
            topic = line.strip().strip("#*=- ").rstrip(":") or topic
            continue
        words = label(re.sub(r"\s+", " ", _URL.sub(" ", line)))
        found += [Found(url, words if n == 0 else "", (topic,)) for n, url in enumerate(urls)]
    return found
