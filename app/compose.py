"""Compose: from scored sentences to an answer that reads from top to bottom."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.answer import Length
from app.extractive import Candidate
from app.question import Question
from app.support import numbers
from index.lexical import terms
from index.passage import Hit

LENGTH = {"number": 5, "when": 4, "who": 4, "where": 4, "define": 6}
USUAL_LENGTH = 8  # sentences
FEWEST = 3
CORE = 8.0  # log-odds that a sentence gains if all its words are used by all other sources
FEW_WORDS = 8  # new words, below which a sentence gains less
DEFINES = 1.5  # log-odds that a sentence gains that says what is asked about, where none does yet
FACET = 0.8  # log-odds that a sentence gains for a side of an explanation that the answer lacks
CORROBORATES = 4.0  # log-odds: so much less likely than the best may be a sentence of a second source
ANOTHER = 3.0  # log-odds that it loses for saying what something else is
LONG = 1.5  # times as many sentences in an answer that is wanted long
MOST_ITEMS = 12
ALIKE = 1.0  # log-odds that a sentence loses for being quite like one that was taken
AGAIN = 0.15  # log-odds that it loses for each sentence that its source has given
OURS = 2  # sentences of this project's own notes, after which
OURS_AGAIN = 0.5  # is what another of them loses for each: an answer is to prove itself by what others wrote
BEHIND = 5.0  # log-odds: a sentence so much less likely than the best one is not worth the reading
NEAR_REPEAT = 0.9  # cosine of two sentences that say the same

_ENDS = re.compile(r"[.!:)\]\"”’`$%\w]$")
_OPENS = re.compile(r"[A-Z0-9\"“'‘(`$\\]|[a-z]+[A-Z0-9_(/.\-]")  # a capital, or a name such as kubelet-1
_LEANS_HARD = re.compile(
    r"(?:note ?:? ?)?(?:this|that|these|those|it|its|they|their|he|she|here|there|so|then|therefore|thus|hence"
    r"|instead|otherwise"
    r"|moreover|furthermore|similarly|likewise|in this case|in that case|as a result"
    r"|the (?:former|latter|above|following|same|previous|other))\b",
    re.IGNORECASE,
)
_ABOUT_ITSELF = re.compile(  # what a page says of itself, its writers or its readers
    r"\b(?:we(?:'re| are)|i(?:'m| am)) (?:excited|pleased|happy|thrilled|proud) to\b|\bread on\b|\bto learn more\b"
    r"|\bstay tuned\b|\bsee also\b|\bthanks? (?:to|you)\b|\bnewsletter\b|\ball rights reserved\b"
    r"|\bplease (?:see|refer|read|check|visit|make|open|submit|file|send|contact)\b"
    r"|\bthis (?:blog )?post\b|\bfor more (?:information|details)\b"
    r"|\b(?:rest|remainder) of (?:the|this) (?:\w+ )?(?:post|article|section|chapter|paper|guide|tutorial|series)\b"
    r"|\bunder an open.source licen[cs]e\b|\bbefore we (?:jump|dive|get|go|start|begin)\b"
    r"|\blet'?s (?:first |now )?(?:jump|dive|look|see|start|understand|take an? (?:\w+ )?look|talk|discuss)\b"
    r"|\bwe(?:'ll| will| are going to) (?:look|see|discuss|cover|explore|talk|expand|go (?:over|through))\b"
    r"|\byou have (?:now|successfully|completed)\b"
    r"|\bin this (?:lab|module|section|exercise|chapter|workshop|tutorial|article|guide|course|lesson)\b"
    r"|^(?:(?:the |as |in )?(?:following |next )?(?:figure|table|diagram|chart|listing)\b[^.]*\bshow(?:s|n|ed)?\b)"
    r"|\b(?:shown|seen|see|described|mentioned|discussed|example) (?:above|below)\b|\bin the above\b"
    r"|^well,"  # an answer to a question that the page put
    r"|^[\"“][^\"”]*$",  # speech, of which this is a part
    re.IGNORECASE,
)
_FACETS = (  # what an explanation of how something works consists of, besides what it is
    re.compile(r"\b(?:phases?|stages?|sends?|exchang\w+|receiv\w+|passes|\w+ steps)\b", re.IGNORECASE),
    re.compile(r"\b(?:splits?|divides?|first\b.*\bthen)\b", re.IGNORECASE),
    re.compile(
        r"(?:\d|\bN\b|O\().*\b(?:steps|bytes|times|transfers|operations|messages|seconds|copies|memory|bandwidth"
        r"|latency)\b"
    ),
    re.compile(r"\b(?:because|so that|independent of|constant|regardless|however many|therefore)\b", re.IGNORECASE),
)
_DEFINES = re.compile(
    r"(?:an? |the )?([\w\-/() ]{2,60}?)"
    r" (?:(?:is|are) (?:an?|the|one|two|three|four|when|where|how|\w+ing)|refers? to|means?)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d\s?(?:%|[µnm]?s\b|[KMGTkmgt]i?[Bb]\b|[a-z]{3,}s\b)")
_CONNECTS = re.compile(
    r"(?:however|but|and|or|also|for example|for instance|again|second|finally|next|then)\b", re.IGNORECASE
)
_CONCLUDES = re.compile(  # and stands without what came before
    r"(?:so|therefore|thus|hence|moreover|furthermore)\b(?!,? (?:this|that|these|those|it|its|they|their)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Composed:
    """The sentences of an answer in reading order."""

    sentences: tuple[Candidate, ...]
    listed: bool = False  # they are items of a list


def compose(
    question: Question, scored: Sequence[Candidate], length: Length = "standard", *, parts: int = 1
) -> Composed:
    """Return the sentences that answer a question, best document first; none where nothing was found.

    `scored` is in order of score, best first; `parts` questions share the room of one answer.
    """
    if question.kind == "list" and (items := _items(scored)):
        return Composed(tuple(items), listed=True)
    most = LENGTH.get(question.kind, USUAL_LENGTH)
    most = {"short": FEWEST, "standard": most, "long": round(LONG * most)}[length]
    return Composed(tuple(_in_order(question, _picked(question, scored, max(FEWEST, most // parts)))))


# --- sentences ------------------------------------------------------------------------------------


def fit(quote: str) -> bool:
    """Return whether a stretch is a sentence that can stand in an answer: no heading, debris or question.

    >>> fit("Rings scale well."), fit("Why do rings scale?"), fit("x = y_1 + { } ;"), fit("They share $f(. by far.")
    (True, False, False, False)
    >>> fit("Well, it is none of them."), fit("Table 4 shows the loss of both."), fit('"One of the best books.')
    (False, False, False)
    """
    words = quote.split()
    if not 3 <= len(words) <= 80 or quote.endswith("?") or not _OPENS.match(quote) or not _ENDS.search(quote):
        return False
    if quote.endswith(":") or _ABOUT_ITSELF.search(quote):
        return False
    if quote.count("$") % 2 and not re.search(r"\$\d", quote):  # half a formula
        return False
    if quote.count("=") > 1 or sum(len(word) == 1 for word in words) > 0.4 * len(words):  # a formula
        return False
    letters = sum(character.isalpha() for character in quote)
    return letters >= 0.6 * len(quote.replace(" ", "")) and any(word.islower() for word in words)


def whole(quote: str) -> bool:
    """Return whether a stretch is a full sentence: long enough, and closed."""
    return quote.count(" ") >= 4 and bool(re.search(r"[.!:)\"”’`$]$", quote))


def _tells(question: Question, quote: str) -> bool:
    """Return whether a stretch may answer a question: a sentence, or a line with the number that is asked for."""
    if question.kind == "number" and _FIGURE.search(quote):  # "target: latency < 5 ms"
        return fit(quote[:1].upper() + quote[1:]) and quote.count(" ") >= 4
    return fit(quote) and whole(quote)


def leans(quote: str) -> bool:
    """Return whether a sentence needs the one before it to be understood."""
    return bool(_LEANS_HARD.match(quote) or _CONNECTS.match(quote))


def _picked(question: Question, scored: Sequence[Candidate], most: int) -> list[Candidate]:
    """Take sentences one by one: the best that is left, less for what was said already and for a source used before."""
    pool = [one for one in scored if _tells(question, one.quote)]
    if not pool:
        return []
    pool = _by_core(question, pool)
    floor = pool[0].score - BEHIND
    pool = [one for one in pool if one.score > floor - BEHIND]
    chosen: list[Candidate] = _leading_each_side(pool, [frozenset(terms(side)) for side in question.sides])
    while len(chosen) < most:
        open_to = [one for one in pool if one not in chosen and not any(repeats(one, other) for other in chosen)]
        if not open_to:
            break
        worth = {id(one): one.score - _said(one, chosen) + _completes(question, one, chosen) for one in open_to}
        one = max(open_to, key=lambda one: worth[id(one)])
        if worth[id(one)] < floor and len(chosen) >= FEWEST:
            break
        needed = _antecedent(one, scored, chosen)
        pool.remove(one)
        if needed is not None and len(chosen) + len(needed) < most:
            chosen += [*needed, one]
    return _corroborated(question, chosen, pool)


def _by_core(question: Question, pool: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates with what they gain for saying what other sources speak of, too, best first.

    A word that many sources use about a subject belongs to its core (the centroid of Radev et al. 2004).
    """
    said: dict[str, set[str]] = {}
    for one in pool:
        said.setdefault(one.hit.source.url, set()).update(terms(one.hit.passage.text))
    if len(said) < 2:
        return list(pool)

    def core(one: Candidate) -> float:
        new = one.words - question.subject
        others = [words for url, words in said.items() if url != one.hit.source.url]
        return sum(word in words for word in new for words in others) / (len(others) * max(len(new), FEW_WORDS))

    gained = (replace(one, score=one.score + CORE * core(one)) for one in pool)
    return sorted(gained, key=lambda one: -one.score)


def _completes(question: Question, one: Candidate, chosen: Sequence[Candidate]) -> float:
    """Return what a sentence gains for a side of an explanation that the answer lacks, in log-odds."""
    gained = 0.0
    if question.kind in {"how", "define"} and not any(defines(question, other) for other in chosen):
        gained += DEFINES * defines(question, one)
    if question.kind == "how":
        open_to = (facet for facet in _FACETS if not any(facet.search(other.quote) for other in chosen))
        gained += FACET * sum(bool(facet.search(one.quote)) for facet in open_to)
    return gained


def _corroborated(question: Question, chosen: list[Candidate], pool: Sequence[Candidate]) -> list[Candidate]:
    """Return the answer with a second source that others wrote, where a sentence of one is nearly as good."""
    known = {one.hit.source.url for one in chosen if one.hit.source.kind != "note"}
    if len(known) > 1 or len(chosen) < FEWEST:
        return chosen
    others = [
        one
        for one in pool
        if one.hit.source.kind != "note"
        and one.hit.source.url not in known
        and one.score > chosen[0].score - CORROBORATES
        and not _LEANS_HARD.match(one.quote)
        and not any(repeats(one, other) for other in chosen)
    ]
    if not others:
        return chosen
    second = max(
        others,
        key=lambda one: one.score + _completes(question, one, ()) - ANOTHER * _introduces_another(question, one),
    )
    notes = [one for one in chosen if one.hit.source.kind == "note"]
    weakest = min(notes[1:], key=lambda one: (_completes(question, one, ()), one.score), default=None)
    return [*(one for one in chosen if one is not weakest), second]


def _said(one: Candidate, chosen: Sequence[Candidate]) -> float:
    """Return what a sentence loses for what stands in the answer already, in log-odds."""
    if not chosen:
        return 0.0
    alike = max(float(one.vector @ other.vector) for other in chosen)
    same_source = sum(other.hit.source.url == one.hit.source.url for other in chosen)
    noted = sum(other.hit.source.kind == "note" for other in chosen) if one.hit.source.kind == "note" else 0
    return ALIKE * max(0.0, alike) + AGAIN * same_source + OURS_AGAIN * max(0, noted - OURS)


def _leading_each_side(pool: Sequence[Candidate], sides: Sequence[frozenset[str]]) -> list[Candidate]:
    """Return for each side of a comparison the best sentence about it."""
    found = []
    for side in sides:
        about = [one for one in pool if len(side & one.words) >= 0.6 * len(side)]
        found += [one for one in about[:1] if one not in found]
    return found


def _antecedent(one: Candidate, pool: Sequence[Candidate], chosen: Sequence[Candidate]) -> list[Candidate] | None:
    """Return the sentence that must stand before one that leans on it: [] needs none, None where none is fit to."""
    if not _LEANS_HARD.match(one.quote) or any(_follows(one, other) for other in chosen):
        return []
    before = (other for other in pool if _follows(one, other) and not _LEANS_HARD.match(other.quote))
    return next(([other] for other in before if fit(other.quote)), [] if _CONCLUDES.match(one.quote) else None)


def _follows(one: Candidate, other: Candidate) -> bool:
    if one.hit.number == other.hit.number:
        return one.place == other.place + 1
    last = len(other.hit.passage.sentences) - 1
    return one.place == 0 and other.place == last and one.hit.follows(other.hit)


def repeats(one: Candidate, other: Candidate) -> bool:
    """Return whether two sentences say the same; sentences of two sources with other numbers in them do not."""
    if one.hit.source.resource != other.hit.source.resource and numbers(one.quote) != numbers(other.quote):
        return False
    if one.hit.number != other.hit.number and float(one.vector @ other.vector) > NEAR_REPEAT:
        return True
    return len(one.words & other.words) > 0.65 * len(one.words | other.words)


def _in_order(question: Question, chosen: Sequence[Candidate]) -> list[Candidate]:
    """Order sentences by document, the one that leads first, each document's as they stand in it."""
    groups: dict[str, list[Candidate]] = {}
    for one in chosen:
        groups.setdefault(one.hit.source.url, []).append(one)

    def rank(group: Sequence[Candidate]) -> tuple[bool, float]:
        introduces = question.kind in {"how", "define", "other", "why"} and any(defines(question, one) for one in group)
        return not introduces, -max(one.score for one in group)

    ordered = sorted(groups.values(), key=rank)
    return [one for group in ordered for one in sorted(group, key=lambda one: (one.hit.passage.start, one.place))]


def defines(question: Question, one: Candidate) -> bool:
    """Return whether a sentence says what the subject of a question is."""
    head = _DEFINES.match(one.quote)
    named = set(terms(head.group(1))) if head else set()
    return bool(named) and named <= question.subject


def _introduces_another(question: Question, one: Candidate) -> bool:
    """Return whether a sentence says what something else is: a library, say, that has the subject in its name."""
    head = re.match(r"([\w\-]+(?: [\w\-]+)?) is an? ", one.quote)
    return head is not None and not set(terms(head.group(1))) <= question.subject


# --- lists ----------------------------------------------------------------------------------------


def _items(scored: Sequence[Candidate]) -> list[Candidate]:
    """Return the items of the list that answers a question; none where no list does."""
    best: list[Candidate] = []
    best_score = 0.0
    hits = {one.hit.number: one.hit for one in scored}
    for number in dict.fromkeys(one.hit.number for one in scored if one.rank <= 5):
        stretch = _together(number, hits)
        mine = sorted((one for one in scored if one.hit.number in stretch), key=lambda one: (one.hit.number, one.place))
        opening = [one for one in mine if _opens_item(one)]
        if len(opening) < 3:
            continue
        context = max(one.features[2] for one in mine)
        score = float(context) + max(float(one.features[3]) for one in mine)
        if context >= 0.6 and score > best_score:
            best, best_score = opening[:MOST_ITEMS], score
    return best


def _together(number: int, hits: Mapping[int, Hit]) -> range:
    """Return the numbers of the hits that make one stretch of a document with a hit: a list may be cut in two."""
    first = last = number
    while first - 1 in hits and hits[first].follows(hits[first - 1]):
        first -= 1
    while last + 1 in hits and hits[last + 1].follows(hits[last]):
        last += 1
    return range(first, last + 1)


def _opens_item(one: Candidate) -> bool:
    text, start = one.hit.passage.text, one.span[0]
    line = text.rfind("\n", 0, start) + 1
    return bool(re.fullmatch(r"\s*(?:[-*•]|\d{1,2}[.)])\s+", text[line:start]))
