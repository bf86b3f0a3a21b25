"""Robots: what a site lets programs read, by every way in which it may say so or fail to."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from loopback import QUICK, Reply, Site

from ingest.message import Ask, FetchError, RefusedError
from ingest.robots import MAX_BYTES, MAX_DELAY, rules_of

RULES = """User-agent: *
Disallow: /private/
Allow: /private/open/
Disallow: *.gif$
Crawl-delay: 7

User-agent: prepshelf
User-agent: otherbot
Disallow: /notes
Sitemap: https://site.test/map.xml
"""


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("Prepshelf", "/notes/1", False),
        ("Prepshelf", "/private/", True),  # its own group is the only one that counts
        ("Elsebot", "/private/", False),
        ("Elsebot", "/private/open/1", True),  # the longest rule wins
        ("Elsebot", "/a.gif", False),
        ("Elsebot", "/a.gif?x", True),
        ("Elsebot", "/notes", True),
    ],
)
def test_a_group_of_rules_is_read_as_the_standard_says(agent, path, allowed):
    assert rules_of(200, RULES.encode()).allows(path, agent) is allowed


@pytest.mark.parametrize(
    ("body", "delay"),
    [
        (b"User-agent: *\nCrawl-delay: 2.5", 2.5),
        (b"User-agent: *\nCrawl-delay: 86400", MAX_DELAY),
        (b"User-agent: *\nCrawl-delay: -5", 0.0),
        (b"User-agent: *\nCrawl-delay: nan", 0.0),
        (b"User-agent: *\nCrawl-delay: soon", 0.0),
        (b"", 0.0),
    ],
)
def test_a_delay_is_kept_up_to_a_minute(body, delay):
    assert rules_of(200, body).delay == delay


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff" * 4000, b"Disallow: /", b"User-agent: *\nDisallow: /" + b"*" * 50_000]
)
def test_strange_rules_are_read_in_time_and_never_fail(body):
    began = time.monotonic()
    rules_of(200, body).allows("/" + "a" * 2000)
    assert time.monotonic() - began < 5


def test_what_lies_beyond_500_kib_of_a_robots_txt_is_not_read():
    early, late = b"User-agent: *\nDisallow: /early\n", b"\nDisallow: /late\n"
    body = early + b"#" * (MAX_BYTES - len(early)) + late
    assert not rules_of(200, body).allows("/early")
    assert rules_of(200, body).allows("/late")


@pytest.mark.shared
def test_the_recorded_rules_all_hold(shared):
    cases = json.loads((shared / "hostile/robots_cases.json").read_text())["rules"]
    for case in cases:
        rules = rules_of(200, case["robots"].encode())
        assert rules.allows(case["path"], case["user_agent"]) is case["allowed"], case["name"]
    assert len(cases) > 20


# --- what may be read, given how the robots.txt was answered ----------------------------------------


def moved(times):
    pages = {f"/robots{n}": Reply(status=301, headers={"Location": f"/robots{n + 1}"}) for n in range(1, times)}
    last = {f"/robots{times}": "User-agent: *\nDisallow: /page"}
    return {"/robots.txt": Reply(status=301, headers={"Location": "/robots1"})} | pages | last


LARGE = "User-agent: *\nDisallow: /page\n" + "# and so on\n" * 100_000


@pytest.mark.parametrize(
    ("pages", "allowed"),
    [
        *[({"/robots.txt": Reply("Disallow: /", status)}, True) for status in (400, 401, 403, 404, 410, 418, 451)],
        *[({"/robots.txt": Reply("", status)}, False) for status in (500, 501, 502, 503, 504, 599)],
        ({"/robots.txt": Reply("", 429)}, False),
        (moved(5), False),  # found and parsed
        (moved(6), True),  # as if there were none
        ({"/robots.txt": LARGE}, False),
        ({"/robots.txt": Reply(raw=lambda stream: stream.close())}, False),
        ({"/robots.txt": Reply("", wait=3.0)}, False),
        ({"/robots.txt": ""}, True),
    ],
)
def test_a_page_is_read_only_where_the_robots_txt_lets_it(pages, allowed):
    with Site(pages | {"/page": "text"}).open() as site, site.door(manners=replace(QUICK, total=1.5)) as door:
        ask = Ask(site.url("/page"))
        if allowed:
            assert door.get(ask).body == b"text"
        else:
            with pytest.raises(RefusedError):
                door.get(ask)
            assert not site.asked("/page")


def test_nothing_is_asked_of_a_host_before_its_rules_are_known_and_they_are_asked_once():
    with Site({"/a": "x", "/b": "x"}).open() as site, site.door() as door:
        for path in ("/a", "/b", "/a"):
            door.get(Ask(site.url(path)))
        assert [asked.path for asked in site.requests] == ["/robots.txt", "/a", "/b", "/a"]


def test_a_name_that_nobody_knows_and_a_broken_certificate_let_nothing_through():
    with Site({"/a": "x"}).open() as site:
        with site.door(names={"nowhere.test": []}) as door, pytest.raises(FetchError):
            door.get(Ask(site.url("/a", "nowhere.test")))
        with site.door() as door, pytest.raises(FetchError):
            door.get(Ask(f"https://site.test:{site.port}/a"))
        assert site.requests == []


def test_the_delay_that_a_site_wants_is_kept_between_requests():
    pages = {"/robots.txt": "User-agent: *\nCrawl-delay: 0.5", "/a": "x", "/b": "x"}
    with Site(pages).open() as site, site.door() as door:
        for path in ("/a", "/b"):
            door.get(Ask(site.url(path)))
        _, first, second = site.requests
        assert second.began - first.ended >= 0.49


def test_a_published_interface_is_asked_without_the_rules_for_crawlers():
    with Site({"/robots.txt": "User-agent: *\nDisallow: /", "/api": "{}"}).open() as site, site.door() as door:
        assert door.get(Ask(site.url("/api"), interface=True)).status == 200
