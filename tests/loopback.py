"""A web site on loopback that answers from a table and remembers who asked for what, when."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ingest.fetch import Door
from ingest.manners import Manners

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody: made at once, where the system's own takes a while
QUICK = Manners(gap=0.0, backoff=0.01, patience=2.0, total=5.0)  # the manners of a test: the same, without the waiting


@dataclass
class Request:
    host: str  # as the Host header names it, without its port
    path: str
    method: str
    headers: dict[str, str]
    body: bytes
    began: float
    ended: float = 0.0


@dataclass
class Reply:
    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: Callable[[socket.socket], None] | None = None  # writes to the socket itself
    wait: float = 0.0


Answers = Callable[[Request], Reply | None]


class Site:
    """All host names lead here; what it does not know is a 404, and its robots.txt allows everything."""

    def __init__(
        self,
        pages: dict[str, Reply | str] | None = None,
        answer: Answers | None = None,
        place: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.pages = pages or {}
        self.answer = answer
        self.requests: list[Request] = []
        self._server = ThreadingHTTPServer(place, self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def url(self, path: str = "/", host: str = "site.test") -> str:
        return f"http://{host}:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def reply(self, request: Request) -> Reply:
        found = self.answer(request) if self.answer else None
        found = found or self.pages.get(f"{request.host}{request.path}") or self.pages.get(request.path)
        if found is None:
            return Reply("no such page", 404)
        return found if isinstance(found, Reply) else Reply(found, headers={"Content-Type": "text/html"})

    def _handler(site) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                host = (self.headers.get("Host") or "").partition(":")[0]
                names = {name.lower(): value for name, value in self.headers.items()}
                asked = Request(host, self.path, self.command, names, self.rfile.read(size), time.monotonic())
                site.requests.append(asked)
                reply = site.reply(asked)
                time.sleep(reply.wait)
                try:
                    if reply.raw:
                        reply.raw(self.connection)
                        self.close_connection = True
                    else:
                        self._send(reply)
                finally:
                    asked.ended = time.monotonic()

            do_POST = do_GET

            def _send(self, reply: Reply) -> None:
                body = reply.body.encode() if isinstance(reply.body, str) else reply.body
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if not {"content-length", "transfer-encoding"} & {name.lower() for name in reply.headers}:
                    self.send_header("Content-Length", str(0 if reply.status == 304 else len(body)))
                self.end_headers()
                if reply.status != 304:
                    try:
                        self.wfile.write(body)
                    except ConnectionError:  # who asked has had enough
                        self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def door(self, *, manners: Manners = QUICK, names: dict[str, list[str]] | None = None, **options: object) -> Door:
        """Return a door that finds every name here, or at the addresses given for it."""
        return Door(
            contact="test@example.org",
            manners=manners,
            resolve=lambda host, _: (names or {}).get(host, ["127.0.0.1"]),
            **{"trust": TRUST, "allow": [LOOPBACK], "ports": {80, 443, self.port}} | options,
        )

    @contextmanager
    def open(self) -> Iterator[Site]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
