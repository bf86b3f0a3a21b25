"""Pages: every block a browser shows, as it reads; what stands in columns, raised, or beside its term stays so."""

from __future__ import annotations

import re

import pytest

from app.links import deep_link, text_fragment
from ingest import gate, webpage
from ingest.decoding import decode
from ingest.extract import extract
from ingest.message import Response

PROSE = (
    "A worker hands its block to the next one in the ring, and waits until the block of its other neighbour has come."
)
MORE = "The lease of a leader lasts ten seconds, and the holder stops its work one second before the end of the lease."


def pieces(markup):
    return [(piece.kind, piece.text) for piece in webpage.whole(markup)[0]]


def article(inner, head="", **sent):
    page = f"<html><head><title>Rings</title>{head}</head><body>{inner}</body></html>"
    return extract(Response("https://a.test/x", 200, "text/html; charset=utf-8", page.encode(), "", **sent))


# --- characters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sent", "text"),
    [
        ("Zo\u00eb\u2019s ring \u2014 na\u00efve".encode() + b" \xc3 end", "text/html; charset=utf-8", "Zo\u00eb\u2019s ring \u2014 na\u00efve \ufffd end"),
        (b"<meta charset=utf-8>\xe2\x80\x9cring\xe2\x80\x9d caf\xe9", "text/html", "<meta charset=utf-8>\u201cring\u201d caf\ufffd"),
        ("\u201cquoted\u201d \u2013 5 \u20ac".encode("cp1252"), "text/html; charset=ISO-8859-1", "\u201cquoted\u201d \u2013 5 \u20ac"),
        ("\u201cquoted\u201d and a caf\u00e9 for 5 \u20ac".encode("cp1252"), "", "\u201cquoted\u201d and a caf\u00e9 for 5 \u20ac"),
        ("<?xml version='1.0' encoding='iso-8859-1'?>caf\u00e9".encode("latin-1"), "", "<?xml version='1.0' encoding='iso-8859-1'?>caf\u00e9"),
        ("\u9555\u8f66".encode("gb18030"), "text/html; charset=gb2312", "\u9555\u8f66"),
        ("\u041f\u0440\u0438\u0432\u0435\u0442 \u0432\u0441\u0435\u043c, \u044d\u0442\u043e \u043a\u043e\u043b\u044c\u0446\u043e".encode("cp1251"), "text/html; charset=utf-8", "\u041f\u0440\u0438\u0432\u0435\u0442 \u0432\u0441\u0435\u043c, \u044d\u0442\u043e \u043a\u043e\u043b\u044c\u0446\u043e"),
        ("# Ring".encode("utf-16"), "", "# Ring"),
    ],
)  # fmt: skip
def test_characters_are_read_as_a_browser_reads_them(body, sent, text):
    assert decode(body, sent).lstrip("\ufeff") == text


# --- terms, listings, formulas --------------------------------------------------------------------

MARKUP = {
    "a definition stands with its term": (
        "<dl><dt>Lease</dt><dd>A right that ends by itself.</dd><dt>Who holds it?</dt><dd>The leader.</dd></dl>",
        [("text", "Lease: A right that ends by itself."), ("text", "Who holds it? The leader.")],
    ),
    "two terms and a definition in parts": (
        "<dl><dt>RPO</dt><dt>RTO</dt><dd><p>Two goals.</p><p>Both are agreed on.</p></dd></dl>",
        [("text", "RPO, RTO: Two goals."), ("text", "Both are agreed on.")],
    ),
    "a term that only a listing defines": (
        "<dl><dt>retry</dt><dd><pre>retry(3)</pre></dd><dt>stop</dt></dl><p>After.</p>",
        [("text", "retry"), ("code", "retry(3)"), ("text", "stop"), ("text", "After.")],
    ),
    "lines of a listing that are blocks": (
        "<pre><code><div>def f(n):</div><div>    return n</div></code></pre><pre><ol><li>one()</li><li>two()</li></ol></pre>",
        [("code", "def f(n):\n    return n"), ("code", "one()\ntwo()")],
    ),
    "numbers of lines are no part of a listing": (
        "<table><tr><td class='gutter gl'><pre class='lineno'>1\n2</pre></td><td class='code'><pre>a()\nb()</pre></td></tr></table>"
        "<pre><span class='linenos'>1</span>c()\n<span class='linenos'>2</span>d()</pre>",
        [("code", "a()\nb()"), ("code", "c()\nd()")],
    ),
    "formulas, however they are drawn": (
        "<p>As <script type='math/tex'>a^2</script>, <img class='latex' alt='x_i' src='x.png'>,"
        " <img alt='y' src='https://s0.wp.com/latex.php?latex=y'> and"
        " <span class='MathJax'>b2</span><script type='math/tex'>b^2</script> <img alt='a cat' src='c.png'>.</p>",
        [("text", "As $a^2$, $x_i$, $y$ and $b^2$ .")],
    ),
    "formulas without their source": (
        "<p>As <math alttext='Alternative text not available'><mrow><msup><mi>n</mi><mn>2</mn></msup><mo>+</mo><mfrac><mn>1</mn><msub><mi>x</mi><mi>i</mi></msub></mfrac></mrow></math>"
        " and <math><msqrt><mi>d</mi></msqrt></math>, <math alttext='a^2'><mi>a</mi></math>.</p>",
        [("text", "As n²+1/xᵢ and √(d), $a^2$.")],
    ),
    "cells that span": (
        "<table><caption>Limits</caption><tr><th rowspan=2>Service<th colspan=2>Limit<tr><th>Per s<th>Size"
        "<tr><td rowspan=2>Gate<td>10<sup>4</sup><td>10<br>MB<tr><td>7<td>8</table>",
        [("reference", "Limits"), ("table", "| Service | Limit | Limit |\n| Service | Per s | Size |\n| Gate | 10⁴ | 10 MB |\n| Gate | 7 | 8 |")],
    ),
    "a row that is one cell": (
        "<table><tr><th colspan=2>All limits</th></tr><tr><td>Gate</td><td>7</td></tr></table>",
        [("table", "| All limits |\n| Gate | 7 |")],
    ),
    "spans that are attacks": (
        "<table><tr><td colspan=99999999>a</td><td rowspan=-1>b</td></tr><tr><td colspan=x>c</td></tr></table>",
        [("table", f"| {' | '.join(['a'] * 60)} | b |\n| c |")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MARKUP)
def test_markup_reads_as_it_is_meant(name):
    markup, expected = MARKUP[name]
    assert pieces(markup) == expected


@pytest.mark.parametrize(
    "listing", ["<pre>An error occurred: 502 Bad Gateway</pre>", "<table><tr><th>Sign</th><th>Cause</th></tr><tr><td>Page not found</td><td>Gone</td></tr></table>"]
)  # fmt: skip
def test_a_short_article_may_show_an_error(listing):
    found = article(f"<article><h1>Reading errors</h1><p>{PROSE}</p>{listing}<p>{MORE}</p></article>")
    assert gate.by_text(Response("https://a.test/x", 200, "text/html", b"", ""), found) is None


def test_a_page_that_is_an_error_is_none():
    found = article(
        "<h1>Oops</h1><p>An error occurred. Something went wrong on our side, try again in a few minutes.</p>"
    )
    assert gate.by_text(Response("https://a.test/x", 200, "text/html", b"", ""), found)


@pytest.mark.parametrize(
    "layer", ["class='cookie-banner'", "id='onetrust-consent-sdk'", "class='x cmp-layer'", "id=gdpr"]
)
def test_a_layer_that_asks_for_consent_is_not_the_article(layer):
    asks = (
        "<p>We use cookies and similar technologies to personalise content, ads and more for you and our partners.</p>"
    )
    found = article(f"<div {layer}>{asks * 6}</div><main><h1>Rings</h1><p>{PROSE}</p><p>{MORE}</p></main>")
    assert [piece.text for piece in found.pieces] == [PROSE, MORE]


def test_an_article_about_cookies_is_not_a_layer():
    found = article(f"<div class='cookie-policy'><h1>How cookies work</h1><p>{PROSE}</p><p>{MORE}</p></div>")
    assert [piece.text for piece in found.pieces] == [PROSE, MORE]


def test_powers_take_no_sentence_out_of_the_text():
    said = "The sort makes n<sup>2</sup> steps for 10<sup>6</sup> keys, 2<sup>20</sup> at most.<sup>4</sup>"
    found = article(f"<article><h1>Sorting</h1><p>{said}</p><p>{PROSE}</p></article>")
    assert found.pieces[0].text == "The sort makes n² steps for 10⁶ keys, 2²⁰ at most."
    assert text_fragment("The sort makes n² steps for 10⁶ keys, 2²⁰ at most.", found.page_text)
    assert text_fragment("n² steps for 10⁶ keys", found.page_text) == "n2%20steps%20for%20106%20keys"


# --- links ----------------------------------------------------------------------------------------

SHOWN = "Limits\nService\nPer second\nGate\n10000\n10 MB\nQueue\n3000\n10 MB"


@pytest.mark.parametrize(
    ("row", "fragment"),
    [
        ("| Gate | 10000 | 10 MB |", "Gate,10%20MB"),
        ("| Queue | 3000 | 10 MB |", "Queue,10%20MB"),
        ("| 10 MB | 3000 |", "3000"),
        ("| 10 MB |", ""),
        ("| Gate | 10000 | 10 MB |\n| Queue | 3000 | 10 MB |", "Gate,10%20MB"),
    ],
)
def test_a_row_of_a_table_is_found_by_its_cells(row, fragment):
    assert text_fragment(row, SHOWN) == fragment


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://www.youtube.com/watch?v=KJFOlhD3L1E", "https://www.youtube.com/watch?v=KJFOlhD3L1E&t=3s"),
        ("https://a.test/talk.srt", "https://a.test/talk.srt"),
        ("https://a.test/episode/7", "https://a.test/episode/7"),
        ("https://a.test/talk.mp4", "https://a.test/talk.mp4#t=3"),
    ],
)
def test_only_what_plays_is_opened_at_a_second(url, link):
    assert deep_link(url, "transcript", "t=3", "any words", "") == link


def test_no_markup_of_a_listing_is_lost():
    found = article(
        f"<article><p>{PROSE}</p><pre><code><div class=line>a</div><div class=line> b</div></code></pre><p>{MORE}</p></article>"
    )
    assert ("code", "a\n b") in [(piece.kind, piece.text) for piece in found.pieces]
    assert not re.search(r"a\s*b.*a\s*b", found.page_text)
