"""Endpoint: which language model answers, found from the settings or, failing them, on this machine."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import config
from app import AnswerError, ModelError

OLLAMA = ("127.0.0.1", 11434)  # where an Ollama listens when nobody told it otherwise
HOSTED_MODEL = "gpt-4.1-mini"
NONE = "none"  # PREPSHELF_LLM or PREPSHELF_LLM_URL with this turns every model off
# PREPSHELF_LLM with this sends questions to OPENAI_BASE_URL. A key alone does not: it may lie there for other tools.
OPENAI = "openai"
LOCAL = "local"  # PREPSHELF_LLM with this runs the model of PREPSHELF_LLM_FILE on this machine
PROBE = 0.3  # seconds to find an Ollama
LISTS_WITHIN = 5.0  # seconds for the list of models

# What models are called that are listed beside those that write text: encoders, rerankers, pictures, speech, bases.
_NO_WRITER = re.compile(
    r"embed|minilm|rerank|(?:^|[/:_-])(?:bge|gte|e5|colbert|clip|siglip|whisper|tts|flux|sdxl|sora|veo|imagen)(?:[/:._-]|$)"
    r"|dall-?e|image|stable-diffusion|speech|audio|transcri|realtime|moderation|guard|ocr|davinci|babbage|-base(?:$|[:-])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server and a model on it."""

    url: str  # without a slash at its end
    model: str  # "" is the first that the server lists
    key: str = field(repr=False)
    found: str  # by which setting, or where
    version: str = ""  # of Azure's interface
    named: bool = True  # whether a person named the model
    file: str = ""  # of a model that is run here; its address is known once it runs

    @property
    def picked(self) -> bool:
        """Return whether the model is the first of a list, so that the next one may take its place."""
        return not (self.model and self.named)

    @property
    def place(self) -> str:
        """Return the server's host and port."""
        return "this machine" if self.file else urlsplit(self.url).netloc

    def as_json(self) -> dict[str, str]:
        """Return what `prep status --json` prints of it."""
        return {"url": self.url, "model": self.model, "found": self.found}

    def __str__(self) -> str:
        """Say which model is used: its name, its place, and how it was found."""
        return f"{self.model or 'the first model'} at {self.place} ({self.found})"


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as its server lists it."""

    name: str
    window: int = 0  # tokens that it can read and write; 0: it does not say


def find(settings: config.Settings) -> Endpoint | None:
    """Return the endpoint that answers, None where there is none.

    Raises AnswerError where a setting cannot be followed.
    """
    wanted = settings.llm.strip().lower()
    if wanted not in {"", NONE, OPENAI, LOCAL}:
        raise AnswerError(f"PREPSHELF_LLM is {settings.llm!r}; it may be {OPENAI}, {LOCAL} or {NONE}.")
    if NONE in {wanted, settings.llm_url.strip().lower()}:
        return None
    if wanted == LOCAL:
        if not settings.llm_file:
            raise AnswerError(f"PREPSHELF_LLM is {LOCAL}; set PREPSHELF_LLM_FILE to the model, a GGUF file.")
        return Endpoint("", Path(settings.llm_file).stem, "", "PREPSHELF_LLM_FILE", file=settings.llm_file)
    if wanted == OPENAI:
        if not settings.openai_key:
            raise AnswerError(f"PREPSHELF_LLM is {OPENAI}, and OPENAI_API_KEY is not set; set it, too.")
        model = settings.llm_model or HOSTED_MODEL
        return Endpoint(address(settings.openai_url, "OPENAI_BASE_URL"), model, settings.openai_key, "PREPSHELF_LLM")
    if settings.llm_url.strip():
        url, version = address(settings.llm_url), _version(settings.llm_url)
        model = settings.llm_model or (_deployment(url) if version else "")
        return Endpoint(url, model, settings.llm_key, "PREPSHELF_LLM_URL", version)
    return ollama(settings.llm_model)


def address(given: str, setting: str = "PREPSHELF_LLM_URL") -> str:
    """Return an address as requests are made to it.

    >>> address("http://localhost:11434"), address("https://llm.example.org/api/v1/chat/completions")
    ('http://localhost:11434/v1', 'https://llm.example.org/api/v1')
    """
    url = given.strip()
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and url.isprintable()
    except ValueError:
        sound = False
    # A key in the address would show wherever an address shows.
    if not sound or "@" in parts.netloc or not set(parse_qs(parts.query, True)) <= {"api-version"} or " " in url:
        sound = False
    if not sound or parts.fragment:
        raise AnswerError(
            f"{setting} is no address of a server; set one like http://127.0.0.1:8080/v1, and a key in"
            " PREPSHELF_LLM_API_KEY."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def _version(given: str) -> str:
    return parse_qs(urlsplit(given.strip()).query).get("api-version", [""])[0]


def _deployment(url: str) -> str:
    """Return the name of the deployment in an address of Azure's, "" where there is none."""
    return url.partition("/deployments/")[2].partition("/")[0]


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
    return Endpoint(url, name, "", "an Ollama on this machine", named=bool(model))


def first_model(url: str, *, key: str = "", seconds: float = LISTS_WITHIN) -> str:
    """Return the name of the first model that a server lists and that writes text. Raises ModelError as `first`."""
    return first(url, key=key, seconds=seconds).name


def first(url: str, *, key: str = "", seconds: float = LISTS_WITHIN, without: Collection[str] = ()) -> Listed:
    """Return the first model that a server lists and that writes text, `without` those that were found not to.

    Raises ModelError where it lists none.
    """
    from app import wire  # httpx2: 0.15 s, and only where a server is

    for one in _writers(wire.listing(f"{url}/models", key=key, seconds=seconds)):
        if one.name not in without:
            return one
    raise ModelError(f"{wire.place(url)} lists no model that writes text; set PREPSHELF_LLM_MODEL", lasting=True)


def _writers(listed: object) -> Iterator[Listed]:
    rows = listed.get("data") if isinstance(listed, dict) else listed  # a list alone: Together
    for row in rows if isinstance(rows, list) else []:
        name = row.get("id") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) < 300:
            continue
        if not _NO_WRITER.search(name.rpartition("/")[2]) and _writes(row):
            yield Listed(name, _window(row))


def _window(row: Mapping[str, Any]) -> int:
    """Return how many tokens a list says that a model can read and write, 0 where it does not say."""
    meta = row.get("meta")
    told = [row.get(name) for name in ("max_model_len", "context_window", "context_length", "max_context_length")]
    told.append(meta.get("n_ctx") if isinstance(meta, dict) else None)  # llama.cpp; the others: vLLM, Groq, OpenRouter
    return next((size for size in told if isinstance(size, int) and size > 0), 0)


def _writes(row: Mapping[str, Any]) -> bool:
    """Return whether what a list says of a model beside its name is what it says of one that writes text."""
    kind, able, built = row.get("type"), row.get("capabilities"), row.get("architecture")
    if isinstance(kind, str) and kind in {"embedding", "embeddings", "rerank", "image", "audio", "moderation"}:
        return False  # LM Studio, Together
    if isinstance(able, dict) and able.get("completion_chat") is False:
        return False  # Mistral
    given = built.get("output_modalities") if isinstance(built, dict) else None
    return not isinstance(given, list) or "text" in given  # OpenRouter
