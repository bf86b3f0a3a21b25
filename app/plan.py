"""Plan: how to serve, and what is refused before anything is opened."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app import ServerError
from app.gate import Login

if TYPE_CHECKING:
    from app.llm import Model

HERE = Path(__file__).parent
SHORTEST_SECRET = 32  # bytes
OPENS = (
    ("features", "unsafe_allow_html"),
    ("features", "spontaneous_file_upload", "enabled"),
    ("features", "mcp", "enabled"),
    ("features", "allow_thread_sharing"),
    ("features", "audio", "enabled"),
    ("features", "edit_message"),
)
"""Settings of Chainlit's that open what the gate is built to keep shut; a server does not start with one of them on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to serve."""

    data: Path
    host: str
    port: int
    url: str = ""  # the public address; "" on loopback only
    login: Login = "none"
    secret: str = ""
    database: str = ""  # an SQLAlchemy address; "" is SQLite in the data folder
    encoder: str = ""
    reader: str = ""
    nli: str = ""
    model: Callable[[], Model | None] = lambda: None  # that writes answers; see app.llm.connect
    user_header: str = ""
    proxies: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    allowed: tuple[str, ...] = ()  # who may come in by OAuth: "alice@example.org", "@example.org", "github:alice"
    metrics_token: str = ""
    log_questions: bool = False
    gather: tuple[str, ...] = ()  # the command that reads the links of the lists while people come
    running: int = 2
    deadline: float = 120.0
    csp: bool = True

    @property
    def origins(self) -> frozenset[str]:
        """Return the origins that are ours."""
        if self.url:
            parts = urlsplit(self.url)
            return frozenset({f"{parts.scheme}://{parts.netloc}".lower()})
        return frozenset(f"http://{host}:{self.port}" for host in ("localhost", "127.0.0.1", "[::1]"))


def check(plan: Plan) -> None:
    """Refuse what would not be safe.

    Raises ServerError with all that is wrong, and the cures.
    """
    if problems := list(_problems(plan)):
        raise ServerError("\n".join(problems))


def _problems(plan: Plan) -> Iterator[str]:
    public = not _is_loopback(plan.host)
    if plan.login == "none" and public:
        yield f"{plan.host} can be reached by others, and nobody would log in; use `prep serve`."
    if plan.login != "none" and len(plan.secret.encode()) < SHORTEST_SECRET:
        yield (
            f"set PREPSHELF_SECRET to at least {SHORTEST_SECRET} bytes that nobody can guess; it signs logins."
            ' `python -c "import secrets; print(secrets.token_urlsafe(48))"` makes one.'
        )
    if public and plan.login != "none" and not plan.url:
        yield "set PREPSHELF_URL to the address that people use, such as https://prep.example.org."
    if plan.url and urlsplit(plan.url).scheme != "https" and not _is_loopback(urlsplit(plan.url).hostname or ""):
        yield f"PREPSHELF_URL is {plan.url}: passwords would cross the network unencrypted; use https."
    if plan.login == "oauth" and not plan.allowed:
        yield "set PREPSHELF_ALLOWED to who may log in, such as @example.org; else anybody could."
    if plan.login == "header" and not plan.user_header:
        yield "set PREPSHELF_USER_HEADER to the header in which your proxy names the user."
    settings = tomllib.loads((HERE / ".chainlit" / "config.toml").read_text(encoding="utf-8"))
    for path in OPENS:
        value: Any = settings
        for step in path:
            value = value.get(step, {}) if isinstance(value, dict) else {}
        if value is True:
            yield f"app/.chainlit/config.toml switches {'.'.join(path)} on; switch it off to serve."


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
