"""Work that is given up when something is over, and whoever waits for it being cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from vivavoce.actors.transcription.follower import unless
from vivavoce.pipeline.clock import run_virtual


class Work:
    """Ends after ``takes_s`` seconds, and behaves at a cancellation as the test says.

    Attributes:
        began, ended: whether it has.
    """

    def __init__(
        self, takes_s: float = 10.0, *, cleans_up_s: float = 0.0, raises: Exception | None = None
    ) -> None:
        self._takes_s = takes_s
        self._cleans_up_s = cleans_up_s
        self._raises = raises
        self.began = self.ended = False

    async def do(self) -> str:
        self.began = True
        try:
            await asyncio.sleep(self._takes_s)
        except asyncio.CancelledError:
            await self._clean_up()
            if self._raises is not None:
                raise self._raises from None
            raise
        finally:
            self.ended = True
        return "done"

    async def _clean_up(self) -> None:
        end = asyncio.get_running_loop().time() + self._cleans_up_s
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                continue  # it resists


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        run_virtual(test)

    run.__name__ = test.__name__
    return run


@virtual
async def test_it_is_the_result() -> None:
    assert await unless(asyncio.Event(), Work(1).do()) == "done"
    assert len(asyncio.all_tasks()) == 1


@virtual
async def test_what_is_over_ends_the_work() -> None:
    over, work = asyncio.Event(), Work(cleans_up_s=2)
    asyncio.get_running_loop().call_later(1, over.set)
    assert await unless(over, work.do()) is None
    assert work.ended
    assert asyncio.get_running_loop().time() == pytest.approx(3)


@virtual
async def test_a_failure_of_the_work_is_raised() -> None:
    async def fails() -> None:
        raise ValueError("the engine")

    with pytest.raises(ValueError, match="the engine"):
        await unless(asyncio.Event(), fails())


@virtual
async def test_a_failure_while_it_is_given_up_is_raised() -> None:
    over, work = asyncio.Event(), Work(raises=ValueError("the engine"))
    asyncio.get_running_loop().call_later(1, over.set)
    with pytest.raises(ValueError, match="the engine"):
        await unless(over, work.do())


@virtual
async def test_who_is_cancelled_hears_of_it() -> None:
    work = Work(cleans_up_s=1)
    waiting = asyncio.create_task(unless(asyncio.Event(), work.do()))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert work.ended
    assert len(asyncio.all_tasks()) == 1


@virtual
async def test_who_is_cancelled_in_the_moment_it_is_over_hears_of_it() -> None:
    for overs_first in (True, False):
        over, work = asyncio.Event(), Work()
        waiting = asyncio.create_task(unless(over, work.do()))
        await asyncio.sleep(1)
        for what in (over.set, waiting.cancel) if overs_first else (waiting.cancel, over.set):
            what()
        await asyncio.wait([waiting])
        assert waiting.cancelled(), overs_first
        assert work.ended


@virtual
async def test_who_is_cancelled_while_the_work_is_given_up_hears_of_it() -> None:
    over, work = asyncio.Event(), Work(cleans_up_s=4)
    waiting = asyncio.create_task(unless(over, work.do()))
    await asyncio.sleep(1)
    over.set()
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert work.ended, "it would go on with nobody to see to it"
    assert len(asyncio.all_tasks()) == 1


@virtual
async def test_a_failure_of_the_work_does_not_hide_the_cancellation() -> None:
    work = Work(cleans_up_s=1, raises=ValueError("the engine"))
    waiting = asyncio.create_task(unless(asyncio.Event(), work.do()))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert work.ended


@virtual
async def test_a_cancelled_scope_ends_it_however_long_the_work_resists() -> None:
    over, work = asyncio.Event(), Work(cleans_up_s=3)
    went_on = False
    with anyio.move_on_after(1) as scope:
        await unless(over, work.do())
        await asyncio.sleep(0)
        went_on = True
    assert scope.cancelled_caught
    assert not went_on
    assert work.ended
    assert asyncio.get_running_loop().time() == pytest.approx(4)


@virtual
async def test_a_time_limit_around_it_is_a_time_limit() -> None:
    over, work = asyncio.Event(), Work(cleans_up_s=3)
    asyncio.get_running_loop().call_later(1, over.set)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await unless(over, work.do())
    assert work.ended
