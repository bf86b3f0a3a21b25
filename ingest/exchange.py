"""One request and its answer, within limits: what goes over the wire for `ingest.fetch`.

httpx2's transport (`httpcore2`) carries it and httpx2's decoders inflate it. Nothing else of the library is used: no
cookies, proxies or logins, and no redirects behind one's back.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import httpcore2
import httpx2

from ingest.address import Address
from ingest.dial import CONNECT, BlockedError, DeadlineError, Dialer, UnknownNameError
from ingest.message import MAX_BODY, BrokenError, FetchError, RefusedError, UnknownHostError, UnreachedError

FREE = 8 * 2**20  # bytes that may be inflated from however little
RATIO = 40  # beyond them, so many bytes from one: pages shrink to a tenth, bombs to a thousandth and less
READ = 20.0  # seconds for the next bytes
CODINGS = ("gzip", "deflate", "br", "zstd")
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent for one request."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes  # inflated; empty for a redirect and for "not modified"


class Wire:
    """Connections to many hosts, for many threads; every answer is bounded in size, every wait in time."""

    def __init__(self, dialer: Dialer, trust: ssl.SSLContext | None = None) -> None:
        self._dialer = dialer
        self._trust = trust

    @cached_property
    def _pool(self) -> httpcore2.ConnectionPool:
        trust = self._trust or httpx2.create_ssl_context(trust_env=False)
        return httpcore2.ConnectionPool(
            ssl_context=trust, network_backend=self._dialer, max_connections=64, keepalive_expiry=5.0
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def send(self, address: Address, headers: Mapping[str, str], body: bytes, *, limit: int, seconds: float) -> Answer:
        """Return the answer to a GET, or to a POST of a body.

        `limit` is in bytes: a longer answer is refused, or cut where the limit is negative. Raises FetchError.
        """
        request = httpcore2.Request(
            "POST" if body else "GET",
            httpcore2.URL(
                scheme=address.scheme.encode(),
                host=address.host.encode(),
                port=address.port,
                target=address.target.encode(),
            ),
            headers=[(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()],
            content=body or None,
            extensions={"timeout": {"connect": CONNECT, "read": READ, "write": READ, "pool": READ}},
        )
        try:
            with self._dialer.until(time.monotonic() + seconds):
                return self._exchange(request, limit)
        except BlockedError as error:
            raise RefusedError(str(error)) from error
        except DeadlineError as error:
            raise FetchError("it was not done in time") from error
        except UnknownNameError as error:
            raise UnknownHostError(f"no connection: {error}") from error
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            if isinstance(_origin(error), ssl.SSLError):
                raise FetchError(f"its certificate or encryption does not hold ({error})") from error
            if isinstance(_origin(error), ConnectionRefusedError):  # somebody said so: there is a network
                raise BrokenError(f"no connection ({error})") from error
            raise UnreachedError(f"no connection ({error})") from error
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.RemoteProtocolError) as error:
            raise BrokenError(f"the connection broke ({type(error).__name__}: {error})") from error
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, httpx2.DecodingError) as error:
            raise FetchError(f"its answer cannot be read ({type(error).__name__}: {error})") from error

    def _exchange(self, request: httpcore2.Request, limit: int) -> Answer:
        sent = self._pool.handle_request(request)
        try:
            response = httpx2.Response(sent.status, headers=sent.headers, stream=_Stream(sent.iter_stream()))
            bare = response.status_code in REDIRECTS | {304}
            content = b"" if bare else _body(response, limit)
        finally:
            sent.close()
        return Answer(response.status_code, dict(response.headers), content)


def _origin(error: BaseException) -> BaseException | None:
    """Return what lies behind an error of httpcore2."""
    return error.__cause__ or error.__context__


class _Stream(httpx2.SyncByteStream):
    """The body of an answer as httpx2's decoders want it."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts


def inflated(headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a body without the coding that its headers name; raises FetchError where it is none, or a bomb."""
    plain = {"content-encoding": headers.get("content-encoding", "")}
    try:
        return _body(httpx2.Response(200, headers=plain, stream=_Stream([body])), MAX_BODY)
    except httpx2.DecodingError as error:
        raise FetchError(f"its coding cannot be undone ({error})") from error


def _body(response: httpx2.Response, limit: int) -> bytes:
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {*CODINGS, "identity", ""}:  # two codings, one in the other, are not taken either
        raise FetchError(f"its coding {coding[:40]!r} is not one of {', '.join(CODINGS)}")
    size, most = response.headers.get("content-length", ""), abs(limit)
    if limit > 0 and size.isdigit() and int(size[:15]) > most:
        raise FetchError(f"it is larger than {most / 2**20:.0f} MiB")
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) > most:
            if limit < 0:
                break
            raise FetchError(f"it is larger than {most / 2**20:.0f} MiB")
        if len(body) > FREE + RATIO * response.num_bytes_downloaded:
            raise FetchError(f"it inflates {response.num_bytes_downloaded:,} bytes to more than {len(body):,}: a bomb")
    return bytes(body[:most])
