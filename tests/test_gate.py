"""The gate: who comes in, where to, and in what dress the answer leaves."""

from __future__ import annotations

import asyncio
import json
import time

import jwt
import pytest

from app.gate import COOKIE, MOST_BODY, ROUTES, SESSION, Gate, Policy, token_in

SECRET = "s" * 40
HOST = "prep.example.org"
POLICY = Policy(origins=frozenset({f"https://{HOST}"}), secret=SECRET, login="password", secure=True)
FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": f"http://{HOST}"},
    {"origin": f"https://{HOST}.evil.example"},
    {"origin": f"https://{HOST}:444"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
]


class Dead:
    """Accounts of whose tokens one is dead."""

    async def is_dead(self, token: str, name: str, issued: int, *, local: bool) -> bool:
        return name == "dead"


def app_that(name: str, headers: list[tuple[bytes, bytes]] = []):  # noqa: B006
    """Returns an application that tells what reached it."""

    async def app(scope, receive, send):
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        if name == "broken":
            raise ValueError("secret detail")
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        said = {k.decode(): v.decode() for k, v in scope["headers"]}
        told = {"app": name, "headers": said, "claims": scope["claims"] and scope["claims"]["identifier"]}
        await send({"type": "http.response.start", "status": 200, "headers": [(b"server", b"x"), *headers]})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})

    return app


def request(
    path="/user", method="GET", headers=None, *, kind="http", policy=POLICY, body=(b"",), chainlit=None, peer="9.9.9.9"
):
    """Return (status, headers, body) of a request."""
    given = {"host": HOST} | (headers or {})
    scope = {
        "type": kind,
        "path": path,
        "scheme": "https",
        "peer": peer,
        "headers": [(k.lower().encode(), v.encode()) for k, v in given.items()],
        "extensions": {"websocket.http.response": {}},
    } | ({"method": method} if kind == "http" else {})
    sent, parts = [], list(body)

    async def receive():
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message):
        sent.append(message)

    gate = Gate(chainlit or app_that("chainlit"), app_that("own"), policy, Dead())
    asyncio.run(gate(scope, receive, send))
    start = sent[0]
    headers = {k.decode().lower(): v.decode() for k, v in start.get("headers", [])}
    said = b"".join(message.get("body", b"") for message in sent)
    return start.get("status", start["type"]), headers, json.loads(said) if said else None


def a_token(name="ann", ends=100, secret=SECRET, **more):
    now = int(time.time())
    return jwt.encode({"identifier": name, "iat": now, "exp": now + ends, **more}, secret, algorithm="HS256")


@pytest.mark.parametrize(
    ("method", "path"), [(m, p) for ms, p, logins in ROUTES for m in ms.split() if "password" in logins]
)
def test_what_is_on_the_list_reaches_chainlit(method, path):
    concrete = (
        path.replace("(?:settings|translations)", "settings").replace("[0-9A-Za-z-]{1,64}", "a-1").replace("/?", "/")
    )
    assert request(concrete, method)[2]["app"] == "chainlit"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/project/file"),
        ("GET", "/project/file/x"),
        ("GET", "/project/thread/a/element/b"),
        ("PUT", "/project/element"),
        ("GET", "/project/share/x"),
        ("PUT", "/project/thread/share"),
        ("POST", "/project/action"),
        ("POST", "/mcp"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/copilot/index.js"),
        ("POST", "/auth/jwt"),
        ("POST", "/auth/header"),
        ("GET", "/auth/oauth/github"),
        ("GET", "/project/thread/../../etc"),
        ("POST", "/user"),
        ("GET", "/user/"),
        ("GET", "//user"),
        ("PUT", "/feedback"),
        ("POST", "/login"),
    ],
)
def test_what_is_not_on_the_list_never_reaches_chainlit(method, path):
    assert request(path, method)[2]["app"] == "own"


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("headers", FOREIGN)
def test_a_foreign_origin_is_refused(headers, kind):
    path = "/ws/socket.io/" if kind == "websocket" else "/user"
    assert request(path, "POST", headers, kind=kind)[0] == 403


def test_a_foreign_origin_is_refused_where_a_server_cannot_say_why():
    sent = []

    async def use():
        async def send(message):
            sent.append(message)

        scope = {
            "type": "websocket",
            "path": "/ws/socket.io/",
            "headers": [(b"host", HOST.encode()), (b"origin", b"x")],
        }
        await Gate(app_that("chainlit"), app_that("own"), POLICY, Dead())(scope, None, send)

    asyncio.run(use())
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": f"https://{HOST}"},
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
def test_our_own_pages_scripts_without_a_browser_and_followed_links_come_in(headers):
    assert request("/user", "GET", headers)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", f"{HOST}.evil.example", "127.0.0.1:8000", ""])
def test_a_name_that_is_not_ours_is_refused_but_by_machines_that_ask_for_our_health(host):
    assert request("/", headers={"host": host})[0] == 421
    assert request("/health", headers={"host": host})[0] == 200


@pytest.mark.parametrize("where", ["/user", "/nowhere", "/ws/socket.io/"])
def test_every_answer_wears_our_headers(where):
    status, headers, _ = request(where, headers={"origin": f"https://{HOST}"})
    assert status == 200
    assert "server" not in headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["cache-control"] == "no-store"
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["object-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == f"'self' wss://{HOST}"
    assert policy["img-src"] == "'self' data:"


def test_a_refusal_and_an_accident_wear_them_too_and_tell_nothing():
    for status, headers, said in (
        request("/user", headers={"origin": "https://evil.example"}),
        request("/user", chainlit=app_that("broken")),
    ):
        assert status in {403, 500}
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "secret detail" not in json.dumps(said)


@pytest.mark.parametrize(
    ("cookie", "secure", "hardened"),
    [
        (
            f"{COOKIE}=x; Path=/; Max-Age=1296000; SameSite=none",
            True,
            f"{COOKIE}=x; Path=/; Max-Age={SESSION}; HttpOnly; SameSite=Strict; Secure",
        ),
        (
            "oauth_state=x; Path=/; Max-Age=180",
            True,
            "oauth_state=x; Path=/; Max-Age=180; HttpOnly; SameSite=Lax; Secure",
        ),
        ("a=b; Secure; HttpOnly", False, "a=b; HttpOnly; SameSite=Strict"),
    ],
)
def test_cookies_are_hardened(cookie, secure, hardened):
    policy = Policy(origins=POLICY.origins, secret=SECRET, login="password", secure=secure)
    app = app_that("chainlit", [(b"set-cookie", cookie.encode())])
    gate_headers = request("/user", policy=policy, chainlit=app)[1] if secure else None
    if not secure:
        sent = []

        async def use():
            async def send(message):
                sent.append(message)

            async def receive():
                return {"type": "http.request", "body": b""}

            scope = {
                "type": "http",
                "method": "GET",
                "path": "/user",
                "scheme": "http",
                "headers": [(b"host", HOST.encode())],
            }
            await Gate(app, app_that("own"), policy, Dead())(scope, receive, send)

        asyncio.run(use())
        gate_headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    assert gate_headers["set-cookie"] == hardened


@pytest.mark.parametrize(
    ("token", "who"),
    [
        (a_token(ends=86_400), "ann"),  # it is made when the tests are gathered
        (a_token("dead"), None),
        (a_token(ends=-1), None),
        (a_token(secret="t" * 40), None),
        (a_token() + "x", None),
        (jwt.encode({"identifier": "ann", "iat": 1, "exp": 2**33}, None, algorithm="none"), None),
        (jwt.encode({"identifier": "ann", "iat": 1}, SECRET), None),
        (jwt.encode({"exp": 2**33, "iat": 1}, SECRET), None),
        ("", None),
    ],
)
def test_only_a_good_token_is_passed_on(token, who):
    _, _, told = request("/user", headers={"cookie": f"{COOKIE}={token}; other=1"})
    assert told["claims"] == who
    assert ("cookie" in told["headers"]) == (who is not None or not token)


def test_a_token_in_pieces_is_read_whole_and_other_ways_in_are_closed():
    token = a_token()
    assert token_in(f"{COOKIE}_0={token[:50]}; {COOKIE}_1={token[50:]}") == token
    _, _, told = request("/user", headers={"authorization": f"Bearer {token}"})
    assert "authorization" not in told["headers"]


@pytest.mark.parametrize(("peer", "passes"), [("127.0.0.1", True), ("9.9.9.9", False)])
def test_only_a_proxy_of_ours_may_name_the_user(peer, passes):
    policy = Policy(origins=POLICY.origins, secret=SECRET, login="header", user_header="X-User")
    told = request("/user", headers={"X-User": "ann"}, policy=policy, peer=peer)[2]
    assert ("x-user" in told["headers"]) is passes


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_refused_whatever_its_header_says(declared):
    headers = {"content-length": str(MOST_BODY + 1)} if declared else {}
    parts = [b"x" * MOST_BODY, b"x"]
    assert request("/project/threads", "POST", headers, body=parts)[0] == 413
    assert request("/project/threads", "POST", body=[b'"' + b"x" * (MOST_BODY - 2) + b'"'])[0] == 200


# --- bodies ---------------------------------------------------------------------------------------

JSON = {"content-type": "application/json"}


def what_reaches(body, headers=None):
    """Return (status, the body that an application is given) of a request whose body comes in parts."""
    seen = []

    async def app(scope, receive, send):
        said, more = b"", True
        while more:
            message = await receive()
            said, more = said + message["body"], message["more_body"]
        seen.append((said, dict(scope["headers"])))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    status, _, _ = request("/project/thread", "PUT", headers or JSON, body=body, chainlit=app)
    return status, seen[0] if seen else None


@pytest.mark.parametrize(
    ("body", "given"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'{"a": "\\ud800", "\\u0000": ["\\udc00"]}', {"a": "\ufffd", "\ufffd": ["\ufffd"]}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    ],
)
def test_json_reaches_an_application_with_whole_texts(body, given):
    status, (said, headers) = what_reaches([body[:3], body[3:]], JSON | {"content-length": str(len(body))})
    assert (status, json.loads(said)) == (200, given)
    assert headers[b"content-length"] == str(len(said)).encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([b"[" * 50_000], 400),
        ([b'{"a":' * 10_000], 400),
        ([b"{"], 400),
        ([b"\xff"], 400),
        ([b'{"a": NaN}'], 400),
        ([b'{"a": 1e999}'], 400),
        ([b"1" * 5000], 400),
        ([b"x" * 40_000, b"x" * 40_000], 413),
    ],
)
def test_a_body_that_no_application_could_take_reaches_none(body, status):
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        assert what_reaches(body, {"content-type": kind}) == (status, None)


@pytest.mark.parametrize(
    ("path", "headers"), [("/user\0", {}), ("/answers/%00", {}), ("/user", {"content-length": "-1"})]
)
def test_a_request_that_is_none_is_refused(path, headers):
    assert request(path, "GET", headers)[0] == 400
