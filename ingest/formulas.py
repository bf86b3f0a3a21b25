"""Formulas: whatever a page shows one with, as its TeX source."""

from __future__ import annotations

import re

from lxml import html

_SHOWN = re.compile(r"\b(?:katex|mwe-math-element|MathJax|ltx_eqn_table)\b")
_PICTURE = re.compile(r"\b(?:latex|tex|math|mwe-math-fallback-image-\w+|equation)\b", re.IGNORECASE)
_DRAWN = re.compile(r"latex\.php|latex\.codecogs|mathtex|/math/render/|chart\?cht=tx", re.IGNORECASE)


def is_source(element: html.HtmlElement) -> bool:
    """Return whether a script holds a formula that MathJax draws in its place."""
    return element.tag == "script" and (element.get("type") or "").startswith("math/tex")


def is_formula(element: html.HtmlElement, css: str) -> bool:
    """Return whether an element is a formula, by its name, its class, or where its picture is drawn."""
    if element.tag == "img":
        return bool(element.get("alt")) and bool(_PICTURE.search(css) or _DRAWN.search(element.get("src") or ""))
    return element.tag in {"math", "mjx-container"} or bool(css and _SHOWN.search(css)) or is_source(element)


def tex(element: html.HtmlElement) -> tuple[str, str]:
    """Return a formula's source between dollar signs, its text where it has none, and what a browser shows of it."""
    shown = "" if element.tag in {"script", "img"} else " ".join("".join(element.itertext()).split())
    if is_source(element):
        return f"${' '.join((element.text or '').split())}$", ""
    if element.tag == "table":  # LaTeXML's: a formula and its number
        return " ".join(f"${' '.join(said.split())}$" for said in element.xpath(".//math/@alttext")), shown
    after = element.getnext()
    if after is not None and is_source(after):  # drawn already, its source comes next
        return "", shown
    source = next(iter(element.xpath(".//annotation[contains(@encoding, 'tex')]//text()")), None)
    if source is None:
        source = element.get("alttext") or element.get("alt") or next(iter(element.xpath(".//img/@alt")), None)
    if source is None:
        return shown, shown
    inner = re.fullmatch(r"\s*\{\\(?:displaystyle|textstyle)\s*(.*)\}\s*", source, re.DOTALL)
    return f"${' '.join((inner.group(1) if inner else source).strip('$').split())}$", shown
