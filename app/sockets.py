"""Sockets: which of Chainlit's WebSocket events are let in, and in what measure.

A browser's own face holds a question back while another runs. A script does not: so the server refuses, politely, what
comes too early, too long or malformed, and takes of a message only what a person can have typed.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from chainlit.chat_context import chat_contexts
from chainlit.config import config as chainlit_config
from chainlit.server import sio
from chainlit.session import WebsocketSession, ws_sessions_id

from app import figures
from app.assistant import LONGEST_QUESTION
from app.database import now
from app.gate import MOST_MESSAGE, Gate, remaining
from ingest.characters import whole, whole_all

MOST_SESSIONS = 20  # connected at once, of one person, and as many whose connection is lost
MOST_SETTINGS = 20_000  # characters
EVENTS = frozenset(
    {
        "connect",
        "connection_successful",
        "clear_session",
        "disconnect",
        "stop",
        "client_message",
        "chat_settings_change",
    }
)
"""The others (editing and favouring messages, audio, messages of a host window) are features that we leave off."""

STILL_BUSY = "I am still working on your last question. Ask again when it is answered."
LOGGED_OUT = "You are logged out. Log in again; your conversation is kept."

Handler = Callable[..., Awaitable[Any]]

log = logging.getLogger("prepshelf.sockets")


class Sockets:
    """Stands between Chainlit's event handlers and the browsers."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._inner: dict[str, Handler] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}  # by session

    def install(self) -> None:
        """Take the place of Chainlit's handlers; what is not let in has none."""
        import chainlit.socket  # noqa: F401  # registers them

        sio.eio.max_http_buffer_size = MOST_MESSAGE
        # Chainlit looks for a profile's own configuration by running the event loop within itself, in vain.
        WebsocketSession.get_config = lambda _session: chainlit_config
        self._inner = {name: handler for name, handler in sio.handlers["/"].items() if name in EVENTS}
        sio.handlers["/"] = {
            **self._inner,
            "connect": self.connect,
            "client_message": self.client_message,
            "chat_settings_change": self.change_settings,
        }

    async def connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> object:
        """Let a browser in, where it says what Chainlit needs and its owner has not too many open."""
        if not isinstance(auth, dict) or not all(
            isinstance(auth.get(key) or "", str) and len(auth.get(key) or "") <= 200
            for key in ("sessionId", "threadId", "clientType", "chatProfile")
        ):
            raise ConnectionRefusedError("malformed")
        if not auth.get("sessionId") or auth.get("clientType") != "webapp":
            raise ConnectionRefusedError("malformed")
        said: Any = whole_all({**auth, "userEnv": None})
        known = await self._inner["connect"](sid, environ, said)
        session = WebsocketSession.get(sid)
        if session and session.user and not await self._has_room(session):
            figures.REFUSED.labels("sessions").inc()
            await session.delete()
            raise ConnectionRefusedError("too many sessions")
        return known

    async def _has_room(self, session: WebsocketSession) -> bool:
        """Return whether a person may have one more session; of those whose connection is lost, the oldest go."""
        own = [
            other
            for other in ws_sessions_id.values()
            if other.user and other.user.identifier == session.user.identifier
        ]
        lost = [other for other in own if not sio.manager.is_connected(other.socket_id, "/") and other is not session]
        for other in lost[:-MOST_SESSIONS]:
            await other.delete()
        return len(own) - len(lost) <= MOST_SESSIONS

    async def client_message(self, sid: str, payload: object) -> None:
        """Take a question, or refuse it with a reason."""
        session = WebsocketSession.get(sid)
        if session is None:
            return
        question = _question(payload)
        if question is None:
            await self._refuse(session, "malformed", "This message could not be read; nothing was asked.")
            return
        running = self._asked.get(session.id)
        if running and not running.done():  # first, because it is what a flood is made of
            await self._refuse(session, "busy session", STILL_BUSY)
            return
        if remaining(await self._gate.claims(session.token or "")) <= 0:
            await self._refuse(session, "logged out", LOGGED_OUT)
            await sio.disconnect(sid)
            return
        if len(question["output"]) > LONGEST_QUESTION:
            length = f"{len(question['output']):,}"
            await self._refuse(
                session, "too long", f"This has {length} characters; ask with at most {LONGEST_QUESTION:,}."
            )
            return
        question["name"] = session.user.identifier if session.user else "User"
        await self._inner["client_message"](sid, {"message": question, "fileReferences": None})
        self._asked[session.id] = session.current_task

    async def change_settings(self, sid: str, settings: object) -> None:
        """Pass on settings, where they are what a form of ours can send."""
        if isinstance(settings, dict) and len(repr(settings)) <= MOST_SETTINGS:
            await self._inner["chat_settings_change"](sid, whole_all(settings))

    async def _refuse(self, session: WebsocketSession, reason: str, text: str) -> None:
        """Say why a message was not taken; the refusal is shown, and not kept."""
        figures.REFUSED.labels(reason).inc()
        said = {"id": str(uuid.uuid4()), "threadId": session.thread_id, "createdAt": now(), "output": text}
        await session.emit("new_message", {**said, "name": "Prepshelf", "type": "assistant_message", "isError": True})
        if not (running := self._asked.get(session.id)) or running.done():
            await session.emit("task_end", {})

    async def sweep(self) -> None:
        """Forget what belongs to sessions that are gone, which Chainlit keeps forever; runs until cancelled."""
        while True:
            await asyncio.sleep(60)
            for kept in (chat_contexts, self._asked):
                for session in [session for session in kept if session not in ws_sessions_id]:
                    del kept[session]


def _question(payload: object) -> dict[str, Any] | None:
    """Return of a message what a person can have typed, None where it is malformed."""
    message = payload.get("message") if isinstance(payload, dict) else None
    if not isinstance(message, dict) or not isinstance(message.get("output"), str) or not message["output"].strip():
        return None
    try:
        if uuid.UUID(str(message.get("id"))).version != 4:
            return None
    except ValueError:
        return None
    return {
        "id": str(uuid.UUID(message["id"])),
        "threadId": "",
        "type": "user_message",
        "output": whole(message["output"]),
        "createdAt": now(),
        "metadata": {},
    }
