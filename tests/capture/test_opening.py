"""The thread of the microphone's blocking calls outlives whoever waited for one."""

import asyncio
import sys
import threading

import pytest
from support.fake_portaudio import FakePortAudio

from vivavoce.actors.capture.opening import Opener, Worker


async def test_a_cancelled_call_that_waits_its_turn_ends_nothing() -> None:
    worker, may_go_on = Worker(), threading.Event()
    first = worker.run(lambda: may_go_on.wait(10))
    cancelled = worker.run(lambda: "nobody wants it")
    cancelled.cancel()
    may_go_on.set()
    assert await first
    async with asyncio.timeout(10):
        assert await worker.run(lambda: "still there") == "still there"
        assert await worker.idle()


async def test_a_call_that_is_cancelled_while_it_is_made_ends_nothing() -> None:
    worker, begun, may_go_on = Worker(), threading.Event(), threading.Event()

    def hanging() -> None:
        begun.set()
        assert may_go_on.wait(10)

    calling = worker.run(hanging)
    await asyncio.to_thread(begun.wait, 10)
    calling.cancel()
    after = worker.run(lambda: "still there")
    may_go_on.set()
    async with asyncio.timeout(10):
        assert await after == "still there"


async def test_a_cancelled_call_that_hangs_is_still_being_made() -> None:
    worker, may_go_on = Worker(), threading.Event()
    worker.run(lambda: may_go_on.wait(10)).cancel()
    waiting = asyncio.ensure_future(worker.idle())
    await asyncio.sleep(0)
    assert not waiting.done()
    may_go_on.set()
    async with asyncio.timeout(10):
        assert await waiting


async def test_what_is_lined_up_to_be_closed_is_closed_though_nobody_waits() -> None:
    worker, may_go_on, closed = Worker(), threading.Event(), threading.Event()
    worker.run(lambda: may_go_on.wait(10))
    worker.run(closed.set).cancel()
    may_go_on.set()
    async with asyncio.timeout(10):
        assert await worker.idle()
    assert closed.is_set()


@pytest.mark.parametrize("begun", [False, True])
async def test_a_microphone_that_nobody_waits_for_any_more_is_closed(
    monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    device = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    opener = Opener(lambda: None, lambda: 0.0)
    worker, busy, may_go_on = Worker(), threading.Event(), threading.Event()
    if begun:
        device.may_open.clear()
    else:
        worker.run(lambda: may_go_on.wait(10))
    opening = worker.run(lambda: busy.set() or opener.first(None, 32, 1))
    if begun:
        await asyncio.to_thread(busy.wait, 10)
    opening.cancel()
    device.may_open.set()
    may_go_on.set()
    async with asyncio.timeout(10):
        assert await worker.idle()
    assert device.open_streams == []
    assert len(device.streams) == device.closed == 1


async def test_a_call_that_ends_its_thread_is_told_to_who_waits() -> None:
    worker = Worker()

    def ends() -> None:
        raise SystemExit(3)

    # A SystemExit in a task would end the loop: it is looked at, not awaited.
    calling = worker.run(ends)
    await asyncio.wait([calling])
    assert isinstance(calling.exception(), SystemExit)
    assert await worker.run(lambda: "still there") == "still there"
