"""Waiting for what another process or thread does, and time that a test moves on by hand.

No test asserts how long something took: a machine may be busy. Where the product has an event, wait
for that; where nothing but time passes, let it be virtual (`run_virtual`, or the mark `virtual` on
a test that is a coroutine). These are for the rest.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
"""After that it will never come; only a failing test waits so long."""
_LOOK_S = 0.01
_MOMENT_S = 0.05


def wait_until(condition: Callable[[], object], complaint: str | Callable[[], str]) -> None:
    """Return when ``condition()`` is true; another process or thread makes it so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, complaint() if callable(complaint) else complaint
        time.sleep(_LOOK_S)


async def until(condition: Callable[[], object], complaint: str | Callable[[], str]) -> None:
    """As :func:`wait_until`, while the event loop runs; its time may be any."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, complaint() if callable(complaint) else complaint
        await asyncio.to_thread(time.sleep, _LOOK_S)  # the loop's seconds may be others


def a_moment(seconds: float = _MOMENT_S) -> None:
    """For what should not come, to come: a test passes all the same where it comes too late."""
    time.sleep(seconds)


async def moment(seconds: float = _MOMENT_S) -> None:
    """As :func:`a_moment`, while the event loop runs."""
    await asyncio.to_thread(time.sleep, seconds)


class AdvancingLoop(asyncio.SelectorEventLoop):
    """A loop with real pipes and processes, whose time a test may move on.

    So a limit of a minute is over when the test says so, however slow the machine is until then.
    """

    def __init__(self) -> None:
        self._ahead = 0.0
        super().__init__()

    def time(self) -> float:
        return super().time() + self._ahead

    def advance(self, seconds: float) -> None:
        """All timers of the next ``seconds`` are due now."""
        self._ahead += seconds

    @property
    def timers(self) -> int:
        """How many timers run."""
        return sum(not timer.cancelled() for timer in self._scheduled)


class PatientLoop(AdvancingLoop):
    """A loop whose seconds last ten: what a desktop is given time for, it has on a busy machine."""

    def time(self) -> float:
        return asyncio.SelectorEventLoop.time(self) / 10 + self._ahead


async def given_up(waiting: Awaitable[T]) -> T:
    """The result of what waits for something that never comes: its time limits pass at once."""
    task = asyncio.ensure_future(waiting)
    while not task.done():
        await moment()
        advance(1.0)
    return await task


def advancing() -> AdvancingLoop:
    """The running loop, in any test that is a coroutine and not `virtual`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, AdvancingLoop)
    return loop


def advance(seconds: float) -> None:
    """Move the time of the running loop on."""
    advancing().advance(seconds)
