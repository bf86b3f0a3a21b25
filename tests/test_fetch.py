"""The one door: what it takes, how long it waits, how often it asks again, and what it never accepts."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from loopback import QUICK, Reply, Site

from ingest.exchange import REDIRECTS
from ingest.fetch import Door
from ingest.message import MAX_BODY, Ask, BrokenError, FetchError, RefusedError, UnknownHostError, UnreachedError

HTML = {"Content-Type": "text/html"}


@pytest.fixture
def site():
    with Site().open() as site:
        yield site


def get(site, path="/", host="site.test", **options):
    with site.door(**options) as door:
        return door.get(Ask(site.url(path, host)))


# --- redirects ------------------------------------------------------------------------------------


def chain(length, status=302):
    pages = {f"/{n}": Reply(status=status, headers={"Location": f"/{n + 1}"}) for n in range(length)}
    return pages | {f"/{length}": "the end"}


@pytest.mark.parametrize("status", sorted(REDIRECTS))
def test_five_redirects_are_followed_and_recorded(site, status):
    site.pages = chain(5, status)
    response = get(site, "/0")
    assert response.body == b"the end"
    assert response.url == site.url("/0")
    assert response.final == site.url("/5")
    assert [step.location for step in response.via] == ["/1", "/2", "/3", "/4", "/5"]


@pytest.mark.parametrize("pages", [chain(6), {"/0": Reply(status=302, headers={"Location": "/0"})}])
def test_more_redirects_than_five_are_not_followed(site, pages):
    site.pages = pages
    with pytest.raises(FetchError, match="more than 5 redirects"):
        get(site, "/0")


def test_a_redirect_to_another_host_asks_for_its_rules_first(site):
    site.pages = {
        "a.test/": Reply(status=301, headers={"Location": site.url("/private", "b.test")}),
        "b.test/robots.txt": "User-agent: *\nDisallow: /private",
    }
    with pytest.raises(RefusedError, match=r"b\.test: its robots"):
        get(site, "/", "a.test")
    assert not site.asked("/private")


# --- again, and again -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_three_times(site, status):
    site.pages = {"/": Reply("sorry", status)}
    assert get(site).status == status
    assert len(site.asked("/")) == 3


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 410, 451, 501])
def test_what_will_not_pass_is_tried_once(site, status):
    site.pages = {"/": Reply("so it is", status)}
    assert get(site).status == status
    assert len(site.asked("/")) == 1


def test_a_server_that_recovers_is_read(site):
    answers = iter([Reply("", 503), Reply("", 500)])
    site.answer = lambda asked: next(answers, None) if asked.path == "/" else None
    site.pages = {"/": "well again"}
    assert get(site).body == b"well again"


@pytest.mark.parametrize(
    "raw", [lambda s: s.close(), lambda s: s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")]
)
def test_a_connection_that_breaks_is_tried_three_times(site, raw):
    site.pages = {"/": Reply(raw=raw)}
    with pytest.raises(BrokenError):
        get(site)
    assert len(site.asked("/")) == 3


@pytest.mark.parametrize("says", ["1", lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_in_seconds_and_as_a_date(site, says, status):
    said = says if isinstance(says, str) else says()
    answers = iter([Reply("", status, {"Retry-After": said})])
    site.answer = lambda asked: next(answers, None) if asked.path == "/" else None
    site.pages = {"/": "at last"}
    assert get(site).body == b"at last"
    first, second = site.asked("/")
    assert second.began - first.ended > 0.9


def test_a_host_that_wants_a_long_rest_is_left_alone_for_the_run(site):
    site.pages = {"/": Reply("", 429, {"Retry-After": "86400"}), "/other": "x"}
    with site.door() as door:
        for path in ("/", "/other"):
            with pytest.raises(FetchError, match="left alone until"):
                door.get(Ask(site.url(path)))
        assert door.get(Ask(site.url("/other", "else.test"))).status == 200
    assert len(site.asked("/")) == 1


# --- time -----------------------------------------------------------------------------------------


def drip(stream: socket.socket) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(200):
        try:
            stream.sendall(b"x")
        except OSError:
            return
        time.sleep(0.05)


@pytest.mark.parametrize("reply", [Reply(raw=drip), Reply("late", wait=4.0)], ids=["a drip", "silence"])
def test_an_address_has_a_deadline(site, reply):
    site.pages = {"/": reply}
    began = time.monotonic()
    with pytest.raises(FetchError, match="in time"):
        get(site, manners=replace(QUICK, total=1.0))
    assert time.monotonic() - began < 3


def test_waiting_for_a_turn_takes_nothing_off_the_deadline(site):
    site.pages = {f"/{n}": "x" for n in range(4)}
    with site.door(manners=replace(QUICK, gap=0.4, total=0.6)) as door:
        threads = [threading.Thread(target=door.get, args=[Ask(site.url(f"/{n}"))]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(site.requests) == 5  # the robots.txt, too


def test_a_door_that_closes_frees_those_who_wait(site):
    site.pages = {"/": "x"}
    door = site.door(manners=replace(QUICK, gap=60.0))
    failed = []

    def ask():
        try:
            door.get(Ask(site.url("/")))
        except FetchError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.3)
    door.close()
    thread.join(3)
    assert failed


# --- what is taken --------------------------------------------------------------------------------


def test_an_answer_of_the_largest_size_is_taken_and_a_larger_one_refused(site):
    site.pages = {"/most": Reply(b"x" * MAX_BODY, headers=HTML), "/more": Reply(b"x" * (MAX_BODY + 1), headers=HTML)}
    assert len(get(site, "/most").body) == MAX_BODY
    with pytest.raises(FetchError, match="larger than 32 MiB"):
        get(site, "/more")


def endless(stream: socket.socket) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        while True:
            stream.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    except OSError:
        return


def test_an_answer_without_an_end_is_refused(site):
    site.pages = {"/": Reply(raw=endless)}
    with pytest.raises(FetchError, match="larger than"):
        get(site)


def long_headers(stream: socket.socket) -> None:
    try:
        stream.sendall(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 4000) for n in range(400)))
    except OSError:
        return


def test_headers_without_an_end_are_refused(site):
    site.pages = {"/": Reply(raw=long_headers)}
    with pytest.raises(FetchError):
        get(site)


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip, br", "compress", "aes128gcm", "x" * 1000])
def test_one_coding_at_most_is_taken(site, coding):
    site.pages = {"/": Reply(b"x", headers=HTML | {"Content-Encoding": coding})}
    with pytest.raises(FetchError, match="coding"):
        get(site)


def test_a_body_that_is_not_what_its_coding_says_is_refused(site):
    site.pages = {"/": Reply(b"no gzip", headers=HTML | {"Content-Encoding": "gzip"})}
    with pytest.raises(FetchError, match="cannot be read"):
        get(site)


# --- what is sent ---------------------------------------------------------------------------------


def test_a_request_says_who_asks(site):
    site.pages = {"/": "x"}
    get(site)
    assert all("Prepshelf" in asked.headers["user-agent"] for asked in site.requests)
    assert all("test@example.org" in asked.headers["user-agent"] for asked in site.requests)
    assert not any({"cookie", "authorization", "referer"} & set(asked.headers) for asked in site.requests)


def test_a_token_is_shown_to_github_over_https_only(site):
    site.pages = {"/": "x"}
    with site.door(token="secret") as door:
        for host in ("api.github.com", "github.com", "site.test"):
            door.get(Ask(site.url("/", host)))
    assert not any("authorization" in asked.headers for asked in site.requests)
    address = door._parse("https://api.github.com/repos/o/r")
    assert door._headers(address, Ask(address.url))["Authorization"] == "Bearer secret"
    other = door._parse("https://github.com/o/r")
    assert "Authorization" not in door._headers(other, Ask(other.url))


def test_headers_of_a_request_do_not_follow_it_to_another_host(site):
    site.pages = {"a.test/": Reply(status=302, headers={"Location": site.url("/", "b.test")}), "b.test/": "x"}
    with site.door() as door:
        door.get(Ask(site.url("/", "a.test"), headers=(("Cookie", "CONSENT=YES"),)))
    first, second = site.asked("/")
    assert first.headers["cookie"] == "CONSENT=YES"
    assert "cookie" not in second.headers


def test_a_copy_that_still_holds_is_not_sent_again(site):
    site.answer = lambda asked: Reply(status=304) if asked.headers.get("if-none-match") == '"v1"' else None
    site.pages = {"/": Reply("x", headers=HTML | {"ETag": '"v1"', "Last-Modified": "Wed, 21 Oct 2026 07:28:00 GMT"})}
    with site.door() as door:
        first = door.get(Ask(site.url("/")))
        again = door.get(Ask(site.url("/"), etag=first.etag, modified=first.modified))
    assert (first.etag, first.modified) == ('"v1"', "Wed, 21 Oct 2026 07:28:00 GMT")
    assert (again.status, again.body) == (304, b"")
    assert site.asked("/")[1].headers["if-modified-since"] == first.modified


# --- nobody there ---------------------------------------------------------------------------------


def test_an_unknown_name_is_told_apart_and_not_asked_again(site):
    asked = []

    def resolve(host, _):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with (
        Door(contact="x", manners=QUICK, resolve=resolve) as door,
        pytest.raises(UnknownHostError, match="is not known"),
    ):
        door.get(Ask("http://nowhere.test/"))
    assert asked == ["nowhere.test"]


def test_a_host_that_was_down_at_first_is_asked_again_once_others_answer(site):
    site.pages, names = {"/": "here now"}, {"late.test": []}
    with site.door(names=names) as door:
        with pytest.raises(UnreachedError):
            door.get(Ask(site.url("/", "late.test")))
        door.get(Ask(site.url("/")))
        names["late.test"] = ["127.0.0.1"]
        assert door.get(Ask(site.url("/", "late.test"))).body == b"here now"


def test_a_refused_connection_is_no_missing_network(site):
    with site.door(ports={site.port, 9}) as door:
        with pytest.raises(FetchError, match="could not be read"):
            door.get(Ask("http://down.test:9/"))
        assert door.reached.is_set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that nobody has signed but itself."""
    folder = tmp_path_factory.mktemp("certificate")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tls.test -addext subjectAltName=DNS:tls.test"
    try:
        paths = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
        subprocess.run([*command.split(), *paths], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl is not here")
    return folder


@pytest.mark.parametrize(
    ("host", "trusted", "reads"), [("tls.test", True, True), ("tls.test", False, False), ("other.test", True, False)]
)
def test_certificates_are_always_checked(certificate, host, trusted, reads):
    site = Site({"/": "x"})
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    site._server.socket = serving.wrap_socket(site._server.socket, server_side=True)
    site._server.handle_error = lambda *_: None
    trust = ssl.create_default_context(cafile=certificate / "cert.pem") if trusted else None
    with site.open(), site.door(trust=trust) as door:
        ask = Ask(f"https://{host}:{site.port}/", interface=True)
        if reads:
            assert door.get(ask).body == b"x"
        else:
            with pytest.raises(FetchError, match="certificate"):
                door.get(ask)
