"""The one door to the network: polite, bounded, and never anywhere but where it was sent."""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from ingest import dial, robots
from ingest.address import PORTS, Address, AddressError, join, parse
from ingest.dial import Dialer, Network, Resolve
from ingest.exchange import CODINGS, REDIRECTS, Answer, Wire
from ingest.manners import Manners, StoppedError, Turns, WaitError, seconds_to_wait
from ingest.message import (
    Ask,
    BrokenError,
    FetchError,
    Redirect,
    RefusedError,
    Response,
    UnknownHostError,
    UnknownRulesError,
    UnreachedError,
    now,
)

USER_AGENT = "{agent}/0.1 (study assistant; {contact})"
_MAY_PASS = frozenset({429, 500, 502, 503, 504})
_TOKEN_HOSTS = frozenset({"api.github.com", "raw.githubusercontent.com"})


@dataclass
class _Budget:
    """The seconds that are left for an address; waiting for a turn costs none."""

    left: float


class Door:
    """Answers requests from the network, from many threads at once; use it as a context manager."""

    def __init__(
        self,
        *,
        contact: str,
        token: str = "",
        allow: Collection[Network] = (),
        ports: Collection[int] = PORTS,
        manners: Manners | None = None,
        resolve: Resolve = dial.resolve,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Open the door: `allow` lets it into networks that are not public, `trust` replaces the system's certificates.

        `token` is GitHub's, and is shown to GitHub only.
        """
        self.manners = manners or Manners()
        self.reached = threading.Event()  # set once any host has answered
        self._agent = USER_AGENT.format(agent=robots.AGENT, contact=" ".join(contact.split()))
        self._token = token
        self._ports = frozenset(ports)
        self._local = bool(allow)
        self._wire = Wire(Dialer(allow=allow, resolve=resolve), trust)
        self._turns = Turns(self.manners)
        self._rules: dict[str, robots.Rules | FetchError] = {}
        self._asking: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections, and of all that wait for their turn."""
        self._turns.stop()
        self._wire.close()

    def get(self, ask: Ask) -> Response:
        """Return what an address answers, its redirects followed; a response with status 304 has no body.

        Raises FetchError where it answers nothing that can be taken: RefusedError where it may not be asked,
        UnreachedError where its host could not be reached.
        """
        return self._persist(ask, checked=not ask.interface)

    def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the sitemaps that the robots.txt of a site names, where it was read before."""
        try:
            rules = self._rules.get(self._parse(url).origin)
        except FetchError:
            return ()
        return rules.sitemaps if isinstance(rules, robots.Rules) else ()

    def _persist(self, ask: Ask, *, checked: bool) -> Response:
        """Follow an address, again where its trouble may pass."""
        budget = _Budget(self.manners.total)
        try:
            for trial in range(1, self.manners.tries + 1):
                last = trial == self.manners.tries
                try:
                    response = self._follow(ask, budget, checked=checked)
                    if last or response.status not in _MAY_PASS:
                        return response
                except BrokenError as error:
                    # An unknown name stays unknown; and one try is enough to see that there is no network.
                    hopeless = isinstance(error, UnreachedError) and not self.reached.is_set()
                    if last or hopeless or isinstance(error, UnknownHostError):
                        raise
                self._turns.sleep(random.uniform(0.5, 1.5) * self.manners.backoff * 2 ** (trial - 1))
        except (StoppedError, WaitError) as error:
            raise FetchError(str(error) or "stopped") from error
        raise AssertionError("the last try returns or raises")

    def _follow(self, ask: Ask, budget: _Budget, *, checked: bool) -> Response:
        url = ask.url
        via: list[Redirect] = []
        home = ""
        for _ in range(self.manners.redirects + 1):
            address = self._parse(url, led=bool(via))
            if checked and not self._permitted(address):
                raise RefusedError(f"{address.host}: its robots.txt does not allow it")
            home = home or address.host
            # What one site was to be told, a cookie say, is nothing for the site it leads to.
            answer = self._once(address, ask if address.host == home else replace(ask, headers=()), budget)
            location = answer.headers.get("location", "")
            if answer.status not in REDIRECTS or not location:
                return Response(
                    url=ask.url,
                    status=answer.status,
                    content_type=answer.headers.get("content-type", ""),
                    body=answer.body,
                    fetched_at=now(),
                    etag=answer.headers.get("etag", ""),
                    modified=answer.headers.get("last-modified", ""),
                    final=url if via else "",
                    via=tuple(via),
                )
            if ask.body:
                raise RefusedError("a request with a body was redirected")
            via.append(Redirect(url, answer.status, location))
            url = join(url, location) or location
        raise RedirectsError(f"more than {self.manners.redirects} redirects")

    def _parse(self, url: str, *, led: bool = False) -> Address:
        try:
            return parse(url, ports=self._ports, local=self._local)
        except AddressError as error:
            raise RefusedError(f"{'it leads to ' if led else ''}{url[:200]}: {error}") from error

    def _once(self, address: Address, ask: Ask, budget: _Budget) -> Answer:
        with self._turns.take(address.host):
            began = time.monotonic()
            try:
                answer = self._wire.send(
                    address, self._headers(address, ask), ask.body, limit=ask.limit, seconds=budget.left
                )
            except (UnreachedError, RefusedError):
                raise
            except FetchError:
                self.reached.set()
                raise
            finally:
                budget.left -= time.monotonic() - began
            self.reached.set()
            wait = seconds_to_wait(answer.headers.get("retry-after", ""))
            if answer.status in {429, 503} and wait is not None:
                self._turns.hold(address.host, wait)
            return answer

    def _headers(self, address: Address, ask: Ask) -> dict[str, str]:
        headers = {
            "Host": address.origin.partition("://")[2],
            "User-Agent": self._agent,
            "Accept": "text/html,application/xhtml+xml,application/pdf,text/markdown,text/plain;q=0.9,*/*;q=0.5",
            "Accept-Language": "en,*;q=0.5",
            "Accept-Encoding": ", ".join(CODINGS),
        }
        if ask.etag:
            headers["If-None-Match"] = ask.etag
        if ask.modified:
            headers["If-Modified-Since"] = ask.modified
        if self._token and address.scheme == "https" and address.host in _TOKEN_HOSTS:
            headers["Authorization"] = f"Bearer {self._token}"
        if ask.body:
            headers["Content-Length"] = str(len(ask.body))
        return headers | dict(ask.headers)

    # --- what a site allows -----------------------------------------------------------------------

    def _permitted(self, address: Address) -> bool:
        rules = self._rules_of(address)
        if rules.nothing:
            raise UnknownRulesError(f"{address.host}: {rules.nothing}, so nothing is read there")
        return rules.allows(address.url)

    def _rules_of(self, address: Address) -> robots.Rules:
        """Return what an origin allows; its robots.txt is fetched once."""
        with self._lock:
            asking = self._asking.setdefault(address.origin, threading.Lock())
        with asking:
            known = self._rules.get(address.origin) or self._fetched_rules(address)
            if self.reached.is_set() or not isinstance(
                known, UnreachedError
            ):  # else the network may be what is missing
                self._rules[address.origin] = known
        if isinstance(known, FetchError):
            raise known
        return known

    def _fetched_rules(self, address: Address) -> robots.Rules | FetchError:
        try:
            found = self._persist(Ask(f"{address.origin}/robots.txt", limit=-robots.MAX_BYTES), checked=False)
        except RedirectsError:
            return robots.Rules()  # as if there were none (RFC 9309, section 2.3.1.2)
        except (UnreachedError, RefusedError) as error:  # says more than that its rules are not known
            return error
        except FetchError as error:
            return robots.Rules(nothing=f"its robots.txt could not be read ({error})")
        rules = robots.rules_of(found.status, found.body)
        self._turns.slow_down(address.host, rules.delay)
        return rules


class RedirectsError(FetchError):
    """An address that only leads on and on."""
