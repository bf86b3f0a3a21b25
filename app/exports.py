"""Exports: what was shown, as files that stand alone: Markdown with citations, and CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.answer import CLOSEST
from app.cards import STAGES, link, shown
from app.reading import duration
from app.records import Record

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that begins so


def as_markdown(record: Record, *, level: int = 1) -> str:
    """Return an answer or reading list as Markdown, its citations as numbered sources with their quotes."""
    body = _reading(record) if record.kind == "reading" else _answer(record)
    return f"{'#' * level} {shown(record.question)}\n\n{body}\n"


def _answer(record: Record) -> str:
    said, citations = record.body["answer"], record.body["citations"]
    opens = {cited["n"]: cited["open"] for cited in citations}
    lines = []
    for sentence in said["sentences"]:
        marks = "".join(link(f"\\[{n}\\]", opens.get(n, "")) for n in sentence["citations"])
        note = "" if sentence["support"] == "supported" else f" ({sentence['support']})"
        lines.append(f"{shown(sentence['text'])}{note} {marks}".rstrip())
    sections = said.get("sections", [])  # an answer of an earlier version has none
    parts = [" ".join(lines) or ("" if sections else shown(said["answer"]))]
    if sections and said["abstained"]:
        parts.append(CLOSEST)
    parts += [_section(section, opens) for section in sections]
    if said.get("differ"):
        parts.append(shown(said["differ"]))
    if said["missing"]:
        parts.append(f"Not found on the shelf: {shown(said['missing'])}")
    if citations:
        parts.append("Sources:\n\n" + "\n".join(_source(cited) for cited in citations))
    return "\n\n".join(filter(None, parts))


def _section(section: Mapping[str, Any], opens: Mapping[int, str]) -> str:
    name = shown(" › ".join(filter(None, [section["title"], section["heading"].rpartition(" > ")[2]])))
    quoted = "\n".join(f"> {shown(line)}".rstrip() for line in section["text"].split("\n"))
    return f"{link(name, opens.get(section['n'], ''))} \\[{section['n']}\\]\n\n{quoted}"


def _source(cited: Mapping[str, Any]) -> str:
    about = " · ".join(filter(None, [cited["site"], *cited["heading"][-1:], cited["date"]]))
    quote = shown(" ".join(cited["quote"].split()))
    return f"{cited['n']}. {link(shown(cited['title']), cited['open'])} · {shown(about)}: “{quote}”"


def _reading(record: Record) -> str:
    parts = []
    for stage, name in STAGES.items():
        items = [item for item in record.body["items"] if item["stage"] == stage]
        if items:
            parts.append(f"**{name}**\n\n" + "\n".join(_item(item) for item in items))
    if gaps := record.body["gaps"]:
        parts.append("Gaps:\n\n" + "\n".join(f"- {shown(gap)}" for gap in gaps))
    return "\n\n".join(parts)


def _item(item: Mapping[str, Any]) -> str:
    facts = ", ".join(filter(None, [item["kind"], duration(item["minutes"]), item["status"], item.get("part")]))
    why = "" if item["quote"] else f" {shown(item['why'])}"
    quote = f" “{shown(' '.join(item['quote'].split()))}”" if item["quote"] else ""
    return f"- [ ] {link(shown(item['title']), item['open'])} ({shown(facts)}):{why}{quote}"


def reading_as_csv(record: Record, read: Collection[str]) -> str:
    """Return a reading list as CSV, a row an item; no cell is a formula."""
    out = io.StringIO()
    columns = ["stage", "title", "url", "kind", "minutes", "status", "why", "quote"]
    writer = csv.writer(out)
    writer.writerow([*columns, "read"])
    for item in record.body["items"]:
        cells = [str(item[column]) for column in columns]
        safe = [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
        writer.writerow([*safe, "yes" if item["url"] in read else "no"])
    return out.getvalue()


def thread_as_markdown(name: str, steps: Sequence[Mapping[str, Any]], records: Sequence[Record]) -> str:
    """Return a conversation as Markdown: each question, then what was answered with its sources."""
    by_step = {record.step: record for record in records}
    parts = [f"# {shown(name)}"]
    for step in steps:
        if step["type"] == "user_message":
            parts.append(f"## {shown(' '.join(step['output'].split()))}")
        elif record := by_step.get(step["id"]):
            parts.append(_reading(record) if record.kind == "reading" else _answer(record))
        elif step["type"] == "assistant_message":
            parts.append(str(step["output"]))
    return "\n\n".join(parts) + "\n"
