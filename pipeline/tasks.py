"""Tasks beside an actor's own: their failures are told, and they are ended without losing one's own
cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

import anyio

from vivavoce.pipeline.log import Logger

T = TypeVar("T")


def in_background(work: Coroutine[Any, Any, T], what: str, log: Logger) -> asyncio.Task[T]:
    """Begin ``work`` as a task of its own, whose failure is one line of the log at once.

    Keep the task: asyncio itself does not, and one that nobody keeps may vanish before its end.

    Args:
        work: what is to be done.
        what: names it in the log: "``what`` failed".
        log: of who begins it.
    """
    task = asyncio.create_task(work, name=what)
    task.add_done_callback(partial(_tell_failure, log))
    return task


def _tell_failure(log: Logger, task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (failure := task.exception()) is not None:
        log.error(f"{task.get_name()} failed", error=f"{type(failure).__name__}: {failure}")


def is_cancelled() -> bool:
    """Whether somebody wants the current task to end.

    Else a ``CancelledError`` that it meets comes from something that it awaited, and was cancelled
    for itself: that is a failure like any other.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def stray(error: asyncio.CancelledError) -> RuntimeError:
    """What such a failure is, told so that no task group takes it for its own end."""
    failure = RuntimeError("something that was awaited had been cancelled")
    failure.__cause__ = error
    return failure


async def end_tasks(*tasks: asyncio.Future[Any]) -> None:
    """Cancel ``tasks`` and return when each has come to its end, however long it resists.

    What they end with is left to who wants it. Whoever is cancelled while this waits hears of it
    when they have ended, and nothing goes on with nobody to see to it.

    Raises:
        asyncio.CancelledError: this task was cancelled meanwhile.
    """
    cancelled: asyncio.CancelledError | None = None
    for task in tasks:
        task.cancel()
    # Shielded, or a cancelled scope would cancel this wait again and again, as fast as it can.
    with anyio.CancelScope(shield=True):
        while left := [task for task in tasks if not task.done()]:
            try:
                await asyncio.wait(left)
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        raise cancelled
