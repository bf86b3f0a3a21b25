"""Front matter: the settings at the head of a Markdown file."""

from __future__ import annotations

import re

BLOCK = re.compile(r"\A\ufeff?(---|\+\+\+)[ \t]*\r?\n(.*?)\r?\n\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_SETTING = re.compile(r"""^(\w+)\s*[:=]\s*(["']?)(.+?)\2\s*$""", re.MULTILINE)


def settings(source: str) -> dict[str, str]:
    """Return the plain settings at the head of a file (YAML or TOML) without quotes; nested ones are left out."""
    found = BLOCK.match(source)
    return {key: value.strip() for key, _, value in _SETTING.findall(found.group(2))} if found else {}
