"""Screenshots: the pictures of the README, taken of the chat as it is.

python scripts/screenshots.py [--data FOLDER] [--out docs]

It serves the shelf of FOLDER (PREPSHELF_DATA where none is given) and drives Debian's Chromium: an answer with a
citation open, by day and by night, a reading list, the shelf by topic, and a phone.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from chat_client import Server, serving  # noqa: E402

import config  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
QUIET = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync".split()
PATIENCE = 60_000  # milliseconds
WIDE, NARROW = (1280, 860), (390, 844)
MOST_BYTES = 200_000  # a picture in a repository is paid for by everybody who clones it
QUESTION = "How does ring-allreduce work?"


def opened(browser: Browser, server: Server, size: tuple[int, int], scheme: str = "light") -> Page:
    """Return a page of the chat that is ready for a question."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, device_scale_factor=1)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(f"localStorage.setItem('vite-ui-theme', '{scheme}')")
    page = context.new_page()
    page.goto(server.url)
    page.locator("#starters button:enabled").first.wait_for()
    page.locator("#prepshelf-banner").wait_for()
    return page


def ask(page: Page, question: str) -> None:
    """Ask and wait until all of the answer is there."""
    page.fill("#chat-input", question)
    page.click("#chat-submit")
    page.locator(".prepshelf-tools, .message-content table").last.wait_for()
    page.locator("#stop-button").wait_for(state="detached")
    page.wait_for_timeout(800)


def choose(page: Page, profile: str) -> None:
    """Change to a profile."""
    page.click("#chat-profiles")
    page.get_by_role("option", name=profile).click()
    page.locator("#starters button").first.wait_for()
    page.wait_for_timeout(500)


def to_question(page: Page) -> None:
    """Scroll so that the last question stands at the top."""
    page.locator("[data-step-type=user_message]").last.evaluate("element => element.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(400)


def answer(page: Page) -> None:
    """Show an answer whose second citation is open."""
    ask(page, QUESTION)
    page.locator(".message-content .element-link").nth(1).click()
    page.locator("#side-view-content mark").wait_for()
    to_question(page)


def reading_list(page: Page) -> None:
    """Show a reading list of which one item is ticked."""
    choose(page, "Reading list")
    ask(page, "What should I read before a distributed training round?")
    page.locator("input.tick").first.check()
    to_question(page)


def browsing(page: Page) -> None:
    """Show the shelf by topic."""
    choose(page, "Browse the shelf")
    ask(page, "All topics")
    to_question(page)


def kept(page: Page, path: Path) -> None:
    """Write what a page shows as a small picture."""
    from PIL import Image

    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path}: {size // 1000} KB")
    if size > MOST_BYTES:
        sys.exit(f"{path} is larger than {MOST_BYTES // 1000} KB; take a smaller one.")
    page.context.close()


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=config.read().data)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    chosen = parser.parse_args()
    if not (chosen.data / "shelves" / "current").exists():
        sys.exit(f"{chosen.data} holds no shelf; run `prep ingest` first.")
    if not CHROMIUM.exists():
        sys.exit("Debian's Chromium is not installed here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    chosen.out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "data"
        data.mkdir()
        for name in ("shelves", "ledger.db", "engines"):  # conversations of its own, over the shelf as it is
            (data / name).symlink_to((chosen.data / name).resolve())
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        with serving(data, real=True, login="none", secret="", users={}) as server:
            for name, size, scheme, show in (
                ("chat", WIDE, "light", answer),
                ("chat-dark", WIDE, "dark", answer),
                ("reading-list", WIDE, "light", reading_list),
                ("browse", WIDE, "light", browsing),
                ("chat-phone", NARROW, "light", answer),
            ):
                page = opened(browser, server, size, scheme)
                show(page)
                kept(page, chosen.out / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
