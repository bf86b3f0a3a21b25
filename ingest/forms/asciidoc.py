"""AsciiDoc -> plain Markdown, line by line, each with its number; no maintained library in Python reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.forms.dialects import Numbered

_ATTRIBUTE = re.compile(r"^:(!?[\w-]+!?):(?:\s+(.*))?$")
_HEADING = re.compile(r"^(={1,6}|#{1,6})\s+(\S.*?)(?:\s+\1)?\s*$")
_STYLE = re.compile(r"^\[(?!\[)([^\[\]]*(?:\[[^\]]*\][^\[\]]*)*)\]\s*$|^\[\[[^\]]*\]\]\s*$")
_TITLE = re.compile(r"^\.(?![.\s])(\S.*)$")
_DELIMITER = re.compile(r"^(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|--|`{3,}.*)\s*$")
_ITEM = re.compile(r"^\s*(\*{1,5}|\.{1,5}|-|<\d+>|<\.>|\d+\.)\s+(?:\[[ x*]\]\s+)?(\S.*)$")
_TERM = re.compile(r"^\s*(\S.*?)(:{2,4}|;;)(?:\s+(\S.*))?$")
_NOTED = re.compile(r"^(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION):\s+")
_MACRO = re.compile(r"^(?:include|image|video|audio|toc|ifdef|ifndef|ifeval|endif)::\S*\[.*\]\s*$|^(?:'''|<<<)\s*$")
_CELL = re.compile(r"(?:^|(?<=\s))(?:\d*\.?\d*\+)?(?:\d+\*)?[<^>]?(?:\.[<^>])?[adehlmsv]?\|")
_LEVELS = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_CODE = ("-", ".", "`")

_URL = r"(?:https?|ftp)://[^\s\[\]<>]*[^\s\[\]<>.,;:!?)]"
_INLINE = re.compile(
    rf"(?P<url>(?:link:)?{_URL})\[(?P<label>[^\]]*)\]|(?:link|xref|mailto):(?P<to>[^\s\[]*)\[(?P<named>[^\]]*)\]"
    r"|<<(?P<id>[^,>\n]+)(?:,\s*(?P<text>[^>\n]+))?>>|(?:stem|latexmath|asciimath):\[(?P<formula>[^\]]*)\]"
    r"|(?:kbd|btn|menu|pass|footnote):(?P<target>\w*)\[(?P<said>[^\]]*)\]|image:\S*?\[[^\]]*\]|(?:indexterm2?):\[[^\]]*\]"
    r"|\[[\w.#%-]+\]#(?P<styled>[^#\n]+)#|(?<![\w#])#(?P<marked>[^\s#][^#\n]*)#(?![\w#])"
    r"|\^(?P<high>[\w+-]{1,12})\^|~(?P<low>[\w+-]{1,12})~|\[\[[\w:.-]+(?:,[^\]]*)?\]\]|\(\(\(?[^)\n]+\)\)\)?"
    r"|(?<![\w+])\+(?P<mono>[^\s+][^+\n]*)\+(?![\w+])|(?<!\w)\*(?P<bold>[^\s*][^*\n]*)\*(?!\w)|(?<!\\)\{(?P<name>[\w-]+)\}"
)


def to_markdown(source: str) -> Iterator[Numbered]:
    """Yield the lines of the Markdown that an AsciiDoc file comes to."""
    yield from _Reader([Numbered(n, line) for n, line in enumerate(source.replace("\r\n", "\n").split("\n"), 1)]).read()


class _Reader:
    """Goes through the lines; what a line in brackets says holds for the block that comes next."""

    def __init__(self, lines: Sequence[Numbered]) -> None:
        self._lines = lines
        self._at = 0
        self._style = ""
        self._names: dict[str, str] = {}

    def read(self) -> Iterator[Numbered]:
        while self._at < len(self._lines):
            n, line = self._lines[self._at]
            if line.startswith(("|===", ",===")):
                yield from self._table()
            elif (delimiter := _DELIMITER.match(line)) and not self._underlines(line):
                yield from self._delimited(delimiter[1])
            else:
                yield from self._one(n, line)
                self._at += 1

    def _one(self, n: int, line: str) -> Iterator[Numbered]:
        following = self._lines[self._at + 1].text if self._at + 1 < len(self._lines) else ""
        if attribute := _ATTRIBUTE.match(line):
            self._names[attribute[1]] = attribute[2] or ""
        elif style := _STYLE.match(line):
            self._style = style[1] or ""
        elif line.startswith("//") or _MACRO.match(line) or line.strip() == "+":
            yield Numbered(n, "")
        elif heading := _HEADING.match(line):
            yield from (
                Numbered(n, ""),
                Numbered(n, f"{'#' * len(heading[1])} {self._inline(heading[2])}"),
                Numbered(n, ""),
            )
            if len(heading[1]) == 1 and heading[1] == "=":
                self._head()
        elif self._underlined(line, following):
            level = _LEVELS[following[0]]
            yield from (Numbered(n, ""), Numbered(n, f"{'#' * level} {self._inline(line)}"), Numbered(n, ""))
            self._at += 1
        elif title := _TITLE.match(line):
            yield from (Numbered(n, ""), Numbered(n, self._inline(title[1])), Numbered(n, ""))
        elif item := _ITEM.match(line):
            depth = len(item[1]) - 1 if item[1][0] in "*." and item[1] != "." else 0
            mark = "-" if item[1][0] in "*-" else "1."
            yield Numbered(n, f"{'    ' * depth}{mark} {self._inline(item[2])}")
        elif (term := _TERM.match(line)) and "://" not in term[1]:
            yield from self._term(n, term)
        else:
            yield Numbered(n, self._inline(_NOTED.sub("", line)))
            self._style = self._style if not line.strip() else ""

    def _term(self, n: int, term: re.Match[str]) -> Iterator[Numbered]:
        """Yield a term and its definition, which may stand on the next line."""
        said = term[3] or ""
        if not said:
            after = next((k for k in range(self._at + 1, len(self._lines)) if self._lines[k].text.strip()), 0)
            if after and not _DELIMITER.match(self._lines[after].text) and not _ITEM.match(self._lines[after].text):
                said, self._at = self._lines[after].text.strip(), after
        yield from (Numbered(n, ""), Numbered(n, self._inline(term[1])))
        yield Numbered(n, f": {self._inline(said)}" if said else "")

    def _head(self) -> None:
        """Pass over who wrote a document and when: what stands below its title, up to a blank line."""
        while self._at + 1 < len(self._lines) and self._lines[self._at + 1].text.strip():
            self._at += 1
            if attribute := _ATTRIBUTE.match(self._lines[self._at].text):
                self._names[attribute[1]] = attribute[2] or ""

    def _underlines(self, line: str) -> bool:
        before = self._lines[self._at - 1].text if self._at else ""
        return self._underlined(before, line)

    @staticmethod
    def _underlined(line: str, below: str) -> bool:
        """Return whether a line is a heading by the line below it, which is about as long."""
        return (
            len(below) > 2
            and below[0] in _LEVELS
            and below.strip() == below[0] * len(below.strip())
            and abs(len(line) - len(below)) < 3
            and bool(re.match(r"\w", line))
        )

    def _delimited(self, mark: str) -> Iterator[Numbered]:
        """Yield a block between two marks: a listing, a formula, or the lines in it."""
        first = self._at
        close = mark[:3] if mark.startswith("`") else mark
        ends = (k for k in range(first + 1, len(self._lines)) if self._lines[k].text.rstrip() == close)
        end = next(ends, len(self._lines))
        inner = self._lines[first + 1 : end]
        formula = re.match(r"stem|latexmath|asciimath", self._style)
        self._at, self._style = end + 1, ""
        last = self._lines[min(end, len(self._lines) - 1)].number
        if mark[0] in _CODE and mark != "--":
            yield from (Numbered(self._lines[first].number, ""), Numbered(self._lines[first].number, "~~~~~~"))
            yield from (Numbered(n, re.sub(r"\s*(?://|#|;;|<!--)?\s*<\d+>(?:-->)?\s*$", "", line)) for n, line in inner)
            yield from (Numbered(last, "~~~~~~"), Numbered(last, ""))
        elif mark[0] == "+" and formula:
            yield from (Numbered(self._lines[first].number, "$$"), *inner, Numbered(last, "$$"))
        elif mark[0] not in "+/":
            within = _Reader(inner)
            within._names = self._names  # of the same document
            yield from (Numbered(self._lines[first].number, ""), *within.read(), Numbered(last, ""))

    def _table(self) -> Iterator[Numbered]:
        """Yield a table; how many columns it has its first row tells, or the line in brackets above it."""
        first, self._at = self._at, self._at + 1
        mark = self._lines[first].text.strip()
        rows: list[tuple[int, list[str]]] = []
        while self._at < len(self._lines) and self._lines[self._at].text.strip() != mark:
            n, line = self._lines[self._at]
            self._at += 1
            if line.strip():
                marks = list(_CELL.finditer(line))
                ends = [*(found.start() for found in marks[1:]), len(line)]
                cells = [line[found.end() : end].strip() for found, end in zip(marks, ends, strict=True)]
                if cells:
                    rows.append((n, cells))
                elif rows:
                    rows[-1][1][-1] = f"{rows[-1][1][-1]} {line.strip()}".strip()
        self._at += 1
        cols = re.search(r'cols="?([^"\]]+)', self._style)
        wide = (
            sum(int(part.partition("*")[0]) if "*" in part else 1 for part in cols[1].split(","))
            if cols and not re.search(r"\*.*\*", cols[1])
            else 0
        )
        self._style = ""
        yield from self._rows(rows, wide or max((len(cells) for _, cells in rows[:1]), default=0))

    def _rows(self, rows: list[tuple[int, list[str]]], wide: int) -> Iterator[Numbered]:
        cells = [(n, self._inline(cell)) for n, line in rows for cell in line]
        for at in range(0, len(cells), max(1, wide)):
            row = cells[at : at + wide]
            if at == 0:
                yield Numbered(row[0][0], "")
            yield Numbered(row[0][0], f"| {' | '.join(text for _, text in row)} |")
            if at == 0:
                yield Numbered(row[0][0], f"|{'---|' * len(row)}")
        yield Numbered(cells[-1][0] if cells else 1, "")

    def _inline(self, text: str) -> str:
        """Return a line with its links, marks and names as Markdown has them."""

        def shown(found: re.Match[str]) -> str:
            if found["url"]:
                url = found["url"].removeprefix("link:")
                label = found["label"].rstrip("^").partition(",role=")[0].partition(",window=")[0].strip('"')
                return f"[{label}](<{url}>)" if label else f"<{url}>"
            if found["name"]:
                return self._names.get(
                    found["name"], {"nbsp": " ", "empty": "", "sp": " "}.get(found["name"], found[0])
                )
            if found["formula"]:
                return f"${found['formula']}$"
            if found["high"] or found["low"]:
                return f"<sup>{found['high']}</sup>" if found["high"] else f"<sub>{found['low']}</sub>"
            if found["bold"] or found["mono"]:
                return f"**{found['bold']}**" if found["bold"] else f"`{found['mono']}`"
            if found["id"] and not found["text"]:  # called after what it leads to
                return " ".join(found["id"].rpartition("#")[2].replace("_", " ").replace("-", " ").split())
            if found[0].startswith("footnote"):
                return f" ({found['said']})" if found["said"] else ""
            return next(filter(None, (found[key] for key in ("named", "text", "said", "styled", "marked"))), "")

        return _INLINE.sub(shown, text)
