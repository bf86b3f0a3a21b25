"""Every word said to a language model lies here as Markdown; `fill` puts values into it."""

from __future__ import annotations

from pathlib import Path
from string import Template

HERE = Path(__file__).parent


def fill(name: str, **values: str) -> str:
    """Return the prompt `name` with its `$placeholders` filled; a missing value is a KeyError."""
    return Template((HERE / f"{name}.md").read_text(encoding="utf-8")).substitute(values)
