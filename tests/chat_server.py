"""A chat server for tests, run as a script: the real one over a small shelf, with an encoder that needs no weights.

python tests/chat_server.py '{"data": "/tmp/x", "port": 8000, "login": "password", ...}' takes what `Plan` takes, and:
`users` (accounts to make, name to password), `slow` (seconds that each question takes), `drip` (seconds between its
sentences), `raw` (leave what is said uncleaned), `llm` (address of a language model's server), `real` (the real encoder
over the shelf that is there, nothing scripted). A question that begins with "Say: " is answered with its own words.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

from conftest import CACHES, PODS, RING, FakeEncoder, FakeReader, a_document, a_source  # noqa: E402

import config  # noqa: E402
from app import cards, confidence, followups, llm, server  # noqa: E402
from app.answer import Answer, Done, Event, Nearest, Said, Sentence, Shown  # noqa: E402
from app.answer import Status as Doing  # noqa: E402
from app.assistant import Assistant  # noqa: E402
from app.plan import Plan  # noqa: E402
from app.reading import Item, ReadingList  # noqa: E402
from index import build  # noqa: E402
from index import encoder as encoders  # noqa: E402
from index import reader as readers  # noqa: E402
from ingest import ledger  # noqa: E402
from ingest.catalogue import Resource  # noqa: E402
from ingest.document import Document  # noqa: E402
from ingest.ledger import Row, Status  # noqa: E402

WALLED = "https://example.org/walled"


NEWS = a_document("https://example.org/news", "A new page about gossip protocols was published.", title="News")


def make_shelf(data: Path, *more: Document) -> None:
    """Publish a shelf of three documents and more, with the ledger of their links and of one that is walled."""
    documents = [(RING, a_source(RING)), (PODS, a_source(PODS, topic="DevOps")), (CACHES, a_source(CACHES))]
    documents += [(document, a_source(document)) for document in more]
    build.build(documents, FakeEncoder(), data)
    with ledger.open_ledger(data / "ledger.db") as book:
        for document, source in documents:
            book.add_resources([Resource(document.url, document.title, (source.topic,))])
            book.record(Row(document.url, document.url, document.title, Status.TEXT, words=document.words))
        book.add_resources([Resource(WALLED, "A walled course", ("DevOps",))])
        fix = "save the page into data/saved, run `prep ingest --saved data/saved`"
        book.record(Row(WALLED, WALLED, "A walled course", Status.WALLED, "asks for a login", fix))


def scripted(settings: dict[str, object]) -> None:
    """Make the assistant say what a test wants said; everything else stays as it is."""
    confidence.confidence = lambda hits: confidence.Confidence(0.9, "answered")  # it was fitted to real readers
    followups.Readings.meant = property(lambda self: self.joined if " it " in self.alone.asked.text else self.alone)
    plain = Assistant.stream
    slow, drip = float(str(settings.get("slow", 0))), float(str(settings.get("drip", 0)))

    def stream(self: Assistant, question: str, **given: object) -> Iterator[Event]:
        says = question.removeprefix("Say: ") if question.startswith("Say: ") else ""
        *before, done = plain(self, "How does ring-allreduce work?" if says else question, **given)
        said = done.answer
        if "unanswerable" in question:
            near = (Nearest("Pods", "https://example.org/pods"),)
            said = replace(said, sentences=(), citations=(), sections=(), outcome="refused", nearest=near)
        if says and said.sentences:
            first = Sentence(says, said.sentences[0].citations, said.sentences[0].support)
            said = replace(said, sentences=(first, *said.sentences[1:]))
        if "weak" in question and said.sentences:
            weak = [replace(said.sentences[0], support=how) for how in ("weak", "unsupported")]
            said = replace(said, sentences=(*weak, *said.sentences[1:]), missing="Its history is not told.")
        yield from (event for event in before if isinstance(event, Doing))
        time.sleep(slow)
        for sentence in said.sentences:
            yield Said(sentence, tuple(cited for cited in said.citations if cited.n in sentence.citations))
            time.sleep(drip)
        if not said.abstained:
            yield from (event for event in before if isinstance(event, Shown))
        yield Done(said)

    def ask(self: Assistant, question: str, **given: object) -> Answer:
        """Answer at once: what is tried as a starter is asked this way."""
        (*_, last) = plain(self, question, **given)
        return last.answer

    def suggest(self: Assistant, said: Answer) -> list[str]:
        return ["What is a Pod?", "What is a cache stampede?", "What does ring-allreduce cost?"]

    def read(self: Assistant, request: str, *, minutes: float | None = None) -> ReadingList:
        stages = ("run", "crawl", "walk")
        items = [
            Item(d.url, d.title, "article", stage, 12, f"It covers {d.title}.", d.text[:40], d.url, "full text")
            for d, stage in zip((RING, PODS, CACHES), stages, strict=True)
        ]
        return ReadingList(request, tuple(items), ("Nothing on the shelf covers InfiniBand.",))

    if not settings.get("llm"):  # what a model writes is heard as it comes
        Assistant.stream = stream
    Assistant.ask = ask
    Assistant.suggest = suggest
    Assistant.read = read
    if settings.get("raw"):
        cards.shown = lambda text: text


def main() -> None:
    settings = json.loads(sys.argv[1])
    data = Path(settings["data"])
    if not settings.get("real"):
        encoders.load = lambda *_args, **_how: FakeEncoder()
        readers.load = lambda *_args, **_how: FakeReader()
        if not (data / "shelves" / "current").exists():
            make_shelf(data)
        scripted(settings)
    known = {name: settings[name] for name in Plan.__dataclass_fields__ if name in settings}
    plan = Plan(**{"host": "127.0.0.1"} | known | {"data": data})
    if settings.get("llm"):
        plan = replace(plan, model=partial(llm.connect, replace(config.read({}), llm_url=settings["llm"])))
    for name, password in settings.get("users", {}).items():
        asyncio.run(add(plan, name, password))
    server.serve(plan, lambda line: print(line, flush=True))  # noqa: T201  what the tests read


async def add(plan: Plan, name: str, password: str) -> None:
    from app.accounts import Accounts
    from app.database import Database, address

    database = Database(plan.database or address(plan.data))
    await database.open()
    if name not in await Accounts(database).names():  # a new password would kill the tokens given before
        await Accounts(database).add(name, password)
    await database.close()


if __name__ == "__main__":
    main()
