"""Server: checks what may not be, sets Chainlit up, and runs it behind the gate.

Chainlit reads its settings from the environment and from a folder as it is imported, so nothing of it is imported here
before both are as we want them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import os
import secrets
import shutil
import socket
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvicorn

from app import ServerError, logs
from app.gate import COOKIE, MOST_MESSAGE, SESSION, Login

if TYPE_CHECKING:
    from app.desk import Desk
    from app.engine import Engine
    from app.gate import Policy

HERE = Path(__file__).parent
SHORTEST_SECRET = 32  # bytes
PATIENCE = 20.0  # seconds that running questions have when the server is asked to stop
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OPENS = (
    ("features", "unsafe_allow_html"),
    ("features", "spontaneous_file_upload", "enabled"),
    ("features", "mcp", "enabled"),
    ("features", "allow_thread_sharing"),
    ("features", "audio", "enabled"),
    ("features", "edit_message"),
)
"""Settings of Chainlit's that open what the gate is built to keep shut; a server does not start with one of them on."""
_FOREIGN = "DATABASE_URL LITERAL_API_KEY SLACK_BOT_TOKEN TEAMS_APP_ID DISCORD_BOT_TOKEN CHAINLIT_ROOT_PATH".split()
"""Variables that make Chainlit talk to other services or serve elsewhere."""

log = logging.getLogger("prepshelf.server")


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
    model: str = ""
    user_header: str = ""
    proxies: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    allowed: tuple[str, ...] = ()  # who may come in by OAuth: "alice@example.org", "@example.org", "github:alice"
    metrics_token: str = ""
    log_questions: bool = False
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

    Raises ServerError with the cure.
    """
    public = not _is_loopback(plan.host)
    if plan.login == "none" and public:
        raise ServerError(f"{plan.host} can be reached by others, and nobody would log in; use `prep serve`.")
    if plan.login != "none" and len(plan.secret.encode()) < SHORTEST_SECRET:
        raise ServerError(
            f"set PREPSHELF_SECRET to at least {SHORTEST_SECRET} bytes that nobody can guess; it signs logins."
            ' `python -c "import secrets; print(secrets.token_urlsafe(48))"` makes one.'
        )
    if public and not plan.url:
        raise ServerError("set PREPSHELF_URL to the address that people use, such as https://prep.example.org.")
    if plan.url and urlsplit(plan.url).scheme != "https" and not _is_loopback(urlsplit(plan.url).hostname or ""):
        raise ServerError(f"PREPSHELF_URL is {plan.url}: passwords would cross the network unencrypted; use https.")
    if plan.login == "oauth" and not plan.allowed:
        raise ServerError("set PREPSHELF_ALLOWED to who may log in, such as @example.org; else anybody could.")
    if plan.login == "header" and not plan.user_header:
        raise ServerError("set PREPSHELF_USER_HEADER to the header in which your proxy names the user.")
    settings = tomllib.loads((HERE / ".chainlit" / "config.toml").read_text(encoding="utf-8"))
    for path in OPENS:
        value: Any = settings
        for step in path:
            value = value.get(step, {}) if isinstance(value, dict) else {}
        if value is True:
            raise ServerError(f"app/.chainlit/config.toml switches {'.'.join(path)} on; switch it off to serve.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def serve(plan: Plan, announce: Callable[[str], None]) -> None:
    """Serve until told to stop; `announce` gets a line when people can come.

    Raises ServerError where it may not, or cannot, start.
    """
    check(plan)
    if plan.login == "none":
        plan = _with_own_secret(plan)
    else:
        logs.set_up(questions=plan.log_questions)
    _prepare(plan)
    asyncio.run(_House(plan).live(announce))


def _with_own_secret(plan: Plan) -> Plan:
    """Return the plan of a single person with a secret that outlives a restart, kept where only they can read it."""
    from dataclasses import replace

    path = plan.data / "chat" / "secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(48))
    return replace(plan, secret=path.read_text(encoding="utf-8").strip())


def _prepare(plan: Plan) -> None:
    """Make Chainlit's folder, under the data folder, and its environment."""
    home = plan.data / "chat"
    texts = home / ".chainlit" / "translations"
    texts.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HERE / ".chainlit" / "config.toml", home / ".chainlit" / "config.toml")
    spec = find_spec("chainlit")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("Chainlit is not installed; run `make setup`.")
    base = json.loads((Path(spec.submodule_search_locations[0]) / "translations" / "en-US.json").read_bytes())
    ours = json.loads((HERE / "texts.json").read_bytes())
    (texts / "en-US.json").write_text(json.dumps(_merged(base, ours)), encoding="utf-8")
    for name in _FOREIGN:
        os.environ.pop(name, None)
    os.environ |= {
        "CHAINLIT_APP_ROOT": str(home),
        "CHAINLIT_AUTH_SECRET": plan.secret,
        "CHAINLIT_COOKIE_SAMESITE": "lax",  # the gate has the last word on cookies
        "CHAINLIT_AUTH_COOKIE_NAME": COOKIE,
        "CHAINLIT_ENV_FILE": "none",  # settings come from the environment, not from a file where somebody happens to be
    }
    if plan.url:
        os.environ["CHAINLIT_URL"] = plan.url


def _merged(base: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    made = dict(base)
    for key, value in ours.items():
        made[key] = _merged(made.get(key, {}), value) if isinstance(value, dict) else value
    return made


class _Server(uvicorn.Server):
    """A server that lets running questions end before it stops."""

    drain: Callable[[], None] = staticmethod(lambda: None)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain at the first signal, stop at once at the second."""
        if self.should_exit or getattr(self, "_draining", False):
            super().handle_exit(sig, frame)
            return
        self._draining = True
        self.drain()


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises ServerError where the port is taken: uvicorn would end the process without a word.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ServerError(f"{host}:{port} cannot be used ({error.strerror}); `--port` takes another.") from error


class _House:
    """All that lives while the server does."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    async def live(self, announce: Callable[[str], None]) -> None:
        listening = _listen(self.plan.host, self.plan.port)
        app, desk, tasks = await self._build()
        settings = uvicorn.Config(
            app,
            host=self.plan.host,
            port=self.plan.port,
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,  # the gate needs to know the peer as well as whom it speaks for
            ws_max_size=MOST_MESSAGE,
            timeout_graceful_shutdown=5,
            lifespan="on",
        )
        server = _Server(settings)
        loop = asyncio.get_running_loop()

        def drain() -> None:
            async def end() -> None:
                await desk.drain(PATIENCE)
                server.should_exit = True

            loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(end())))

        server.drain = drain
        where = self.plan.url or f"http://localhost:{self.plan.port}"

        async def say() -> None:
            while not server.started:
                await asyncio.sleep(0.05)
            announce(f"The chat is at {where}")

        tasks.append(loop.create_task(say()))
        await server.serve(sockets=[listening])

    async def _build(self) -> tuple[Any, Desk[Engine], list[asyncio.Task[None]]]:
        from chainlit.config import config as chainlit

        chainlit.project.allow_origins = []  # the gate says who may come; Chainlit need not answer others at all
        chainlit.project.user_session_timeout = SESSION
        chainlit.run.headless = True
        chainlit.run.host, chainlit.run.port = self.plan.host, self.plan.port
        from chainlit.server import app as inner
        from chainlit.server import build_dir

        from app import logins
        from app.accounts import Accounts
        from app.desk import Desk, Limits
        from app.engine import Engine, EngineOpener
        from app.gate import Forwarded, Gate
        from app.main import Face
        from app.memory import Memory, address
        from app.records import Records
        from app.routes import House, build
        from app.sockets import Sockets

        plan, policy = self.plan, self._policy()
        memory = Memory(plan.database or address(plan.data))
        await memory.open()
        accounts, records = Accounts(memory), Records(memory)
        if plan.login == "password" and not await accounts.names():
            raise ServerError("nobody could log in yet; `prep users add NAME` makes an account.")
        opener = EngineOpener(plan.data, plan.data / "ledger.db", plan.encoder, plan.model)
        desk: Desk[Engine] = Desk(opener, Limits(running=plan.running, deadline=plan.deadline))
        Face(desk, memory, records).register()
        logins.register(policy, plan.allowed)

        async def ready() -> list[str]:
            missing = [desk.trouble, memory.trouble, "stopping" if desk.draining else ""]
            return [one for one in missing if one]

        async def about() -> dict[str, Any]:
            return await asyncio.to_thread((await desk.assistant()).about)

        house = House(memory, records, accounts, policy, Path(build_dir), about, ready, plan.metrics_token)
        gate = Gate(inner, build(house), policy, accounts)
        sockets = Sockets(gate)
        sockets.install()
        await desk.look()
        tasks = [asyncio.create_task(desk.watch()), asyncio.create_task(sockets.sweep())]
        return Forwarded(gate, plan.proxies), desk, tasks

    def _policy(self) -> Policy:
        from app.gate import Policy

        plan = self.plan
        return Policy(
            origins=plan.origins,
            secret=plan.secret,
            login=plan.login,
            secure=plan.url.startswith("https://"),
            user_header=plan.user_header,
            proxies=plan.proxies,
            csp=plan.csp,
        )
