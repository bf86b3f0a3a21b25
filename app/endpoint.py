"""Endpoint: which language model answers, found from the settings or, failing them, on this machine."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import config
from app import AnswerError, ModelError

OLLAMA = ("127.0.0.1", 11434)  # where an Ollama listens when nobody told it otherwise
HOSTED_MODEL = "gpt-4.1-mini"
NONE = "none"  # PREPSHELF_LLM_URL with this turns every model off
PROBE = 0.3  # seconds to find an Ollama
LISTS_WITHIN = 5.0  # seconds for the list of models


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server and a model on it."""

    url: str  # without a slash at its end
    model: str  # "" is the first that the server lists
    key: str = field(repr=False)
    found: str  # by which setting, or where

    @property
    def place(self) -> str:
        """Return the server's host and port."""
        return urlsplit(self.url).netloc

    def as_json(self) -> dict[str, str]:
        """Return what `prep status --json` prints of it."""
        return {"url": self.url, "model": self.model, "found": self.found}

    def __str__(self) -> str:
        """Say which model is used: its name, its place, and how it was found."""
        return f"{self.model or 'the first model'} at {self.place} ({self.found})"


def find(settings: config.Settings) -> Endpoint | None:
    """Return the endpoint that answers, None where there is none.

    Raises AnswerError where PREPSHELF_LLM_URL cannot be one.
    """
    if settings.llm_url.strip().lower() == NONE:
        return None
    if settings.llm_url.strip():
        return Endpoint(address(settings.llm_url), settings.llm_model, settings.llm_key, "PREPSHELF_LLM_URL")
    if settings.openai_key:
        model = settings.llm_model or HOSTED_MODEL
        return Endpoint(address(settings.openai_url, "OPENAI_BASE_URL"), model, settings.openai_key, "OPENAI_API_KEY")
    return ollama(settings.llm_model)


def address(given: str, setting: str = "PREPSHELF_LLM_URL") -> str:
    """Return an address as requests are made to it.

    >>> address("http://localhost:11434"), address("https://llm.example.org/api/v1/")
    ('http://localhost:11434/v1', 'https://llm.example.org/api/v1')
    """
    url = given.strip()
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and url.isprintable()
    except ValueError:
        sound = False
    # A key in the address would show wherever an address shows.
    if not sound or "@" in parts.netloc or parts.query or parts.fragment or " " in url:
        raise AnswerError(
            f"{setting} is no address of a server; set one like http://127.0.0.1:8080/v1, and a key in"
            " PREPSHELF_LLM_API_KEY."
        )
    return url.rstrip("/") if parts.path.strip("/") else f"{url.rstrip('/')}/v1"


def ollama(model: str = "", at: tuple[str, int] | None = None) -> Endpoint | None:
    """Return the Ollama of this machine where one listens and holds a model; nothing but loopback is asked."""
    at = at or OLLAMA
    try:
        socket.create_connection(at, timeout=PROBE).close()
    except OSError:
        return None
    url = f"http://{at[0]}:{at[1]}/v1"
    try:
        name = model or first_model(url, seconds=PROBE)
    except ModelError:
        return None
    return Endpoint(url, name, "", "an Ollama on this machine")


def first_model(url: str, *, key: str = "", seconds: float = LISTS_WITHIN) -> str:
    """Return the first model that a server lists and that writes text.

    Raises ModelError where it lists none.
    """
    from app import wire  # httpx2: 0.15 s, and only where a server is

    listed = wire.listing(f"{url}/models", key=key, seconds=seconds)
    rows = listed.get("data") if isinstance(listed, dict) else None
    names = [row.get("id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    for name in names:
        if isinstance(name, str) and name.isprintable() and 0 < len(name) < 300 and "embed" not in name.lower():
            return name
    raise ModelError(f"{wire.place(url)} lists no model; set PREPSHELF_LLM_MODEL", lasting=True)
