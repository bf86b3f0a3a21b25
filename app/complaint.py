"""Complaint: what a language model's server says is wrong with a request. Its words are read here and never shown.

Servers word the same thing in their own ways; the sources are their documentation and their code: OpenAI, Azure,
Anthropic, Gemini, Mistral, OpenRouter, Groq, vLLM, llama.cpp, LM Studio, Ollama, and what FastAPI says for others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from app import ModelError

LONGEST = 16 * 1024  # bytes that are read of one
DEEPEST = 8  # levels of its JSON
LEAST = 256  # tokens, below which a number is no window

# Why a server ends an answer. Every other word for it is that of a whole one: "stop", "eos", "end_turn", "STOP" ...
_CUT = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
_WITHHELD = frozenset({"content_filter", "safety", "recitation", "refusal", "prohibited_content", "blocklist"})

_OVERFLOW = re.compile(
    r"context[_ ](?:length|size|window)|exceed_context|maximum context|prompt is too long|too many (?:input )?tokens"
    r"|input token count|reduce the length|input is too long|request too large",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"(?:maximum context length (?:is|of)|context (?:length|size|window)(?: is| of)?(?: only)?|>=?"
    r"|maximum number of tokens allowed|limit:?)\s*\(?(\d[\d,]*)",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content_filter|content management policy|ResponsibleAIPolicy", re.IGNORECASE)
_SYSTEM = re.compile(
    r"messages?\[?\.?0\]?\.role|\b(?:system|developer)\b.{0,30}\b(?:role|message|prompt|instruction|enabled)"
    r"|\brole\b.{0,60}\bsystem\b|roles must alternate",
    re.IGNORECASE,
)
_PARTS = re.compile(r"\b(temperature|max_completion_tokens|max_tokens)\b")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a request."""

    rejected: str = ""  # the part that is not taken: "temperature", "max_tokens", "system" ...
    overflow: bool = False  # it is longer than the model can read,
    window: int = 0  # which is so many tokens, 0 where the server does not say
    filtered: bool = False  # what it asks for is not answered here


def read(body: bytes) -> Complaint:
    """Return what the body of a refusal says; an empty complaint where it says nothing known.

    >>> read(b'{"error":{"message":"too long","type":"exceed_context_size_error","n_ctx":2048}}').window
    2048
    >>> read(b'{"detail":[{"loc":["body","temperature"],"msg":"extra fields not permitted"}]}').rejected
    'temperature'
    """
    try:
        said = list(_said(json.loads(body[:LONGEST].decode("utf-8", "replace"))))
    except (ValueError, RecursionError):
        return Complaint()
    text = " ".join(value for _, value in said)
    if _FILTERED.search(text):
        return Complaint(filtered=True)
    if _OVERFLOW.search(text):
        named = [value for name, value in said if name == "n_ctx"]
        found = [
            int(digits.replace(",", "")[:9]) for digits in [*named, *_WINDOW.findall(text)] if digits[:1].isdigit()
        ]
        return Complaint(overflow=True, window=next((number for number in found if number >= LEAST), 0))
    named = [value for name, value in said if name == "param"]
    for where in [*named, text]:
        if _SYSTEM.search(where):
            return Complaint(rejected="system")
        if part := _PARTS.search(where):
            return Complaint(rejected=part[1])
    return Complaint()


def fault(status: int, said: Complaint, host: str) -> ModelError | None:
    """Return the error that a complaint stands for, None where it says nothing known."""
    if said.overflow or status == 413:
        window = f" of {said.window:,} tokens" if said.window else ""
        what = f"the question with its passages is longer than the context{window} at {host}"
        return ModelError(what, healthy=True, overflow=True, window=said.window)
    if said.filtered:
        return ModelError(f"{host} withheld an answer (content filter)", healthy=True)
    if said.rejected and status in {400, 422, 500}:
        named = "system message" if said.rejected == "system" else said.rejected
        return ModelError(f"{host} takes no {named} ({status})", picky=True, rejected=said.rejected)
    return None


def ended(finish: str, host: str) -> ModelError | None:
    """Return what is wrong with an answer that a server ended for a reason, None where it is whole."""
    if finish.lower() in _CUT:
        return ModelError("the answer reached the length that the model may write", healthy=True, cut=True)
    if finish.lower() in _WITHHELD:
        return ModelError(f"{host} withheld an answer (content filter)", healthy=True)
    return ModelError(f"{host} reported an error in the middle", again=True) if finish.lower() == "error" else None


def _said(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield each text and number in a JSON value with the name that it has there."""
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _said(inner, str(key), depth + 1)
    elif isinstance(value, list):
        for inner in value[:50]:
            yield from _said(inner, name, depth + 1)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield name, str(value)
