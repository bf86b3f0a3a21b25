"""The wire to a language model's server: what comes over it is bounded and checked before a library reads it.

The OpenAI client follows redirects to other hosts, keeps a line of any length in memory, takes a cut stream for a
finished one and lets decoding errors escape. It cannot be told otherwise, but it takes a transport: this one hands it
a stream that holds nothing but text, or breaks off with a ModelError. It also adds the key, so that no library ever
holds it, and sends no header that tells of this machine.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from app import ModelError, complaint
from app.habits import Habits
from ingest.characters import ends_in_half, whole

LINE = 256 * 1024  # bytes of one event; a token of text takes some hundred
STREAM = 8 * 1024 * 1024  # bytes of one answer
LISTING = 4 * 1024 * 1024  # bytes of a list of models; the longest lists of hosted ones take one

_DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """What one event of a stream holds that is of use."""

    text: str = ""
    finish: str = ""  # why the server ends its answer
    refuses: bool = False  # it holds the model's own refusal


class Wire(httpx2.BaseTransport):
    """The way of one request. It ends with the [DONE] that the library expects, or with a ModelError."""

    def __init__(
        self,
        *,
        key: str,
        stopped: threading.Event,
        version: str = "",
        habits: Habits | None = None,
        inner: httpx2.BaseTransport | None = None,
    ) -> None:
        """`version` is the one of its interface that Azure wants to be told with each request."""
        self.fault: ModelError | None = None  # kept here too, because a library may wrap what is raised
        self._key = key
        self._version = version
        self._habits = habits or Habits()
        self._stopped = stopped
        self._inner = inner or httpx2.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request; raise ModelError for every response that is no stream of events."""
        host = place(str(request.url))
        try:
            response = self._inner.handle_request(self._bare(request))
        except httpx2.TimeoutException:
            raise self._failed(f"{host} did not respond in time", again=True, late=True) from None
        except httpx2.ConnectError:
            self.fault = ModelError(f"{host} cannot be reached", again=True, unreached=True)
            raise self.fault from None
        except httpx2.TransportError:
            raise self._failed(f"{host} broke off before it answered", again=True) from None
        try:
            check(response, host, said=b"" if response.status_code == 200 else self._refused(response))
        except ModelError as fault:
            response.close()
            self.fault = fault
            raise
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, stream=_Checked(self, response, host), request=request)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def chunks(self, response: httpx2.Response, host: str) -> Iterator[bytes]:
        """Yield the events of a stream, each checked and written anew."""
        finish = half = ""
        try:
            for data in _events(_unless(self._stopped, response.iter_raw()), host):
                event = Event(finish="stop") if data == b"[DONE]" else _event(data, host)
                text = half + event.text
                half = text[-1:] if ends_in_half(text) else ""
                # Without text, it is a sign of life.
                yield _chunk(whole(text.removesuffix(half).replace("\0", "")))
                if event.finish or event.refuses:
                    finish = "refusal" if event.refuses else event.finish
                    break
        except ModelError as fault:
            self.fault = fault
            raise
        except httpx2.TimeoutException:
            raise self._failed(f"{host} fell silent in the middle", again=True, late=True) from None
        except httpx2.TransportError:
            raise self._failed(f"the connection to {host} broke", again=True) from None
        if not finish:
            raise self._failed(f"{host} ended before the answer was complete", again=True)
        self.fault = complaint.ended(finish, host)
        if self.fault:
            raise self.fault
        yield _DONE

    def _bare(self, request: httpx2.Request) -> httpx2.Request:
        """Return the request with no header but those that it needs, and with the key."""
        headers = {
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",  # nothing to inflate
            "Connection": "close",
            "Content-Type": "application/json",
            "User-Agent": "prepshelf",
        }
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        url = request.url
        if self._version:
            url = url.copy_merge_params({"api-version": self._version})
            headers |= {"api-key": self._key} if self._key else {}
        content = json.dumps(self._habits.fitted(json.loads(request.read()))).encode()
        return httpx2.Request(request.method, url, headers=headers, content=content, extensions=request.extensions)

    def _refused(self, response: httpx2.Response) -> bytes:
        """Return what a server says of its refusal, as far as that is read."""
        said = b""
        with suppress(httpx2.TransportError, ModelError):
            for piece in _unless(self._stopped, response.iter_raw()):
                said += piece
                if len(said) > complaint.LONGEST:
                    break
        return said

    def _failed(self, message: str, *, again: bool, late: bool = False) -> ModelError:
        self.fault = ModelError(message, again=again, late=late)
        return self.fault


class _Checked(httpx2.SyncByteStream):
    def __init__(self, wire: Wire, response: httpx2.Response, host: str) -> None:
        self._wire, self._response, self._host = wire, response, host

    def __iter__(self) -> Iterator[bytes]:
        yield from self._wire.chunks(self._response, self._host)

    def close(self) -> None:
        self._response.close()


def check(response: httpx2.Response, host: str, wanted: str = "text/event-stream", *, said: bytes = b"") -> None:
    """Raise ModelError where a response is not what was asked for; `said` is what it says of a refusal."""
    status = response.status_code
    if 300 <= status < 400:
        raise ModelError(f"{host} redirects; set PREPSHELF_LLM_URL to the final address", lasting=True)
    if status in {401, 403}:
        raise ModelError(f"{host} refused the key ({status}); set PREPSHELF_LLM_API_KEY", lasting=True)
    if status in {400, 404, 413, 422, 429, 500} and (fault := complaint.fault(status, complaint.read(said), host)):
        raise fault
    if status == 404:
        cure = "look at PREPSHELF_LLM_URL, which often ends in /v1, and PREPSHELF_LLM_MODEL"
        raise ModelError(f"{host} knows no such address or model (404); {cure}", lasting=True, unfit=True)
    if status == 429:
        raise ModelError(f"{host} has had too many requests (429)", again=True, after=_seconds(response))
    if status in {400, 422}:
        raise ModelError(f"{host} rejected the request ({status}); look at PREPSHELF_LLM_MODEL", picky=True, unfit=True)
    if status != 200:
        passing = status in {408, 409, 425} or status >= 500
        loading = status == 503 and b"oading" in said  # llama.cpp and Ollama say so
        after = _seconds(response) if status == 503 else 0.0
        raise ModelError(f"{host} failed ({status})", again=passing, after=after, unfit=status == 501, loading=loading)
    form = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form != wanted or response.headers.get("content-encoding", "identity").lower() != "identity":
        what = "with a page" if form == "text/html" else "in another form than was asked for"
        raise ModelError(f"{host} answered {what}; look at PREPSHELF_LLM_URL, which often ends in /v1", lasting=True)


def listing(url: str, *, key: str, seconds: float) -> object:
    """Return the JSON at an address; raise ModelError where there is none within the time."""
    host, end = place(url), time.monotonic() + seconds
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "prepshelf"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = httpx2.Request("GET", url, headers=headers, extensions={"timeout": httpx2.Timeout(seconds).as_dict()})
    body = bytearray()
    try:
        with httpx2.HTTPTransport(trust_env=False) as door, closing(door.handle_request(request)) as response:
            check(response, host, "application/json")
            for piece in response.iter_raw():
                body += piece
                if len(body) > LISTING or time.monotonic() > end:
                    raise ModelError(f"{host} gave no list of models in time")
        listed: object = json.loads(body)
        return listed
    except (httpx2.TransportError, ValueError, RecursionError):
        raise ModelError(f"{host} gave no list of models") from None


def place(url: str) -> str:
    """Return the host and port of an address, all of it that is ever shown."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _unless(stopped: threading.Event, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if stopped.is_set():
            raise ModelError("stopped")
        yield piece


def _events(pieces: Iterable[bytes], host: str) -> Iterator[bytes]:
    """Yield the data of server-sent events, b"" for a comment, by which a server shows that it lives.

    Raises ModelError where a line or all of them outgrow their bounds.
    """
    rest, data, total = b"", b"", 0
    for piece in pieces:
        total += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                data = b"\n".join(filter(None, [data, line[5:].removeprefix(b" ")]))
            elif line.startswith(b":"):
                yield b""
            elif not line and data:
                yield data
                data = b""
        if len(rest) > LINE or len(data) > LINE or total > STREAM:
            raise ModelError(f"{host} sent more than any answer takes")
    if data:
        yield data


def _event(data: bytes, host: str) -> Event:
    if not data:
        return Event()
    try:
        said = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ModelError(f"{host} sent what cannot be read", again=True) from None
    if not isinstance(said, dict):
        return Event()
    if said.get("error"):
        raise ModelError(f"{host} reported an error in the middle", again=True)
    choices = said.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return Event()
    delta, finish = choice.get("delta"), choice.get("finish_reason")
    parts = delta if isinstance(delta, dict) else {}
    return Event(
        text=_text(parts.get("content")),
        finish=finish if isinstance(finish, str) else "",
        refuses=bool(parts.get("refusal")),
    )


def _text(content: object) -> str:
    """Return the text of a piece; where it comes in parts, as Mistral's does, those that are thinking are left out."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _chunk(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    chunk = {"id": "-", "object": "chat.completion.chunk", "created": 0, "model": "-", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _seconds(response: httpx2.Response) -> float:
    """Return how long a Retry-After asks to wait, in seconds or until a date; 0 where it asks nothing."""
    given = response.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except ValueError:
        return 0.0
