"""Wish: what a request for a reading list asks for in plain words: a subject, kinds, a level, a time box."""

from __future__ import annotations

import re
from dataclasses import dataclass

VIDEO = ("video", "playlist", "channel")
WRITTEN = ("article", "page", "note", "paper", "book", "repository")
NAMES: dict[str, tuple[str, ...]] = {
    r"(?:youtube )?video|talk|lecture|recording|screencast|webinar": VIDEO,
    r"(?:research |academic |conference |white ?)?paper|publication|preprint": ("paper",),
    r"(?:youtube |video )playlist": ("playlist",),
    r"youtube channel": ("channel",),
    r"(?:text|e-?)?book": ("book",),
    r"(?:online |paid |free )?(?:course|mooc)|learning p(?:lan|ath)": ("course",),
    r"workshop|(?:hands-on )?lab": ("workshop",),
    r"tutorial": ("workshop", "article", "note"),
    r"article|write-?up|essay": ("article", "page"),
    r"blog post|post|blog": ("article", "page"),
    r"note|summar(?:y|ie)|digest": ("note",),
    r"text|prose": WRITTEN,
    r"(?:github |git )?(?:repositor(?:y|ie)|repo)": ("repository",),
    r"(?:coding |practi[cs]e |online )(?:(?:web)?site|platform|judge)|practi[cs]e (?:problem|exercise)": ("practice",),
}
"""Kinds of resource by the words for them, without their plural s."""

_ONE = rf"(?:{'|'.join(NAMES)})"
_KINDS = rf"{_ONE}s?(?:(?:\s*[,/&]\s*|,?\s+(?:and|or|nor)\s+){_ONE}s?)*"
_ABOUT = r"(?:on|about|for|of|that|to|covering|explaining|where|which|by|from)\b"
_ASKS = (
    r"(?:(?:is|are) there|(?:do|can) you (?:have|know|recommend|suggest)|what|which|any|some|an?|the|few|one|two"
    r"|couple of|good|best|great|top|short|quick|classic|seminal|key|must-read|recent|introductory|hands-on"
    r"|(?:give|show|find|recommend) me|find|list|got|recommend|suggest|please"
    r"|(?:i['’]?m |i am )?looking for|(?:i['’]?d like|i would like|i want|i need|need|want))"
)
_ONLY = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"\b(?:i )?(?:only|just|nothing but|exclusively|preferably|prefer)(?: want| like| do)?"
            rf" (?:the |some )?{_KINDS}\b"
        ),
        rf"\b{_KINDS}(?: only|,? nothing else)\b",
        rf"^(?:{_ASKS}\s+)*{_KINDS} {_ABOUT}",
        rf"^(?:{_ASKS}\s+)*{_KINDS}"
        r"(?=\s+(?:should|can|could|do|would) i\b|\s+(?:that )?(?:i|you|we) (?:can|should)\b|\s*[:,–-]\s)",
        rf"^(?:{_ASKS}\s+)*(?:{_ONE}s(?!\s+(?:app|store|shop|service|system|platform))\b)",
        rf"\(\s*{_KINDS}\s*\)",
        rf"\b{_ONE}s (?:about|covering|explaining)\b",
        rf"(?<!crash )\b{_ONE}s\s*(?:please)?[.!?]?$",
    )
)
_WITHOUT = re.compile(
    r"(?:,|\bbut\b)?\s*\b(?:no|without(?: any)?|except(?: for)?|skip(?:ping)?(?: the)?|not?(?: any)?|other than"
    r"|excluding|rather than|instead of|avoid|no time for"
    r"|(?:i )?(?:do(?:n['’]| no)t|never) (?:want|like|need|buy|give me)(?: any)?)"
    rf"\s+{_KINDS}(?: please)?\b",
    re.IGNORECASE,
)
_NOT = (
    r"(?:nothing to|no|not(?: to)?|rather than|instead of|can(?:no|['’]|\s?no)?t|do(?:n['’]| no)t (?:want to|like to)?)"
)
_SAID = tuple(
    (re.compile(pattern, re.IGNORECASE), frozenset[str](only), frozenset[str](without))
    for pattern, only, without in (
        (
            rf"\b(?:i )?{_NOT} ?watch(?:ing)?(?: (?:videos|anything))?(?: here| now)?\b"
            r"|\b(?:written|text) ones\b|\bwritten only\b",
            (),
            VIDEO,
        ),
        (rf"\b(?:i )?{_NOT} ?read(?:ing)?(?: anything)?\b", (), WRITTEN),
        (r"\b(?:no|not on|nothing (?:on|from)) youtube\b|\btext[ -](?:only|based)\b|\bin writing\b", (), VIDEO),
        (r"\b(?:on|from) github\b|\bgithub only\b|\bonly github\b", ("repository",), ()),
        (
            r"\b(?:something to|what to|what should i|(?:can|could) i|by) watch(?:ing)?\b|^watch\b"
            r"|\b(?:on youtube|as (?:a )?videos?|in video form)\b",
            VIDEO,
            (),
        ),
        (r"\bsomething to read\b", (), VIDEO),
        (
            r"\b(?:(?:web)?sites?|platforms?|places?) (?:where (?:i|you|one) can |to |for )?practi[cs](?:e|ing)\b"
            r"|^where (?:can|could|do|should) i practi[cs]e\b",
            ("practice",),
            (),
        ),
    )
)
_COUNTS = "one two three four five six seven eight nine ten".split()
_N = rf"(?:\d\d?|{'|'.join(_COUNTS)}|an?(?: single)?|a couple of)"
_HOW_MANY = rf"(?P<least>{_N})(?:\s*(?:or|to|[-–])\s*(?P<most>{_N}))?"
_LIKE = r"(?:(?!(?:of|on|in|for|and|or|to|with|about|from|is|are)\b)[\w'’-]+\s+){0,3}?"
_THING = rf"(?:{'|'.join(NAMES)}|reading|read|piece|item|resource|link|thing|source|title|pick)"
_SOME = rf"(?P<what>{_THING}s?)\b"
_ENOUGH = r"(?:(?:is|are|['’]s|would be|will be) (?:enough|plenty|fine|all i need)|will do|suffices?)"
_MOST = re.compile(
    rf"\b(?:max(?:imum)?(?: of)?|at most|(?:no|not) more than|up to|limit(?:ed)? to)\s+(?P<most>{_N})"
    rf"(?:\s+{_LIKE}{_SOME})?(?:\s+{_ABOUT})?(?!\s*(?:hours?|h|minutes?|mins?)\b)"
    rf"|\b(?P<atmost>{_N})(?:\s+{_LIKE}{_SOME.replace('what', 'which')})?\s+(?:max(?:imum)?|at most|tops|or fewer|or less)\b",
    re.IGNORECASE,
)
_SUFFICES = re.compile(
    rf"\b(?:just |only )?{_HOW_MANY}(?:\s+{_LIKE}{_SOME})?\s+{_ENOUGH}\b|\b(?:just|only) (?P<only>one)(?=\W*$|\s+please)",
    re.IGNORECASE,
)
_COUNTED = re.compile(rf"\b(?:the )?(?:top |best )?{_HOW_MANY}\s+{_LIKE}{_SOME}(?:\s+{_ABOUT})?", re.IGNORECASE)
_FREE = re.compile(
    r"\b(?:(?:that|which|and|but|it)? ?(?:costs?|costing) (?:me )?nothing|nothing to pay|(?:that (?:is|are) |are |is )?"
    r"(?:for free|free of charge|free to read)|(?:without|no) (?:paying|cost|money)|free only|only free|open access"
    rf"|(?:i )?(?:do(?:n['’]| no)t|can(?:no|['’])t) (?:want to |afford to )?(?:pay|buy)(?: anything| for it)?|free(?=\s+{_LIKE}{_THING}s?\b)"
    r"|that(?: is|['’]s| are) free)\b",
    re.IGNORECASE,
)
_LONGEST = re.compile(
    r"\b(?:nothing|none|no \w+) (?:over|longer than|above|beyond) (?P<over>[\w -]+?(?:hours?|h|minutes?|mins?|min))\b"
    r"|\b(?:each )?(?:under|at most|up to|max(?:imum)?) (?P<each>[\w -]+?(?:hours?|h|minutes?|mins?|min)) (?:each|apiece|per item)\b",
    re.IGNORECASE,
)
_NEW = re.compile(
    r"\b(?:i(?:['’]ve| have)? )?never (?:touched|used|done|did|heard of|seen|worked with|written|wrote|tried|learn(?:ed|t))"
    r"|\b(?:i['’]m |i am )?(?:completely |totally |quite )?new to\b|\b(?:a )?gentle (?:start|introduction)(?: (?:in)?to)?"
    r"|\bfrom (?:zero|scratch)\b|\b(?:i )?(?:know nothing|have no (?:idea|clue)) (?:of|about)\b",
    re.IGNORECASE,
)
_NUMBERS = {
    "ten": 10.0,
    "fifteen": 15.0,
    "twenty": 20.0,
    "thirty": 30.0,
    "forty": 40.0,
    "forty-five": 45.0,
    "sixty": 60.0,
    "ninety": 90.0,
    "an": 1.0,
    "a": 1.0,
    "one": 1.0,
    "two": 2.0,
    "a couple of": 2.0,
    "three": 3.0,
    "four": 4.0,
    "five": 5.0,
    "half an": 0.5,
    "a half": 0.5,
}
_HOURS = re.compile(
    r"(?P<frame>(?:in|within|for|under|less than|at most|up to|about|only|(?:i\s+)?have|(?:i['’]ve\s+)?got|i['’]ve)"
    r"\s+)*"
    r"\b(?P<number>\d+(?:[.,]\d+)?|half an|a couple of|an?|one|two|three|four|five"
    r"|ten|fifteen|twenty|thirty|forty(?:-five)?|sixty|ninety)"
    r"(?P<half> and a half)?[\s-]?(?P<unit>hours?|hrs?|h|minutes?|mins?|min|m)(?:(?P<rest>[0-5]\d)(?:\s?m(?:in)?)?)?\b"
    r"(?P<more> and a half)?(?:\s+(?:left|free|spare|to spare))?(?:\s+(?:on|of|for|about|to)\b)?",
    re.IGNORECASE,
)
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day(?:['’]s)?"
_WHEN = re.compile(
    rf"\b(?:(?:is )?(?:before|by|until|for|on|this|next) (?:my )?(?:coming |next )?{_DAY}(?: morning| evening)?"
    rf"|tonight|tomorrow(?:['’]s)?|today|this (?:week|weekend|evening)|next (?:week|month)|(?:over )?(?:the|a) weekend"
    rf"|in (?:an?|one|two|three|\d+) (?:days?|weeks?))(?=\W|$)",
    re.IGNORECASE,
)
_BASICS = re.compile(
    (
        r"\b(?:basics? only|only (?:the )?basics|just (?:the )?basics|for (?:absolute )?beginners"
        r"|beginner[- ]friendly|from scratch|intro(?:duction|ductory)?(?: only)?)\b"
    ),
    re.IGNORECASE,
)
_DEPTH = re.compile(
    r"\b(?:advanced(?: only)?|in depth|deep dive|no basics|skip the basics|for experts)\b", re.IGNORECASE
)
_OCCASION = r"(?:i (?:have|got)|i['’]ve(?: got)?|(?:i['’]m )?(?:preparing|prepping|studying) for)"
_FRAME = re.compile(
    r"\b(?:(?:what|which|where) (?:(?:should|do|can|could) i|to) (?:read|watch|study|learn|start)"
    r"(?: about| on| for| with)?"
    r"|^(?:learn|study|read) (?:about|on)"
    r"|(?:should|do|can|could|would) i (?:read|watch|study|learn|order|buy|get|take|do|use|try|start)(?: first)?"
    r"(?: about| on| for| with)?"
    r"|(?:that )?(?:i|you|we) (?:can|should) (?:read|watch|do|take|buy|use|try)(?: (?:on|in|during|at) (?:the|my) \w+)?"
    r"|(?:i )?(?:want|need|would like|have) to (?:read|learn|study|understand|prepare|know|revise)(?: about| for)?"
    r"|(?:give|make|build|show|find|recommend) me (?:a |an )?(?:cited )?(?:reading )?(?:list|plan)?(?: about| on| for"
    r"| of)?|reading list(?: about| on| for)?|(?:help me )?prepare(?: me)?(?: for)?(?: a| an| the| my)?"
    r"|(?:quick(?:ly)?\s*)?(?:refresh(?:er)?|brush(?:ing)? up|catch up|revise)(?: my)?(?: on)?|study plan(?: for)?"
    r"|please|quick|worth (?:reading|watching)(?: on| about| for)?|(?:resources?|readings?|texts?) (?:on|about|for)|nothing (?:else|more)|classics?"
    r"|(?:everything|anything|something|things|stuff) (?:on|about)"
    r"|(?:(?:is|are) there|do you have|got) (?:an?|any)\b"
    rf"|^(?:(?:{_OCCASION}|for|before)\s+)?(?:(?:an?|my|the)\s+)?(?:\w+ )?(?:interview|exam)s?(?: coming up)?(?: is)?"
    rf" (?:on|about|covering)|^{_OCCASION} (?:an?|my|the|for)"
    r"|(?:before|until|for) my(?: (?:\w+ )?(?:interview|exam)s?)?"
    r"|(?:interview )?rounds?|phone screen|onsite|an? mlops interview)\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"(?:^|[,.;:!?]\s*|\s[-–—]\s)(?:(?:i|i['’](?:m|ve|d))\b(?! know)|(?:my|we|our)\b(?=[^,.;:!?]*\b(?:interview|exam"
    r"|onsite|(?:mon|tues|wednes|thurs|fri|satur|sun)day)))[^,.;:!?]*|\bgive me\b|\bthey will ask me\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for."""

    subject: str  # what is left when the rest is taken off
    only: frozenset[str] = frozenset()  # kinds; empty: all
    without: frozenset[str] = frozenset()
    stages: tuple[str, ...] = ("crawl", "walk", "run")
    minutes: float | None = None
    least: int = 0  # items asked for; 0: it does not say
    most: int = 0
    each: tuple[frozenset[str], ...] = ()  # one item of each of these kinds
    free: bool = False  # nothing that costs money
    longest: float | None = None  # minutes of one item
    new: bool = False  # to somebody who knows nothing of it

    @property
    def understood(self) -> str:
        """Return all of it in a line."""
        kinds = [" or ".join(sorted(kinds)) for kinds in self.each] or sorted(self.only)
        count = f"{self.least}-{self.most}" if self.least < self.most and self.least else str(self.most or "")
        said = (
            ", ".join(kinds),
            f"no {', '.join(sorted(self.without))}" if self.without else "",
            count if self.least or not count else f"at most {count}",
            "free" if self.free else "",
            f"{self.minutes:.0f} min" if self.minutes else "",
            f"{self.longest:.0f} min each at most" if self.longest else "",
            "for beginners" if self.new or self.stages == ("crawl",) else "",
            self.subject,
        )
        return " · ".join(filter(None, said))

    def allows(self, kind: str) -> bool:
        """Return whether resources of a kind are welcome."""
        return (not self.only or kind in self.only) and kind not in self.without


def read(request: str) -> Wish:
    """Return what a request asks for.

    >>> wish = read("SOLID principles, videos only, under an hour")
    >>> wish.subject, sorted(wish.only), wish.minutes
    ('SOLID principles', ['channel', 'playlist', 'video'], 60.0)
    >>> read("distributed training before Friday, but no books").subject
    'distributed training'
    """
    text = request.strip()
    longest, text = _longest(text)
    minutes, text = _minutes(text)
    free, text = _told(_FREE, text)
    new, text = _told(_NEW, text)
    count, text = _count(text)
    text = _WHEN.sub(" ", text)
    only, without = set(count.only), set[str]()
    for pattern, welcome, unwelcome in _SAID:
        if pattern.search(text):
            only, without, text = only | welcome, without | unwelcome, _tidy(pattern.sub(" ", text))
    while found := _WITHOUT.search(text):
        without |= _kinds(found.group())
        text = text[: found.start()] + text[found.end() :]
    stages = (
        ("crawl",) if _BASICS.search(text) else ("walk", "run") if _DEPTH.search(text) else ("crawl", "walk", "run")
    )
    text = _tidy(_DEPTH.sub(" ", _BASICS.sub(" ", text)) if len(stages) < 3 else text)
    for pattern in _ONLY:
        if found := pattern.search(text):
            only |= _kinds(found.group())
            text = _tidy(f"{text[: found.start()]} {text[found.end() :]}")
    subject = _tidy(_FRAME.sub(" ", text))
    subject = _tidy(_PERSONAL.sub(" ", subject)) or subject or _tidy(text) or request.strip()
    return Wish(
        subject,
        frozenset(only),
        frozenset(without - only),
        stages,
        minutes,
        least=count.least,
        most=count.most,
        each=count.each,
        free=free,
        longest=longest,
        new=new,
    )


@dataclass(frozen=True, slots=True)
class _Count:
    """How many items of which kinds."""

    least: int = 0
    most: int = 0
    only: frozenset[str] = frozenset()
    each: tuple[frozenset[str], ...] = ()


def _count(text: str) -> tuple[_Count, str]:
    """Return how many items a request asks for, and the rest of it."""
    if found := _MOST.search(text):
        named = found["what"] or found["which"] or ""
        only = frozenset(_kinds(named))
        return _Count(0, _number(found["most"] or found["atmost"]), only), _without(text, found, " ")
    if found := _SUFFICES.search(text):
        least = _number(found["least"] or found["only"])
        kinds = frozenset(_kinds(found["what"] or ""))
        return _Count(least, _number(found["most"] or "") or least, kinds), _without(text, found, " ")
    found_all = [one for one in _COUNTED.finditer(text) if _agrees(one)]
    kinds_of = [frozenset(_kinds(one["what"])) for one in found_all]
    if len(found_all) > 1 and all(kinds_of):
        each = tuple(
            kinds for one, kinds in zip(found_all, kinds_of, strict=True) for _ in range(_number(one["least"]))
        )
        for one in reversed(found_all):
            text = _without(text, one, " , ")
        return _Count(len(each), len(each), frozenset().union(*each), each), text
    exact = [one for one in found_all if one["least"].lower() not in {"a", "an"}]
    if not exact:
        return _Count(), text
    least = _number(exact[0]["least"])
    most = _number(exact[0]["most"] or "") or least
    return _Count(least, most, frozenset(_kinds(exact[0]["what"]))), _without(text, exact[0], " , ")


def _agrees(found: re.Match[str]) -> bool:
    """Return whether a number and what it counts are both of one, or both of more."""
    return (_number(found["most"] or found["least"]) > 1) == found["what"].lower().endswith("s")


def _number(text: str) -> int:
    """Return a number as people write it; 0 for none."""
    word = text.lower()
    if word.isdigit():
        return int(word)
    return {"": 0, "a couple of": 2}.get(word, _COUNTS.index(word) + 1 if word in _COUNTS else 1)


def _without(text: str, found: re.Match[str], instead: str) -> str:
    return f"{text[: found.start()]}{instead}{text[found.end() :]}"


def _told(pattern: re.Pattern[str], text: str) -> tuple[bool, str]:
    """Return whether a request says something, and the rest of it."""
    return bool(pattern.search(text)), pattern.sub(" ", text)


def _longest(text: str) -> tuple[float | None, str]:
    """Return the minutes that one item may take, None for any, and the rest of the request."""
    found = _LONGEST.search(text)
    if not found:
        return None, text
    return _minutes(found["over"] or found["each"])[0], _without(text, found, " ")


def _kinds(text: str) -> set[str]:
    """Return the kinds that words for them name."""
    return {kind for name, kinds in NAMES.items() if re.search(rf"\b(?:{name})s?\b", text, re.I) for kind in kinds}


def _minutes(text: str) -> tuple[float | None, str]:
    found = _HOURS.search(text)
    if not found:
        return None, text
    number = found["number"].lower()
    amount = _NUMBERS.get(number) or float(number.replace(",", "."))
    amount += 0.5 if found["half"] or found["more"] else 0.0
    minutes = amount * (60 if found["unit"].lower().startswith("h") else 1) + float(found["rest"] or 0)
    return minutes, f"{text[: found.start()]} {text[found.end() :]}"


def span(text: str) -> float | None:
    """Return the minutes of a time box as people write it, None where it is none.

    >>> span("3h"), span("1h30"), span("90 min"), span("45"), span("soon")
    (180.0, 90.0, 90.0, 45.0, None)
    """
    bare = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", bare):
        return float(bare)
    minutes, rest = _minutes(bare)
    return minutes if minutes and not rest.strip() else None


def _tidy(text: str) -> str:
    return re.sub(
        r"^(?:and|on|about|for|the)\s+|\s+(?:and|on|for|in|but|a)$",
        "",
        re.sub(r"\s+", " ", re.sub(r"\s*,\s*(?=,|$)|^\s*,", " ", text)).strip(" ,.;:!?-"),
        flags=re.IGNORECASE,
    ).strip(" ,.;:")
