"""Routes: what we answer beside Chainlit: pages and files, login and logout, records, exports, marks and health."""

from __future__ import annotations

import hmac
import mimetypes
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainlit.server import _authenticate_user, sio
from chainlit.session import ws_sessions_id
from chainlit.types import Feedback
from chainlit.user import PersistedUser, User
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import ServerError, exports, figures, logins, pages
from app.accounts import Accounts, Pace
from app.gate import COOKIE, Policy, remaining
from app.memory import LONGEST_TITLE, Memory
from app.records import Records
from ingest.catalogue import STARTER

LOGINS_A_MINUTE = 10  # for an account, and for an address
TOO_MANY = "Too many attempts. Wait a minute, then try again."
NOT_ENDED = "You are logged out here; until the database saves that, a restart of the server would forget it."
LONGEST_COMMENT = 4000  # characters
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True)
class House:
    """What the routes need to know."""

    memory: Memory
    records: Records
    accounts: Accounts
    policy: Policy
    dist: Path  # Chainlit's build of its face
    about: Callable[[], Awaitable[dict[str, Any]]]  # what answers, for the banner
    ready: Callable[[], Awaitable[list[str]]]  # what is not ready, if anything
    metrics_token: str = ""


def build(house: House) -> Starlette:
    """Return the application that answers what Chainlit does not."""
    page = pages.index(house.dist)
    desk = _Routes(house)

    async def index(request: Request) -> Response:
        response = HTMLResponse(page)
        if house.policy.login == "none" and not request.scope["claims"]:  # one person, on their own machine
            known = await _authenticate_user(request, User(identifier=logins.YOU))
            response.headers.append("set-cookie", known.headers["set-cookie"])
        return response

    def get(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(path, endpoint, methods=["GET"])

    return Starlette(
        routes=[
            *(get(path, index) for path in ("/", "/login", "/login/callback", "/thread/{id}")),
            get("/public/{name}", desk.public),
            get("/assets/{name}", desk.asset),
            get("/favicon", desk.picture("mark.svg")),
            get("/logo", desk.logo),
            get("/avatars/{name}", desk.picture("mark.svg")),
            get("/notes/{name}", desk.note),
            get("/health", desk.health),
            get("/ready", desk.is_ready),
            get("/metrics", desk.metrics),
            get("/about", desk.tell_about),
            get("/answers/{step}.{form}", desk.export_answer),
            get("/answers/{step}", desk.answer),
            get("/threads/{thread}.md", desk.export_thread),
            get("/reads", desk.reads),
            Route("/reads", desk.mark, methods=["PUT"]),
            Route("/feedback", desk.judge, methods=["PUT"]),
            Route("/feedback", desk.unjudge, methods=["DELETE"]),
            Route("/set-session-cookie", desk.session_cookie, methods=["POST"]),
            Route("/logout", desk.logout, methods=["POST"]),
            *([Route("/login", desk.login, methods=["POST"])] if house.policy.login == "password" else []),
        ],
        exception_handlers={HTTPException: _refused, ServerError: _unable},
    )


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)


async def _unable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 503)


class _Routes:
    def __init__(self, house: House) -> None:
        self._house = house
        self._by_account = Pace(LOGINS_A_MINUTE)
        self._by_address = Pace(LOGINS_A_MINUTE)

    # --- files ------------------------------------------------------------------------------------

    async def public(self, request: Request) -> Response:
        return _file(pages.PUBLIC, request.path_params["name"], "no-cache")

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name.endswith(".map"):
            raise HTTPException(404)
        return _file(self._house.dist / "assets", name, "public, max-age=31536000, immutable")  # named by its hash

    def picture(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def picture(_request: Request) -> Response:
            return _file(pages.PUBLIC, name, "public, max-age=3600")

        return picture

    async def logo(self, request: Request) -> Response:
        dark = request.query_params.get("theme") == "dark"
        return _file(pages.PUBLIC, f"logo-{'dark' if dark else 'light'}.svg", "public, max-age=3600")

    async def note(self, request: Request) -> Response:
        await self._user(request)
        path = STARTER / request.path_params["name"]
        if not _SAFE_NAME.fullmatch(path.name) or path.suffix != ".md" or not path.is_file():
            raise HTTPException(404)
        return HTMLResponse(pages.note(path.read_text(encoding="utf-8")))

    # --- health -----------------------------------------------------------------------------------

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def is_ready(self, _request: Request) -> Response:
        missing = await self._house.ready()
        return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)

    async def metrics(self, request: Request) -> Response:
        token = self._house.metrics_token
        if token and not _same(request.headers.get("authorization", ""), f"Bearer {token}"):
            raise HTTPException(401)
        proxied = "x-forwarded-for" in request.headers
        if not token and (proxied or not request.client or request.client.host not in {"127.0.0.1", "::1"}):
            raise HTTPException(404)
        figures.SESSIONS.set(len(ws_sessions_id))
        figures.UNSAVED.set(bool(self._house.memory.database.trouble))
        return Response(figures.page(), media_type="text/plain; version=0.0.4")

    # --- login ------------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        form = await request.form()
        name, password = str(form.get("username", "")).strip().lower(), str(form.get("password", ""))
        address = request.client.host if request.client else ""
        if not (self._by_account.allows(name[:64]) and self._by_address.allows(address)):
            figures.LOGINS.labels("limited").inc()
            raise HTTPException(429, TOO_MANY, {"Retry-After": "60"})
        known = await self._house.accounts.check(name, password)
        figures.LOGINS.labels("ok" if known else "failed").inc()
        if not known:
            raise HTTPException(401, "Name or password is wrong.")
        made: Response = await _authenticate_user(request, User(identifier=known))
        return made

    async def logout(self, request: Request) -> Response:
        saved = True
        if (claims := request.scope["claims"]) and (token := request.scope["token"]):
            saved = await self._house.accounts.revoke(token, int(claims["exp"]))
            for session in list(ws_sessions_id.values()):
                if session.token == token:
                    await sio.disconnect(session.socket_id)
        response = JSONResponse({"success": True}) if saved else JSONResponse({"detail": NOT_ENDED}, 503)
        for name in request.cookies:
            if name.startswith(COOKIE):
                response.delete_cookie(name)
        return response

    async def session_cookie(self, _request: Request) -> Response:
        return JSONResponse({"message": "one process answers all: no cookie is needed"})  # Chainlit's client asks

    async def _user(self, request: Request) -> PersistedUser:
        """Return who asks; 401 where that is nobody."""
        claims = request.scope["claims"]
        if remaining(claims) <= 0:
            raise HTTPException(401, "log in first")
        found = await self._house.memory.get_user(claims["identifier"])
        if found is None:
            raise HTTPException(401, "log in first")
        user: PersistedUser = found
        return user

    # --- records ----------------------------------------------------------------------------------

    async def tell_about(self, request: Request) -> Response:
        await self._user(request)
        return JSONResponse(await self._house.about())

    async def answer(self, request: Request) -> Response:
        user = await self._user(request)
        record = await self._house.records.of(request.path_params["step"], user.id)
        if record is None:
            raise HTTPException(404)
        return JSONResponse({"kind": record.kind, "question": record.question, **record.body})

    async def export_answer(self, request: Request) -> Response:
        user = await self._user(request)
        record = await self._house.records.of(request.path_params["step"], user.id)
        form = request.path_params["form"]
        if record is None or (form, record.kind) not in {("md", "answer"), ("md", "reading"), ("csv", "reading")}:
            raise HTTPException(404)
        if form == "csv":
            read = await self._house.records.reads(user.id)
            return _download(exports.reading_as_csv(record, read), "text/csv", record.question, "csv")
        return _download(exports.as_markdown(record), "text/markdown", record.question, "md")

    async def export_thread(self, request: Request) -> Response:
        user = await self._user(request)
        thread = await self._house.memory.get_thread(request.path_params["thread"])
        if thread is None or thread["userId"] != user.id:
            raise HTTPException(404)
        records = await self._house.records.of_thread(thread["id"], user.id)
        name = thread["name"] or "conversation"
        return _download(exports.thread_as_markdown(name, thread["steps"], records), "text/markdown", name, "md")

    async def reads(self, request: Request) -> Response:
        user = await self._user(request)
        return JSONResponse(sorted(await self._house.records.reads(user.id)))

    async def mark(self, request: Request) -> Response:
        user = await self._user(request)
        wanted = await _body(request)
        url, read = wanted.get("url"), wanted.get("read")
        if not isinstance(url, str) or not 0 < len(url) <= 2000 or not isinstance(read, bool):
            raise HTTPException(400, "give a url and whether it is read")
        await self._house.records.mark(user.id, url, read=read)
        return self._kept({"url": url, "read": read})

    async def judge(self, request: Request) -> Response:
        user = await self._user(request)
        wanted = (await _body(request)).get("feedback")
        step = wanted.get("forId") if isinstance(wanted, dict) else None
        thread = await self._house.records.owns(str(step), user.id)
        if not thread or not isinstance(wanted, dict):
            raise HTTPException(404)
        value, comment = wanted.get("value"), wanted.get("comment")
        if (
            type(value) is not int
            or value not in {0, 1}
            or not (comment is None or (isinstance(comment, str) and len(comment) <= LONGEST_COMMENT))
        ):
            raise HTTPException(400, f"say 0 or 1, with a comment of at most {LONGEST_COMMENT} characters")
        kept = await self._house.memory.upsert_feedback(
            Feedback(forId=str(step), threadId=thread, value=value, comment=comment)
        )
        return self._kept({"success": True, "feedbackId": kept})

    async def unjudge(self, request: Request) -> Response:
        user = await self._user(request)
        judged = str((await _body(request)).get("feedbackId"))
        if not await self._house.records.owns(judged, user.id):  # a judgement's id is that of what it judges
            raise HTTPException(404)
        await self._house.memory.delete_feedback(judged)
        return self._kept({"success": True})

    def _kept(self, said: dict[str, Any]) -> Response:
        """Answer a change, and say where it is not saved yet."""
        trouble = self._house.memory.database.trouble
        return JSONResponse({**said, "trouble": f"not saved yet: {trouble}"} if trouble else said)


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:  # nothing; the gate lets only JSON in
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "send an object as JSON")
    return body


def _same(given: str, secret: str) -> bool:
    """Return whether two texts are equal, in a time that does not tell how far they are."""
    return hmac.compare_digest(given.encode(), secret.encode())


def _file(folder: Path, name: str, cache: str) -> Response:
    path = folder / name
    if not _SAFE_NAME.fullmatch(name) or not path.is_file():
        raise HTTPException(404)
    kind = "text/javascript" if path.suffix in {".js", ".mjs"} else mimetypes.guess_type(name)[0]
    return FileResponse(path, media_type=kind, headers={"Cache-Control": cache})


def _download(text: str, kind: str, name: str, suffix: str) -> Response:
    slug = re.sub(r"[^a-z0-9]+", "-", name[:LONGEST_TITLE].lower()).strip("-") or "prepshelf"
    return PlainTextResponse(
        text, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{slug}.{suffix}"'}
    )
