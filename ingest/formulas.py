"""Formulas: whatever a page shows one with, as its TeX source."""

from __future__ import annotations

import re

from lxml import html

from ingest.raised import lowered, raised

_SHOWN = re.compile(r"\b(?:katex|mwe-math-element|MathJax|ltx_eqn_table)\b")
_PICTURE = re.compile(r"\b(?:latex|tex|math|mwe-math-fallback-image-\w+|equation)\b", re.IGNORECASE)
_SPOKEN = re.compile(
    r"^[^\\^_=$]*[A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]{2,}[^\\^_=$]*$"
)  # a description, or that there is none
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
        said = element.get("alttext") or element.get("alt") or next(iter(element.xpath(".//img/@alt")), None)
        source = said if said and not _SPOKEN.search(said) else None
    if source is None:
        math = element if element.tag == "math" else element.find(".//math")
        return (shown if math is None else " ".join(_line(math).split())), shown
    inner = re.fullmatch(r"\s*\{\\(?:displaystyle|textstyle)\s*(.*)\}\s*", source, re.DOTALL)
    return f"${' '.join((inner.group(1) if inner else source).strip('$').split())}$", shown


def _line(element: html.HtmlElement) -> str:
    """Return MathML as a line: powers raised, fractions with a bar, roots with their sign."""
    if element.tag in {"annotation", "annotation-xml"}:
        return ""
    parts = [_line(child) for child in element if isinstance(child.tag, str)]
    if not parts:
        return " ".join((element.text or "").split())
    if element.tag in {"msup", "msub", "munder", "mover", "msubsup", "munderover"} and len(parts) > 1:
        low = parts[1] if element.tag not in {"msup", "mover"} else ""
        high = parts[-1] if element.tag not in {"msub", "munder"} else ""
        base = parts[0] + (lowered(low, parts[0]) if low else "")
        return base + (raised(high, parts[0]) if high else "")
    if element.tag == "mfrac" and len(parts) == 2:
        return "/".join(part if len(part) < 2 or part.isalnum() else f"({part})" for part in parts)
    if element.tag == "msqrt":
        return f"√({''.join(parts)})"
    if element.tag == "mfenced":
        return f"({', '.join(parts)})"
    return ("; " if element.tag in {"mtable", "mtr"} else "").join(parts)
