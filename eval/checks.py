"""Checks: what can be said, without a person or a model, about the hits and the answer for one case."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from urllib.parse import unquote

from app import support
from eval.cases import Case, matches, one_line
from ingest.address import same_page

DEPTH = 10  # hits that are looked at
FIRST = 5  # hits that a person, or a model, would read
WORDS, AT_ONCE = 300, 60  # of an answer, in which its facts are looked for; its first ones

Supports = Callable[[str, str], bool]
"""Tells whether a text (second) supports a sentence (first)."""
Page = Callable[[str], tuple[str, str]]
"""Gives a document's text, and all that its page shows, by address; "" where there is none."""
Said = Mapping[str, Any]
"""An answer in the shape that `prep ask --json` prints."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that some system found."""

    url: str
    text: str
    score: float
    heading: str = ""


def of_hits(case: Case, hits: Sequence[Found]) -> dict[str, float]:
    """Return how well hits serve a case.

    found@5: a right document is among the first five; mrr: 1 / its rank among ten; quote@5: one of the first five
    holds the words that answer; facts@5: the share of the facts that stand in the first five; words@5: how many words
    these have.
    """
    wanted = {same_page(url) for url in case.found}
    ranks = [n for n, hit in enumerate(hits[:DEPTH], 1) if same_page(hit.url) in wanted]
    read = [hit.text for hit in hits[:FIRST]]
    return {
        "found@5": float(bool(ranks) and ranks[0] <= FIRST),
        "mrr": 1 / ranks[0] if ranks else 0.0,
        "quote@5": float(any(matches(case.quote, text) for text in read)),
        "facts@5": fmean(float(any(matches(fact, text) for text in read)) for fact in case.facts),
        "words@5": float(sum(len(text.split()) for text in read)),
    }


def of_answer(case: Case, said: Said, page: Page, supports: Supports) -> dict[str, float]:
    """Return how good an answer is: what it says, and how it is cited.

    A refusal is right where nothing is known, and then its wording and citations are not looked at.
    """
    abstained = bool(said["abstained"])
    if not case.found:
        return {"refused": float(abstained)}
    return {
        "answered": float(not abstained),
        **of_facts(case, said, page),
        **of_reading(case, said),
        **of_citations(said, page, supports),
    }


def of_facts(case: Case, said: Said, page: Page) -> dict[str, float]:
    """Return what an answer holds of what it should.

    complete: the share of the facts that its first WORDS words hold; correct: 1 if they hold all of them and each
    stands in a source that it cites; cited: a right document is among its sources.
    """
    text = "" if said["abstained"] else first_words(said["answer"], WORDS)
    urls = {citation["url"] for citation in said["citations"]}
    sources = [page(url)[0] for url in urls]
    held = [matches(fact, text) for fact in case.facts]
    backed = [any(matches(fact, source) for source in sources) for fact in case.facts]
    wanted = {same_page(url) for url in case.found}
    return {
        "complete": fmean(map(float, held)),
        "correct": float(all(held) and all(backed)),
        "cited": float(any(same_page(url) in wanted for url in urls)),
    }


def of_reading(case: Case, said: Said) -> dict[str, float]:
    """Return what an answer costs its reader.

    at once: 1 if the first words hold all facts; words: how many there are; marked: the share of the words of its
    sections that the reader marked as the answer.
    """
    if said["abstained"]:
        return {"at once": 0.0}
    begun = first_words(said["answer"], AT_ONCE)
    scores = {
        "at once": float(all(matches(fact, begun) for fact in case.facts)),
        "words": float(len(said["answer"].split())),
    }
    if shown := [(section["text"], section["marks"]) for section in said.get("sections", ())]:
        marked = sum(len(text[start:end].split()) for text, marks in shown for start, end in marks)
        scores["marked"] = marked / sum(len(text.split()) for text, _ in shown)
    return scores


def first_words(text: str, count: int) -> str:
    """Return the first words of a text.

    >>> first_words("one two  three four", 3)
    'one two three'
    """
    return " ".join(text.split()[:count])


def of_citations(said: Said, page: Page, supports: Supports) -> dict[str, float]:
    """Return how well an answer is cited; nothing of it where it has no sentence.

    verbatim: the share of quotes that stand in their document where they say; unique: the share of text fragments that
    stand once on their page; deep: the share of links that open at the place, not only the page; recall and precision
    of citations as in ALCE (Gao et al. 2023, section 4), with `supports` in the place of its NLI model; unsupported:
    the share of sentences that what they cite does not support; sources: how many documents.
    """
    sentences, citations = said["sentences"], {citation["n"]: citation for citation in said["citations"]}
    if not sentences:
        return {}
    scores = {"sources": float(len({citation["url"] for citation in citations.values()}))}
    if citations:
        held = [_is_verbatim(citation, page(citation["url"])[0]) for citation in citations.values()]
        links = [citation["deep_url"] for citation in citations.values()]
        scores["verbatim"] = fmean(map(float, held))
        scores["deep"] = fmean(float("#" in link or "t=" in link) for link in links)
        if fragments := [c for c in citations.values() if ":~:text=" in c["deep_url"]]:
            once = [occurrences(c["deep_url"], page(c["url"])[1] or page(c["url"])[0]) == 1 for c in fragments]
            scores["unique"] = fmean(map(float, once))
    recalled, needed = alce(
        [
            (sentence["text"], [citations[n]["quote"] for n in sentence["citations"] if n in citations])
            for sentence in sentences
        ],
        supports,
    )
    scores["recall"] = fmean(map(float, recalled))
    scores["unsupported"] = 1 - scores["recall"]
    if needed:
        scores["precision"] = fmean(map(float, needed))
    return scores


def alce(cited: Sequence[tuple[str, Sequence[str]]], supports: Supports) -> tuple[list[bool], list[bool]]:
    """Return whether its quotes together support each sentence, and for each quote of each whether it is needed.

    A quote is needed where all of them support the sentence, and it alone does, or the others without it do not.

    >>> alce([("ab", ["a", "b", "x"])], lambda sentence, text: set(sentence) <= set(text))
    ([True], [True, True, False])
    """
    recalled: list[bool] = []
    needed: list[bool] = []
    for sentence, quotes in cited:
        whole = bool(quotes) and supports(sentence, " ".join(quotes))
        recalled.append(whole)
        for n, quote in enumerate(quotes):
            others = " ".join([*quotes[:n], *quotes[n + 1 :]])
            needed.append(whole and (supports(sentence, quote) or not supports(sentence, others)))
    return recalled, needed


def supported(sentence: str, text: str) -> bool:
    """Return whether the built-in check calls a sentence supported by a text, which must have all its numbers.

    The check weighs a number like anything else; here one that is not there settles it.

    >>> supported("A ring has 8 workers.", "A ring has 8 workers."), supported("It takes 3 GB.", "It takes 7.2 GB.")
    (True, False)
    """
    if not set(support.numbers(sentence)) <= set(support.numbers(text)):
        return False
    return support.state(support.support(sentence, text)) == "supported"


def _is_verbatim(citation: Mapping[str, Any], text: str) -> bool:
    return bool(citation["quote"]) and text[citation["start"] : citation["end"]] == citation["quote"]


def occurrences(link: str, page_text: str) -> int:
    r"""Return how often the text directive of a link matches on a page, each line of which is a block on screen.

    >>> occurrences("https://x.org/#:~:text=one,two", "one and two\none or two")
    2
    """
    raw = link.partition(":~:text=")[2].partition("&")[0].split(",")
    # What ends or begins with a hyphen is context around the match (WICG, "Text Fragments").
    parts = [one_line(unquote(part)).casefold() for part in raw if not (part.endswith("-") or part.startswith("-"))]
    if not parts or not parts[0]:
        return 0
    lines = [one_line(line).casefold() for line in page_text.splitlines()]
    first = _whole_words(parts[0])
    if len(parts) == 1:
        return sum(len(first.findall(line)) for line in lines)
    whole = "\n".join(lines)
    return sum(parts[1] in whole[match.end() :] for match in first.finditer(whole))


def _whole_words(text: str) -> re.Pattern[str]:
    """Return an expression that finds a text where it begins and ends between words, as browsers do."""
    before = r"(?<!\w)" if text[0].isalnum() else ""
    after = r"(?!\w)" if text[-1].isalnum() else ""
    return re.compile(f"{before}{re.escape(text)}{after}")
