"""The front door: `prep`, thin over the rooms. Data goes to stdout, progress and notes to stderr, exit 0, 1 or 2."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

import config
from eval.commands import evaluation
from eval.front import Front

if TYPE_CHECKING:
    from rich.console import Console

    from app import plan as serving
    from app.accounts import Accounts
    from app.assistant import Assistant, Turn
    from app.llm import Model
    from index.encoder import Encoder
    from index.passage import Hit
    from ingest.document import Document
    from ingest.fetch import Door
    from ingest.ledger import Entry

T = TypeVar("T")

GIVES_WAY = 10  # by so much a process that reads the links stands back behind the chat

# Rooms are imported inside the commands: a command pays for what it uses, and `prep --help` for nothing.
app = typer.Typer(
    help="A chat assistant over a curated shelf of resources for ML-infrastructure and MLE interviews.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(evaluation, name="eval")
users = typer.Typer(help="Who may log in to `prep serve`.", no_args_is_help=True)
app.add_typer(users, name="users")


def _whole(text: str) -> str:
    """Return what somebody typed, its bytes that are no UTF-8 replaced."""
    from ingest.characters import whole

    return whole(text)


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Topic = Annotated[str, typer.Option(callback=_whole, help="Only what stands under topics with this in their name.")]
JsonLines = Annotated[bool, typer.Option("--jsonl", help="Read questions from stdin, print JSON, one a line.")]


def main() -> None:
    """Run the command; turn errors that a person can cure into one line and exit code 1."""
    from app import AnswerError, ServerError
    from eval import EvalError
    from index import ShelfError
    from ingest import IngestError

    try:
        app()
    except (IngestError, ShelfError, AnswerError, ServerError, EvalError, config.SettingError) as error:
        _note(f"prep: {error}")
        sys.exit(1)
    except OSError as error:
        _note(f"prep: {error.filename or 'file system'}: {error.strerror}")
        sys.exit(1)
    except SystemExit as done:
        if done.code == 130:  # what typer makes of Ctrl-C
            _note("prep: stopped; what was done is kept, and the last good shelf still serves.")
        raise


@app.callback()
def lend(ctx: typer.Context) -> None:
    """Lend to the rooms' own commands what they need; they import nothing from here."""
    ctx.obj = Front(
        where=lambda: config.read().data,
        assistant=_assistant,
        encoder=_encoder,
        need_shelf=lambda: _need_shelf(config.read()),
        console=_console,
        model=_model,
        track=_track,
        note=_note,
        print_json=_print_json,
    )


@app.command()
def ingest(
    lists: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LIST ...]",
            help="Lists of links: Markdown, bookmarks, OPML, CSV, JSON, lines, or the address of a page or sitemap."
            " Those that ship with the project where none is named.",
        ),
    ] = None,
    warc: Annotated[list[Path] | None, typer.Option(help="Read recorded responses from this WARC or WACZ.")] = None,
    saved: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Read what you saved of links in this folder.")
    ] = None,
    only: Annotated[
        str, typer.Option(metavar="TOPIC", callback=_whole, help="Only links under topics with this in their name.")
    ] = "",
    refresh: Annotated[bool, typer.Option(help="Read again what has not changed.")] = False,
    offline: Annotated[bool, typer.Option(help="Leave the network alone: use the archive only.")] = False,
    renew: Annotated[
        bool, typer.Option(hidden=True, help="Publish shelves on the way, and give way to others.")
    ] = False,
) -> None:
    """Fetch links, extract their text, write documents and the ledger; then build the shelf."""
    from rich.console import Console

    from index.ahead import Ahead
    from index.renewal import Renewal
    from ingest import job, view
    from ingest.progress import Progress

    settings = config.read()
    if renew:
        os.nice(GIVES_WAY)
    request = job.Request(tuple(lists or ()), tuple(warc or ()), saved, only, refresh=refresh, offline=offline)
    folder, console, progress = job.Folder(settings.data), Console(stderr=True), Progress()
    with folder.alone():
        with Ahead(_encoder, settings.data) as ahead, view.live(progress, console), ExitStack() as beside:
            renewal = beside.enter_context(Renewal(lambda: _build(settings))) if renew else None

            def fetched(document: Document) -> None:
                ahead.add(document)
                if renewal:
                    renewal.add()

            outcome = job.ingest(request, folder, lambda: _door(settings), progress=progress, fetched=fetched)
        for note in outcome.notes:
            _note(note)
        _note(f"{outcome.read} pages read, {outcome.unchanged} unchanged.")
        _build(settings)
    with _entries(settings) as entries:
        view.summary(entries, console)
        _note(_totals(entries, settings))


@app.command()
def index() -> None:
    """Build and publish a shelf from the documents."""
    from ingest.job import Folder

    settings = config.read()
    with Folder(settings.data).alone():
        _build(settings)


@app.command()
def search(
    question: Annotated[str, typer.Argument(callback=_whole, help="What to look for.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Passages at most.")] = 10,
    topic: Topic = "",
    as_json: AsJson = False,
    jsonl: JsonLines = False,
) -> None:
    """Print the passages that fit a question best."""
    assistant = _assistant()

    def hits(text: str) -> list[dict[str, Any]]:
        found = assistant.search(text, limit=limit, topic=topic)
        return [_hit_json(assistant, n, hit) for n, hit in enumerate(found, 1)]

    if jsonl:
        _answer_lines(lambda text, _: {"hits": hits(text)})
    elif as_json:
        _print_json(hits(question))
    else:
        from app import render

        render.hits(assistant.search(question, limit=limit, topic=topic), _console())


@app.command()
def ask(
    question: Annotated[str, typer.Argument(callback=_whole, help="What to answer.")] = "",
    topic: Topic = "",
    as_json: AsJson = False,
    jsonl: JsonLines = False,
) -> None:
    """Answer a question, every sentence cited."""
    assistant = _assistant()
    if jsonl:
        _answer_lines(lambda text, history: assistant.ask(text, history=history, topic=topic).as_json())
    elif as_json:
        _print_json(assistant.ask(question, topic=topic).as_json())
    else:
        from app import render

        render.live(assistant.stream(question, topic=topic), _console())


@app.command()
def read(
    request: Annotated[str, typer.Argument(callback=_whole, help="What to read about, in plain words.")],
    time: Annotated[str, typer.Option(metavar="3h", callback=_whole, help="Time box: 3h, 90 min, 1h30.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print a cited reading list: what to read first, then the core, then the depth."""
    from app import render, spans

    minutes = spans.span(time) if time else None
    if time and minutes is None:
        raise typer.BadParameter(f"{time!r} is no time; write 3h, 90 min or 1h30.", param_hint="--time")
    listed = _assistant().read(request, minutes=minutes)
    if as_json:
        _print_json(listed.as_json())
    else:
        render.reading_list(listed, _console())


@app.command()
def status(
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as a page to look at.")] = None,
) -> None:
    """Print the shelf, and what became of every link."""
    from app import endpoint
    from index import manifest
    from ingest import document
    from ingest.folder import Folder

    settings = config.read()
    model = endpoint.find(settings)
    served, wrong = manifest.survey(settings.data / "shelves")
    shelf = manifest.as_json(served) if served else None
    with _entries(settings) as entries:
        listed = _with_left_out(entries, served.left_out if served else {})
    wrong += document.damaged(Folder(settings.data).documents, [entry.row.document for entry in listed])
    if not listed and (served or any(Folder(settings.data).documents.glob("*/*.md"))):
        lost = f"{Folder(settings.data).ledger} is empty or gone, though texts were read"
        wrong.append(f"{lost}; run `prep ingest --offline`, which reads the archive again.")
    if html:
        from app import render
        from ingest import report

        report.write(listed, render.totals(listed, shelf).splitlines()[-1], html)
        _note(f"Written to {html}")
        return
    if as_json:
        resources = [_entry_json(entry) for entry in listed]
        told = {"shelf": shelf or {}, "resources": resources, "llm": model.as_json() if model else None}
        _print_json(told | ({"wrong": wrong} if wrong else {}))
    else:
        from app import render

        render.ledger(listed, shelf, _console())
        writer = f"answers are written by {model}" if model else "answers are quoted; no language model is set or found"
        _console().print(writer, markup=False, highlight=False)
    for each in wrong:
        _note(f"prep: {each}")


Port = Annotated[int, typer.Option(min=1, max=65535)]


@app.command()
def chat(
    port: Port = 8000, host: Annotated[str, typer.Option(help="This machine's own address.")] = "127.0.0.1"
) -> None:
    """Open the chat for yourself on http://localhost:PORT, without a login."""
    from app import server

    server.serve(_plan(config.read(), host=host, port=port), _note)


@app.command()
def serve(port: Port = 8000, host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1") -> None:
    """Serve the chat to a team: with logins, limits and metrics; PREPSHELF_* settings say how."""
    from app import server

    settings = config.read_server()
    server.serve(_plan(config.read(), settings, host=host, port=port), _note)


@users.command("add")
def add_user(name: Annotated[str, typer.Argument(callback=_whole, help="Who logs in.")]) -> None:
    """Enter an account, or change its password, which is asked for (or read from stdin)."""
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.buffer.readline().rstrip(b"\r\n").decode(errors="surrogateescape")
    _with_accounts(lambda accounts: accounts.add(name, password))


@users.command("remove")
def remove_user(name: Annotated[str, typer.Argument(callback=_whole, help="Whose account.")]) -> None:
    """Remove an account with all of its conversations."""
    _with_accounts(lambda accounts: accounts.remove(name))


@users.command("list")
def list_users() -> None:
    """Print the names of all accounts."""
    for name in _with_accounts(lambda accounts: accounts.names()):
        print(name)  # noqa: T201


# --- what the commands share ----------------------------------------------------------------------


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201  # the front door speaks


def _print_json(value: object) -> None:
    from app import clean

    print(clean.escaped(json.dumps(value, ensure_ascii=False)), flush=True)  # noqa: T201


def _console() -> Console:
    from rich.console import Console

    return Console()


def _track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield items under a progress bar with rate and time left; no bar where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield from items
        return
    rate = TextColumn("{task.fields[rate]}", justify="right")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        rate,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(description, total=total, rate="")
        for item in items:
            yield item
            progress.advance(task)
            speed = progress.tasks[task].speed
            progress.update(task, rate=f"{speed:.1f}/s" if speed else "")


def _encoder() -> Encoder:
    from index import encoder

    settings = config.read()
    return encoder.load(settings.encoder, engines=settings.data / "engines")


def _assistant() -> Assistant:
    from app.assistant import Assistant

    settings = config.read()
    assistant = Assistant.open(
        settings.data,
        encoder_folder=settings.encoder,
        model=_model,
        reader_folder=settings.reader,
        nli=settings.nli,
    )
    if assistant.shelf.trouble:
        _note(f"prep: {assistant.shelf.trouble} Shelf {assistant.shelf.manifest.version} answers meanwhile.")
    return assistant


def _model() -> Model | None:
    from app import llm

    return llm.connect(config.read())


def _need_shelf(settings: config.Settings, *, offline: bool = True) -> None:
    """Build a shelf where there is none: from the project's own notes, and from the network where it may be used."""
    from index import manifest

    served = manifest.describe(settings.data / "shelves")
    if served and served.format != manifest.FORMAT:
        _note("The shelf was built by another version of Prepshelf; it is built anew from the documents.")
        _build(settings)
    elif served is None:
        _note("There is no shelf yet; one is made of the project's notes.")
        _shelve_notes(settings, gather=not offline)


def _shelve_notes(settings: config.Settings, *, gather: bool) -> None:
    """Publish a shelf of the project's own notes; where asked, note that the links are to be read."""
    from ingest import job
    from ingest.ledger import GATHERING, open_ledger

    folder = job.Folder(settings.data)
    with folder.alone():
        job.ingest(job.Request(offline=True), folder)
        if gather:
            with open_ledger(folder.ledger) as book:
                book.note(GATHERING, "begun")
        _build(settings)


def _gathering(settings: config.Settings) -> tuple[str, ...]:
    """Return the command that reads the links of the lists beside the chat; none where they were read."""
    from ingest.folder import Folder
    from ingest.ledger import GATHERING, open_ledger

    with open_ledger(Folder(settings.data).ledger) as book:
        begun = book.fact(GATHERING)
    return (sys.executable, str(config.ROOT / "cli.py"), "ingest", "--renew") if begun else ()


def _plan(
    settings: config.Settings, server: config.ServerSettings | None = None, *, host: str, port: int
) -> serving.Plan:
    """Return how to serve; where there is no shelf yet, from the notes, while the links of the lists are read."""
    from functools import partial

    from app import llm
    from app.plan import Plan as ServingPlan

    _need_shelf(settings, offline=False)
    model = partial(llm.connect, settings)
    plan = ServingPlan(
        data=settings.data,
        host=host,
        port=port,
        encoder=settings.encoder,
        reader=settings.reader,
        nli=settings.nli,
        model=model,
        gather=_gathering(settings),
    )
    if server is None:
        return plan
    chosen = asdict(server) | {"proxies": frozenset(server.proxies)}
    return replace(plan, **chosen)


def _with_accounts(use: Callable[[Accounts], Awaitable[T]]) -> T:
    """Return what somebody does with the accounts of the configured database."""
    import asyncio

    from app.accounts import Accounts
    from app.database import Database, address

    async def run() -> T:
        database = Database(config.read_server().database or address(config.read().data))
        await database.open()
        try:
            return await use(Accounts(database))
        finally:
            await database.close()

    return asyncio.run(run())


def _build(settings: config.Settings) -> None:
    from index import build
    from ingest import ledger
    from ingest.folder import Folder

    folder = Folder(settings.data)
    with ledger.open_ledger(folder.ledger) as book:
        documents = build.readable(book, folder.documents, _note)
        listings = build.listed(book)
    built = build.build(documents, _encoder(), settings.data, listings=listings, track=_track)
    if built.new:
        made = f"{built.manifest.passages:,} passages; {built.embedded:,} embedded anew"
        _note(f"Published shelf {built.manifest.version}: {made}.")
    else:
        _note(f"The documents are unchanged; shelf {built.manifest.version} still serves.")


def _door(settings: config.Settings) -> Door:
    from ingest.fetch import Door
    from ingest.manners import Manners
    from ingest.sources import arxiv

    return Door(
        contact=settings.contact,
        token=settings.github_token,
        allow=settings.allow,
        ports=settings.ports,
        manners=Manners(gaps=(arxiv.GAP,)),
    )


def _totals(entries: list[Entry], settings: config.Settings) -> str:
    from app import render
    from index import manifest

    served = manifest.describe(settings.data / "shelves")
    return render.totals(entries, manifest.as_json(served) if served else None)


@contextmanager
def _entries(settings: config.Settings) -> Iterator[list[Entry]]:
    """Give the rows of the ledger; where there is none yet, no rows."""
    from ingest import ledger
    from ingest.folder import Folder

    path = Folder(settings.data).ledger
    if not path.exists():
        yield []
        return
    with ledger.open_ledger(path) as book:
        yield book.entries()


def _with_left_out(entries: list[Entry], left_out: Mapping[str, int]) -> list[Entry]:
    """Return rows that say of a resource how many of its paragraphs are in no passage."""
    told = []
    for entry in entries:
        count = left_out.get(entry.row.url, 0) if entry.row.url == entry.row.resource else 0
        what = "1 paragraph left out: it addresses" if count == 1 else f"{count} paragraphs left out: they address"
        said = f"{what} a model, or ask{'s' * (count == 1)} for secrets"
        reason = "; ".join(filter(None, [entry.row.reason, said]))
        told.append(replace(entry, row=replace(entry.row, reason=reason)) if count else entry)
    return told


def _answer_lines(answer: Callable[[str, list[Turn]], dict[str, Any]]) -> None:
    """Print an answer to each question of stdin as a line of JSON; one that cannot be answered gets its error."""
    from app import AnswerError
    from app.assistant import Turn
    from ingest.characters import whole_all

    failed = False
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            record: Any = whole_all(json.loads(line))
            text, name = record["question"], record.get("id", str(number))
            history = [Turn(turn["role"], turn["content"]) for turn in record.get("history") or ()]
            if not all(isinstance(said, str) for said in [text, *(turn.content for turn in history)]):
                raise TypeError(line)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            failed = True
            _note(f'prep: line {number} is no question; each line is like {{"id": "1", "question": "..."}}.')
            continue
        try:
            _print_json({"id": name, **answer(text, history)})
        except AnswerError as error:
            failed = True
            _note(f"prep: line {number}: {error}")
            _print_json({"id": name, "error": str(error)})
    if failed:
        raise typer.Exit(1)


def _hit_json(assistant: Assistant, rank: int, hit: Hit) -> dict[str, Any]:
    return {
        "rank": rank,
        "score": round(hit.score, 4),
        "url": hit.source.url,
        "deep_url": assistant.citer.link(hit),
        "title": hit.source.title,
        "topic": hit.source.topic,
        "heading": " > ".join(hit.passage.heading),
        "text": hit.passage.text,
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    row = entry.row
    return {
        "url": row.url,
        "title": row.title,
        "topic": entry.topic,
        "kind": entry.kind,
        "status": row.status.value,
        "words": row.words,
        "reason": row.reason,
        "fix": row.fix,
        "fetched_at": row.fetched_at,
        "resource": row.resource,
    }


if __name__ == "__main__":
    main()
