"""Where questions queue."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field

import pytest

from app.desk import Busy, Desk, Late, Limits


@dataclass
class Engine:
    version: str = "v1"


@dataclass
class Opener:
    """Opens engines of the newest version; raises what it is told to."""

    now: str = "v1"
    error: Exception | None = None
    opened: list[str] = field(default_factory=list)

    def open(self) -> Engine:
        if self.error:
            raise self.error
        self.opened.append(self.now)
        return Engine(self.now)

    def newest(self) -> str:
        return self.now


async def a_desk(**limits: object) -> tuple[Desk[Engine], Opener]:
    opener = Opener()
    desk = Desk(opener, Limits(**{"running": 2, "waiting": 3, "waiting_of_one": 1, "deadline": 5} | limits))
    await desk.look()
    return desk, opener


async def ask(desk: Desk[Engine], user: str, work) -> list[object]:
    async with desk.seat(user) as seat:
        return [item async for item in desk.run(seat, work)]


def waits(gate: threading.Event):
    def work(engine):
        gate.wait(5)
        yield engine.version

    return work


def test_work_is_done_off_the_loop_and_its_error_is_the_askers():
    async def use():
        desk, _ = await a_desk()
        made = await ask(desk, "ann", lambda engine: iter([engine.version, 2]))

        def breaks(engine):
            yield 1
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            await ask(desk, "ann", breaks)
        return made, desk.running

    assert asyncio.run(use()) == (["v1", 2], 0)


def test_one_question_a_person_and_a_few_in_all_run_at_once():
    async def use():
        desk, _ = await a_desk()
        gate = threading.Event()
        tasks = [asyncio.create_task(ask(desk, user, waits(gate))) for user in ("ann", "ann", "bob", "cy")]
        await asyncio.sleep(0.1)
        seen = desk.running, desk.waiting, desk.ahead("dan"), desk.ahead("ann")
        with pytest.raises(Busy, match="several questions waiting"):
            await ask(desk, "ann", waits(gate))
        gate.set()
        await asyncio.gather(*tasks)
        return seen, desk.running, desk.waiting

    assert asyncio.run(use()) == ((2, 2, 3, 3), 0, 0)


def test_beyond_the_queue_the_server_says_that_it_is_busy():
    async def use():
        desk, _ = await a_desk(waiting=1)
        gate = threading.Event()
        tasks = [asyncio.create_task(ask(desk, user, waits(gate))) for user in ("ann", "bob", "cy")]
        await asyncio.sleep(0.1)
        with pytest.raises(Busy, match="1 questions are waiting"):
            await ask(desk, "dan", waits(gate))
        gate.set()
        await asyncio.gather(*tasks)

    asyncio.run(use())


def test_a_question_that_takes_too_long_is_given_up_and_keeps_its_place_until_it_ends():
    async def use():
        desk, _ = await a_desk(deadline=0.2, running=1)
        gate = threading.Event()
        with pytest.raises(Late, match="longer than"):
            await ask(desk, "ann", waits(gate))
        held = desk.running
        gate.set()
        await asyncio.sleep(0.1)
        return held, desk.running, await ask(desk, "ann", lambda engine: iter([engine.version]))

    assert asyncio.run(use()) == (1, 0, ["v1"])


def test_a_cancelled_question_leaves_its_place():
    async def use():
        desk, _ = await a_desk(running=1)
        gate = threading.Event()
        running = asyncio.create_task(ask(desk, "ann", waits(gate)))
        waiting = asyncio.create_task(ask(desk, "bob", waits(gate)))
        await asyncio.sleep(0.1)
        waiting.cancel()
        running.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        gate.set()
        await asyncio.sleep(0.1)
        return desk.running, desk.waiting, await ask(desk, "cy", lambda engine: iter([1]))

    assert asyncio.run(use()) == (0, 0, [1])


def test_a_new_shelf_is_taken_up_and_a_question_keeps_the_one_it_began_with():
    async def use():
        desk, opener = await a_desk()
        gate = threading.Event()
        running = asyncio.create_task(ask(desk, "ann", waits(gate)))
        await asyncio.sleep(0.05)
        opener.now = "v2"
        await desk.look()
        after = await ask(desk, "bob", lambda engine: iter([engine.version]))
        gate.set()
        await desk.look()
        return await running, after, opener.opened

    assert asyncio.run(use()) == (["v1"], ["v2"], ["v1", "v2"])


def test_a_shelf_that_cannot_be_opened_leaves_the_old_one_serving():
    async def use():
        desk, opener = await a_desk()
        opener.now, opener.error = "v2", ValueError("damaged")
        await desk.look()
        told = desk.trouble
        served = await ask(desk, "ann", lambda engine: iter([engine.version]))
        opener.error = None
        await desk.look()
        return told, served, desk.trouble

    assert asyncio.run(use()) == ("damaged", ["v1"], "")


def test_a_draining_desk_takes_no_more_and_waits_for_what_runs():
    async def use():
        desk, _ = await a_desk()
        gate = threading.Event()

        async def attend():
            with desk.attending():
                made = await ask(desk, "ann", waits(gate))
                await asyncio.sleep(0.1)  # shown word by word
                shown.append("all of it")
                return made

        shown = []
        running = asyncio.create_task(attend())
        await asyncio.sleep(0.05)
        threading.Timer(0.3, gate.set).start()
        begun = time.monotonic()
        draining = asyncio.create_task(desk.drain(5))
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="restart"):
            await ask(desk, "bob", waits(gate))
        await draining
        return shown, await running, time.monotonic() - begun < 3

    assert asyncio.run(use()) == (["all of it"], ["v1"], True)


def test_without_a_shelf_a_question_waits_and_then_hears_why():
    async def use():
        opener = Opener(error=ValueError("no shelf; run `prep ingest`"))
        desk = Desk(opener, Limits(deadline=0.2))
        await desk.look()
        with pytest.raises(Busy, match="run `prep ingest`"):
            await ask(desk, "ann", lambda engine: iter([1]))

    asyncio.run(use())
