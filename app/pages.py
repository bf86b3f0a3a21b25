"""Pages: the few that we serve ourselves. Chainlit's page loads fonts and styles from elsewhere; ours loads nothing."""

from __future__ import annotations

import html
import re
from pathlib import Path

from markdown_it import MarkdownIt

from app import ServerError

PUBLIC = Path(__file__).parent / "public"
NAME = "Prepshelf"
_ANCHORED = {"paragraph_open", "heading_open", "tr_open", "fence", "code_block"}
DESCRIPTION = "Answers for ML-infrastructure interviews, every sentence cited"


def index(dist: Path) -> str:
    """Return the page of the chat: the scripts and styles of Chainlit's build folder, then ours.

    Raises ServerError where the build is not the one that we know.
    """
    built = (dist / "index.html").read_text(encoding="utf-8")
    script = re.search(r'src="(/assets/index-[\w-]+\.js)"', built)
    style = re.search(r'href="(/assets/index-[\w-]+\.css)"', built)
    if not script or not style:
        raise ServerError(f"{dist / 'index.html'} is not of Chainlit 2.12.0; run `make setup`.")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{NAME}</title>
<meta name="description" content="{DESCRIPTION}">
<meta property="og:root_path" content="">
<link rel="icon" href="/favicon">
<script src="/public/begin.js"></script>
<link rel="stylesheet" href="{style.group(1)}">
<link rel="stylesheet" href="/public/chat.css">
<link rel="stylesheet" href="/public/panel.css">
<script type="module" src="{script.group(1)}"></script>
<script type="module" src="/public/chat.js"></script>
</head>
<body><div id="root"></div></body>
</html>
"""


def note(markdown: str) -> str:
    """Return one of the project's notes as a page; every line of the file has the anchor "L" and its number."""
    lines = markdown.split("\n")
    first = 0
    if lines[0] == "---":  # front matter is for the machine
        first = lines.index("---", 1) + 1
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse("\n" * first + "\n".join(lines[first:]))
    for token in tokens:
        if token.map and token.type in _ANCHORED:
            token.attrSet("id", f"L{token.map[0] + 1}")
    name = next((line[2:] for line in lines if line.startswith("# ")), "Note")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(name)} · {NAME} note</title>
<link rel="icon" href="/favicon">
<link rel="stylesheet" href="/public/note.css">
</head>
<body><main><p class="kind">A study note of {NAME}</p>
{parser.renderer.render(tokens, parser.options, {})}
</main></body>
</html>
"""
