"""Answers of the sites that curated lists link to, made after their shapes: addresses are real, words are not."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from conftest import a_pdf
from ingesting import SUBJECTS, article

from ingest.message import Ask, FetchError, RefusedError, Response


def prose(seed: int, sentences: int = 6) -> str:
    subject = SUBJECTS[seed % len(SUBJECTS)]
    return " ".join(
        f"Worker {seed}-{n} keeps a {subject} of {seed * 17 + n * 5} blocks and hands block {n} of round {seed} to worker {n + 1}."
        for n in range(sentences)
    )


def a_paper(seed: int) -> bytes:
    body = [f"{sentence}." for sentence in prose(seed, 12).split(". ")]
    return a_pdf(["A Paper about Rings", "", "Abstract", *body])


def atom(title: str, *, authors: tuple[str, ...] = ("Ada Ring", "Bo Tree")) -> str:
    names = "".join(f"<author><name>{name}</name></author>" for name in authors)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>query</title><entry>'
        f"<id>http://arxiv.org/abs/1708.05031v2</id><published>2017-08-16T03:42:49Z</published><title>{title}\n </title>"
        f"<summary>  {prose(3)}</summary>{names}</entry></feed>"
    )


def video(title: str, tracks: bool = True, **status: str) -> dict[str, object]:
    """Return what the player's interface says of a video."""
    base = "https://www.youtube.com/api/timedtext?v=VIDEO&lang=en"
    track = {"baseUrl": base, "name": {"runs": [{"text": "English"}]}, "languageCode": "en", "isTranslatable": True}
    captions = {"playerCaptionsTracklistRenderer": {"captionTracks": [track], "translationLanguages": []}}
    return {
        "playabilityStatus": status or {"status": "OK"},
        "videoDetails": {
            "title": title,
            "lengthSeconds": "3725",
            "author": "A channel",
            "shortDescription": "Chapters\n0:00 Opening\n0:40 The ring\n20:00 Its cost",
        },
        **({"captions": captions} if tracks else {}),
    }


WATCH = (
    '<html><head><title>x - YouTube</title></head><body><script>ytcfg.set({"INNERTUBE_API_KEY":"key1"})</script></body>'
)
PLAYER = "https://www.youtube.com/youtubei/v1/player?key=key1"
CAPTIONS = (
    '<?xml version="1.0"?><transcript>'
    + "".join(f'<text start="{n * 20}" dur="19">{prose(n, 2)}</text>' for n in range(4))
    + "</transcript>"
)


def listing(*videos: str) -> str:
    entries = [{"playlistVideoRenderer": {"videoId": video, "title": {"runs": [{"text": video}]}}} for video in videos]
    data = {"contents": entries, "metadata": {"playlistMetadataRenderer": {"title": "A course in videos"}}}
    return f"<html><script>var ytInitialData = {json.dumps(data)};</script></html>"


def store(title: str, author: str, price: str) -> str:
    book = {
        "@type": "Book",
        "name": title,
        "author": {"@type": "Person", "name": author},
        "offers": {"@type": "Offer", "price": price, "priceCurrency": "USD"},
    }
    return f"<title>{title}</title><script type='application/ld+json'>{json.dumps(book)}</script><h1>{title}</h1><p>Buy now.</p>"


class FakeDoor:
    """Stands for the door to the network: it answers from a table, and remembers what was asked."""

    def __init__(self, pages: dict[str, bytes | str | tuple[int, str, bytes | str]], manners: object = None) -> None:
        """`pages` gives for an address its body, or (status, content type, body); a player's answer goes by its video."""
        import threading

        self.pages = pages
        self.asked: list[Ask] = []
        self.reached = threading.Event()
        self.closed_to: set[str] = set()  # hosts whose robots.txt allows nothing

    def __enter__(self) -> FakeDoor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass

    def sitemaps(self, url: str) -> tuple[str, ...]:
        return ()

    def get(self, ask: Ask) -> Response:
        self.asked.append(ask)
        self.reached.set()
        host = urlsplit(ask.url).hostname or ""
        if host in self.closed_to and not ask.interface:
            raise RefusedError(f"{host}: its robots.txt does not allow it")
        key = f"{ask.url}#{json.loads(ask.body)['videoId']}" if ask.body else ask.url
        found = self.pages.get(key, (404, "text/html", "not found"))
        if isinstance(found, FetchError):
            raise found
        status, kind, body = found if isinstance(found, tuple) else (200, _kind(found), found)
        content = body.encode() if isinstance(body, str) else body
        return Response(ask.url, status, kind, content, "2026-11-21T10:00:00Z")


def _kind(body: bytes | str) -> str:
    if body[:5] in (b"%PDF-", "%PDF-"):
        return "application/pdf"
    if isinstance(body, str) and body.startswith("<?xml"):
        return "application/atom+xml"
    if isinstance(body, str) and body.startswith("{"):
        return "application/json"
    return (
        "text/html; charset=utf-8"
        if isinstance(body, str) and body.lstrip().startswith("<")
        else "text/plain; charset=utf-8"
    )


RAW = "https://raw.githubusercontent.com"
README = f"# Rings for all\n\n{prose(1)}\n\n- [One](sections/01.md)\n- [Two](sections/02.md)\n- [Licence](LICENSE.md)\n"

PAGES: dict[str, bytes | str | tuple[int, str, bytes | str]] = {
    "https://blog.test/ring": article("A ring", 1),
    "https://papers.test/download?id=7": (200, "application/pdf", a_paper(2)),
    "https://research.google/pubs/rings/": f"<h1>Rings</h1><a href='/pubs/pdf/7.pdf'>Download</a><p>{prose(9)}</p>",
    "https://research.google/pubs/pdf/7.pdf": (200, "application/pdf", a_paper(3)),
    "https://ojs.aaai.org/index.php/AAAI/article/view/10": "<h1>Trees</h1>"
    "<a class='obj_galley_link pdf' href='https://ojs.aaai.org/index.php/AAAI/article/view/10/9'>PDF</a>"
    f"<p>{prose(4)}</p>",
    "https://ojs.aaai.org/index.php/AAAI/article/download/10/9": (200, "application/pdf", a_paper(4)),
    "https://arxiv.org/pdf/1708.05031": (200, "application/pdf", a_paper(5)),
    "https://export.arxiv.org/api/query?id_list=1708.05031": atom("Rings that filter"),
    "https://arxiv.org/pdf/hep-th/9901001v2": (404, "text/html", "no PDF"),
    "https://export.arxiv.org/api/query?id_list=hep-th/9901001v2": atom("Strings that ring"),
    f"{RAW}/o/book/HEAD/README.md": README,
    f"{RAW}/o/book/HEAD/sections/01.md": f"# Part one\n\n{prose(6)}\n\n[deeper](03.md)",
    f"{RAW}/o/book/HEAD/sections/02.md": f"# Part two\n\n{prose(7)}",
    f"{RAW}/o/book/HEAD/sections/03.md": f"# Part three\n\n{prose(8)}",
    f"{RAW}/o/book/HEAD/LICENSE.md": f"# Licence\n\n{prose(9)}",
    f"{RAW}/o/one/main/docs/a.md": f"# A file\n\n{prose(10)}",
    f"{RAW}/o/one/main/docs/readme.md": f"# A folder\n\n{prose(11)}",
    "https://www.youtube.com/watch?v=VIDEO000001": WATCH,
    f"{PLAYER}#VIDEO000001": json.dumps(video("How rings work")).replace("VIDEO&", "VIDEO000001&"),
    "https://www.youtube.com/api/timedtext?v=VIDEO000001&lang=en": CAPTIONS,
    "https://www.youtube.com/watch?v=VIDEO000002": WATCH,
    f"{PLAYER}#VIDEO000002": json.dumps(video("Silent rings", tracks=False)),
    "https://www.youtube.com/watch?v=VIDEO000003": WATCH,
    f"{PLAYER}#VIDEO000003": json.dumps(video("", status="ERROR", reason="This video is unavailable", tracks=False)),
    "https://www.youtube.com/watch?v=VIDEO000004": WATCH,
    f"{PLAYER}#VIDEO000004": json.dumps(
        video("", status="LOGIN_REQUIRED", reason="Sign in to confirm you’re not a bot", tracks=False)
    ),
    "https://www.youtube.com/playlist?list=PL1": listing("VIDEO000001", "VIDEO000002"),
    "https://www.youtube.com/@rings/videos": listing("VIDEO000001"),
    "https://en.wikipedia.org/w/rest.php/v1/page/Ring_%28computing%29/html": f"<h1>Ring</h1><p>{prose(12)}</p>",
    "https://docs.test/guide/": article(
        "Guide", 20, "<a href='/guide/one'>one</a> <a href='/guide/two'>two</a> <a href='/blog/x'>x</a>"
    ),
    "https://docs.test/guide/one": article("Guide, part one", 21, "<a href='/guide/one/deep'>deep</a>"),
    "https://docs.test/guide/two": article("Guide, part two", 22),
    "https://docs.test/guide/one/deep": article("Guide, deep", 23),
    "https://docs.test/guide/unlinked": article("Guide, not linked", 24),
    "https://docs.test/sitemap.xml": (
        200,
        "application/xml",
        "<?xml version='1.0'?><urlset><url><loc>https://docs.test/guide/unlinked</loc></url>"
        "<url><loc>https://docs.test/shop</loc></url></urlset>",
    ),
    "https://www.amazon.com/Rings/dp/0135957052": store("Rings in practice", "Ada Ring", "36.99"),
    "https://www.oreilly.com/library/view/rings/9781098107956/": store("Rings", "Bo Tree", "59.99"),
    "https://www.educative.io/courses/grokking-rings": "<title>Grokking rings</title><h1>Grokking rings</h1><p>Join.</p>",
    "https://leetcode.com/assessment/": (403, "text/html", "<title>Just a moment...</title>"),
    "https://www.linkedin.com/posts/ada_rings": (999, "text/html", ""),
    "https://blog.test/slides": (200, "application/vnd.ms-powerpoint", b"\xd0\xcf\x11\xe0" * 99),
    "https://blog.test/nothing": (200, "text/html", ""),
}
