"""Addresses: how one is written, which two name the same page, and which may be dialled at all.

Lists, pages and redirects hold anything. Whatever only looks at an address takes any text and never fails; `parse`,
which decides what is dialled, takes no address that two programs could read in two ways.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

import idna

PORTS = (80, 443)
MAX_LENGTH = 4096  # characters

# Parameters that say where a reader came from; the page is the same without them.
_TRACKING = re.compile(
    r"(?:utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|mc_[ce]id|_hs(?:enc|mi)|mkt_tok)=", re.IGNORECASE
)
_DOTS = frozenset({".", "%2e"})
_TWO_DOTS = frozenset({"..", ".%2e", "%2e.", "%2e%2e"})
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LOCAL_NAMES = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "corp", "home.arpa", "onion")


class AddressError(ValueError):
    """An address that is not dialled; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that has one reading."""

    scheme: str  # "http" or "https"
    host: str  # in ASCII and lower case; an IPv6 address without brackets
    port: int
    target: str  # path and query in ASCII, percent-encoding as it was written

    @property
    def origin(self) -> str:
        """Return scheme, host and port, as a robots.txt is found by."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        standard = {"http": 80, "https": 443}[self.scheme] == self.port
        return f"{self.scheme}://{host}" + ("" if standard else f":{self.port}")

    @property
    def url(self) -> str:
        """Return the address as text."""
        return f"{self.origin}{self.target}"


def parse(url: str, *, ports: Collection[int] = PORTS, local: bool = False) -> Address:
    """Return what an address names.

    Raises AddressError for any but http and https, for credentials, for ports not in `ports`, for hosts that are
    written in a way that programs read differently, and, unless `local`, for names that are never public ones.

    >>> parse("https://Example.org/caf%C3%A9?q=1#top").url
    'https://example.org/caf%C3%A9?q=1'
    """
    if len(url) > MAX_LENGTH:
        raise AddressError(f"it is longer than {MAX_LENGTH} characters")
    if re.search(r"[\x00-\x20\x7f\\]", url.strip(" ").replace(" ", "%20")):
        raise AddressError("it holds control characters or backslashes")
    found = re.fullmatch(r"(?i:(https?))://([^/?#]+)([^#]*)(?:#.*)?", url.strip(" "), re.DOTALL)
    if not found:
        raise AddressError("it is no http or https address")
    scheme, authority, target = found.group(1).lower(), found.group(2), found.group(3)
    if "@" in authority:
        raise AddressError("it holds credentials")
    name, port = _host_and_port(authority)
    number = port or {"http": 80, "https": 443}[scheme]
    if number not in ports:
        raise AddressError(f"port {number} is not asked")
    host = _host(name)
    if not local and _is_local_name(host):
        raise AddressError(f"{host} names a machine of this network, not a public one")
    return Address(scheme, host, number, _target(target))


def _host_and_port(authority: str) -> tuple[str, int]:
    found = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(\d{0,5}))?", authority)
    if not found:
        raise AddressError("its host and port cannot be told apart")
    given = found.group(2)
    if given and not 0 < int(given) <= 65535:  # 0 is none: what dials it takes another
        raise AddressError(f"there is no port {int(given)}")
    return found.group(1), int(given or 0)


def _host(name: str) -> str:
    """Return a host in ASCII and lower case; raises AddressError for anything that could be read in two ways."""
    if name.startswith("["):
        try:
            if "%" not in name:  # no zones: they name a machine of this network
                return str(ipaddress.IPv6Address(name[1:-1]))
            raise ValueError(name)
        except ValueError as error:
            raise AddressError("its host is no IPv6 address") from error
    try:
        host = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode()
        if "xn--" in host:
            idna.decode(host)
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError("its host is no name") from error
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressError("no host can have this name")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):  # what browsers take for a number is an IPv4 address
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise AddressError("its host is a number that is no plain IPv4 address") from error
    return host


def _is_local_name(host: str) -> bool:
    if ":" in host or host.rpartition(".")[2].isdigit():
        return False  # an IP address: dialling decides
    return "." not in host or any(host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES)


def _target(text: str) -> str:
    path, mark, query = text.partition("?")
    try:
        # %: what is encoded stays as it is
        encoded = quote(f"{_without_dots(path)}{mark}{query}", safe="/?:@!$&'()*+,;=-._~%[]|")
    except UnicodeEncodeError as error:
        raise AddressError("it holds half characters") from error
    return encoded if encoded.startswith("/") else f"/{encoded}"


# --- looking at any text --------------------------------------------------------------------------


def split(url: str) -> SplitResult:
    """Return the parts of an address; those of the empty address where it has none.

    >>> split("http://[oops").netloc
    ''
    """
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port  # they fail late
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def host_of(url: str) -> str:
    """Return the host in an address, in lower case; "" where there is none."""
    return (split(url).hostname or "").lower()


def is_under(host: str, names: Collection[str]) -> str:
    """Return which of the names a host is, or lies under; "" for none of them.

    >>> is_under("de.linkedin.com", {"linkedin.com"})
    'linkedin.com'
    """
    labels = host.split(".")
    return next((name for n in range(len(labels)) if (name := ".".join(labels[n:])) in names), "")


def well_formed(url: str) -> bool:
    """Return whether an address can name a public page at all, whatever its port.

    >>> well_formed("http://wide%20&%20deep%20learning/"), well_formed("https://arxiv.org/abs/1606.07792")
    (False, True)
    """
    try:
        parse(url, ports=range(65536), local=True)
    except AddressError:
        return False
    return True


def without_tracking(url: str) -> str:
    """Return an address without its fragment and the parameters that only say where a reader came from.

    >>> without_tracking("https://example.org/a?utm_source=x&id=3&fbclid=y#top")
    'https://example.org/a?id=3'
    """
    bare = url.partition("#")[0]
    path, mark, query = bare.partition("?")
    kept = "&".join(part for part in query.split("&") if not _TRACKING.match(part))
    return f"{path}?{kept}" if mark and kept else path


def same_page(url: str) -> str:
    """Return a key under which two spellings of one address are equal.

    >>> same_page("http://www.Example.org/a/?utm_source=x#top") == same_page("https://example.org/a")
    True
    """
    parts = split(without_tracking(url))
    host = (parts.hostname or "").lower().removeprefix("www.")
    port = f":{parts.port}" if parts.port and parts.port not in PORTS else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{port}{parts.path.rstrip('/')}{query}" if host else url


def join(base: str, reference: str) -> str:
    """Return the absolute address of a link on a page (RFC 3986, section 5.2); "" where it has none.

    Unlike `urllib.parse.urljoin` it leaves empty steps in a path alone: some papers are found only with them.

    >>> join("https://research.google.com/en//pubs/list.html", "archive/45530.pdf")
    'https://research.google.com/en//pubs/archive/45530.pdf'
    """
    reference = re.sub(r"[\t\r\n]", "", reference).strip().replace(" ", "%20")
    found = re.fullmatch(r"(?:([A-Za-z][\w+.-]*):)?(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", reference, re.DOTALL)
    ground = split(base)
    if not found or not ground.netloc:
        return ""
    scheme, authority, path, query = found.group(1), found.group(2), found.group(3), found.group(4) or ""
    if scheme and scheme.lower() not in {"http", "https"}:
        return ""
    if authority is not None:
        return f"{(scheme or ground.scheme).lower()}://{authority}{_without_dots(path)}{query}"
    if scheme:
        return ""
    if not path:
        path, query = ground.path, query or (f"?{ground.query}" if ground.query else "")
    elif not path.startswith("/"):
        path = f"{ground.path.rpartition('/')[0]}/{path}"
    return f"{ground.scheme}://{ground.netloc}{_without_dots(path)}{query}"


def _without_dots(path: str) -> str:
    """Return a path with its "." and ".." steps taken (RFC 3986, section 5.2.4)."""
    steps: list[str] = []
    parts = path.split("/")
    for step in parts:
        if step.lower() in _TWO_DOTS:
            steps = steps[:-1] if len(steps) > 1 else steps
        elif step.lower() not in _DOTS:
            steps.append(step)
    taken = "/".join(steps)
    return f"{taken}/" if parts[-1] in _DOTS | _TWO_DOTS and not taken.endswith("/") else taken
