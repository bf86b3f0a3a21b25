"""The one door to the network: polite, bounded, and never anywhere but where it was sent."""

from __future__ import annotations

from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx2

from ingest.archive import MAX_BODY, Response, now

USER_AGENT = "Prepshelf/0.1 (study assistant; +{contact})"
REDIRECTS = 5
TIMEOUT = httpx2.Timeout(20, connect=10)


class FetchError(Exception):
    """An address that gave no response; the message is the ledger's reason."""


class NoNetworkError(FetchError):
    """The host could not be reached at all."""


class Door:
    """Fetches addresses one at a time; use it as a context manager."""

    def __init__(self, *, contact: str, transport: httpx2.BaseTransport | None = None) -> None:
        self._client = httpx2.Client(
            headers={"User-Agent": USER_AGENT.format(contact=contact), "Accept-Encoding": "gzip, deflate"},
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str) -> Response:
        """Return what an address answers, redirects followed.

        Raises FetchError where it answers nothing that can be taken, NoNetworkError where no host was reached.
        """
        asked = url
        for _ in range(REDIRECTS + 1):
            if urlsplit(url).scheme not in {"http", "https"}:
                raise FetchError(f"leads to {url}, which is no web address")
            try:
                response, onward = self._once(asked, url)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                raise NoNetworkError(f"no connection to {urlsplit(url).hostname} ({error})") from error
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
                raise FetchError(f"{type(error).__name__}: {error}") from error
            if response:
                return response
            url = onward
        raise FetchError(f"more than {REDIRECTS} redirects")

    def _once(self, asked: str, url: str) -> tuple[Response | None, str]:
        with self._client.stream("GET", url) as answer:
            location = answer.headers.get("location")
            if answer.is_redirect and location:
                return None, urljoin(url, location)
            body = bytearray()
            for part in answer.iter_bytes():
                body += part
                if len(body) > MAX_BODY:
                    raise FetchError(f"larger than {MAX_BODY // 2**20} MiB")
            return (
                Response(
                    url=asked,
                    status=answer.status_code,
                    content_type=answer.headers.get("content-type", ""),
                    body=bytes(body),
                    fetched_at=now(),
                    etag=answer.headers.get("etag", ""),
                    modified=answer.headers.get("last-modified", ""),
                ),
                "",
            )
