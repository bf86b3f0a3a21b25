"""Progress: what somebody sees of the work while it is done, and what is counted of it."""

from __future__ import annotations

import logging
from types import TracebackType

import chainlit as cl

from app import figures
from app.answer import Answer
from app.cards import spent
from app.database import now
from app.desk import Desk, Seat
from app.engine import Engine, Stage

log = logging.getLogger("prepshelf.chat")


class Seating:
    """A seat at the desk, with a step that shows the waiting and then the work."""

    def __init__(self, desk: Desk[Engine], doing: str) -> None:
        self._desk = desk
        self._doing = doing

    async def __aenter__(self) -> tuple[Seat[Engine], cl.Step]:
        """Wait for the seat.

        Raises Busy where too many wait already.
        """
        user = cl.context.session.user
        name = user.identifier if user else cl.context.session.id
        ahead = self._desk.ahead(name)
        self._step = cl.Step(
            name=f"Waiting, {ahead} ahead" if ahead else self._doing,
            type="tool",
            show_input=False,
            default_open=True,
            auto_collapse=True,
        )
        self._seat = self._desk.seat(name)
        await self._step.__aenter__()
        try:
            seat = await self._seat.__aenter__()
        except BaseException:
            self._step.name = "Not asked"
            await self._step.__aexit__(None, None, None)
            raise
        if ahead:
            self._step.name = self._doing
            await self._step.update()
        return seat, self._step

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the seat; the step says how it went."""
        await self._seat.__aexit__(kind, error, trace)
        if kind is not None:
            self._step.name = f"{self._doing}: given up"
        await self._step.__aexit__(None, None, None)


async def show_doing(text: str, step: cl.Step) -> None:
    """Show what is being done now."""
    if step.name != text:
        step.name = text
        await step.update()


async def show_stage(stage: Stage, parent: cl.Step) -> None:
    """Show a stage that is done, with its time, under the work that it belongs to."""
    step = cl.Step(name=f"{stage.name} · {spent(stage.spent)}", type="tool", parent_id=parent.id, show_input=False)
    step.start = step.end = now()
    await step.send()


def summary(said: Answer) -> str:
    """Return what the work came to, in a line."""
    took = spent(said.timings.get("total", 0.0))
    if said.abstained:
        return f"Found no answer on the shelf · {took}"
    sources = len({citation.url for citation in said.citations})
    return f"Answered from {sources} source{'s' * (sources != 1)} · {took}"


def count(said: Answer, profile: str) -> None:
    """Count an answer, and log it without its words."""
    figures.QUESTIONS.labels(profile, said.mode).inc()
    for stage, took in said.timings.items():
        figures.STAGES.labels(stage).observe(took / 1000)
    if said.abstained:
        figures.ABSTENTIONS.inc()
    if said.notice:
        figures.MODEL_FAULTS.inc()
    for sentence in said.sentences:
        figures.SENTENCES.labels(sentence.support).inc()
    facts = {
        "mode": said.mode,
        "abstained": said.abstained,
        "sentences": len(said.sentences),
        "citations": len(said.citations),
        **{f"{stage}_ms": round(took) for stage, took in said.timings.items()},
    }
    log.info("answered", extra={"question": said.question, "facts": facts})
