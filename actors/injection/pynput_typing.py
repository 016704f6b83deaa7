"""Types with pynput: macOS and Windows."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from vivavoce.actors.injection.back_end import DONE, Manner, Report, Result
from vivavoce.actors.injection.worker import Worker
from vivavoce.config.injection import InjectionSettings

_NAMES = {"super": "cmd", "escape": "esc"}
_SIDES = ("", "_r")


class PynputTyping:
    """pynput's keyboard, in a thread: it talks to the window system while it is waited for.

    A thread cannot be stopped: it looks before each key whether it still may go on.

    Args:
        settings: none of its own.
    """

    name = "pynput"
    piece = 100
    pace = 200.0
    has_keys = True

    def __init__(self, settings: InjectionSettings) -> None:
        self._controller: Any = None
        self._worker = Worker()

    async def available(self) -> str | None:
        """Whether pynput is installed and finds a keyboard."""
        if importlib.util.find_spec("pynput") is None:
            return "pynput is not installed: pip install 'vivavoce[dictation]'"
        return await self._worker.do(self._open)

    async def type(self, text: str, manner: Manner) -> Report:
        """Type ``text`` key by key."""
        return await self._in_thread([partial(self._tap, character) for character in text], manner)

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        """Press a combination of keys."""
        return await self._in_thread([lambda: self._chord(keys)] * times, manner)

    async def let_go(self, held: frozenset[str]) -> str:
        """See :class:`~vivavoce.actors.injection.back_end.LetsGo`."""
        sides = [f"{_NAMES.get(name, name)}{side}" for name in sorted(held) for side in _SIDES]
        report = await self._in_thread([partial(self._let_go, name) for name in sides], Manner())
        return report.reason

    def close(self) -> None:
        """Let go of the window system."""
        self._controller = None
        self._worker.close()

    # -- in the thread

    def _open(self) -> str | None:
        try:
            from pynput.keyboard import Controller

            self._controller = self._controller or Controller()
        except Exception as error:  # noqa: BLE001 - each system has its own; it is the reason
            return f"pynput finds no keyboard: {error}".splitlines()[0]
        return None

    def _tap(self, character: str) -> None:
        from pynput.keyboard import Key

        self._controller.tap(
            {"\n": Key.enter, "\t": Key.tab, " ": Key.space}.get(character, character)
        )

    def _chord(self, keys: str) -> None:
        from pynput.keyboard import Key

        *held, last = (
            getattr(Key, _NAMES.get(part, part), part) for part in keys.lower().split("+")
        )
        with self._controller.pressed(*held):
            self._controller.tap(last)

    def _let_go(self, name: str) -> None:
        from pynput.keyboard import Key

        self._controller.release(getattr(Key, name))

    async def _in_thread(self, steps: list[Callable[[], None]], manner: Manner) -> Report:
        if self._controller is None and (why := await self.available()) is not None:
            return Report(Result.NOTHING, why)
        stop = threading.Event()
        try:
            async with asyncio.timeout(manner.timeout_s):
                return await self._worker.do(self._do, steps, manner, stop)
        except TimeoutError:
            return Report(Result.UNCERTAIN, "pynput did not end in time and was stopped")
        finally:
            stop.set()

    def _do(self, steps: list[Callable[[], None]], manner: Manner, stop: threading.Event) -> Report:
        for number, step in enumerate(steps):
            if stop.is_set():
                return Report(Result.UNCERTAIN, "pynput was stopped")
            try:
                step()
            except Exception as error:  # noqa: BLE001 - as above
                result = Result.UNCERTAIN if number else Result.NOTHING
                return Report(result, f"pynput: {error}".splitlines()[0])
            stop.wait(1 / manner.characters_per_s)
        return DONE
