"""Habits: what a server and its model take of a request, learnt from what they reject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app import ModelError

LIMITS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class Habits:
    """How a request is put for one model."""

    limit: str = "max_tokens"  # what the number of tokens is called; "": it takes none
    temperature: bool = True  # whether it takes one
    system: bool = True  # whether it knows the role; else the rules open the question

    def fitted(self, request: Mapping[str, Any]) -> dict[str, Any]:
        r"""Return a request as this model takes it.

        >>> Habits("", False, False).fitted({"temperature": 0, "messages": [
        ...     {"role": "system", "content": "Rules."}, {"role": "user", "content": "Why?"}]})
        {'messages': [{'role': 'user', 'content': 'Rules.\n\nWhy?'}]}
        """
        fitted = {name: value for name, value in request.items() if name not in LIMITS}
        tokens = next((request[name] for name in LIMITS if name in request), None)
        if self.limit and tokens is not None:
            fitted[self.limit] = tokens
        if not self.temperature:
            fitted.pop("temperature", None)
        if not self.system:
            texts = [message["content"] for message in request["messages"]]
            fitted["messages"] = [{"role": "user", "content": "\n\n".join(texts)}]
        return fitted

    def learnt(self, fault: ModelError) -> Habits | None:
        """Return the habits to try after a rejection, None where nothing is left to try.

        >>> Habits().learnt(ModelError("no", picky=True, rejected="max_tokens"))
        Habits(limit='max_completion_tokens', temperature=True, system=True)
        """
        if fault.rejected in LIMITS and self.limit == fault.rejected:
            return replace(self, limit=LIMITS[1] if fault.rejected == LIMITS[0] else "")
        if fault.rejected == "temperature" and self.temperature:
            return replace(self, temperature=False)
        if fault.rejected == "system" and self.system:
            return replace(self, system=False)
        # It names nothing that is left: the optional parts go first, then the role.
        if self.temperature or self.limit:
            return replace(self, temperature=False, limit="")
        return replace(self, system=False) if self.system else None
