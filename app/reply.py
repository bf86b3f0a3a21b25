"""Reply: the message of an answer as it grows. Each part is saved before it is shown: what was seen is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import chainlit as cl

from app import cards
from app.answer import Answer, Notice, Said, Shown
from app.database import now
from app.memory import Memory
from app.records import Kind, Record, Records

PACE = 0.015  # seconds between pieces of what is known at once: quick, yet seen to arrive


class Reply:
    """One message, saved and shown part by part."""

    def __init__(self, memory: Memory, records: Records, kind: Kind, question: str) -> None:
        self._memory = memory
        self._records = records
        self._kind = kind
        self._question = question
        self._message = cl.Message(content="", created_at=now())

    @property
    def shown(self) -> str:
        """Return what stands in the message."""
        return str(self._message.content)

    async def grow(self, text: str, body: Mapping[str, Any]) -> None:
        """Show a text that begins with what is shown; `body` is what stands behind it."""
        await self._keep(text, body)
        for piece in cards.pieces(text[len(self.shown) :]):
            await self._message.stream_token(piece)
            await asyncio.sleep(PACE)

    async def finish(self, text: str, body: Mapping[str, Any]) -> None:
        """Show the whole text, in the place of what is shown."""
        await self._keep(text, body)
        self._message.content = text
        await self._message.send()

    async def _keep(self, text: str, body: Mapping[str, Any]) -> None:
        message, user = self._message, cl.context.session.user
        await self._memory.keep_step({**message.to_dict(), "output": text, "streaming": False})
        if user:
            run = message.parent_id or ""
            await self._records.keep(
                Record(message.id, run, message.thread_id, user.id, self._kind, self._question, body)
            )


def so_far(said: Answer, event: Said | Shown | Notice) -> Answer:
    """Return an answer with what was said next."""
    if isinstance(event, Notice):
        return replace(said, notice=event.text, notice_at=len(said.sentences))
    if isinstance(event, Shown):
        new = [event.citation] if event.citation not in said.citations else []
        return replace(said, sections=(*said.sections, event.section), citations=(*said.citations, *new))
    sentences, citations = (*said.sentences, event.sentence), (*said.citations, *event.citations)
    return replace(said, sentences=sentences, citations=citations)
