"""Bombs: answers that are small on the wire and would fill a machine are refused before they do."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from pathlib import Path

import brotli
import pytest
from backports import zstd
from loopback import Reply, Site

from ingest.exchange import CODINGS, inflated
from ingest.message import Ask, FetchError

ROOT = Path(__file__).resolve().parent.parent
SIZE = 1 << 28  # bytes that each of them inflates to
MOST = 64 << 20  # bytes by which the memory of a process may rise meanwhile

PLAIN = b"A page of text about rings and trees. " * 200
CODED = {
    "gzip": gzip.compress(PLAIN),
    "deflate": zlib.compress(PLAIN),
    "br": brotli.compress(PLAIN),
    "zstd": zstd.compress(PLAIN),
    "identity": PLAIN,
    "": PLAIN,
}


@pytest.mark.parametrize("coding", [*CODINGS, "identity", "", "GZIP"])
def test_every_coding_that_is_asked_for_is_undone(coding):
    assert inflated({"content-encoding": coding}, CODED[coding.lower()]) == PLAIN


def zeros(new):
    """Return SIZE zeros, shrunk: `new()` gives the pair (feed, flush)."""
    feed, flush = new()
    block = bytes(1 << 20)
    return b"".join([*(feed(block) for _ in range(SIZE >> 20)), flush()])


def deflate(window):
    def new():
        squeezer = zlib.compressobj(9, zlib.DEFLATED, window)
        return squeezer.compress, squeezer.flush

    return new


def brotlied():
    squeezer = brotli.Compressor(quality=5)
    return squeezer.process, squeezer.finish


def zstandard():
    squeezer = zstd.ZstdCompressor(level=3)
    return squeezer.compress, squeezer.flush


BOMBS = {
    "gzip": ("gzip", deflate(31)),
    "deflate": ("deflate", deflate(15)),
    "deflate without a head": ("deflate", deflate(-15)),
    "br": ("br", brotlied),
    "zstd": ("zstd", zstandard),
}

FETCH = """
import resource, sys
from loopback import LOOPBACK, QUICK, TRUST
from ingest.fetch import Door
from ingest.message import Ask, FetchError

url, port = sys.argv[1], int(sys.argv[2])
with Door(contact="x", allow=[LOOPBACK], ports={port}, manners=QUICK, resolve=lambda *_: ["127.0.0.1"], trust=TRUST) as door:
    door.get(Ask(url + "small"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        said = len(door.get(Ask(url + "bomb")).body)
    except FetchError as error:
        said = error
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
print(said)
"""


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_within_64_mib(kind):
    coding, squeeze = BOMBS[kind]
    body = zeros(squeeze)
    assert len(body) < SIZE / 500
    html = {"Content-Type": "text/html", "Content-Encoding": coding}
    small = Reply(CODED[coding], headers=html)  # whatever loads once is loaded by it
    with Site({"/small": small, "/bomb": Reply(body, headers=html)}).open() as site:
        fetch = [sys.executable, "-c", FETCH, site.url(), str(site.port)]
        env = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": ""}
        ran = subprocess.run(fetch, capture_output=True, text=True, cwd=ROOT, env=env, timeout=60)
    rise, said = ran.stdout.splitlines()
    assert "bomb" in said or "larger" in said, said
    assert int(rise) <= MOST, f"{int(rise) / 2**20:.0f} MiB more"


def test_a_bomb_in_an_archive_of_others_is_refused():
    body = zeros(deflate(31))
    with pytest.raises(FetchError, match=r"bomb|larger"):
        inflated({"content-encoding": "gzip"}, body)


def test_a_page_that_shrinks_well_is_no_bomb():
    rows = "".join(f"<tr><td>{n}</td><td>a row like any other</td></tr>" for n in range(60_000)).encode()
    pages = {"/": Reply(gzip.compress(rows), headers={"Content-Encoding": "gzip"})}
    with Site(pages).open() as site, site.door() as door:
        assert door.get(Ask(site.url())).body == rows
