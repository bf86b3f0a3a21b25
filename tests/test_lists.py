"""Lists: whatever form people keep their links in, every link comes out with its title and its topics."""

from __future__ import annotations

import gzip
import json

import pytest
from links import FakeDoor

from ingest import IngestError, catalogue
from ingest.catalogue import Origin
from ingest.lists import web


def read(tmp_path, body, name="list.md", **origin):
    path = tmp_path / name
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    return [
        (found.topic, found.title, found.url.removeprefix("https://a.test/"))
        for found in catalogue.read([Origin(path, **origin)])
    ]


TITLES = {
    "the bullet": ("- **How do rings add up?** ([source](https://a.test/1)), ([Part 2](https://a.test/2))", ["How do rings add up?", "How do rings add up? Part 2"]),
    "the bullet, by numbers": ("- Queues under load: [1](https://a.test/1), [2](https://a.test/2)", ["Queues under load", "Queues under load: 2"]),
    "the bullet, by kinds": ("- Trees - [article](https://a.test/1) | [talk](https://a.test/2)", ["Trees", "Trees: talk"]),
    "a link before it": ("- [Attention](https://a.test/1) ([pdf](https://a.test/2), [code](https://a.test/3))", ["Attention", "Attention: pdf", "Attention: code"]),
    "no word that names nothing": ("- [Deep rings](https://a.test/1). Read [Part ii](https://a.test/2)", ["Deep rings", "Deep rings: Part ii"]),
    "the words behind it": ("- [[paper]](https://a.test/1) Leases for all", ["Leases for all"]),
    "the sentence": ("- You find it [here](https://a.test/1).", ["You find it here"]),
    "the heading": ("## 1) What is a lease? [[src](https://a.test/1)]\n\nA short answer stands here. [[Answer]](https://a.test/2)", ["What is a lease?", "What is a lease? Answer"]),
    "the row": ("| Name | Links |\n|---|---|\n| Leases | [slides](https://a.test/1) [video](https://a.test/2) |", ["Leases", "Leases: video"]),
    "the bullet above": ("- Leases\n  - [link](https://a.test/1)\n  - [video](https://a.test/2)", ["Leases: link", "Leases: video"]),
    "words that many links share": ("- One [Blurb](https://a.test/1)\n- Two [Blurb](https://a.test/2)\n- Three [Blurb](https://a.test/3)", ["One", "Two", "Three"]),
    "a bare address": ("- Leases: https://a.test/1\n- https://a.test/2", ["Leases", "https://a.test/2"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TITLES)
def test_a_link_whose_words_name_nothing_is_called_after(tmp_path, name):
    source, expected = TITLES[name]
    assert [title for _, title, _ in read(tmp_path, source)] == expected


HTML = "<h2>Videos</h2><table><tr><td><a href='https://a.test/1'>Leases</a></td><td>12 min</td></tr></table>\n"
BOOKMARKS = """<!DOCTYPE NETSCAPE-Bookmark-file-1>
<TITLE>Bookmarks</TITLE><H1>Bookmarks</H1>
<DL><p><DT><H3>Storage</H3><DL><p><DT><A HREF="https://a.test/1" TAGS="x">Leases</A><DD>Read it first
<DT><H3>Clocks</H3><DL><p><DT><A HREF="https://a.test/2?a=1&amp;b=2">Clocks</A></DL><p></DL><p>
<DT><H3>Empty</H3><DL><p></DL><p><DT><A HREF="https://a.test/3">Rings</A></DL><p>"""
OPML = """<?xml version="1.0" encoding="utf-8"?><opml version="2.0"><body><outline text="Storage"><outline text="Leases" type="link" url="https://a.test/1"/>
<outline text="Clocks"><outline title="Feed" xmlUrl="https://a.test/f.xml" htmlUrl="https://a.test/2"/></outline></outline></body></opml>"""
FORMS = {
    "HTML in Markdown": ("list.md", f"{HTML}\n<details><summary>More</summary>\n<ul><li><a href=https://a.test/2>Rings</a></li></ul></details>\n\n<p align=center><a href=https://a.test/3>Trees</a></p>", [("Videos", "Leases", "1"), ("Videos > More", "Rings", "2"), ("Videos", "Trees", "3")]),
    "bookmarks": ("bookmarks.html", BOOKMARKS, [("Storage", "Leases", "1"), ("Storage > Clocks", "Clocks", "2?a=1&b=2"), ("", "Rings", "3")]),
    "OPML": ("feeds.opml", OPML, [("Storage", "Leases", "1"), ("Storage > Clocks", "Feed", "2")]),
    "OPML by another name": ("feeds.xml", OPML, [("Storage", "Leases", "1"), ("Storage > Clocks", "Feed", "2")]),
    "CSV of Raindrop": ("r.csv", 'id,title,note,excerpt,url,folder,tags\n1,"Rings, trees",,A look,https://a.test/1,Net/Rings,"x, y"\n', [("Net > Rings; x; y", "Rings, trees", "1")]),
    "CSV of Pocket": ("p.csv", "title,url,time_added,tags,status\nLeases,https://a.test/1,1700000000,x|y,unread\n", [("x; y", "Leases", "1")]),
    "CSV with semicolons and a mark": ("s.csv", "\ufeffName;Link\nLeases;https://a.test/1\n", [("", "Leases", "1")]),
    "CSV without a head": ("n.csv", "Leases,https://a.test/1\nRings,https://a.test/2\n", [("", "Leases", "1"), ("", "Rings", "2")]),
    "tabs": ("t.tsv", "url\ttitle\nhttps://a.test/1\tLeases\n", [("", "Leases", "1")]),
    "Zotero": ("z.json", json.dumps([{"type": "article", "title": "Leases", "URL": "https://a.test/1"}, {"title": "Rings", "DOI": "10.1145/12.34"}]), [("", "Leases", "1"), ("", "Rings", "https://doi.org/10.1145/12.34")]),
    "Karakeep": ("k.json", json.dumps({"bookmarks": [{"title": None, "tags": ["x"], "content": {"type": "link", "url": "https://a.test/1", "title": "Leases"}, "note": "n"}]}), [("x", "Leases", "1")]),
    "linkding": ("l.json", json.dumps({"count": 1, "results": [{"url": "https://a.test/1", "title": "Leases", "tag_names": ["x", "y"]}]}), [("x; y", "Leases", "1")]),
    "a browser's JSON": ("b.json", json.dumps({"roots": {"bookmark_bar": {"name": "Bar", "type": "folder", "children": [{"name": "Leases", "type": "url", "url": "https://a.test/1"}]}}}), [("Bar", "Leases", "1")]),
    "OneTab": ("onetab.txt", "https://a.test/1 | Leases\nhttps://a.test/2 | Rings | Site\n\nhttps://a.test/3\n", [("", "Leases", "1"), ("", "Rings | Site", "2"), ("", "https://a.test/3", "3")]),
    "lines": ("urls.txt", "Storage:\nhttps://a.test/1\nLeases - https://a.test/2\n", [("Storage", "https://a.test/1", "1"), ("Storage", "Leases", "2")]),
    "Markdown without a name": ("notes.txt", "# Storage\n- [Leases](https://a.test/1)\n", [("Storage", "Leases", "1")]),
    "reStructuredText": ("x.rst", "Storage\n=======\n\n* `Leases <https://a.test/1>`_\n* Rings_\n\n.. _Rings: https://a.test/2\n", [("Storage", "Leases", "1"), ("Storage", "Rings", "2")]),
    "AsciiDoc": ("x.adoc", "== Storage\n\n* https://a.test/1[Leases] how they work\n* link:https://a.test/2[Rings]\n", [("Storage", "Leases", "1"), ("Storage", "Rings", "2")]),
    "Org": ("x.org", "* Storage\n- [[https://a.test/1][Leases]]\n", [("Storage", "Leases", "1")]),
    "a sitemap": ("sitemap.xml", "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>https://a.test/1</loc></url><url><loc>https://a.test/m.xml</loc></url></urlset>", [("", "https://a.test/1", "1")]),
    "a byte-order mark": ("x.md", b"\xef\xbb\xbf## Storage\n\n- [Leases](https://a.test/1)\n", [("Storage", "Leases", "1")]),
    "UTF-16": ("x.md", "## Storage\n\n- [Leases](https://a.test/1)\n".encode("utf-16"), [("Storage", "Leases", "1")]),
    "Windows' letters": ("x.md", "## Caf\u00e9s \u2013 all\n\n- [Leases](https://a.test/1)\n".encode("cp1252"), [("Caf\u00e9s \u2013 all", "Leases", "1")]),
    "odd addresses": ("x.md", "- [Blank](https://a.test/a b.pdf)\n- [Apart] (https://a.test/2)\n- [No scheme](//a.test/3)\n- See it.[^1]\n\n[^1]: https://a.test/4\n[unused]: https://a.test/5\n", [("", "Blank", "a b.pdf"), ("", "Apart", "2"), ("", "No scheme", "3"), ("", "https://a.test/4", "4")]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_list_of_any_form_is_read(tmp_path, name):
    file, body, expected = FORMS[name]
    assert read(tmp_path, body, file) == expected


def test_a_page_of_the_web_is_a_list_of_what_its_text_links_to(tmp_path):
    page = "<nav><a href=/home>Home</a></nav><main><h2>Storage</h2><ul><li><a href='/1'>Leases</a></ul></main><footer><a href=/x>About</a></footer>"
    assert read(tmp_path, page, "x.html", base="https://a.test/list/") == [("Storage", "Leases", "1")]


@pytest.mark.parametrize("bad", ["# Only words", b"\x00" * 99, None])
def test_one_bad_list_of_several_is_named_and_nothing_is_done(tmp_path, bad):
    (tmp_path / "good.md").write_text("- [Leases](https://a.test/1)")
    if bad is not None:
        (tmp_path / "bad.md").write_bytes(bad if isinstance(bad, bytes) else bad.encode())
    with pytest.raises(IngestError, match=r"bad\.md"):
        catalogue.read([tmp_path / "good.md", tmp_path / "bad.md"])


@pytest.mark.parametrize("body", ["{", "[" * 50_000, '{"a": ' * 20_000, "<opml>" * 20_000, "a,b\n" * 9, "\x00"])
@pytest.mark.parametrize("name", ["x.json", "x.csv", "x.opml", "x.html", "x.txt"])
def test_what_is_no_list_is_an_error_with_a_cure(tmp_path, body, name):
    with pytest.raises(IngestError, match="no link to http or https found; a list is Markdown such as"):
        read(tmp_path, body, name)


# --- lists of the web -----------------------------------------------------------------------------

RAW = "https://raw.githubusercontent.com/o/awesome/HEAD/README.md"
PAGE = "<main><h2>Storage</h2><ul><li><a href='/1'>Leases</a></li></ul></main>"
INDEX = "<?xml version='1.0'?><sitemapindex><sitemap><loc>https://a.test/m.xml</loc></sitemap></sitemapindex>"
WEB = {
    "https://a.test/list.md": "## Storage\n\n- [Leases](https://a.test/1)\n- [Up](../x.md)\n",
    RAW: "## Storage\n\n- [Leases](https://a.test/1)\n",
    "https://a.test/list/": (200, "text/html", PAGE),
    "https://a.test/sitemap.xml": (200, "application/xml", INDEX),
    "https://a.test/m.xml": (200, "application/xml", gzip.compress(b"<urlset><url><loc>https://a.test/1</loc></url></urlset>")),
    "https://a.test/urls": "https://a.test/1\n",
}  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "https://a.test/list.md",
        "https://github.com/o/awesome",
        "https://a.test/list/",
        "https://a.test/sitemap.xml",
        "https://a.test/urls",
    ],
)
def test_a_list_may_be_a_page_of_the_web_and_is_kept_for_runs_without_one(tmp_path, url):
    (origin,) = web.kept([url], tmp_path, lambda: FakeDoor(WEB))
    again = web.kept([url], tmp_path, None)
    for each in (origin, *again):
        (found,) = catalogue.read([each])
        assert (found.url, found.lists) == ("https://a.test/1", (url,))


@pytest.mark.parametrize("url", ["https://a.test/gone.md", "https://[oops"])
def test_a_list_of_the_web_that_cannot_be_had_is_an_error_with_a_cure(tmp_path, url):
    with pytest.raises(IngestError, match=r"save the list as a file and name that|name a list such as"):
        web.kept([url], tmp_path, lambda: FakeDoor(WEB))
