"""Leaks: what a model recites of its rules, or of what is secret, is not shown."""

from __future__ import annotations

import re

from app.answer import REFUSAL

LEAK = 8  # words in a row that a sentence shares with the rules by no accident


class Leaks:
    """Knows the words of the rules, so that a sentence that recites them is not shown."""

    def __init__(self, rules: str, fence: str, key: str) -> None:
        self._secrets = [secret for secret in (fence.split()[-1], key) if secret]
        self._rules = " " + " ".join(_words(rules.replace(REFUSAL, ""))) + " "

    def has(self, text: str) -> bool:
        """Return whether a text recites the rules, the word that fences the passages or the key."""
        words = _words(text)
        runs = [words] if 4 <= len(words) < LEAK else [words[n : n + LEAK] for n in range(len(words) - LEAK + 1)]
        recited = any(f" {' '.join(run)} " in self._rules for run in runs)
        return recited or any(secret in text for secret in self._secrets)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
