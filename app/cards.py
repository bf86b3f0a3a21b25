"""Cards: answers, reading lists and what stands behind them, as the chat shows them.

A message is Markdown that reads well alone; the scripts of `public/` find its links by their titles and anchors and
make chips, panels and tick boxes of them. What a source or a model wrote passes through `shown`, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from urllib.parse import quote as percent_encode
from urllib.parse import urlsplit

from app import clean
from app.answer import CLOSEST, REFUSAL, Answer, Citation, Section, Sentence
from app.reading import Item, ReadingList, duration
from index.passage import Source

CITATION = "Citation"  # a link whose title begins so becomes a chip
ASK = "#ask"  # a link there asks what its title says, or else its text
WEAK = "/legend#weak"
UNSUPPORTED = "/legend#unsupported"
SOURCES = "Sources"
MISSING = "Not found on the shelf"
NEAREST = "Nearest on the shelf"
NEXT = "Ask next"
GAPS = "Gaps"
LEFT_OUT = "Fits too, but not into the time"
STAGES = {"crawl": "Crawl", "walk": "Walk", "run": "Run"}
STAGE_NOTES = {"crawl": "begin here", "walk": "then go on with", "run": "to go deep"}
READING_FOR = "Reading list for: "  # a message that begins so asks for one, in any profile
LEGEND = " · ".join(
    [
        f"[weak]({WEAK}) the source says something near to this",
        f"[unsupported]({UNSUPPORTED}) no source on the shelf says this",
    ]
)


def shown(text: str) -> str:
    """Return what a source or a model wrote as Markdown that shows it, and does nothing else."""
    return clean.markdown(text)


# --- links ----------------------------------------------------------------------------------------


def target(deep_url: str) -> str:
    """Return where a link of the chat leads: the source itself, or our page of a note; "" where it is neither.

    >>> target("ingest/starter/caching.md#L10"), target("javascript:alert(1)")
    ('/notes/caching.md#L10', '')
    """
    if re.match(r"ingest/starter/[\w.-]+\.md(?:#[\w=]*)?$", deep_url):
        return f"/notes/{deep_url.removeprefix('ingest/starter/')}"
    parts = urlsplit(deep_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    return re.sub(r"[\s<>\"\\^`{|}()\x00-\x20]", lambda found: percent_encode(found.group(0)), deep_url)


def link(text: str, url: str, title: str = "") -> str:
    """Return a Markdown link; only its text where the address may not be followed."""
    if not url:
        return text
    safe = url.replace("&", "&amp;")  # Markdown reads entities in addresses, too
    return f'[{text}](<{safe}> "{_title(title)}")' if title else f"[{text}](<{safe}>)"


def _title(text: str) -> str:
    """Return text for a link's title; as entities, nothing in it can end the title or begin something else."""
    return re.sub(r"[&<>\"\\`$*_~|^()\[\]{}]", lambda found: f"&#{ord(found.group(0))};", " ".join(text.split()))


def ask(question: str, label: str = "") -> str:
    """Return a link that asks a question when it is followed."""
    return f'[{shown(label or question)}]({ASK} "{_title(question)}")'


def site(url: str) -> str:
    """Return what a reader calls the place of a page.

    >>> site("https://www.cs.fsu.edu/x"), site("ingest/starter/caching.md")
    ('cs.fsu.edu', 'Prepshelf')
    """
    host = urlsplit(url).hostname
    return host.removeprefix("www.") if host else "Prepshelf"


# --- answers --------------------------------------------------------------------------------------


def answer(said: Answer, follow_ups: Sequence[str] = ()) -> str:
    """Return the message that shows an answer."""
    parts = [said_so_far(said)]
    if said.abstained and not said.aside:
        cited = {citation.n: citation for citation in said.citations}
        parts += [CLOSEST, *(_section(section, cited) for section in said.sections)] if said.sections else [REFUSAL]
    if any(sentence.support != "supported" for sentence in said.sentences):
        parts.append(LEGEND)
    if said.differ:
        parts.append(shown(said.differ))
    if said.missing:
        parts.append(f"###### {MISSING}\n\n{shown(said.missing)}")
    if said.nearest:
        rows = [
            " · ".join(
                filter(None, [f"- {link(shown(near.title), target(near.url))}", site(near.url), shown(near.note)])
            )
            for near in said.nearest
        ]
        parts.append(f"###### {NEAREST}\n\n" + "\n".join(rows))
    if said.citations:
        parts.append(f"###### {SOURCES}\n\n" + "\n".join(_source_row(group) for group in _by_document(said.citations)))
    asks = [f"- {ask(question)}" for question in follow_ups]
    if not said.abstained:
        asks.append(f"- {ask(READING_FOR + said.question, 'Make a reading list of this')}")
    if asks:
        parts.append(f"###### {NEXT}\n\n" + "\n".join(asks))
    return "\n\n".join(filter(None, parts))


def said_so_far(said: Answer) -> str:
    """Return the sentences of an answer with their chips; that of its beginning is the beginning of this."""
    cited = {citation.n: citation for citation in said.citations}
    text = ""
    for n, sentence in enumerate(said.sentences):
        lead = "\n- " if said.listed and sentence.lead == " " else sentence.lead
        if said.notice and n == said.notice_at:
            text += _notice(said)
            lead = "\n\n" + lead.lstrip(" \n")
        text += lead + _sentence(sentence, cited)
    text = text if said.notice_at < len(said.sentences) else text + _notice(said)
    parts = [
        text.strip(),
        *(_section(section, cited) for section in said.sections if section.rest and not said.abstained),
    ]
    return "\n\n".join(filter(None, parts))


def _notice(said: Answer) -> str:
    return f"\n\n> {shown(said.notice)}" if said.notice else ""


def _sentence(sentence: Sentence, cited: dict[int, Citation]) -> str:
    chips = "".join(chip(cited[n]) for n in sentence.citations if n in cited)
    text = shown(sentence.text)
    if text.endswith(("```", "~~~")):  # a fence ends with its line
        label = "" if sentence.support == "supported" else f"[{sentence.support}](/legend#{sentence.support}) "
        return f"{text}\n{label}{chips}".rstrip()
    if sentence.support == "weak":
        return f"*{text}* [weak]({WEAK}) {chips}".rstrip()
    if sentence.support == "unsupported":
        return f"*{text}* [unsupported]({UNSUPPORTED}) {chips}".rstrip()
    return f"{text} {chips}".rstrip()


def _section(section: Section, cited: dict[int, Citation]) -> str:
    """Return a section as a quotation under its name, the words in bold that answer."""
    text = "".join(_bold(part) if marked else shown(part) for part, marked in section.parts()).strip()
    quoted = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
    name = link(shown(section.name), target(cited[section.n].deep_url))
    return f"{name} {chip(cited[section.n])}\n\n{quoted}"


def _bold(part: str) -> str:
    """Return a stretch in bold, line by line: emphasis does not go on over the end of one."""
    lines = (shown(line) for line in part.split("\n"))
    return "\n".join(f"**{line.strip()}**" if line.strip() else line for line in lines)


def chip(citation: Citation) -> str:
    """Return the link that stands for a citation after its sentence."""
    return link(str(citation.n), target(citation.deep_url) or "/", f"{CITATION} {citation.n}: {citation.source}")


def _by_document(citations: Sequence[Citation]) -> list[list[Citation]]:
    grouped: dict[str, list[Citation]] = {}
    for citation in citations:
        grouped.setdefault(citation.url, []).append(citation)
    return list(grouped.values())


def _source_row(citations: Sequence[Citation]) -> str:
    first = citations[0]
    chips = " ".join(chip(citation) for citation in citations)
    return f"- {link(shown(first.source), target(first.deep_url))} {site(first.url)} {chips}"


def answer_record(said: Answer, sources: dict[str, Source], versions: dict[str, str]) -> dict[str, Any]:
    """Return what is kept of an answer: the answer, what each panel shows, and what made it."""
    return {
        "versions": versions,
        "answer": said.as_json(),
        "citations": [_panel(cited, sources.get(cited.url), said) for cited in said.citations],
        "nearest": [{"title": near.title, "url": target(near.url), "note": near.note} for near in said.nearest],
    }


def _panel(citation: Citation, source: Source | None, said: Answer) -> dict[str, Any]:
    supports = [sentence.support for sentence in said.sentences if citation.n in sentence.citations]
    return {
        "n": citation.n,
        "title": citation.source,
        "site": site(citation.url),
        "date": _date(source),
        "heading": list(citation.heading),
        "passage": citation.passage,
        "quote": citation.quote,
        "at": citation.passage.find(citation.quote),
        "url": citation.url,
        "open": target(citation.deep_url),
        "kind": citation.kind,
        "support": "supported" if "supported" in supports else (supports or ["supported"])[0],
    }


def _date(source: Source | None) -> str:
    if source is None or source.kind == "note":
        return ""
    if source.published:
        return f"published {source.published[:10]}"
    return f"read {source.fetched_at[:10]}" if source.fetched_at else ""


# --- reading lists --------------------------------------------------------------------------------


def reading(made: ReadingList, read: Collection[str]) -> str:
    """Return the message that shows a reading list, a card an item, ticked where it was read."""
    if not made.items:
        return "Nothing on the shelf fits this. " + " ".join(shown(gap) for gap in made.gaps)
    total = sum(item.minutes for item in made.items)
    parts = [f"{len(made.items)} to read, {duration(total)} in all. Tick what you have read; it is kept for you."]
    for stage, name in STAGES.items():
        items = [item for item in made.items if item.stage == stage]
        if items:
            spent = duration(sum(item.minutes for item in items))
            parts.append(f"### {name} · {STAGE_NOTES[stage]} · {spent}")
            parts.append("\n".join(_reading_row(item, ticked=item.url in read) for item in items))
    if made.left_out:
        rows = [f"- {_left_out_row(item)}" for item in made.left_out]
        parts.append(f"###### {LEFT_OUT}\n\n" + "\n".join(rows))
    if made.gaps:
        parts.append(f"###### {GAPS}\n\n" + "\n".join(f"- {shown(gap)}" for gap in made.gaps))
    return "\n\n".join(parts)


def _reading_row(item: Item, *, ticked: bool) -> str:
    facts = " · ".join(filter(None, [item.kind, duration(item.minutes), item.status, site(item.url), shown(item.part)]))
    lines = [f"- [{'x' if ticked else ' '}] {link(shown(item.title), target(item.deep_url or item.url))}", f"  {facts}"]
    if item.why and not item.quote:  # a reason in the resource's own words is its quote
        lines += ["", f"  {shown(item.why)}"]
    if item.quote:
        lines += ["", f"  > {shown(' '.join(item.quote.split()))}"]
    return "\n".join(lines) + "\n"


def _left_out_row(item: Item) -> str:
    return " · ".join(filter(None, [link(shown(item.title), target(item.url)), item.kind, duration(item.minutes)]))


def reading_record(made: ReadingList, versions: dict[str, str]) -> dict[str, Any]:
    """Return what is kept of a reading list."""
    items = [
        {
            "url": item.url,
            "title": item.title,
            "kind": item.kind,
            "stage": item.stage,
            "minutes": item.minutes,
            "why": item.why,
            "quote": item.quote,
            "open": target(item.deep_url or item.url),
            "status": item.status,
            "part": item.part,
        }
        for stage in STAGES  # in the order of the cards, by which the tick boxes find them
        for item in made.items
        if item.stage == stage
    ]
    return {"versions": versions, "items": items, "gaps": list(made.gaps)}


def spent(milliseconds: float) -> str:
    """Return a short time as people read it.

    >>> spent(34.2), spent(2340)
    ('34 ms', '2.3 s')
    """
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


def pieces(text: str) -> Iterator[str]:
    """Yield a message in pieces of three words that never cut a link, so that no half of one is seen.

    >>> list(pieces(' Rings scale well. [1](<https://x.org> "a b") Next.'))
    [' Rings scale well. ', '[1](<https://x.org> "a b") Next.']
    """
    yield from re.findall(r"\s*(?:(?:\[[^\]]*\]\(<[^>]*>[^)]*\)|\S)+\s*){1,3}", text)
