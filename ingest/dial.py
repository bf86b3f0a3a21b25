"""Dialling: a name is resolved once, all its addresses must be public, and the address checked is the one dialled."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Any

import httpcore2

CONNECT = 10.0  # seconds until a connection stands

Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], list[str]]
"""Returns the IP addresses of a host name; raises OSError where it has none."""

# What the registries of IANA set apart (RFC 6890 and its successors), relays that lead into other networks, and the
# one metadata service with a public address. Python's own `is_global` passes some of them.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24"
        " 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15"
        " 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
    ).split()
)
_PUBLIC_6 = IPv6Network("2000::/3")  # global unicast: what is outside of it is never public
_NOT_PUBLIC_6 = tuple(
    IPv6Network(text) for text in "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20".split()
)
_ISATAP = 0x00005EFE  # in the middle of an IPv6 address it stands before an IPv4 one, whichever network that is in


class BlockedError(Exception):
    """An address that is not public."""


class UnknownNameError(httpcore2.ConnectError):
    """A host name that has no address."""


class DeadlineError(httpcore2.TimeoutException):
    """The time for an address is up."""


def is_public(ip: str) -> bool:
    """Return whether an IP address belongs to the public internet.

    >>> [is_public(ip) for ip in ("93.184.216.34", "192.0.0.192", "64:ff9b::7f00:1", "2606:4700::1111")]
    [True, False, False, True]
    """
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    middle = int(address) >> 32 & 0xFCFFFFFF  # but for two bits that only say whether the IPv4 address is unique
    return address in _PUBLIC_6 and middle != _ISATAP and not any(address in network for network in _NOT_PUBLIC_6)


def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Dialer(httpcore2.NetworkBackend):
    """Opens connections for httpcore2, each operation within the deadline of its thread."""

    def __init__(self, *, allow: Collection[Network] = (), resolve: Resolve = resolve) -> None:
        self._allow = tuple(allow)
        self._resolve = resolve
        self._tcp = httpcore2.SyncBackend()
        self._time = threading.local()

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Hold everything this thread does on the network to a deadline, in seconds of `time.monotonic`."""
        self._time.deadline = deadline
        try:
            yield
        finally:
            del self._time.deadline

    def left(self, wanted: float | None) -> float:
        """Return for how many seconds this thread may wait; raises DeadlineError where the time is up."""
        left: float = getattr(self._time, "deadline", time.monotonic() + CONNECT) - time.monotonic()
        if left <= 0:
            raise DeadlineError("the time for this address is up")
        return left if wanted is None else min(left, wanted)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  # httpcore2's interface
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Return a connection to the first address of a host that answers.

        Raises BlockedError where one of its addresses is not public, before any of them is dialled.
        """
        addresses = self._addresses(host, port)
        for ip in addresses:
            if not (is_public(ip) or any(ipaddress.ip_address(ip) in network for network in self._allow)):
                raise BlockedError(f"{host} leads to {ip}, which is not a public address")
        failure: Exception = UnknownNameError(f"{host} has no address")
        for ip in addresses[:4]:
            try:
                stream = self._tcp.connect_tcp(ip, port, timeout=self.left(timeout), socket_options=socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _Timed(stream, self)
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        """Resolve a name in a thread of its own: the system's resolver knows no deadline."""
        if ":" in host or host.rpartition(".")[2].isdigit():
            return [host]  # no name, an address
        found: list[list[str] | OSError] = []

        def ask() -> None:
            try:
                found.append([ip.partition("%")[0] for ip in self._resolve(host, port)])
            except (OSError, UnicodeError) as error:
                found.append(error if isinstance(error, OSError) else OSError(str(error)))

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(self.left(CONNECT))
        if not found:
            raise httpcore2.ConnectTimeout(f"the name {host} was not resolved in time")
        if isinstance(found[0], OSError):
            passing = getattr(socket, "EAI_AGAIN", None) == found[0].errno
            kind = httpcore2.ConnectError if passing else UnknownNameError
            raise kind(f"the name {host} is not known ({found[0].strerror or found[0]})")
        return found[0]


class _Timed(httpcore2.NetworkStream):
    """A connection that keeps to the deadline of whoever uses it."""

    def __init__(self, stream: httpcore2.NetworkStream, dialer: Dialer) -> None:
        self._stream = stream
        self._dialer = dialer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._dialer.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._dialer.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._dialer.left(timeout))
        return _Timed(stream, self._dialer)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # httpcore2's interface
        return self._stream.get_extra_info(info)
