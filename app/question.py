"""Question: what kind of answer is asked for, and what a follow-up leaves unsaid."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from index.lexical import terms

Kind = Literal["list", "compare", "number", "when", "who", "where", "why", "define", "how", "other"]

LIST, COMPARE, NUMBER = "list", "compare", "number"

_PATTERNS: tuple[tuple[Kind, str], ...] = (
    (
        "compare",
        r"\bvs\b\.?|\bversus\b|\bdiffer(?:s|ent|ence|ences)?\b|\bcompare|\bcomparison\b|\b(?:better|worse|faster"
        r"|cheaper) than\b"
        r"|^(?:should i|when (?:should|would|do) (?:i|you|we)) .*\bor\b|^which (?:is|one|of)\b.*\bor\b",
    ),
    (
        "list",
        r"^(?:list|name|enumerate)\b|^give (?:me )?(?:\w+ )?(?:examples|reasons|ways)"
        r"|^(?:what|which) (?:are|were) (?!an? )(?:\w+[ -]){0,5}?(?:types|kinds|steps|stages|phases|states|ways"
        r"|parts|components"
        r"|principles|conditions|rules|options|advantages|disadvantages|benefits|drawbacks|pros|cons|reasons|factors|patterns"
        r"|properties|levels|modes|strategies|techniques|methods|examples|metrics|categories|elements|features|guarantees|goals"
        r"|requirements|layers|tradeoffs|trade-offs|problems|challenges|differences|namespaces|baselines)\b"
        r"|\b(?:types|kinds|examples|steps|stages|phases|states|ways|parts|components|pillars|advantages"
        r"|disadvantages|pros and cons"
        r"|principles) (?:of|to|for|in|when)\b|^(?:which|what) [\w-]+(?:s|es) (?:does|do|can|should|are|exist|make)\b"
        r"|\bconsists? of\b|\bwhat (?:can|does|do|should) .+ (?:include|contain|automate|consist of|cover)\b",
    ),
    (
        "number",
        r"\bhow (?:many|much|long|large|big|often|fast|small|far|deep|high)\b|\bwhat (?:percentage|percent|share"
        r"|fraction|size|number)\b"
        r"|\b(?:max(?:imum)?|min(?:imum)?|default|average|typical)\b.*\b(?:size|length|delay|timeout|time|port|value|number|limit|rate)\b"
        r"|\b(?:size|number|share|percentage|fraction|limit) of\b|\bsize limit\b|\bcalculate\b|\bestimate\b"
        r"|^(?!how|why|explain).*\b(?:size|latency|bytes|ratio|percent|gain|savings|downtime|formula|complexity|bandwidth"
        r"|throughput|threshold|rule of thumb|per second|qps|tokens)\b",
    ),
    ("when", r"^when (?:was|were|did|is)\b|\b(?:what|which) (?:year|date|day|month)\b"),
    ("who", r"^(?:who|whose|whom)\b|\b(?:what|which) (?:company|person|author|researcher|team|organi[sz]ation)s?\b"),
    ("where", r"^where\b|\b(?:what|which) (?:country|city|place|region)\b"),
    (
        "why",
        r"^why\b|\bwhat (?:is|was) the (?:reason|point|purpose|motivation)\b|^what (?:problem|for)\b|\bwhat .* for\?*$",
    ),
    ("how", r"^how\b|\bhow (?:does|do|is|are|can|to)\b|^(?:explain|describe|walk me through)\b|\bwork(?:s|ing)?\b"),
    ("define", r"^(?:what(?:'s| is| are| was| does)|define|meaning of|tell me about)\b"),
)
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)
_SIDES = (
    r"(?:differences?|comparison) (?:between|of) (?P<a>.+?) (?:and|vs\.?|versus) (?P<b>.+)",
    r"(?:how (?:does|do|is|are) )?(?P<a>.+?) (?:differs?|different) from (?P<b>.+)",
    r"compare (?P<a>.+?) (?:and|with|to|against) (?P<b>.+)",
    r"(?P<a>.+?),? (?:vs\.?|versus) (?P<b>.+)",
    r"(?:which is|when (?:should|would|do) (?:i|you|we) \w+|should i (?:use|choose|pick)) (?P<a>.+?) or (?P<b>.+)",
)
_ASIDE = re.compile(r"[,;:(?].*$|\s(?:in|for|when|which|what|how|why|on|with)\s.*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """A question that stands alone, and what it asks for."""

    text: str
    kind: Kind
    sides: tuple[str, ...] = ()  # what a comparison compares, where it can be told

    @property
    def subject(self) -> frozenset[str]:
        """Return its content words, stemmed."""
        return frozenset(terms(self.text))


def read(text: str) -> Question:
    """Return what a question asks for.

    >>> read("blue/green vs canary deployment").sides
    ('blue/green', 'canary deployment')
    >>> read("max size of a ConfigMap").kind, read("How does ring-allreduce work?").kind
    ('number', 'how')
    """
    kind = next((kind for kind, pattern in _COMPILED if pattern.search(text)), None)
    if kind is None:
        kind = "define" if len(text.split()) <= 4 else "other"
    return Question(text, kind, _sides(text) if kind == "compare" else ())


def _sides(text: str) -> tuple[str, ...]:
    for pattern in _SIDES:
        if found := re.search(pattern, text, re.IGNORECASE):
            sides = tuple(
                _ASIDE.sub("", re.sub(r"^(?:what is |the |a |an )+", "", side.strip(), flags=re.I))
                for side in found.group("a", "b")
            )
            if all(terms(side) for side in sides):
                return sides
    return ()


# --- follow-ups -----------------------------------------------------------------------------------

_OPENS = re.compile(r"^(?:(?:and|but|so|also|then|ok(?:ay)?|or|plus|suppose)\b[,\s]*)+", re.IGNORECASE)
_CORRECTS = re.compile(
    r"^(?:(?:no|nope|sorry|oh|wait|actually)\b[,.!\s]*)*(?:i mean|i meant|make that)\s+(?:(?:in|for|with|about)\s+)?"
    r"(?P<new>.+?)\s*[?.]?$",
    re.IGNORECASE,
)
_WHEN_NOT = re.compile(r"^(when|where|why) not\W*$", re.IGNORECASE)
_WHAT_ABOUT = re.compile(r"^(?:what about|how about|and|what if it is|same for)\s+(?P<new>[^?]+)\??$", re.IGNORECASE)
_STANDS_FOR = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|the same|one|ones|there|both|the (?:former|latter|first"
    r"|second|other)(?: one)?)\b",
    re.IGNORECASE,
)
# "What is a Pod?" brings a subject of its own; "what is the cost?" is about the one before.
_NEW_SUBJECT = re.compile(
    r"^(?:what(?:'s| is| are)|define|explain) (?:an? .+|(?!the\b)[\w/-]+(?: [\w/-]+){0,2})$", re.IGNORECASE
)
# What may bring one: "how to shard a database?"; not "how many replicas?", nor "how does the leader fail?".
_MAY_BE_NEW = re.compile(
    r"^(?:how (?:do|can|should) (?:i|we)\b|(?:how|when|why|where)(?: to| do| does| can| should)\b(?!.*\bthe\b)"
    r"|(?:which|what) .+ (?:do|can|should) (?:i|we)\b(?!.*\bthe\b))",
    re.IGNORECASE,
)
_AUXILIARY = r"(?:is|are|was|were|does|do|did|can|could|should|would|will|may|might|must)"
_SCAFFOLD = re.compile(
    r"^(?:please |can you |could you )?(?:what happens (?:to|in|with|when|if)"
    rf"|(?:what|how(?: \w+)?|why|when|where|which|who)(?: to|['’]s| {_AUXILIARY})(?: i| you| we)?\b"
    rf"|how (?:many|much)|explain|describe|define|tell me (?:about|how)|which|who|where|{_AUXILIARY}"
    r"|(?:i|we) (?:have|want|need))\b",
    re.IGNORECASE,
)
_PREDICATE = re.compile(
    r"\b(?:work|works|mean|means|used for|good for|for|do|useful|important|needed|different|called|happens?|says?"
    r"|recommend|contain|look like|makes? sense|use|used|differ|keep|get|have)\b\s*\??$",
    re.IGNORECASE,
)


# What follows the subject of a question: "…, how should I use them?", "… when a worker crashes?"
_CLAUSE = re.compile(
    r"(?:[,:;]\s+(?:how|what|why|which|when|where|should|can)\b|\s(?:when|while|if|because|although)\s).*$",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"^(?:(?:hi|hello|hey)(?: there| all)?\b[,.!\s]*)?"
    r"(?:(?:i|i['’](?:m|ve)|my)\b[^,.;:!?]*\b(?:interview|exam|onsite)"
    r"(?: (?:is|coming up|soon|today|tomorrow|(?:on|next|this|in) (?:\w+ )?\w+)){0,3}\s*[,.;:!]\s*)?(?=\w+ \w)",
    re.IGNORECASE,
)
NAME = 3  # words that may stand for a name


def standalone(question: str, before: Sequence[str], alone: Callable[[str, str], bool] = lambda *_: False) -> str:
    """Return a question as one that stands alone: a follow-up's missing subject carried over from those before it.

    `before` are the earlier questions, oldest first. Where the words of a short question do not tell whether it goes
    on from them, `alone` is asked: does it do better as it is than with their subject? A greeting and the occasion on
    which it is asked are taken off.

    >>> standalone("and how does its cost scale?", ["How does ring-allreduce work?"])
    'how does ring-allreduce cost scale?'
    >>> standalone("what about trees?", ["what is ring-allreduce?"])
    'trees ring-allreduce'
    >>> standalone("no, I meant Kafka", ["How does Flink get exactly-once results?"])
    'How does Kafka get exactly-once results?'
    >>> standalone("What is a Pod?", ["How does ring-allreduce work?"])
    'What is a Pod?'
    >>> standalone("Hi! I have an interview on Monday, explain ring-allreduce", [])
    'explain ring-allreduce'
    >>> standalone("how to shard a database?", ["How does ring-allreduce work?"], lambda as_it_is, carried: True)
    'how to shard a database?'
    """
    question = _PREAMBLE.sub("", question)
    if not before:
        return question
    earlier = standalone(before[-1], before[:-1], alone)
    subject = subject_of(earlier)
    if not subject:
        return question
    if correction := _CORRECTS.match(question):
        return _corrected(earlier, correction["new"])
    bare = _OPENS.sub("", question)
    if (swap := _WHAT_ABOUT.match(question)) and not re.match(
        r"(?:how|what|why|when|which|who|is|are|do|does)\b", swap["new"], re.I
    ):
        return (
            f"{_STANDS_FOR.sub(subject, swap['new'], count=1)} {subject}" if subject not in swap["new"] else swap["new"]
        )
    if refused := _WHEN_NOT.match(bare):
        return f"{refused[1]} not to use {subject}?"
    if _STANDS_FOR.search(bare):
        return _STANDS_FOR.sub(subject, bare, count=1)
    if _NEW_SUBJECT.match(bare.rstrip("?. ")):
        return bare
    carried = f"{bare.rstrip('?. ')} {subject}?"
    if bare != question:
        return carried
    said = len(set(terms(bare)))
    if said > 3 or names(bare):  # a name is a subject of its own
        return question
    return question if said > 1 and _MAY_BE_NEW.match(bare) and alone(question, carried) else carried


def _corrected(earlier: str, new: str) -> str:
    """Return a question with something else in the place of what it named."""
    old = next(iter(names(earlier)), subject_of(earlier))
    return earlier.replace(old, new, 1) if len(terms(new)) <= NAME else f"{new} {old}"


def names(text: str) -> list[str]:
    """Return the proper names in a question: words with a capital that does not open a sentence, and acronyms.

    >>> names("How does Karpenter's consolidation differ from an NLB? Why?")
    ['Karpenter', 'NLB']
    """
    found = []
    for match in re.finditer(r"[A-Za-z]\w*(?:[-/.][A-Za-z]\w*)*(?:['’]s)?", text):
        word = re.sub(r"['’]s$", "", match[0])
        before = text[: match.start()].rstrip(" \"“'‘(")
        if terms(word) and (
            re.search(r"[A-Z]", word[1:]) or (word[0].isupper() and before and before[-1] not in ".?!:")
        ):
            found.append(word)
    return found


def subject_of(question: str) -> str:
    """Return what a question is about: its words without the scaffold of asking.

    >>> subject_of("How does ring-allreduce work?"), subject_of("How big is a chunk when it is full?")
    ('ring-allreduce', 'chunk')
    """
    text = _SCAFFOLD.sub("", question.strip().rstrip("?.! ")).strip()
    text = _CLAUSE.sub("", text) or text
    text = _PREDICATE.sub("", text).strip()
    return re.sub(r"^(?:the|a|an|of|to|i|you|we)\s+", "", text, flags=re.IGNORECASE).strip()
