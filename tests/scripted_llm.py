"""A language-model server on loopback that says what a test wants, faults included."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def chunk(text: object, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"


def status(line: str, headers: str = "") -> bytes:
    return f"HTTP/1.1 {line}\r\n{headers}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()


def rejection(line: str, said: object) -> bytes:
    """A status with what the server says of it."""
    body = json.dumps(said).encode()
    head = f"HTTP/1.1 {line}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def event(delta: object, finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


def listing(*models: str | dict[str, Any]) -> bytes:
    rows = [{"id": model} if isinstance(model, str) else model for model in models]
    body = json.dumps({"object": "list", "data": rows}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def said(text: str, size: int = 7) -> Iterator[bytes]:
    """The stream of a server that behaves: small pieces, a reason to finish, and the end."""
    yield HEAD
    for at in range(0, len(text), size):
        yield chunk(text[at : at + size])
    yield chunk("", "stop")
    yield DONE


def endless(text: str, pause: float = 0.0) -> Iterator[bytes]:
    yield HEAD
    while True:
        yield chunk(text)
        time.sleep(pause)


def asleep(*first: bytes) -> Iterator[bytes]:
    yield from first
    time.sleep(30)


def huge_line() -> Iterator[bytes]:
    yield HEAD + b"data: "
    for _ in range(300):
        yield b"x" * (1 << 20)


# What a server may do instead of answering, by a name; each gives the bytes that it sends.
FAULTS: dict[str, Callable[[], Iterator[bytes]]] = {
    "endless": lambda: endless("spam "),
    "drip": lambda: endless("a", pause=0.3),
    "silent": lambda: asleep(HEAD),
    "no headers": lambda: asleep(),
    "500": lambda: iter([status("500 X")]),
    "429 for an hour": lambda: iter([status("429 X", "Retry-After: 3600\r\n")]),
    "429 until a date": lambda: iter([status("429 X", "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n")]),
    "401": lambda: iter([status("401 X")]),
    "404": lambda: iter([status("404 X")]),
    "closed at once": lambda: iter([]),
    "cut": lambda: iter([HEAD.replace(b"Connection: close", b"Content-Length: 99999"), chunk("Partial answer ")]),
    "cut cleanly": lambda: iter([HEAD, chunk("Partial answer ")]),
    "cut for length": lambda: iter([HEAD, chunk("Partial answer "), chunk("", "length"), DONE]),
    "bad UTF-8": lambda: iter([HEAD, chunk("ok "), b'data: {"choices":[{"delta":{"content":"\xff\xfe"}}]}\n\n', DONE]),
    "bad JSON": lambda: iter([HEAD, chunk("ok "), b"data: {not json\n\n", DONE]),
    "deep JSON": lambda: iter([HEAD, b"data: " + b"[" * 100_000 + b"\n\n", DONE]),
    "a page": lambda: iter([HEAD.replace(b"text/event-stream", b"text/html"), b"<html>login</html>"]),
    "squeezed": lambda: iter([HEAD.replace(b"Connection", b"Content-Encoding: br\r\nConnection"), b"\x0b\x02\x80"]),
    "no choices": lambda: iter([HEAD, b'data: {"choices":[]}\n\ndata: null\n\ndata: []\n\ndata: 7\n\n', DONE]),
    "an error event": lambda: iter([HEAD, chunk("ok "), b'data: {"error":{"message":"sk-secret"}}\n\n']),
    "a huge line": huge_line,
    "many headers": lambda: iter([b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(100_000))]),
    "a redirect": lambda: iter([status("307 X", "Location: http://127.0.0.1:1/elsewhere\r\n")]),
    "a tool call": lambda: iter([HEAD, b'data: {"choices":[{"delta":{"tool_calls":[{"id":"a"}]}}]}\n\n', DONE]),
    "no text": lambda: iter([HEAD, chunk(None), chunk(123), chunk(["x"]), chunk("\x00\x1b[31m\u202e"), DONE]),
}


@dataclass
class Scripted:
    """The running server: what it was asked, and what it says next."""

    port: int
    script: Callable[[str, dict[str, Any]], Iterator[bytes]]
    requests: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def serving(script: Callable[[str, dict[str, Any]], Iterator[bytes]]) -> Iterator[Scripted]:
    """Run a server that answers each request by `script(path, request as JSON)`, the bytes of the response."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            path = self.rfile.readline().split()[1].decode()
            headers = {}
            while line := self.rfile.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", 0)))
            request = json.loads(body) if body else {}
            server.requests.append((path, headers, request))
            try:
                for piece in server.script(path, request):
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                pass  # the client has had enough

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as listening:
        server = Scripted(listening.server_address[1], script)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
