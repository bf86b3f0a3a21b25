"""Wish: what a request for a reading list asks for in plain words: a subject, kinds, a level, a time box."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app import counts, kinds, spans
from app.kinds import ABOUT, ONE, SEVERAL, TEXT, VIDEO, WRITTEN

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
            rf" (?:the |some )?{SEVERAL}\b"
        ),
        rf"\b{SEVERAL}(?: only|,? nothing else)\b",
        rf"(?:^|[,;:.]\s*)(?:{_ASKS}\s+)*{SEVERAL} {ABOUT}",
        rf"^(?:{_ASKS}\s+)*{SEVERAL}"
        r"(?=\s+(?:should|can|could|do|would) i\b|\s+(?:that )?(?:i|you|we) (?:can|should)\b|\s*[:,–-]\s)",
        rf"^(?:{_ASKS}\s+)*(?:{ONE}s(?!\s+(?:app|store|shop|service|system|platform))\b)",
        rf"\(\s*{SEVERAL}\s*\)",
        rf"\b{ONE}s (?:about|covering|explaining|on|for)\b",
        rf"(?<!crash )\b{ONE}s\s*(?:please)?[.!?]?$",
    )
)
_WITHOUT = re.compile(
    r"(?:,|\bbut\b)?\s*\b(?:no|without(?: any)?|except(?: for)?|skip(?:ping)?(?: the)?|not?(?: any)?|other than"
    r"|excluding|(?:i )?(?:hate|dislike)|rather than|instead of|avoid|no time for"
    r"|(?:i )?(?:do(?:n['’]| no)t|never) (?:want|like|need|buy|give me)(?: any)?)"
    rf"\s+(?:{SEVERAL}|{TEXT})(?: please)?\b",
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
            r"\b(?:(?:any|some)thing to|what to|what should i|(?:can|could) i|by) watch(?:ing)?\b|^watch\b"
            r"|\b(?:on youtube|as (?:a )?videos?|in video form)\b",
            VIDEO,
            (),
        ),
        (r"\b(?:any|some)thing to read\b", (), VIDEO),
        (
            r"\b(?:(?:web)?sites?|platforms?|places?) (?:where (?:i|you|one) can |to |for )?practi[cs](?:e|ing)\b"
            r"|^where (?:can|could|do|should) i practi[cs]e\b",
            ("practice",),
            (),
        ),
    )
)
_NEW = re.compile(
    r"\b(?:i(?:['’]ve| have)? )?never (?:touched|used|done|did|heard of|seen|worked with|written|wrote|tried)"
    r"|\b(?:i['’]m |i am )?(?:completely |totally |quite )?new to\b"
    r"|\b(?:a )?gentle (?:start|introduction)(?: (?:in)?to)?"
    r"|\bfrom (?:zero|scratch)\b|\b(?:i )?(?:know nothing|have no (?:idea|clue)) (?:of|about)\b",
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
    r"\b(?:advanced(?: only)?|in depth|deep dive(?: into| on)?|no basics|skip the basics|for experts)\b", re.IGNORECASE
)
_OCCASION = r"(?:(?:i|we) (?:have|got)|i['’]ve(?: got)?|(?:i['’]m )?(?:preparing|prepping|studying) for)"
_FRAME = re.compile(
    r"\b(?:(?:what|which|where) (?:(?:should|do|can|could) i|to) (?:read|watch|study|learn|start|look at)"
    r"(?: about| on| for| with)?"
    r"|^(?:learn|study|read) (?:about|on)"
    r"|(?:should|do|can|could|would) i (?:read|watch|study|learn|order|buy|get|take|do|use|try|start)(?: first)?"
    r"(?: about| on| for| with)?"
    r"|(?:that )?(?:i|you|we) (?:can|should) (?:read|watch|do|take|buy|use|try)(?: (?:on|in|during|at) (?:the|my) \w+)?"
    r"|(?:i )?(?:want|need|would like|have) to (?:read|learn|study|understand|prepare|know|revise)(?: about| for)?"
    r"|(?:give|make|build|show|find|recommend) me (?:a |an )?(?:cited )?(?:reading )?(?:list|plan)?(?: about| on| for"
    r"| of)?|reading list(?: about| on| for)?|(?:help me )?prepare(?: me)?(?: for)?(?: a| an| the| my)?"
    r"|(?:quick(?:ly)?\s*)?(?:refresh(?:er)?|brush(?:ing)? up|catch up|revise)(?: my)?(?: on)?|study plan(?: for)?"
    r"|please|quick|worth (?:reading|watching)(?: on| about| for)?"
    r"|(?:resources?|readings?|texts?) (?:on|about|for)|(?:and )?nothing (?:else|more)(?: on| about)?"
    r"|(?:the )?classics?"
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
        those = [kinds.called(each) for each in self.each] or [kinds.called(self.only)]
        count = str(self.most or "")
        if self.least and self.least != self.most:
            count = f"{self.least}-{self.most}" if self.most else f"at least {self.least}"
        said = (
            ", ".join(those),
            f"no {kinds.called(self.without)}" if self.without else "",
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
    longest, text = counts.longest(text)
    minutes, text = spans.minutes(text)
    free, text = counts.free(text)
    new, text = bool(_NEW.search(text)), _NEW.sub(" ", text)
    count, text = counts.count(text)
    text = _WHEN.sub(" ", text)
    only, without = set(count.only), set[str]()
    for pattern, welcome, unwelcome in _SAID:
        if pattern.search(text):
            only, without, text = only | welcome, without | unwelcome, _tidy(pattern.sub(" ", text))
    while found := _WITHOUT.search(text):
        without |= kinds.named(found.group())
        text = text[: found.start()] + text[found.end() :]
    stages = (
        ("crawl",) if _BASICS.search(text) else ("walk", "run") if _DEPTH.search(text) else ("crawl", "walk", "run")
    )
    text = _tidy(_DEPTH.sub(" ", _BASICS.sub(" ", text)) if len(stages) < 3 else text)
    for pattern in _ONLY:
        if found := pattern.search(text):
            only |= kinds.named(found.group())
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


def _tidy(text: str) -> str:
    return re.sub(
        r"^(?:and|on|about|for|the)\s+|\s+(?:and|on|for|in|but|a)$",
        "",
        re.sub(r"\s+", " ", re.sub(r"\s*,\s*(?=,|$)|^\s*,", " ", text)).strip(" ,.;:!?-"),
        flags=re.IGNORECASE,
    ).strip(" ,.;:")
