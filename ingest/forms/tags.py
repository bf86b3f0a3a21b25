"""Tags: what templates and comments put into Markdown is replaced by what a reader sees of it, line for line."""

from __future__ import annotations

import re

TITLE = "\x01"  # begins a line that is a title of its own; no text holds it

_KEPT = (
    r"(?P<kept>^[ \t>]*(?P<mark>```+|~~~+)[^\n]*\n.*?(?:^[ \t>]*(?P=mark)[`~]*[ \t]*$|\Z)"
    r"|(?P<tick>`+)(?!`)[^\n]*?(?P=tick)(?!`))"
)
_SHOWN_WORDS = re.compile(r"""\{\{[<%]\s*glossary_tooltip\b[^>}]*?\btext=["']([^"']*)["'][^>}]*[>%]\}\}""")
_LISTING = re.compile(
    _KEPT + r"|^(?P<before>[ \t]*)(?:"
    r"\{%-?\s*(?P<liquid>highlight|codeblock|code|prism|prettify|terminal|console)\b[^\n]*?%\}(?P<body>.*?)\{%-?\s*end(?P=liquid)\s*-?%\}"
    r"|\{\{[<%]\s*(?P<hugo>highlight|codeblock|code|prism|output|terminal|console|shell)\b[^\n]*?[>%]\}\}(?P<inner>.*?)"
    r"\{\{[<%]\s*/\s*(?P=hugo)\s*[>%]\}\})",
    re.DOTALL | re.MULTILINE,
)
_NOT_SHOWN = re.compile(
    _KEPT + r"|(?P<raw>\{%-?\s*raw\s*-?%\}(?P<inner>.*?)\{%-?\s*endraw\s*-?%\})|<!--.*?-->|\{/\*.*?\*/\}"
    r"|(?P<tag>\{\{[<%].*?[>%]\}\}|\{%.*?%\})|^[ \t]*%%[ \t]*$.*?^[ \t]*%%[ \t]*$|%%[^\n]+?%%",
    re.DOTALL | re.MULTILINE,
)
_MARKS = ("<!--", "{{<", "{{%", "{%", "{/*", "%%")  # of which none stands in most sources
_NAMED = re.compile(r"""\b(?:title|header|heading|label|summary|caption)\s*[=:]\s*(?:"([^"\n]+)"|'([^'\n]+)')""")
_TABBED = re.compile(
    r"""^\{[{%][<%]?-?\s*(?:tab|expand|details|accordion|collapse)[\w-]*\s+(?:"([^"\n]+)"|'([^'\n]+)')"""
)


def without(source: str) -> str:
    """Return a source without comments and the tags of templates, its lines where they were.

    A tag that gives a title leaves it, marked with TITLE; one around a listing becomes a fence. `{{ x }}` stays: it is
    as often a formula, a set or what a text is about as a variable that a generator fills in.
    """
    if "{%" in source or "{{" in source:
        source = _SHOWN_WORDS.sub(lambda found: f"{found[1]}{_lines_of(found[0])}", source)
        source = _LISTING.sub(_listing, source)
    return _NOT_SHOWN.sub(_shown, source) if any(mark in source for mark in _MARKS) else source


def title_in(tag: str) -> str:
    """Return the title that a tag gives to what stands in it; "" where it gives none.

    >>> title_in('{{% alert title="Mind the gap" %}}'), title_in("{{< tab 'Linux' >}}"), title_in("{% endtab %}")
    ('Mind the gap', 'Linux', '')
    """
    named = _NAMED.search(tag) or _TABBED.search(tag)
    return next(filter(None, named.groups()), "") if named else ""


def _listing(found: re.Match[str]) -> str:
    if found["kept"]:
        return found[0]
    body: str = found["body"] if found["liquid"] else found["inner"]
    fence = "" if re.search(r"^\s*(?:```|~~~)", body, re.MULTILINE) else f"{found['before']}```"
    return f"{fence}{body if body.startswith(chr(10)) else chr(10) + body}".rstrip(" \t") + _closing(body, fence)


def _closing(body: str, fence: str) -> str:
    return fence if body.rstrip(" \t").endswith("\n") else f"\n{fence}"


def _shown(found: re.Match[str]) -> str:
    if found["kept"]:
        return found[0]
    if found["raw"]:
        return str(found["inner"])
    title = title_in(found["tag"]) if found["tag"] and _is_alone(found) else ""
    return f"{TITLE}{title}" * bool(title) + _lines_of(found[0])


def _lines_of(text: str) -> str:
    return "\n" * text.count("\n")


def _is_alone(found: re.Match[str]) -> bool:
    """Return whether a tag stands on lines of its own."""
    before = found.string[found.string.rfind("\n", 0, found.start()) + 1 : found.start()]
    end = found.string.find("\n", found.end())
    return not before.strip() and not found.string[found.end() : end if end >= 0 else None].strip()
