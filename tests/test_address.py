"""Addresses: any text may be looked at, few may be dialled, and no way leads to a machine that is not public."""

from __future__ import annotations

import json
import socket
from ipaddress import ip_network

import pytest
from loopback import QUICK, TRUST, Reply, Site

from ingest import dial
from ingest.address import AddressError, host_of, join, parse, same_page, split, well_formed, without_tracking
from ingest.catalogue import Resource
from ingest.fetch import Door
from ingest.message import Ask, FetchError, RefusedError
from ingest.owners import Owners
from ingest.sources import address_to_read, kind_of, public_address, saved, source_of

# Hosts that no door may open to, in many spellings; more lie in ../shared/hostile/ssrf_urls.json.
NOT_PUBLIC = """
http://127.0.0.1/ http://127.1/ http://0/ http://0.0.0.0/ http://2130706433/ http://0x7f000001/ http://0177.0.0.1/
http://10.0.0.1/ http://10.255.255.254/ http://172.16.0.1/ http://172.31.255.255/ http://192.168.1.1/
http://100.64.0.1/ http://169.254.169.254/latest/meta-data/ http://169.254.170.2/ http://168.63.129.16/
http://100.100.100.200/ http://192.0.0.192/ http://192.0.0.8/ http://192.0.2.1/ http://198.18.0.1/ http://198.19.255.255/
http://198.51.100.7/ http://203.0.113.9/ http://192.88.99.1/ http://224.0.0.1/ http://239.255.255.250/ http://240.0.0.1/
http://255.255.255.255/ http://[::1]/ http://[::]/ http://[::ffff:10.0.0.1]/ http://[::ffff:7f00:1]/ http://[::7f00:1]/
http://[64:ff9b::7f00:1]/ http://[64:ff9b:1::a00:1]/ http://[2002:7f00:1::]/ http://[2002:a9fe:a9fe::1]/
http://[2001:0:7f00:1::]/ http://[2001:db8::1]/ http://[2001:20::1]/ http://[3fff::1]/ http://[5f00::1]/ http://[100::1]/
http://[fc00::1]/ http://[fd00:ec2::254]/ http://[fe80::1]/ http://[fe80::1%25eth0]/ http://[fec0::1]/ http://[ff02::1]/
http://[2606:4700::5efe:7f00:1]/ http://[2606:4700::0200:5efe:0a00:0001]/
http://localhost/ http://LOCALHOST./ http://a.localhost/ http://intranet/ http://printer.local/ http://router.lan/
http://metadata.google.internal/ http://x.home.arpa/ http://x.onion/
http://①②⑦.⓪.⓪.①/ http://127。0。0。1/ http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/ http://%31%32%37.0.0.1/
http://user@public.test/ http://public.test@127.0.0.1/ http://127.0.0.1\\@public.test/ http://127.0.0.1:80:80/
http:127.0.0.1/ http:///127.0.0.1/ //127.0.0.1/ http://127.0.0.1%00.public.test/
ftp://public.test/ file:///etc/passwd gopher://public.test/ data:text/html,x javascript:alert(1)
http://public.test:22/ http://public.test:6379/ http://public.test:8080/ http://public.test:0/ http://public.test:00/ http://public.test:65536/ http://public.test:-1/
""".split()

# Names that resolve to what is not public, though another of their addresses may be.
REBOUND = {
    "spoofed.test": ["127.0.0.1"],
    "v6.test": ["::1"],
    "mixed.test": ["93.184.216.34", "10.0.0.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "zoned.test": ["fe80::1%eth0"],
    "meta.test": ["169.254.169.254"],
}


@pytest.fixture
def dialled(monkeypatch):
    """Every address that a connection was tried to, in order; none stands."""
    tried = []

    def connect(self, address):
        tried.append(address[0])
        raise OSError("nobody is here")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def a_door(names=None, **options):
    known = REBOUND | (names or {})
    found = lambda host, _: known.get(host, ["127.0.0.1"])  # noqa: E731
    return Door(contact="x", manners=QUICK, resolve=found, trust=TRUST, **options)


@pytest.mark.parametrize("url", [*NOT_PUBLIC, *(f"https://{name}/" for name in REBOUND)])
def test_no_connection_is_made_to_what_is_not_public(url, dialled):
    with a_door() as door, pytest.raises(RefusedError):
        door.get(Ask(url))
    assert dialled == []


@pytest.mark.shared
def test_none_of_the_recorded_hostile_addresses_is_dialled(shared, dialled):
    cases = json.loads((shared / "hostile/ssrf_urls.json").read_text())
    with a_door() as door:
        for case in cases:
            with pytest.raises(RefusedError):
                door.get(Ask(case["url"]))
    assert len(cases) > 100
    assert dialled == []


def test_a_public_address_is_dialled_as_it_was_checked(dialled):
    asked = []

    def resolve(host, _):  # a rebinding name server: public at first, the loopback ever after
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    door = Door(contact="x", manners=QUICK, resolve=resolve)
    with door, pytest.raises(FetchError):
        door.get(Ask("http://rebind.test/", interface=True))
    assert dialled == ["93.184.216.34"]


def test_no_redirect_leads_to_what_is_not_public(monkeypatch):
    """One site of the loopback is let in by its own address; everything else that is not public stays shut."""
    targets = [url for url in NOT_PUBLIC if url.isascii()] + [f"http://{name}/" for name in REBOUND]
    pages = {f"/{n}": Reply(status=302, headers={"Location": url}) for n, url in enumerate(targets)}
    tried, connect = [], socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda self, to: (tried.append(to[0]), connect(self, to))[1])
    with Site(pages, place=("127.0.0.3", 0)).open() as site:
        names = REBOUND | {"start.test": ["127.0.0.3"]}
        with site.door(names=names, allow=[ip_network("127.0.0.3/32")]) as door:
            for path in pages:
                with pytest.raises(FetchError):
                    door.get(Ask(site.url(path, host="start.test")))
        assert {request.path for request in site.requests} == {*pages, "/robots.txt"}
    assert set(tried) == {"127.0.0.3"}


@pytest.mark.parametrize("ip", "8.8.8.8 93.184.216.34 1.1.1.1 192.30.255.113 2606:4700::1111 2a00:1450:4001::1".split())
def test_what_is_public_is_let_out(ip):
    assert dial.is_public(ip)


def test_proxies_of_the_environment_are_not_used(monkeypatch, dialled):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.9:3128")
    with a_door({"public.test": ["93.184.216.34"]}) as door, pytest.raises(FetchError):
        door.get(Ask("http://public.test/"))
    assert dialled == ["93.184.216.34"]


# --- any text ---------------------------------------------------------------------------------------

NAUGHTY = [
    "",
    " ",
    "\x00",
    "http://[",
    "http://[::1",
    "http://]",
    "//",
    "http://\ud800/",
    "http://a:b:c/",
    "%",
    "http://%",
]
NAUGHTY += ["http://\u202eevil/", "ＴＥＳＴ", "田中さん", "http://" + "a" * 5000, "http://a" + "." * 300, "\U0001f4a9"]
NAUGHTY += ["http://xn--a/", "http://xn--/", "http://ß.de/", "http://a\u0300.de/", "http://1.2.3.4.5/", "http://0x/"]
NAUGHTY += [
    "https://arxiv.org/abs/",
    "https://github.com//",
    "https://youtu.be/",
    "https://www.youtube.com/watch?v=%ff",
]


def look_at(text: str, base: str = "https://example.org/a/b?c#d") -> None:
    """Do all that is done to the address of a list, a page or a redirect."""
    for seen in (text, join(base, text), join(text, base), without_tracking(text)):
        split(seen), host_of(seen), same_page(seen), well_formed(seen)
        kind_of(seen), source_of(seen), address_to_read(seen), public_address(seen)
        saved.name_of(seen)
        Owners([Resource(seen, "x", ("t",), pages=9)]).of(base)
        try:
            address = parse(seen)
        except AddressError:
            continue
        assert address.url.isascii()
        assert parse(address.url) == address


@pytest.mark.parametrize("text", NAUGHTY, ids=range(len(NAUGHTY)))
def test_any_text_passes_through_the_intake(text):
    look_at(text)


@pytest.mark.shared
def test_naughty_strings_pass_through_the_intake(shared):
    strings = json.loads((shared / "hostile/blns/blns.json").read_text())
    for text in strings:
        look_at(text)
        look_at(f"https://example.org/{text}")
        look_at(f"http://{text}/")
    assert len(strings) > 500


@pytest.mark.shared
def test_whatwg_cases_pass_through_the_intake(shared):
    cases = [
        case for case in json.loads((shared / "hostile/url/urltestdata.json").read_text()) if isinstance(case, dict)
    ]
    dialled = 0
    for case in cases:
        look_at(case["input"], case.get("base") or "https://example.org/")
        try:
            address = parse(case["input"])
        except AddressError:
            continue
        dialled += 1
        assert not case.get("failure"), f"{case['input']!r} is no address to a browser, and is dialled"
        host = case["hostname"].strip("[]").removesuffix(".")
        assert address.host == host, f"{case['input']!r} leads a browser to {host}, not to {address.host}"
    assert len(cases) > 850
    assert dialled > 50


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://www.example.org/a/", "https://example.org/a", True),
        ("https://example.org/a?utm_source=x", "https://example.org/a", True),
        ("https://example.org/a?id=1", "https://example.org/a?id=2", False),
        ("https://example.org/A", "https://example.org/a", False),
        ("https://example.org/caf%C3%A9", "https://example.org/caf%C3%A9#top", True),
    ],
)
def test_two_spellings_of_a_page_are_one(one, other, same):
    assert (same_page(one) == same_page(other)) is same


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://en.wikipedia.org/wiki/Jos%C3%A9", "/wiki/Jos%C3%A9"),
        ("https://en.wikipedia.org/wiki/José", "/wiki/Jos%C3%A9"),
        ("https://example.org/a%2Fb?x=%20y", "/a%2Fb?x=%20y"),
        ("https://research.google.com/en//pubs/a.pdf", "/en//pubs/a.pdf"),
        ("https://example.org", "/"),
    ],
)
def test_percent_encoding_is_left_as_it_is(url, sent):
    assert parse(url).target == sent


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/Andkret/Cookbook/blob/master/sections/01.md",
        "https://github.com/andkret/cookbook/blob/HEAD/a.md",
        "https://raw.githubusercontent.com/andkret/Cookbook/master/sections/01.md",
        "https://cookbook.test/docs/one",
    ],
)
def test_a_page_under_a_link_belongs_to_it_however_its_repository_is_spelled(url):
    book = Resource("https://github.com/andkret/Cookbook", "x", ("t",), pages=9, under=("https://cookbook.test/docs/",))
    assert Owners([book]).of(url) == book
    assert Owners([book]).of("https://github.com/andkret/Cookbook2/blob/HEAD/a.md") is None
