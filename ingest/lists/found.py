"""Found: one link as its list has it, and what it is called where its own words name nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Found:
    """One link of a list."""

    url: str
    title: str = ""
    topics: tuple[str, ...] = ()  # " > " between the steps
    note: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)  # how it is read, by the name of each setting


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a line: words, or a link with its own."""

    text: str
    url: str = ""


# Words that name no page, but say that there is one, or of what kind.
_GENERIC = frozenset(
    "website site webpage web page here this there link links url src source sources ref reference video videos talk"
    " slides slide deck paper papers pdf ppt code repo repository github gitlab blog post article articles book notes"
    " note demo docs doc documentation tutorial answer answers solution solutions project part more read details info"
    " homepage home download playlist course transcript recording mirror archive wiki discussion thread arxiv youtube"
    " medium".split()
)
_IN_A_SENTENCE = frozenset({"here", "this", "there", "this one", "click here"})
_COUNTED = re.compile(
    r"(?:(?:part|pt|vol(?:ume)?|ch(?:apter)?|lec(?:ture)?|day|week|ep(?:isode)?|section|no|lesson|video|slides?|#)\W*)?"
    r"[\divx]{1,4}(?:\s*(?:/|of)\s*\d+)?",
    re.IGNORECASE,
)
_JOINERS = " \t\n-–—:·•|,;.()[]{}<>*_`\"'“”→»/"
_NUMBERED = re.compile(r"^\W*\d{1,3}(?:\.\d{1,3})*[.):]\s+")
MOST = 14  # words of a label; what is longer is a sentence


def is_generic(title: str, repeated: frozenset[str] = frozenset()) -> bool:
    """Return whether the words of a link could stand on any link; `repeated` are those that a list has on many.

    >>> [is_generic(title) for title in ("src", "[Answer]", "Part 2", "1", "Leases", "Part 2: Leases")]
    [True, True, True, True, False, False]
    """
    bare = title.strip(_JOINERS).lower()
    few = " ".join(word for word in bare.split() if word not in {"the", "a", "an", "original", "official", "full"})
    return few in _GENERIC or bare in repeated or bool(_COUNTED.fullmatch(bare)) or len(re.findall(r"\w", bare)) < 2


def is_address(title: str) -> bool:
    """Return whether the words of a link are only its address."""
    return bool(re.match(r"(?:https?://|www\.)\S+$", title.strip(), re.IGNORECASE))


def label(text: str) -> str:
    """Return words beside a link as a title; "" where they are a sentence of their own.

    >>> label("**How do rings add up?** ("), label("It is said elsewhere. See"), label("1) What is a lease?")
    ('How do rings add up?', '', 'What is a lease?')
    """
    bare = _NUMBERED.sub("", text.strip()).strip(_JOINERS)
    ends = re.search(r"[.;]\s+\S|\.\W*$", text.strip())
    return "" if (ends and bare.count(" ") > 2) or bare.count(" ") >= MOST or bare.lower() in _GENERIC else bare


def titles(parts: Sequence[Part], context: Sequence[str], repeated: frozenset[str]) -> list[str]:
    """Return what each link of a line is called; `context` is what stands above it, the nearest first."""
    at = [n for n, part in enumerate(parts) if part.url]
    lead = "".join(part.text for part in parts[: at[0]])
    after = "".join(part.text for part in parts[at[-1] + 1 :])
    own = [parts[n].text.strip() for n in at]
    telling = [title for title in own if title and not is_generic(title, repeated) and not is_address(title)]
    found: list[str] = []
    for n, title in enumerate(own):
        if title in telling:
            found.append(_bare(title))
            continue
        if title.strip(_JOINERS).lower() in _IN_A_SENTENCE and lead.rstrip()[-1:].isalnum() and lead.count(" ") < MOST:
            found.append(" ".join(f"{lead} {title}".split()))
            continue
        between = "".join(part.text for part in parts[at[n - 1] + 1 : at[n]]) if n else ""
        base = label(between) or label(lead) or next(iter(telling), "") or label(after)
        if not base and title and not is_address(title):
            above = next(filter(None, map(label, context)), "")
            found.append(_called(above, title.strip(_JOINERS), first=False))
            continue
        found.append(_called(base, title.strip(_JOINERS), first=base not in {*found, *telling}))
    return found


def _called(base: str, title: str, *, first: bool) -> str:
    """Return the title of a link whose own words name nothing: what it belongs to, and which part of that it is."""
    if not base or is_address(title):
        return base or title
    if first or not title:
        return base
    return f"{base} {title}" if base.endswith(("?", "!")) else f"{base}: {title}"


def _bare(title: str) -> str:
    inner = re.fullmatch(r"\[(.+)\]", title)
    return inner[1] if inner else title
