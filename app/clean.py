"""Clean: what stands between a text that others wrote and every face that shows it.

Chainlit's Markdown makes links of bare addresses, drops what looks like a directive (`a:b`), and loads pictures. Cleaned
text shows what it says and does nothing.
"""

from __future__ import annotations

import re

_JOINER = "\u2060"  # shown as nothing; an address or a mail address broken by it is no link
_ADDRESS = re.compile(r"(?i)(?<![a-z])(https?|ftp|www|mailto|xmpp)(?=:|\.)|(?<=[\w.+-])(?=@[\w-])")
_SPECIAL = re.compile(
    r"[\\`*\[\]~$|]"  # emphasis, code, links, strikethrough, maths, tables
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # emphasis; not within a_name
    r"|:(?=[A-Za-z:])"  # a directive
    r"|(?m:^(?=\s*)[#+=-]|(?<=^[ \t])[#+=-])"  # a heading, a list, a rule
    r"|(?m:(?<=^\d)[.)]|(?<=^\d\d)[.)])"  # a numbered list
)
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def clean(text: str) -> str:
    r"""Return Markdown that shows a text as it is: no markup, link, picture or HTML of it comes alive.

    >>> clean("![x](//evil) <b> a:b 2*3")
    '!\\[x\\](//evil) &lt;b&gt; a\\:b 2\\*3'
    """
    broken = _ADDRESS.sub(lambda found: found.group(0) + _JOINER, text)
    escaped = _SPECIAL.sub(lambda found: f"\\{found.group(0)}", broken)
    return re.sub("[&<>]", lambda found: _MARKUP[found.group(0)], escaped)
