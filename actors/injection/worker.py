"""One thread for calls that may block, and that may hang."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Worker:
    """Does one call after the other, in a daemon thread that starts with the first.

    The threads of the event loop are few and shared, and a program waits for them when it ends: a
    window system that hangs must not take them.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def do(self, function: Callable[[Unpack[Arguments]], T], *arguments: *Arguments) -> T:
        """Call ``function`` in the thread; who no longer waits for it does not stop it.

        Raises:
            Exception: what it raised.
            RuntimeError: it raised what would end a program, such as SystemExit.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def call() -> None:
            result: Any = None
            failure: Exception | None = None
            try:
                result = function(*arguments)
            except Exception as error:  # noqa: BLE001 - it belongs to who waits
                failure = error
            except BaseException as error:  # noqa: BLE001 - or later calls would wait for ever
                failure = RuntimeError(f"{type(error).__name__}: {error}")
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_settle, answer, result, failure)

        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True, name="injection")
            self._thread.start()
        self._calls.put(call)
        return await answer

    def close(self) -> None:
        """End the thread, behind the calls that wait; the next call starts another."""
        if self._thread is not None:
            self._thread = None
            calls, self._calls = self._calls, SimpleQueue()
            calls.put(None)

    def _run(self) -> None:
        calls = self._calls
        while (call := calls.get()) is not None:
            call()


def _settle(answer: asyncio.Future[Any], result: Any, failure: Exception | None) -> None:
    if answer.done():
        return
    if failure is None:
        answer.set_result(result)
    else:
        answer.set_exception(failure)
