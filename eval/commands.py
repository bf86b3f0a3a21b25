"""Commands: `prep eval` and what stands under it, thin over the room; what a command needs, it imports by itself."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.front import Front, measured

if TYPE_CHECKING:
    from eval.gate import Verdict
    from eval.rows import Run

evaluation = typer.Typer(help="Numbers: does it find and say the right things?")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Split = Annotated[str, typer.Option(help="Only the cases of one half: dev or test.")]
Benchmarks = Annotated[
    Path | None, typer.Option("--data", help="Folder of public benchmarks.", exists=True, file_okay=False)
]
DataFolder = Annotated[Path, typer.Option("--data", help="Folder of the benchmark.", exists=True, file_okay=False)]


@evaluation.callback(invoke_without_command=True)
def evaluate(
    ctx: typer.Context,
    data: Benchmarks = None,
    split: Split = "",
    gate: Annotated[bool, typer.Option("--gate", help="Exit 1 where a floor of eval/baseline.json is missed.")] = False,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Set the floors to what is reached.")
    ] = False,
    allow_regression: Annotated[bool, typer.Option("--allow-regression", help="Let floors be lowered.")] = False,
    ablate: Annotated[bool, typer.Option("--ablate", help="Also ask with one stage after another left out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure whether the shelf finds, answers, cites and refuses as it should; with a suite's name, that alone."""
    if ctx.invoked_subcommand:
        return
    from eval import cases, corpus, suites
    from eval import gate as gates

    front: Front = ctx.obj
    assistant = front.served()
    plan = suites.Plan(suites.available(data), data, split, ablate=ablate)
    if gate and not update_baseline:  # before minutes are spent
        gates.floors_for(corpus.describe(assistant.shelf, cases.read()).kind)

    def judged(run: Run) -> Verdict | None:
        if update_baseline:
            for line in gates.update(run, allow_regression=allow_regression):
                front.note(line)
        return gates.judge(run) if gate or update_baseline else None

    verdict = measured(front, plan, assistant, as_json=as_json, judged=judged)
    if verdict and not verdict.passed:
        raise typer.Exit(1)


@evaluation.command()
def own(
    ctx: typer.Context,
    split: Split = "",
    baselines: Annotated[bool, typer.Option(help="Also ask dense search, BM25 and llama-index.")] = False,
    as_json: AsJson = False,
) -> None:
    """Our own questions, dialogues and refusals."""
    _suite(ctx, "own", None, as_json=as_json, split=split, baselines=baselines)


@evaluation.command()
def reading(ctx: typer.Context, data: Benchmarks = None, split: Split = "", as_json: AsJson = False) -> None:
    """Our own requests for reading lists; with --data those of a folder of questions, too."""
    _suite(ctx, "reading", data, as_json=as_json, split=split)


@evaluation.command()
def robustness(ctx: typer.Context, data: Benchmarks = None, as_json: AsJson = False) -> None:
    """Hostile pages and questions; with --data those of public collections, too."""
    _suite(ctx, "robustness", data, as_json=as_json)


@evaluation.command()
def beir(
    ctx: typer.Context,
    data: DataFolder,
    as_json: AsJson = False,
    mode: Annotated[str, typer.Option(help="hybrid, dense or lexical.")] = "hybrid",
) -> None:
    """Retrieval on a benchmark in BEIR layout."""
    from eval import retrieval

    front: Front = ctx.obj
    figures = retrieval.beir(data, front.encoder(), front.runs / "bench", mode=mode, track=front.track)
    if as_json:
        front.print_json(figures)
        return
    for name, value in figures.items():
        typer.echo(f"{name:>12}  {value:.4f}" if isinstance(value, float) else f"{name:>12}  {value}")


@evaluation.command()
def speed(
    ctx: typer.Context,
    rows: Annotated[str, typer.Option(help="Which rows, commas between; all of them.")] = "",
    rounds: Annotated[int, typer.Option(min=1, help="Turns that each contestant takes.")] = 5,
    size: Annotated[int, typer.Option(min=5, help="Passages, documents or questions a turn.")] = 40,
    sizes: Annotated[str, typer.Option(help="Passages of the shelves that are grown.")] = "10000,100000,1000000",
    as_json: AsJson = False,
) -> None:
    """How long things take, beside what others take; writes speed.json and growth.svg."""
    from eval import races
    from eval import speed as speeds
    from eval.report import rich_table

    front: Front = ctx.obj
    front.need_shelf()
    bench = races.Bench(front.data, front.assistant(), rounds, size, tuple(map(int, sizes.split(","))), front.track)
    wanted = rows.split(",") if rows else [*races.ROWS, races.GROW]
    measured, grown = races.measure(bench, wanted, tell=front.note)
    figures = speeds.write(measured, grown, front.runs / "speed")
    if as_json:
        front.print_json(figures)
        return
    for table in speeds.tables(measured, grown):
        front.console().print(rich_table(table))


@evaluation.command()
def extraction(ctx: typer.Context, data: DataFolder, as_json: AsJson = False) -> None:
    """Text extraction on the Zyte article benchmark."""
    _suite(ctx, "extraction", data, as_json=as_json)


@evaluation.command()
def squad(ctx: typer.Context, data: DataFolder, as_json: AsJson = False) -> None:
    """Quoted answers and refusals on SQuAD 2."""
    _suite(ctx, "squad", data, as_json=as_json)


@evaluation.command()
def wice(ctx: typer.Context, data: DataFolder, as_json: AsJson = False) -> None:
    """The support check on WiCE."""
    _suite(ctx, "wice", data, as_json=as_json)


@evaluation.command()
def chunking(ctx: typer.Context, data: DataFolder, as_json: AsJson = False) -> None:
    """How much of what is read was asked for, on Chroma's chunking evaluation."""
    _suite(ctx, "chunking", data, as_json=as_json)


@evaluation.command("show")
def show_case(
    ctx: typer.Context, case: str, run: Annotated[str, typer.Option(help="Name of the run; the last one.")] = ""
) -> None:
    """Print all that a run has of one case."""
    from eval import rows

    front: Front = ctx.obj
    held = rows.open_run(front.runs, run)
    found = [row for row in held.rows if row.id == case]
    if not found:
        front.note(f"prep: the run {held.about.name} has no case {case!r}; its rows are in {held.folder}/rows.jsonl.")
        raise typer.Exit(1)
    for row in found:
        front.console().print_json(data=asdict(row))


@evaluation.command()
def compare(ctx: typer.Context, one: str, other: str, as_json: AsJson = False) -> None:
    """Compare two runs by their names, or two ways of searching such as `dense` and `lexical=0.4,sentence=0.2`."""
    from eval import report, variants

    front: Front = ctx.obj
    found = variants.compare(one, other, front.data, front.assistant, track=front.track)
    if as_json:
        front.print_json([asdict(contest) for contest in found])
    else:
        table = report.contest_table(f"{one} (ours) against {other} (theirs)", found, without="against")
        front.console().print(report.rich_table(table))


@evaluation.command("from-feedback")
def from_feedback(
    ctx: typer.Context,
    memory: Annotated[Path | None, typer.Option(help="The chat's memory; that of the data folder.")] = None,
) -> None:
    """Print what people judged in the chat as drafts of cases, to be completed and kept in eval/questions."""
    from eval import feedback

    front: Front = ctx.obj
    for draft in feedback.drafts(feedback.read(memory or front.data / "chat" / "memory.db")):
        typer.echo(draft)


@evaluation.command()
def fit(
    ctx: typer.Context,
    data: DataFolder,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME ...]", help="What to fit, as sentences; all where none is named."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Keep the weights, where they are not worse.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the weights that answers are made with, on dev halves alone, and set them beside those in use."""
    from eval import fit as fits
    from eval import report

    front: Front = ctx.obj
    if unknown := [name for name in names or () if name not in fits.FITS]:
        raise typer.BadParameter(f"there is no {unknown[0]!r} to fit; there are {', '.join(fits.FITS)}.")
    material = fits.Data(data, front.assistant, front.runs / "bench", front.track)
    for name in names or fits.FITS:
        made = fits.FITS[name](material)
        if as_json:
            front.print_json(asdict(made))
        else:
            for table in report.fit_tables(made):
                front.console().print(report.rich_table(table))
        if write:
            front.note(f"Written to {made.keep()}")


@evaluation.command()
def planted(
    ctx: typer.Context,
    write: Annotated[bool, typer.Option("--write", help="Keep the weights.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn, from eval/planted.toml and the shelf, which sentences address a model or ask for secrets; and measure."""
    from eval import planted as planting

    front: Front = ctx.obj
    assistant = front.assistant()
    made = planting.learn(assistant.encoder, assistant.shelf)
    if as_json:
        front.print_json([asdict(rate) for rate in made.rates])
    else:
        for rate in made.rates:
            front.console().print(f"{rate.name}: {rate.taken} of {rate.of} taken for planted ({rate.share:.4f})")
    if write:
        front.note(f"Written to {made.keep()}")


@evaluation.command()
def train(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="wide, narrow or support.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of the training data.", exists=True, file_okay=False)],
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to train.")] = 60,
    share: Annotated[float, typer.Option(min=0.01, max=1, help="Of the rows.")] = 1.0,
    out: Annotated[Path | None, typer.Option(help="Folder for the weights; that of the product.")] = None,
) -> None:
    """Train one of the reader's models on openly licensed data and our own over the shelf's pages; resumes."""
    from typing import cast, get_args

    from index.reader.training import command
    from index.reader.weights import HERE, Name

    front: Front = ctx.obj
    if name not in get_args(Name):
        raise typer.BadParameter(f"there is no {name!r} to train; there are {', '.join(get_args(Name))}.")
    front.need_shelf()
    plan = command.Plan(
        name=cast("Name", name),
        folder=data,
        shelf=front.assistant().shelf,
        encoder=front.encoder(),
        minutes=minutes,
        keep=front.runs / "training",
        share=share,
        out=out or HERE,
        tell=front.note,
        track=front.track,
    )
    front.note(f"Written to {command.train(plan)}")


@evaluation.command()
def judge(
    ctx: typer.Context,
    run: Annotated[str, typer.Option(help="Name of the run; the last one.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask the configured language model for its opinion of a run's answers, beside the built-in checks."""
    from eval import EvalError, judge, report, rows
    from prompts import fill

    front: Front = ctx.obj
    model = front.model()
    if model is None:
        raise EvalError("there is no language model to judge; PREPSHELF_LLM_URL names an endpoint.")
    rules, held = fill("judge-rules"), rows.open_run(front.runs, run)
    judge.run(held, lambda text: "".join(model.write(rules, text, longest=4000)), model.name, track=front.track)
    figures = judge.figures(held.rows, model.name)
    if as_json:
        front.print_json(figures)
    else:
        lines = tuple((name, report.said(value)) for name, value in figures.items())
        front.console().print(report.rich_table(report.Table(f"judged by {model.name}", ("of", "it says"), lines)))


# --- what the commands share ----------------------------------------------------------------------


def _suite(
    ctx: typer.Context, name: str, data: Path | None, *, as_json: bool, split: str = "", baselines: bool = False
) -> None:
    from eval.suites import Plan

    front: Front = ctx.obj
    measured(front, Plan((name,), data, split, baselines=baselines), front.served(), as_json=as_json)
