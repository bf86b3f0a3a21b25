"""Settings, from the environment only. Entry points read them; everything below takes arguments."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent
_DATABASES = {
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}


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


class _Reader:
    """Reads variables, and gathers what is wrong with any of them, so that a person hears of all at once."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []

    def end(self) -> None:
        """Raise SettingError where something was wrong."""
        if self.problems:
            raise SettingError("\n".join(self.problems))

    def wrong(self, name: str, wanted: str, *, shown: bool = True) -> None:
        """Note that a setting will not do; what may hold a password is not shown."""
        value = f"{self.env.get(name, '')[:200]!r}; it is" if shown else "not what it may be:"
        self.problems.append(f"{name} is {value} {wanted}.")

    def number(self, name: str, default: float, low: float, high: float, *, whole: bool = False) -> float:
        """Return a number within its bounds, the default where none is given or it will not do."""
        given = self.env.get(name) or str(default)
        try:
            value = float(int(given)) if whole else float(given)
        except ValueError:
            value = float("nan")
        if low <= value <= high:
            return value
        self.wrong(name, f"a {'whole ' if whole else ''}number from {low:g} to {high:g}, such as {default:g}")
        return default

    def listed(self, name: str, read_one: Callable[[str], T], wanted: str, default: str = "") -> tuple[T, ...]:
        """Return what stands between commas, each read; nothing where one of it cannot be."""
        parts = [text.strip() for text in (self.env.get(name) or default).split(",") if text.strip()]
        try:
            return tuple(read_one(text) for text in parts)
        except ValueError:
            self.wrong(name, f"{wanted}, with commas between them")
            return ()

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """Return one of the values that it may have, the first where none is given or it will not do."""
        given = self.env.get(name) or allowed[0]
        if given not in allowed:
            self.wrong(name, f"one of {', '.join(filter(None, allowed))}")
            return allowed[0]
        return given

    def folder(self, name: str, default: Path) -> Path:
        """Return a folder, which need not be there yet."""
        given = self.env.get(name, "")
        try:
            path = Path(given).expanduser() if given else default
            if path.exists() and not path.is_dir():
                raise ValueError(given)
            return path
        except (RuntimeError, ValueError, OSError):  # no such home, a file, a name too long
            self.wrong(name, "a folder, or where one may be made")
            return default


def read(env: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of this process; raises SettingError that names all that will not do."""
    reader = _Reader(env)
    settings = _read(reader)
    reader.end()
    return settings


def _read(reader: _Reader) -> Settings:
    env = reader.env
    return Settings(
        data=reader.folder("PREPSHELF_DATA", ROOT / "data"),
        encoder=env.get("PREPSHELF_ENCODER", ""),
        reader=env.get("PREPSHELF_READER", ""),
        nli=env.get("PREPSHELF_NLI", ""),
        contact=env.get("PREPSHELF_CONTACT", "no contact given"),
        github_token=env.get("GITHUB_TOKEN", ""),
        allow=reader.listed("PREPSHELF_ALLOW", ip_network, "a list of networks such as 127.0.0.0/8"),
        ports=(80, 443, *reader.listed("PREPSHELF_PORTS", _port, "a list of numbers such as 8000, from 1 to 65535")),
        llm=env.get("PREPSHELF_LLM", ""),
        llm_file=str(Path(env["PREPSHELF_LLM_FILE"]).expanduser()) if env.get("PREPSHELF_LLM_FILE") else "",
        llm_url=env.get("PREPSHELF_LLM_URL", ""),
        llm_model=env.get("PREPSHELF_LLM_MODEL", ""),
        llm_key=env.get("PREPSHELF_LLM_API_KEY", ""),
        llm_seconds=reader.number("PREPSHELF_LLM_SECONDS", 90, 3, 3600),
        llm_follow_up=reader.number("PREPSHELF_LLM_FOLLOW_UP_SECONDS", 2, 0, 3600),
        llm_context=int(reader.number("PREPSHELF_LLM_CONTEXT", 0, 0, 10_000_000)),
        openai_key=env.get("OPENAI_API_KEY", ""),
        openai_url=env.get("OPENAI_BASE_URL") or "https://api.openai.com/v1",
    )


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 65535:
        return int(text)
    raise ValueError(text)


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


def read_server(env: Mapping[str, str] = os.environ) -> ServerSettings:
    """Return an operator's settings; raises SettingError that names all that will not do, of `read` too."""
    reader = _Reader(env)
    _read(reader)
    settings = ServerSettings(
        url=_public(reader),
        secret=env.get("PREPSHELF_SECRET") or env.get("CHAINLIT_AUTH_SECRET", ""),
        login=reader.choice("PREPSHELF_LOGIN", ("password", "oauth", "header")),
        database=_database(reader),
        allowed=reader.listed("PREPSHELF_ALLOWED", str, "a list of people such as @example.org"),
        user_header=_header(reader),
        proxies=reader.listed("PREPSHELF_PROXIES", _host, "a list of IP addresses", "127.0.0.1,::1"),
        metrics_token=env.get("PREPSHELF_METRICS_TOKEN", ""),
        log_questions=reader.choice("PREPSHELF_LOG_QUESTIONS", ("", "0", "1")) == "1",
        running=int(reader.number("PREPSHELF_RUNNING", 2, 1, 64, whole=True)),
        deadline=reader.number("PREPSHELF_DEADLINE", 120, 1, 3600),
    )
    reader.end()
    return settings


def _public(reader: _Reader) -> str:
    """Return the address that people use, without a slash at its end."""
    url = reader.env.get("PREPSHELF_URL", "").rstrip("/")
    try:
        parts = urlsplit(url)
        bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and bare and url.isprintable()
    except ValueError:
        sound = False
    if url and (not sound or " " in url):
        reader.wrong("PREPSHELF_URL", "an address without a path, such as https://prep.example.org")
        return ""
    return url


def _database(reader: _Reader) -> str:
    """Return a database's address with the driver that the chat uses for it."""
    url = reader.env.get("PREPSHELF_DATABASE", "")
    scheme, found, rest = url.partition("://")
    if url and not (found and rest and scheme in _DATABASES):
        reader.wrong("PREPSHELF_DATABASE", "postgresql://user:password@host/name, or nothing for SQLite", shown=False)
        return ""
    return f"{_DATABASES[scheme]}://{rest}" if url else ""


def _header(reader: _Reader) -> str:
    name = reader.env.get("PREPSHELF_USER_HEADER", "")
    if name and not re.fullmatch(r"[A-Za-z0-9-]+", name):
        reader.wrong("PREPSHELF_USER_HEADER", "the name of a header, such as X-Forwarded-User")
        return ""
    return name


def _host(text: str) -> str:
    return str(ip_address(text))
