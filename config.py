"""Settings, from the environment only. Entry points read them; everything below takes arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent


class SettingError(Exception):
    """A setting that cannot be read: the message says which, and what it may be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can set."""

    data: Path
    """PREPSHELF_DATA: the folder that programs write to; `data/` in the checkout."""
    encoder: str
    """PREPSHELF_ENCODER: "" is the built-in encoder, "exact" is all-MiniLM-L6-v2 as published, in float32; else a
    folder that holds a sentence-transformers model."""
    reader: str
    """PREPSHELF_READER: the folder of a cross-encoder that reads the best hits; "" is the built-in reader."""
    nli: str
    """PREPSHELF_NLI: the folder of a natural-language-inference model, which takes the place of the support check."""
    contact: str
    """PREPSHELF_CONTACT: address or mail that the User-Agent names, so that a site can reach you."""
    github_token: str
    """GITHUB_TOKEN: shown to GitHub alone, for its higher limits; nothing needs it."""
    allow: tuple[IPv4Network | IPv6Network, ...]
    """PREPSHELF_ALLOW: networks besides the public internet that may be fetched from, "127.0.0.0/8,::1" say."""
    ports: tuple[int, ...]
    """PREPSHELF_PORTS: ports besides 80 and 443 that may be asked, "8000,8443" say."""
    llm: str
    """PREPSHELF_LLM: "openai" sends questions to OpenAI, or OPENAI_BASE_URL, with OPENAI_API_KEY; "local" runs
    PREPSHELF_LLM_FILE on this machine; "none": no language model; "": that of PREPSHELF_LLM_URL, or else an Ollama of
    this machine."""
    llm_file: str
    """PREPSHELF_LLM_FILE: an instruct model in a GGUF file."""
    llm_url: str
    """PREPSHELF_LLM_URL: an OpenAI-compatible endpoint, as http://127.0.0.1:8080/v1; "none": no language model."""
    llm_model: str
    """PREPSHELF_LLM_MODEL: the model's name there; "" takes the first that the endpoint lists."""
    llm_key: str
    """PREPSHELF_LLM_API_KEY: its key, where it wants one."""
    llm_seconds: float
    """PREPSHELF_LLM_SECONDS: how long a model may take for an answer, 90; begun, it may be silent for half."""
    llm_follow_up: float
    """PREPSHELF_LLM_FOLLOW_UP_SECONDS: how long it may take to put a follow-up into a question that stands alone, 2; 0:
    it is not asked for that. Whatever takes longer is understood without it."""
    llm_context: int
    """PREPSHELF_LLM_CONTEXT: tokens that it can read and write for one answer, where its server does not say."""
    openai_key: str
    """OPENAI_API_KEY: used where PREPSHELF_LLM is "openai", and sent to nothing but OPENAI_BASE_URL."""
    openai_url: str
    """OPENAI_BASE_URL: https://api.openai.com/v1."""

    def __repr__(self) -> str:
        """Show the settings without the keys."""
        return f"Settings(data={str(self.data)!r}, encoder={self.encoder!r}, llm_model={self.llm_model!r})"


def read(env: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of this process."""
    return Settings(
        data=Path(env.get("PREPSHELF_DATA") or ROOT / "data").expanduser(),
        encoder=env.get("PREPSHELF_ENCODER", ""),
        reader=env.get("PREPSHELF_READER", ""),
        nli=env.get("PREPSHELF_NLI", ""),
        contact=env.get("PREPSHELF_CONTACT", "no contact given"),
        github_token=env.get("GITHUB_TOKEN", ""),
        allow=_listed(env, "PREPSHELF_ALLOW", ip_network, "networks such as 127.0.0.0/8"),
        ports=(80, 443, *_listed(env, "PREPSHELF_PORTS", int, "numbers such as 8000")),
        llm=env.get("PREPSHELF_LLM", ""),
        llm_file=str(Path(env["PREPSHELF_LLM_FILE"]).expanduser()) if env.get("PREPSHELF_LLM_FILE") else "",
        llm_url=env.get("PREPSHELF_LLM_URL", ""),
        llm_model=env.get("PREPSHELF_LLM_MODEL", ""),
        llm_key=env.get("PREPSHELF_LLM_API_KEY", ""),
        llm_seconds=_number(env, "PREPSHELF_LLM_SECONDS", 90.0, least=3.0, most=3600.0),
        llm_follow_up=_number(env, "PREPSHELF_LLM_FOLLOW_UP_SECONDS", 2.0, least=0.0, most=3600.0),
        llm_context=int(_number(env, "PREPSHELF_LLM_CONTEXT", 0.0, least=0.0, most=10e6)),
        openai_key=env.get("OPENAI_API_KEY", ""),
        openai_url=env.get("OPENAI_BASE_URL") or "https://api.openai.com/v1",
    )


def _listed(env: Mapping[str, str], name: str, read_one: Callable[[str], T], wanted: str) -> tuple[T, ...]:
    try:
        return tuple(read_one(text.strip()) for text in env.get(name, "").split(",") if text.strip())
    except ValueError as error:
        raise SettingError(f"{name} cannot be read ({error}); it lists {wanted}, with commas between them.") from error


def _number(env: Mapping[str, str], name: str, usual: float, *, least: float, most: float) -> float:
    """Return a number within its bounds, the usual one where none is given."""
    try:
        given = float(env.get(name) or usual)
    except ValueError:
        return usual
    return min(most, max(least, given))


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What an operator of a team's server can set."""

    url: str
    """PREPSHELF_URL: the address that people use, such as https://prep.example.org; "" is this machine only."""
    secret: str
    """PREPSHELF_SECRET (or CHAINLIT_AUTH_SECRET): at least 32 bytes that sign logins."""
    login: str
    """PREPSHELF_LOGIN: "password", "oauth" (with Chainlit's OAUTH_* variables) or "header"."""
    database: str
    """PREPSHELF_DATABASE: postgresql://user:password@host/name; "" is SQLite in the data folder."""
    allowed: tuple[str, ...]
    """PREPSHELF_ALLOWED: who may log in by OAuth, commas between: @example.org, alice@example.net, github:alice."""
    user_header: str
    """PREPSHELF_USER_HEADER: the header in which a proxy that logs people in names them."""
    proxies: tuple[str, ...]
    """PREPSHELF_PROXIES: addresses of proxies whose word is taken, commas between; 127.0.0.1 and ::1."""
    metrics_token: str
    """PREPSHELF_METRICS_TOKEN: opens /metrics to other machines."""
    log_questions: bool
    """PREPSHELF_LOG_QUESTIONS=1 writes what people ask into the log."""
    running: int
    """PREPSHELF_RUNNING: questions answered at once."""
    deadline: float
    """PREPSHELF_DEADLINE: seconds that a question may take."""

    def __repr__(self) -> str:
        """Show the settings without the secrets."""
        return f"ServerSettings(url={self.url!r}, login={self.login!r})"


def read_server() -> ServerSettings:
    """Return an operator's settings; raises SettingError where a number is none."""
    env = os.environ

    def listed(name: str, default: str = "") -> tuple[str, ...]:
        return tuple(one.strip() for one in (env.get(name) or default).split(",") if one.strip())

    def number(name: str, default: float) -> float:
        given = env.get(name) or default
        try:
            return float(given)
        except ValueError as error:
            raise SettingError(f"{name} is {given!r}; it is a number such as {default}.") from error

    return ServerSettings(
        url=env.get("PREPSHELF_URL", "").rstrip("/"),
        secret=env.get("PREPSHELF_SECRET") or env.get("CHAINLIT_AUTH_SECRET", ""),
        login=env.get("PREPSHELF_LOGIN", "password"),
        database=_driven(env.get("PREPSHELF_DATABASE", "")),
        allowed=listed("PREPSHELF_ALLOWED"),
        user_header=env.get("PREPSHELF_USER_HEADER", ""),
        proxies=listed("PREPSHELF_PROXIES", "127.0.0.1,::1"),
        metrics_token=env.get("PREPSHELF_METRICS_TOKEN", ""),
        log_questions=env.get("PREPSHELF_LOG_QUESTIONS", "") == "1",
        running=int(number("PREPSHELF_RUNNING", 2)),
        deadline=number("PREPSHELF_DEADLINE", 120),
    )


def _driven(url: str) -> str:
    """Return a database's address with the driver that the chat uses for it."""
    scheme, found, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}" if found and scheme in {"postgresql", "postgres"} else url
