"""The Chainlit face: event handlers only. What they do is done by the desk, the engine and the memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import chainlit as cl
from chainlit.input_widget import InputWidget, MultiSelect, Select, Slider
from chainlit.types import ThreadDict

from app import AnswerError, ServerError, browse, cards, figures, starters
from app.answer import Answer, Done, Status
from app.assistant import Turn
from app.desk import Desk
from app.engine import Engine, FollowUps, Stage
from app.memory import Memory
from app.progress import Seating, count, show_doing, show_stage, summary
from app.reading import ReadingList
from app.records import Records
from app.reply import Reply, so_far
from app.wishes import EXTRACTIVE, FEWEST, LENGTHS, MOST, Choices, Wishes, understood
from index import ShelfError
from ingest import IngestError

REMEMBERED = 12  # messages of a conversation that a question is understood from
NOT_SAVED = "This conversation is not saved yet ({}). It is kept, and saved as soon as the database takes it."
NOT_KEPT = "No more can be kept for now, as the database does not save ({}). Ask again when it does."
FAILED = "Something went wrong here; it was noted. Your conversation is kept. Ask again, or ask differently."
PROFILE_NOTES = {
    starters.ANSWER: "Ask about ML infrastructure. Every sentence is cited and opens its source at the quoted words.",
    starters.READING: "Say what you prepare for and how much time you have; you get a cited list in a sensible order.",
    starters.BROWSE: "See what is on the shelf, what could not be read, and what you can do about it.",
}

log = logging.getLogger("prepshelf.chat")


@dataclass(frozen=True)
class Face:
    """Answers what people do in the chat."""

    desk: Desk[Engine]
    memory: Memory
    records: Records

    def register(self) -> None:
        """Tell Chainlit which handler is for what."""
        cl.data_layer(lambda: self.memory)
        cl.set_chat_profiles(self.profiles)
        cl.on_chat_start(self.begin)
        cl.on_chat_resume(self.resume)
        cl.on_message(self.message)
        cl.on_settings_update(self.settings_changed)

    # --- sessions ---------------------------------------------------------------------------------

    async def profiles(self) -> list[cl.ChatProfile]:
        """Return the three profiles, each with its starters."""
        made = []
        for name in starters.PROFILES:
            pairs: Sequence[tuple[str, str]] = ()
            with suppress(AnswerError):  # without a shelf there is nothing to begin with; `begin` says why
                pairs = await asyncio.to_thread((await self.desk.assistant()).starters, name)
            chosen = [cl.Starter(label=label, message=message) for label, message in pairs]
            made.append(
                cl.ChatProfile(
                    name=name,
                    markdown_description=PROFILE_NOTES[name],
                    default=name == starters.ANSWER,
                    starters=chosen,
                )
            )
        return made

    async def begin(self) -> None:
        """Open a conversation."""
        cl.user_session.set("history", [])
        try:
            await self._offer_settings({})
        except AnswerError as error:
            await _say(str(error), error=True)

    async def resume(self, thread: ThreadDict) -> None:
        """Take up a conversation where it was left; what was said is read from it, not from a session that is gone."""
        said = [
            [("user" if step["type"] == "user_message" else "assistant"), step["output"]]
            for step in thread["steps"]
            if step["type"] in {"user_message", "assistant_message"} and not step.get("isError")
        ]
        cl.user_session.set("history", said[-REMEMBERED:])
        metadata = thread.get("metadata") or {}
        cl.user_session.set("within", metadata.get("within", ""))
        with suppress(AnswerError):  # what was said can be read without a shelf
            await self._offer_settings(metadata.get("chat_settings") or {})

    async def settings_changed(self, _settings: Mapping[str, Any]) -> None:
        """Keep what was set with the conversation."""
        if cl.context.session.has_first_interaction:
            settings = cl.context.session.chat_settings
            await self.memory.update_thread(cl.context.session.thread_id, metadata={"chat_settings": settings})

    async def _offer_settings(self, before: Mapping[str, Any]) -> None:
        engine = await self.desk.assistant()
        choices = await asyncio.to_thread(engine.choices)
        form = _form(choices, understood(before, choices))
        await cl.ChatSettings(form).send()

    # --- messages ---------------------------------------------------------------------------------

    async def message(self, message: cl.Message) -> None:
        """Answer a message as its profile does."""
        with self.desk.attending():
            try:
                await self._keep_question(message)
                await self._respond(message.content)
            except (AnswerError, ServerError, ShelfError, IngestError) as error:
                await _say(str(error), error=True)
            except asyncio.CancelledError:
                raise
            except Exception:
                figures.FAILURES.inc()
                log.exception("a question failed", extra={"question": message.content})
                await _say(FAILED, error=True)
            if trouble := self.memory.database.trouble:
                await cl.context.emitter.send_toast(NOT_SAVED.format(trouble), "warning")

    async def _respond(self, text: str) -> None:
        if self.memory.database.overfull:
            raise ServerError(NOT_KEPT.format(self.memory.database.trouble))
        profile = cl.context.session.chat_profile or starters.ANSWER
        if profile == starters.READING or text.startswith(cards.READING_FOR):
            await self._read(text.removeprefix(cards.READING_FOR))
        elif profile == starters.BROWSE and not self._asks_within(text):
            await self._browse(text)
        else:
            await self._answer(text)

    async def _keep_question(self, message: cl.Message) -> None:
        """Save the question under its owner before anything is shown for it."""
        user = cl.context.session.user
        if user and not cl.user_session.get("begun"):
            name = None if cl.context.session.thread_id_to_resume else message.content
            await self.memory.update_thread(cl.context.session.thread_id, name=name, user_id=user.id)
            cl.user_session.set("begun", True)
        await self.memory.keep_step(message.to_dict())

    async def _answer(self, question: str) -> None:
        history = [Turn(role, content) for role, content in cl.user_session.get("history", [])]
        reply = Reply(self.memory, self.records, "answer", question)
        said = Answer(question, "extractive", (), ())
        async with Seating(self.desk, "Searching the shelf") as (seat, step):
            engine = seat.assistant
            wishes = await self._wishes(engine)
            versions = await asyncio.to_thread(lambda: engine.versions)
            body: dict[str, Any] = {}
            work = self.desk.run(seat, lambda engine: engine.ask(question, history, wishes))
            try:
                async for event in work:
                    if isinstance(event, Status):
                        await show_doing(event.text, step)
                    elif isinstance(event, Stage):
                        await show_stage(event, step)
                    elif isinstance(event, FollowUps):
                        await reply.finish(cards.answer(said, event.questions), body)
                    elif isinstance(event, Done):
                        said = event.answer
                        body = cards.answer_record(said, engine.sources, versions)
                        await reply.finish(cards.answer(said), body)
                        step.name = summary(said)
                    else:
                        said = so_far(said, event)
                        body = cards.answer_record(said, engine.sources, versions)
                        await reply.grow(cards.said_so_far(said), body)
            except (Exception, asyncio.CancelledError):
                if reply.shown:  # what was shown stays, with its sources
                    await reply.finish(cards.answer(said), body)
                raise
        count(said, starters.ANSWER)
        self._remember(question, said.text)

    async def _read(self, request: str) -> None:
        reply = Reply(self.memory, self.records, "reading", request)
        async with Seating(self.desk, "Choosing what to read") as (seat, step):
            engine = seat.assistant
            wishes = await self._wishes(engine)
            made: ReadingList | None = None
            async for event in self.desk.run(seat, lambda engine: engine.read(request, wishes)):
                made = event
            assert made is not None
            step.name = f"Chose {len(made.items)} resources"
        figures.QUESTIONS.labels(starters.READING, "list").inc()
        user = cl.context.session.user
        read = await self.records.reads(user.id) if user else frozenset()
        versions = await asyncio.to_thread(lambda: engine.versions)
        await reply.finish(cards.reading(made, read), cards.reading_record(made, versions))
        self._remember(request, f"A reading list of {len(made.items)} resources.")

    async def _wishes(self, engine: Engine) -> Wishes:
        choices = await asyncio.to_thread(engine.choices)
        return understood(cl.context.session.chat_settings, choices, within=cl.user_session.get("within") or "")

    def _asks_within(self, text: str) -> bool:
        """Return whether a message in the Browse profile is a question to the one resource that was chosen."""
        return bool(cl.user_session.get("within")) and not text.startswith(
            (browse.EVERYTHING, browse.FIXES, browse.TOPIC, browse.WITHIN, browse.LEAVE)
        )

    async def _browse(self, request: str) -> None:
        engine = await self.desk.assistant()
        if request.startswith((browse.WITHIN, browse.LEAVE)):
            resource = request.removeprefix(browse.WITHIN) if request.startswith(browse.WITHIN) else ""
            await self._set_within(resource, engine)
            return
        figures.QUESTIONS.labels(starters.BROWSE, "ledger").inc()
        entries = await asyncio.to_thread(engine.entries)
        await _say(browse.respond(request, entries))

    async def _set_within(self, resource: str, engine: Engine) -> None:
        known = next((source for source in engine.sources.values() if source.resource == resource), None)
        cl.user_session.set("within", resource if known else "")
        metadata = {"within": resource if known else ""}
        await self.memory.update_thread(cl.context.session.thread_id, metadata=metadata)
        if known:
            name = cards.shown(known.resource_title)
            await _say(f"Ask away: I answer from **{name}** alone now. {cards.ask(browse.LEAVE)} leaves it.")
        else:
            await _say(f"I answer from the whole shelf. {cards.ask(browse.EVERYTHING)}")

    def _remember(self, question: str, said: str) -> None:
        history = [*cl.user_session.get("history", []), ["user", question], ["assistant", said]]
        cl.user_session.set("history", history[-REMEMBERED:])


async def _say(text: str, *, error: bool = False) -> None:
    await (cl.ErrorMessage(content=text) if error else cl.Message(content=text)).send()


def _form(choices: Choices, wishes: Wishes) -> list[InputWidget]:
    """Return the form that settings are made with, set to some wishes."""
    form: list[InputWidget] = []
    if choices.topics:
        form.append(
            MultiSelect(
                id="topics", label="Topics (none: all)", values=list(choices.topics), initial=list(wishes.topics)
            )
        )
    if choices.kinds:
        form.append(
            MultiSelect(id="kinds", label="Sources (none: all)", values=list(choices.kinds), initial=list(wishes.kinds))
        )
    form.append(
        Select(id="length", label="Answer length", values=list(LENGTHS), initial_index=LENGTHS.index(wishes.length))
    )
    form.append(Slider(id="passages", label="Passages to read", initial=wishes.passages, min=FEWEST, max=MOST, step=2))
    if choices.model:
        answering = [choices.model, EXTRACTIVE]
        form.append(Select(id="answering", label="Answered by", values=answering, initial_index=int(wishes.extractive)))
    return form
