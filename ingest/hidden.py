"""Hidden text: what a page holds and a browser does not show. It is taken off before anything is read.

Text that no reader sees is where instructions to programs are put. A browser's layout is not to be had here; what
counts is what the elements and the page's own style sheets say of themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cssselect import GenericTranslator, SelectorError
from lxml import etree, html

MAX_STYLES = 400_000  # characters of style sheets that are looked at, and
MAX_RULES = 300  # rules in them that hide something
MAX_SELECTOR = 2_000  # characters
MAX_ATTRIBUTE = 2_000  # characters of what an element says of itself

_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:^|;)\s*opacity\s*:\s*\.?0+(?:\.0*)?%?\s*(?:!|;|$)"
    r"|font-size\s*:\s*\.?0*(?:\.0+)?(?:[01](?:\.\d+)?px|0[a-z%]*)\s*(?:!|;|$)|content-visibility\s*:\s*hidden"
    r"|(?:left|right|top|bottom|text-indent|margin-left|margin-top)\s*:\s*-\d{3,}|translate\w*\(\s*-\d{4,}"
    r"|clip\s*:\s*rect\((?:\s*[01](?:px)?[\s,]*){4}\)|clip-path\s*:\s*(?:inset\(\s*(?:50|100)%|circle\(\s*0)"
    r"|transform\s*:\s*scale\(\s*0\s*\)|(?:^|;)\s*color\s*:\s*transparent",
    re.IGNORECASE,
)
_NO_SIZE = re.compile(r"(?:^|;)\s*(?:max-)?(?:height|width)\s*:\s*[01](?:px|em|rem|%)?\s*(?:!|;|$)", re.IGNORECASE)
_CUT_OFF = re.compile(r"overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|;)\s*(background(?:-color)?|color)\s*:\s*([^;!]+)", re.IGNORECASE)
_WHITE = {"white": "#ffffff", "#fff": "#ffffff", "rgb(255,255,255)": "#ffffff", "black": "#000000", "#000": "#000000"}
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_CONDITIONAL = re.compile(r"@[\w-][^{};@]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")  # for paper, for narrow screens, ...
_BEFORE = re.compile(r"[{;@]")  # a selector
_ATTRIBUTE = re.compile(r"\[[^\]]*\]")
_NAMED = re.compile(r"[.#]([\w-]+)")
_SHOWS = re.compile(r"display\s*:(?!\s*none)|visibility\s*:\s*visible", re.IGNORECASE)
_UNSEEN_CLASSES = "sr-only visuallyhidden visually-hidden screen-reader-text".split()
_UNSEEN_CLASSES += "mw-editsection headerlink anchorjs-link hash-link".split()
_UNSEEN_CLASS = re.compile(rf"\b(?:{'|'.join(_UNSEEN_CLASSES)})\b")


def strip(tree: html.HtmlElement) -> None:
    """Take everything off a page that a browser would not show."""
    by_rule = _by_style_sheet(tree)
    said = [element for element in tree.iter() if is_hidden(element)]
    for element in [*by_rule, *said]:
        # Wikipedia hides the readable form of its formulas.
        if element.tag not in {"html", "body"} and element.find(".//annotation") is None:
            _drop(element)


def is_hidden(element: html.HtmlElement) -> bool:
    """Return whether an element itself says that it is not shown."""
    css, style = element.get("class"), element.get("style")
    if (css and _UNSEEN_CLASS.search(css[:MAX_ATTRIBUTE])) or (style and hides(style[:MAX_ATTRIBUTE])):
        return True
    return bool(element.get("hidden", "until-found") != "until-found")


def hides(style: str) -> bool:
    """Return whether declarations of style make a text unseen.

    >>> hides("color:#fff; background: white"), hides("max-height:0;overflow:hidden"), hides("font-size:10px")
    (True, True, False)
    """
    if _HIDDEN_STYLE.search(style) or (_NO_SIZE.search(style) and _CUT_OFF.search(style)):
        return True
    said = {name.lower()[:10]: "".join(value.lower().split()) for name, value in _COLOUR.findall(style)}
    colour, ground = said.get("color", ""), said.get("background", "")
    return bool(colour) and _WHITE.get(colour, colour) == _WHITE.get(ground, ground)


def _drop(element: etree._Element) -> None:
    """Remove an element, leaving the text behind it."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if element.tail:
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _by_style_sheet(tree: html.HtmlElement) -> set[html.HtmlElement]:
    """Return the elements that a rule of the page's own style sheets hides, and no other rule for them shows."""
    sheets = "\n".join(style.text or "" for style in tree.iter("style"))[:MAX_STYLES]
    names = _names(tree.iter()) if sheets else set()
    found = ((_finding(selector, names), style) for selector, style in _rules(sheets))
    rules = [(selector, style) for selector, style in found if selector]
    hiding = [selector for selector, style in rules if hides(style)][:MAX_RULES]
    hidden = {element for selector in hiding for element in _selected(tree, selector)}
    names = _names(hidden)
    for selector, style in rules:
        if hidden and _SHOWS.search(style) and names.intersection(re.findall(r"[\w-]+", selector)):
            hidden.difference_update(_selected(tree, selector))
    return hidden


def _rules(sheets: str) -> Iterator[tuple[str, str]]:
    """Yield the selector and the declarations of each rule that always holds."""
    for rule in _CONDITIONAL.sub(" ", _COMMENT.sub(" ", sheets)).split("}"):
        head, _, style = rule.rpartition("{")
        selector = _BEFORE.split(head)[-1]
        if len(selector) <= MAX_SELECTOR:
            yield selector, style


def _names(elements: Iterable[html.HtmlElement]) -> set[str]:
    """Return the classes and ids of elements."""
    return {name for element in elements for name in f"{element.get('class', '')} {element.get('id', '')}".split()}


def _finding(selector: str, names: set[str]) -> str:
    """Return the parts of a selector that may find something on a page of those classes and ids: most find nothing.

    States and pseudo-elements are not what is there at first.

    >>> _finding(".menu .open, #top, .menu:hover, div.menu.shut", {"menu", "open", "top"})
    '.menu .open, #top'
    """
    parts = (part for part in selector.split(",") if ":" not in part)
    return ",".join(p for p in parts if "\\" in p or names.issuperset(_NAMED.findall(_ATTRIBUTE.sub("", p))))


def _selected(tree: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
    try:
        found = tree.xpath(GenericTranslator().css_to_xpath(selector))
    except (SelectorError, etree.XPathError, RecursionError):
        return []
    return list(found)
