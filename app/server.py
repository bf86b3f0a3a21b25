"""Server: checks what may not be, sets Chainlit up, and runs it behind the gate.

Chainlit reads its settings from the environment and from a folder as it is imported, so nothing of it is imported here
before both are as we want them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import AnswerError, ServerError, logs
from app.gate import COOKIE, MOST_MESSAGE, SESSION, App, Receive, Scope, Send
from app.gathering import Gathering
from app.plan import Plan, check

if TYPE_CHECKING:
    from app.desk import Desk
    from app.engine import Engine
    from app.gate import Policy

HERE = Path(__file__).parent
PATIENCE = 20.0  # seconds that running questions have when the server is asked to stop
_FOREIGN = "DATABASE_URL LITERAL_API_KEY SLACK_BOT_TOKEN TEAMS_APP_ID DISCORD_BOT_TOKEN CHAINLIT_ROOT_PATH".split()
"""Variables that make Chainlit talk to other services or serve elsewhere."""

log = logging.getLogger("prepshelf.server")


def serve(plan: Plan, announce: Callable[[str], None]) -> None:
    """Serve until told to stop; `announce` gets a line when people can come.

    Raises ServerError where it may not, or cannot, start.
    """
    check(plan)
    if plan.login == "none":
        plan = _with_own_secret(plan)
        logs.hush()
    else:
        logs.set_up(questions=plan.log_questions)
    _prepare(plan)
    asyncio.run(_House(plan).live(announce))


def _with_own_secret(plan: Plan) -> Plan:
    """Return the plan of a single person with a secret that outlives a restart, kept where only they can read it."""
    path = plan.data / "chat" / "secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(48))
    return replace(plan, secret=path.read_text("utf-8", "replace").strip())


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


class _Forwarded:
    """Takes a proxy's word for whom it speaks for, and remembers who really spoke."""

    def __init__(self, inner: App, proxies: frozenset[str]) -> None:
        self._inner = ProxyHeadersMiddleware(inner, trusted_hosts=sorted(proxies))  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as the proxy describes it."""
        if scope["type"] != "lifespan":
            scope["peer"] = (scope.get("client") or ("",))[0]
        await self._inner(scope, receive, send)  # type: ignore[arg-type]


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
        self.gathering = Gathering(plan.gather, plan.data)

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
            if self.gathering.runs:
                announce("The links of the lists are read beside it; the chat's banner says how far that is.")

        tasks.append(loop.create_task(say()))
        self.gathering.start()
        try:
            await server.serve(sockets=[listening])
        finally:
            await asyncio.to_thread(self.gathering.stop)

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
        from app.database import Database, address
        from app.desk import Desk, Limits
        from app.engine import EngineOpener, Writer
        from app.gate import Gate
        from app.main import Face
        from app.memory import Memory
        from app.records import Records
        from app.routes import House, build
        from app.sockets import Sockets

        plan, policy = self.plan, self._policy()
        database = Database(plan.database or address(plan.data))
        await database.open()
        memory, accounts, records = Memory(database), Accounts(database), Records(database)
        if plan.login == "password" and not await accounts.names():
            raise ServerError("nobody could log in yet; `prep users add NAME` makes an account.")
        opener = EngineOpener(
            plan.data, plan.data / "ledger.db", plan.encoder, plan.reader, plan.nli, Writer(plan.model)
        )
        desk: Desk[Engine] = Desk(opener, Limits(running=plan.running, deadline=plan.deadline))
        Face(desk, memory, records).register()
        logins.register(policy, plan.allowed)

        async def ready() -> list[str]:
            missing = [desk.trouble, database.state, "stopping" if desk.draining else ""]
            return [one for one in missing if one]

        async def about() -> dict[str, Any]:
            try:
                told = await asyncio.to_thread((await desk.assistant()).about)
                return told | await asyncio.to_thread(self.gathering.as_json)
            except AnswerError as error:
                raise ServerError(str(error)) from error

        house = House(memory, records, accounts, policy, Path(build_dir), about, ready, plan.metrics_token)
        gate = Gate(inner, build(house), policy, accounts)
        sockets = Sockets(gate)
        sockets.install()
        await desk.look()
        tasks = [asyncio.create_task(desk.watch()), asyncio.create_task(sockets.sweep())]
        return _Forwarded(gate, plan.proxies), desk, tasks

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
