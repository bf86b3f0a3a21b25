"""Gate: the ASGI wrapper round Chainlit. What is not on its list is 404; every answer leaves with our headers.

Chainlit is no longer maintained and opens far more than this face needs: uploads, MCP, sharing, elements, its API's
documentation, a copilot. The gate lets through what `ROUTES` names, checks where a request comes from, takes dead
tokens away, limits what may be sent, and sets the headers that keep a page from loading or telling anything elsewhere.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote_plus

import jwt
from starlette.requests import cookie_parser

from app import ServerError, figures
from ingest.characters import whole, whole_all

if TYPE_CHECKING:
    from app.accounts import Accounts

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Login = Literal["none", "password", "oauth", "header"]

SESSION = 12 * 3600  # seconds that a login holds
MOST_BODY = 64 * 2**10  # bytes of a request; questions come by WebSocket, which has a limit of its own
MOST_MESSAGE = 2**20  # bytes of a WebSocket message; up to there a refusal can be polite
SOCKET = "/ws/socket.io"
COOKIE = "access_token"
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_TAKES_FORMS = ("/login", "/auth/oauth/")  # all else takes JSON, and says in bytes that are none what it was given

_ID = r"[0-9A-Za-z-]{1,64}"
ROUTES: tuple[tuple[str, str, frozenset[Login]], ...] = (
    ("GET", "/auth/config", frozenset({"none", "password", "oauth", "header"})),
    ("POST", "/auth/header", frozenset({"none", "header"})),
    ("GET", r"/auth/oauth/[a-z0-9-]+(?:/callback)?", frozenset({"oauth"})),
    ("POST", "/auth/oauth/azure-ad-hybrid/callback", frozenset({"oauth"})),
    ("GET", "/user", frozenset({"none", "password", "oauth", "header"})),
    ("GET", "/project/(?:settings|translations)", frozenset({"none", "password", "oauth", "header"})),
    ("POST", "/project/threads", frozenset({"none", "password", "oauth", "header"})),
    ("GET", f"/project/thread/{_ID}", frozenset({"none", "password", "oauth", "header"})),
    ("PUT DELETE", "/project/thread", frozenset({"none", "password", "oauth", "header"})),
    ("GET POST", f"{SOCKET}/?", frozenset({"none", "password", "oauth", "header"})),
)
"""What Chainlit itself answers: methods, path, and the ways to log in that need it. `app.routes` answers the rest."""

log = logging.getLogger("prepshelf.gate")


@dataclass(frozen=True)
class Policy:
    """Who may come in, and how."""

    origins: frozenset[str]  # "https://prep.example.org"; a page elsewhere may not talk to us
    secret: str  # signs the tokens
    login: Login = "none"
    secure: bool = False  # the public address is https
    user_header: str = ""  # names the user, where a proxy logs people in
    proxies: frozenset[str] = frozenset({"127.0.0.1", "::1"})  # whose word on that is taken
    csp: bool = True  # off only in the test that shows what the other layers hold back alone

    @property
    def hosts(self) -> frozenset[str]:
        """Return the Host headers that are ours: a foreign name that points here is an attack on the browser."""
        return frozenset(origin.partition("://")[2] for origin in self.origins)

    @property
    def content_security_policy(self) -> str:
        """Return what a page may load: nothing that is not ours."""
        named = (origin for origin in self.origins if "[" not in origin)  # no policy can name an IPv6 address
        sockets = " ".join(sorted(origin.replace("http", "ws", 1) for origin in named))
        return (
            "default-src 'none'; script-src 'self'; "
            "style-src 'self' 'unsafe-inline'; "  # Chainlit's components set styles as they run
            f"img-src 'self' data:; font-src 'self'; connect-src 'self' {sockets}; manifest-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        )


class Gate:
    """An ASGI application: Chainlit behind its list, our own routes beside it."""

    def __init__(self, chainlit: App, own: App, policy: Policy, accounts: Accounts) -> None:
        self._chainlit = chainlit
        self._own = own
        self._policy = policy
        self._accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or one WebSocket's life."""
        if scope["type"] == "lifespan":
            await self._chainlit(scope, receive, send)
            return
        outlet = _Outlet(send, scope, self._policy)
        if refusal := self._refusal(scope):
            status, reason = refusal
            figures.REQUESTS_REFUSED.labels(reason).inc()
            await outlet.refuse(status, reason)
            return
        try:
            await self._without_dead_token(scope)
            inner = self._chainlit if self._is_chainlits(scope) else self._own
            if scope["type"] == "http" and scope["method"] not in {"GET", "HEAD"}:
                receive = await _checked(scope, receive)
            await inner(scope, receive, outlet)
        except _Refused as refused:
            await outlet.refuse(refused.status, refused.reason)
        except ServerError as error:
            await outlet.refuse(503, str(error))
        except Exception:
            log.exception("a request failed: %s %s", scope.get("method", "WS"), scope["path"])
            await outlet.refuse(500, "something went wrong here; it was noted")

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return the status and reason with which a request is turned away at once."""
        headers = _headers(scope)
        if scope["path"] in {"/health", "/ready", "/metrics"}:  # asked by machines, by whatever name they know us
            return None
        if headers.get("host", "") not in self._policy.hosts:
            return 421, "unknown host"
        origin = headers.get("origin")
        if origin is not None and origin not in self._policy.origins:
            return 403, "foreign origin"
        if origin is None and headers.get("sec-fetch-site") == "cross-site" and not _is_visit(scope, headers):
            return 403, "foreign origin"
        size = headers.get("content-length", "")
        if size and not (size.isascii() and size.isdigit()):
            return 400, "malformed"
        if int(size[:15] or 0) > _most(scope):
            return 413, "too large"
        asked = unquote_plus(scope["path"] + scope.get("query_string", b"").decode("latin-1"))
        if whole(asked) != asked:
            return 400, "malformed"
        return None

    def _is_chainlits(self, scope: Scope) -> bool:
        method = "GET" if scope["type"] == "websocket" else scope["method"]
        return any(
            method in methods.split() and self._policy.login in logins and re.fullmatch(path, scope["path"])
            for methods, path, logins in ROUTES
        )

    async def _without_dead_token(self, scope: Scope) -> None:
        """Take away a token that is expired, revoked or forged, and a user's name that no proxy of ours wrote."""
        scope["claims"] = None
        kept = []
        peer = scope.get("peer", "")
        for name, value in scope["headers"]:
            if name == b"authorization" and scope["path"] != "/metrics":
                continue  # the cookie is the only way in
            if name.decode() == self._policy.user_header.lower() and peer not in self._policy.proxies:
                continue
            if name == b"cookie":
                token = token_in(value.decode("latin-1"))
                scope["claims"] = claims = await self.claims(token)
                if token and claims is None:
                    continue
                scope["token"] = token
            kept.append((name, value))
        scope["headers"] = kept

    async def claims(self, token: str) -> dict[str, Any] | None:
        """Return what a token says of its bearer, None where it is not, or no longer, good."""
        try:
            said: dict[str, Any] = jwt.decode(
                token, self._policy.secret, algorithms=["HS256"], options={"require": ["exp", "iat", "identifier"]}
            )
        except jwt.InvalidTokenError:
            return None
        local = self._policy.login == "password"
        dead = await self._accounts.is_dead(token, said["identifier"], int(said["iat"]), local=local)
        return None if dead else said


def token_in(cookies: str) -> str:
    """Return the token in a Cookie header, also one that Chainlit cut in pieces; "" where there is none."""
    jar = cookie_parser(cookies)
    if COOKIE in jar:
        return jar[COOKIE]
    pieces: list[str] = []
    while f"{COOKIE}_{len(pieces)}" in jar:
        pieces.append(jar[f"{COOKIE}_{len(pieces)}"])
    return "".join(pieces)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _is_visit(scope: Scope, headers: dict[str, str]) -> bool:
    """Return whether somebody follows a link to us, which is no attack: it reads nothing and changes nothing."""
    return (
        scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and headers.get("sec-fetch-mode") == "navigate"
    )


class _Refused(Exception):
    """A body that no application is shown."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def _most(scope: Scope) -> int:
    """Return how many bytes a request may bring."""
    return MOST_MESSAGE if scope["path"].startswith(SOCKET) else MOST_BODY


async def _checked(scope: Scope, receive: Receive) -> Receive:
    """Return a `receive` that gives a request's body, read whole here: what no application could take is refused.

    JSON is written anew, so that every text of it is whole, no number is none, and nothing is nested without end.
    """
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused(400, "broken off")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _most(scope):  # whatever its header says
            raise _Refused(413, "too large")
    kind = _headers(scope).get("content-type", "").partition(";")[0].strip().lower()
    is_form = kind in _FORMS and scope["path"].startswith(_TAKES_FORMS)
    if body and not is_form and not scope["path"].startswith(SOCKET):
        try:
            said = whole_all(json.loads(body))
            body = json.dumps(said, allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise _Refused(400, "send JSON") from None
        scope["headers"] = [
            (name, str(len(body)).encode() if name == b"content-length" else value) for name, value in scope["headers"]
        ]
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


class _Outlet:
    """A `send` that sets our headers and hardens cookies."""

    def __init__(self, send: Send, scope: Scope, policy: Policy) -> None:
        self._send = send
        self._scope = scope
        self._policy = policy
        self._begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.accept", "websocket.http.response.start"}:
            self._begun = True
            message = {**message, "headers": self._dressed(message.get("headers", []))}
        elif message["type"] == "websocket.close":
            self._begun = True
        await self._send(message)

    def _dressed(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        kept = [
            (name, self._cookie(value) if name.lower() == b"set-cookie" else value)
            for name, value in headers
            if name.lower() not in {b"server", b"access-control-allow-origin", b"access-control-allow-credentials"}
        ]
        names = {name.lower() for name, _ in kept}
        ours = {
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "x-robots-tag": "noindex",
            "cache-control": "no-store",
        }
        if self._policy.csp:
            ours["content-security-policy"] = self._policy.content_security_policy
        if self._policy.secure:
            ours["strict-transport-security"] = "max-age=31536000"
        return kept + [(name.encode(), value.encode()) for name, value in ours.items() if name.encode() not in names]

    def _cookie(self, value: bytes) -> bytes:
        """Return a Set-Cookie whose cookie no script reads and no other site sends, for 12 hours at most."""
        parts = [part.strip() for part in value.decode("latin-1").split(";")]
        lax = parts[0].startswith("oauth_state=")  # comes back by a link from the provider
        kept = [parts[0]] + [
            part for part in parts[1:] if part.partition("=")[0].lower() not in {"httponly", "secure", "samesite"}
        ]
        kept = [
            f"Max-Age={min(SESSION, int(part.partition('=')[2]))}" if part.lower().startswith("max-age=") else part
            for part in kept
        ]
        kept += ["HttpOnly", f"SameSite={'Lax' if lax else 'Strict'}"]
        if self._policy.secure or self._scope.get("scheme") in {"https", "wss"}:
            kept.append("Secure")
        return "; ".join(kept).encode("latin-1")

    async def refuse(self, status: int, reason: str) -> None:
        """End a request with a reason, as far as nothing was sent yet."""
        if self._begun:
            return
        if self._scope["type"] == "websocket":
            if "websocket.http.response" not in self._scope.get("extensions", {}):
                await self({"type": "websocket.close", "code": 1008})
                return
            kind = "websocket.http.response"
        else:
            kind = "http.response"
        body = json.dumps({"detail": reason}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self({"type": f"{kind}.start", "status": status, "headers": headers})
        await self({"type": f"{kind}.body", "body": body})


def remaining(claims: dict[str, Any] | None) -> float:
    """Return for how many seconds a token is still good."""
    return float(claims["exp"]) - time.time() if claims else 0.0
