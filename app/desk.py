"""Desk: where questions queue, and the one shelf that they are answered from.

It opens the assistant once for all sessions, notices a newly published shelf and changes to it between questions, lets
one question a person and a few in all run at a time, and gives up on one that takes too long.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from app import AnswerError, figures

LOOK = 2  # seconds between looks for a new shelf
OPENING = 2.0  # seconds that are waited for one
PARTING = 0.5  # seconds that Chainlit has for its own last words, that an answer is over

log = logging.getLogger("prepshelf.desk")


class Answering(Protocol):
    """What the desk needs to know of an assistant."""

    @property
    def version(self) -> str:
        """The version of the shelf that it answers from."""


A = TypeVar("A", bound=Answering)
Opened = TypeVar("Opened", bound=Answering, covariant=True)
T = TypeVar("T")


class Opener(Protocol[Opened]):
    """Opens assistants, at first and again; `newest` is cheap."""

    def open(self) -> Opened:
        """Return an assistant over the shelf that serves."""

    def newest(self) -> str:
        """Return the version of the shelf that serves."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is done at once."""

    running: int = 2  # questions
    waiting: int = 32  # questions, of all people
    waiting_of_one: int = 2  # questions, of one person
    deadline: float = 120  # seconds, from leaving the queue to the last word


class Busy(AnswerError):
    """A question that is refused for now: the message says why, and that it can be asked again."""


class Late(AnswerError):
    """A question that took too long."""


@dataclass(slots=True)
class Seat(Generic[A]):
    """A question's place: the assistant that it began with stays its own to the end."""

    assistant: A
    deadline: float  # by time.monotonic
    user: str
    turn: asyncio.Lock  # of the person who asks
    work: asyncio.Future[None] | None = None


class Desk(Generic[A]):
    """Takes questions, a few at a time."""

    def __init__(self, opener: Opener[A], limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.draining = False
        self.trouble = "the shelf is being opened"
        self._opener = opener
        self.current: A | None = None
        self._passed_over = ""  # a shelf that is damaged, in whose place another was opened
        self._opened = asyncio.Event()
        self._slots = asyncio.Semaphore(self.limits.running)
        self._pool = ThreadPoolExecutor(self.limits.running, thread_name_prefix="question")
        self._turns: dict[str, asyncio.Lock] = {}
        self._present: Counter[str] = Counter()
        self._attended = 0
        self.running = 0

    # --- the shelf --------------------------------------------------------------------------------

    async def look(self) -> None:
        """Open the newest shelf, where another one than that is open; what is wrong with it is told in `trouble`."""
        try:
            newest = await asyncio.to_thread(self._opener.newest)
            if self.current is None or newest not in {self.current.version, self._passed_over}:
                self.current = await asyncio.to_thread(self._opener.open)
                self._passed_over = newest if newest != self.current.version else ""
                log.info("answering from shelf %s", self.current.version)
            self.trouble = ""
            self._opened.set()
        except Exception as error:  # whatever is wrong with the new one, the old one serves on
            if str(error) != self.trouble:
                log.error("the shelf cannot be opened: %s", error)
            self.trouble = str(error)

    async def watch(self) -> None:
        """Change to each new shelf as it is published; runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def assistant(self) -> A:
        """Return the assistant over the newest shelf, waiting a moment for one.

        Raises Busy where there is none.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._opened.wait(), min(OPENING, self.limits.deadline))
        if self.current is None:
            raise Busy(f"There is no shelf to answer from: {self.trouble}")
        return self.current

    # --- questions --------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Return how many questions wait."""
        return self._present.total() - self.running

    def ahead(self, user: str) -> int:
        """Return how many questions a new one would wait for."""
        return max(0, self._present.total() - self.limits.running + 1) or min(1, self._present[user])

    @asynccontextmanager
    async def seat(self, user: str) -> AsyncIterator[Seat[A]]:
        """Wait for a person's turn and for a free place, and give them a seat.

        Raises Busy where too many wait already.
        """
        self._admit(user)
        self._present[user] += 1
        figures.WAITING.set(self.waiting)
        turn = self._turns.setdefault(user, asyncio.Lock())
        try:
            await turn.acquire()
            try:
                seat = await self._sit(user, turn)
            except BaseException:
                turn.release()
                raise
        except BaseException:
            self._gone(user, turn)
            raise
        try:
            yield seat
        finally:
            if seat.work is None:  # else the work frees it as it ends
                self._free(seat)

    async def _sit(self, user: str, turn: asyncio.Lock) -> Seat[A]:
        assistant = await self.assistant()
        await self._slots.acquire()
        self.running += 1
        figures.RUNNING.set(self.running)
        figures.WAITING.set(max(0, self.waiting))
        return Seat(assistant, time.monotonic() + self.limits.deadline, user, turn)

    def _admit(self, user: str) -> None:
        if self.draining:
            figures.REFUSED.labels("draining").inc()
            raise Busy("The server is about to restart. Ask again in a minute; your conversation is kept.")
        if self._present[user] > self.limits.waiting_of_one:
            figures.REFUSED.labels("own queue").inc()
            raise Busy("You have several questions waiting already. Ask again when one of them is answered.")
        ahead = self._present.total() - self.limits.running
        if ahead >= self.limits.waiting:
            figures.REFUSED.labels("queue").inc()
            raise Busy(f"The server is busy: {ahead} questions are waiting. Ask again in a moment.")

    def _free(self, seat: Seat[A]) -> None:
        self.running -= 1
        figures.RUNNING.set(self.running)
        self._slots.release()
        seat.turn.release()
        self._gone(seat.user, seat.turn)

    def _gone(self, user: str, turn: asyncio.Lock) -> None:
        self._present[user] -= 1
        if not self._present[user]:
            del self._present[user]
            if not turn.locked():
                self._turns.pop(user, None)
        figures.WAITING.set(max(0, self.waiting))

    async def run(self, seat: Seat[A], work: Callable[[A], Iterator[T]]) -> AsyncIterator[T]:
        """Yield what a seat's one piece of work yields, off the event loop.

        The seat is free when the work ends, though what it made is still being shown; work that would not stop keeps
        it until it does. Raises Late where it has not ended by the seat's deadline, and whatever the work raises.
        """
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[T | None] = asyncio.Queue()
        abandoned = threading.Event()

        def produce() -> None:
            try:
                for item in work(seat.assistant):
                    if abandoned.is_set():
                        return  # a generator is closed by that, which stops a language model
                    loop.call_soon_threadsafe(made.put_nowait, item)
            finally:
                loop.call_soon_threadsafe(made.put_nowait, None)

        seat.work = loop.run_in_executor(self._pool, produce)
        seat.work.add_done_callback(lambda _: self._free(seat))
        try:
            while True:
                try:
                    left = seat.deadline - time.monotonic()
                    item = made.get_nowait() if made.qsize() else await asyncio.wait_for(made.get(), max(0.0, left))
                except TimeoutError:
                    figures.REFUSED.labels("deadline").inc()
                    raise Late(
                        f"This took longer than {self.limits.deadline:.0f} seconds, so it was given up. "
                        "Ask again, or ask something narrower."
                    ) from None
                if item is None:
                    break
                yield item
            await seat.work  # raises what the work raised
        finally:
            abandoned.set()

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Count somebody in who is being answered, from their question to the last word shown."""
        self._attended += 1
        try:
            yield
        finally:
            self._attended -= 1

    async def drain(self, patience: float) -> None:
        """Take no more questions, and wait until who is attended to has their answer, `patience` seconds at most."""
        self.draining = True
        until = time.monotonic() + patience
        while self._attended and time.monotonic() < until:
            await asyncio.sleep(0.1)
        await asyncio.sleep(PARTING)
