"""What a browser does, without one: logging in, talking over the WebSocket, and the server to talk to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import socketio

HERE = Path(__file__).resolve().parent
PASSWORD = "correct horse battery"
SECRET = "a secret that is longer than thirty-two bytes"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Server:
    """A chat server in a process of its own; `settings` are those of tests/chat_server.py."""

    def __init__(self, data: Path, **settings: Any) -> None:
        self.port = settings.pop("port", 0) or free_port()
        self.data = data
        users = {"ann": PASSWORD, "bob": PASSWORD}
        plan = {"data": str(data), "port": self.port, "login": "password", "secret": SECRET, "users": users} | settings
        self.log = data.parent / f"{data.name}-{self.port}.log"
        self.url = f"http://127.0.0.1:{self.port}"
        self.clients: list[httpx.Client] = []
        with self.log.open("w") as out:
            command = [sys.executable, "-X", "faulthandler", str(HERE / "chat_server.py"), json.dumps(plan)]
            self.process = subprocess.Popen(command, cwd=HERE.parent, stdout=out, stderr=subprocess.STDOUT)
        until = time.monotonic() + 180
        while "The chat is at" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise AssertionError(f"the server did not start: {self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def client(self, **settings: Any) -> httpx.Client:
        """Return an HTTP client that is closed with the server."""
        self.clients.append(httpx.Client(base_url=self.url, timeout=30, **settings))
        return self.clients[-1]

    def stop(self, how: int = signal.SIGTERM, patience: float = 30) -> int:
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def memory(self) -> float:
        """Return its resident memory in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def serving(data: Path, **settings: Any) -> Iterator[Server]:
    server = Server(data, **settings)
    try:
        yield server
    finally:
        server.stop()


class Person:
    """Somebody with an account, who may have the chat open."""

    def __init__(self, server: Server, name: str = "ann") -> None:
        self.server = server
        self.name = name
        self.http = server.client()

    def log_in(self, password: str = PASSWORD) -> httpx.Response:
        return self.http.post("/login", data={"username": self.name, "password": password})

    def threads(self, **filters: Any) -> list[dict[str, Any]]:
        body = {"pagination": {"first": 50}, "filter": filters}
        return self.http.post("/project/threads", json=body).json()["data"]

    def open(self, thread: str = "", profile: str = "Answer", session: str = "") -> Chat:
        return Chat(self, thread, profile, session)


class Chat:
    """An open chat: an asynchronous context."""

    def __init__(self, person: Person, thread: str, profile: str, session: str) -> None:
        self.person = person
        self.session = session or str(uuid.uuid4())
        self.auth = {
            "sessionId": self.session,
            "threadId": thread,
            "clientType": "webapp",
            "chatProfile": profile,
            "userEnv": "null",
        }
        self.thread = thread
        self.messages: list[dict[str, Any]] = []
        self.events: list[tuple[str, Any]] = []
        self.resumed: dict[str, Any] | None = None
        self.idle = asyncio.Event()
        self.ready = asyncio.Event()
        self.back = asyncio.Event()
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("*", self._heard)

    async def __aenter__(self) -> Chat:
        cookies = "; ".join(f"{name}={value}" for name, value in self.person.http.cookies.items())
        headers = {"Cookie": cookies, "Origin": self.person.server.url}
        await self.client.connect(
            self.person.server.url,
            headers=headers,
            auth=self.auth,
            socketio_path="/ws/socket.io",
            transports=["websocket"],
            wait_timeout=20,
        )
        await self.client.emit("connection_successful")
        await asyncio.wait_for((self.back if self.thread else self.ready).wait(), 30)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.disconnect()
        if (http := self.client.eio.http) and not http.closed:  # it stays open where the server was killed
            await http.close()

    async def _heard(self, event: str, *data: Any) -> None:
        said = data[0] if data else None
        self.events.append((event, said))
        if event == "task_start":
            self.idle.clear()
        elif event == "task_end":
            self.idle.set()
        elif event == "chat_settings":
            self.ready.set()
        elif event == "first_interaction":
            self.thread = said["thread_id"]
        elif event == "resume_thread":
            self.resumed = said
            self.back.set()
        elif event == "new_message" and said["type"] == "assistant_message":
            self.messages = [*(one for one in self.messages if one["id"] != said["id"]), said]  # it may grow

    async def send(self, question: str, **more: Any) -> None:
        message = {"id": str(uuid.uuid4()), "threadId": "", "type": "user_message", "output": question, "name": "x"}
        await self.client.emit("client_message", {"message": message | more, "fileReferences": []})

    async def heard(self, wanted: str, words: str = "") -> None:
        """Wait until the server has said that, with those words."""
        async with asyncio.timeout(30):
            while not any(event == wanted and words in str(said) for event, said in self.events):
                await asyncio.sleep(0.005)

    async def ask(self, question: str, patience: float = 60, **more: Any) -> dict[str, Any]:
        """Return the message that answers a question."""
        before = len(self.messages)
        self.idle.clear()
        await self.send(question, **more)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if len(self.messages) > before and self.idle.is_set():
                return self.messages[-1]
            await asyncio.sleep(0.01)
        raise AssertionError(f"no answer to {question!r}; heard {[name for name, _ in self.events]}")
