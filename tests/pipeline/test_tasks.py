"""Tasks beside an actor's own: what is told of them, and how they end."""

from __future__ import annotations

import asyncio
import io

import pytest

from vivavoce.config.schema import LogSettings
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.log import LogSink, get_logger, use_sink
from vivavoce.pipeline.tasks import end_tasks, in_background

log = get_logger("pipeline")


@pytest.fixture
def logged() -> io.StringIO:
    stream = io.StringIO()
    use_sink(LogSink(LogSettings, stream))
    return stream


async def fails_after(seconds: float) -> None:
    await asyncio.sleep(seconds)
    raise ValueError("no more paper")


def test_a_failure_is_told_at_once_and_once(logged: io.StringIO) -> None:
    async def main() -> None:
        task = in_background(fails_after(1), "printing", log)
        await asyncio.sleep(1.1)
        assert task.done()
        (line,) = logged.getvalue().splitlines()
        assert line == (
            "vivavoce: error: pipeline: printing failed (error='ValueError: no more paper')"
        )

    run_virtual(main)


def test_neither_an_end_nor_a_cancellation_is_a_failure(logged: io.StringIO) -> None:
    async def main() -> None:
        assert await in_background(asyncio.sleep(1, "done"), "waiting", log) == "done"
        task = in_background(asyncio.sleep(1), "waiting", log)
        await asyncio.sleep(0)
        await end_tasks(task)
        assert task.cancelled()
        await asyncio.sleep(0)
        assert logged.getvalue() == ""

    run_virtual(main)


def test_all_tasks_are_ended_and_their_failures_are_left_to_others() -> None:
    async def main() -> None:
        tasks = [asyncio.create_task(fails_after(0)), asyncio.create_task(asyncio.sleep(9))]
        await asyncio.sleep(0.1)
        await end_tasks(*tasks)
        assert isinstance(tasks[0].exception(), ValueError)
        assert tasks[1].cancelled()
        await end_tasks(*tasks)
        await end_tasks()

    run_virtual(main)


def test_a_cancellation_while_they_end_is_heard_of_when_they_have() -> None:
    async def lingers() -> None:
        try:
            await asyncio.sleep(9)
        finally:
            await asyncio.sleep(2)

    async def main() -> None:
        task = asyncio.create_task(lingers())
        await asyncio.sleep(0)
        ending = asyncio.create_task(end_tasks(task))
        await asyncio.sleep(1)
        ending.cancel()
        await asyncio.wait([ending])
        assert ending.cancelled()
        assert task.cancelled()
        assert asyncio.get_running_loop().time() == 2

    run_virtual(main)
