"""A private X server that can be killed, and what a hotkey listener told."""

from __future__ import annotations

import asyncio
import os
import shutil
from importlib.util import find_spec

from support.waiting import PATIENCE_S, moment
from support.xvfb import start_xvfb
from vivavoce.actors.trigger.keys import KeyEvent, KeyEventKind

_TOOLS = ("Xvfb", "xdotool")


def missing() -> str | None:
    """What keeps hotkeys from being tested here, if anything does."""
    tools = [tool for tool in _TOOLS if shutil.which(tool) is None]
    tools += [name for name in ("pynput", "Xlib") if find_spec(name) is None]
    return f"not installed: {', '.join(tools)}" if tools else None


class Keyboard:
    """An X server, and the fingers of a user on its keyboard."""

    def __init__(self) -> None:
        self._server, self.display = start_xvfb()

    async def xdotool(self, *arguments: str) -> None:
        """What the user's fingers do."""
        environ = {**os.environ, "DISPLAY": self.display}
        done = await asyncio.create_subprocess_exec("xdotool", *arguments, env=environ)
        assert await done.wait() == 0

    def kill(self) -> None:
        """The server is gone."""
        self._server.kill()
        self._server.wait()


class Told:
    """Collects what a listener tells."""

    def __init__(self) -> None:
        self.events: list[KeyEvent] = []
        self._came = asyncio.Event()

    def __call__(self, event: KeyEvent) -> None:
        self.events.append(event)
        self._came.set()

    @property
    def kinds(self) -> list[KeyEventKind]:
        """What happened, in order; without modifiers and other keys."""
        others = (KeyEventKind.MODIFIER_DOWN, KeyEventKind.MODIFIER_UP, KeyEventKind.TYPED)
        return [event.kind for event in self.events if event.kind not in others]

    async def wait_for(self, count: int) -> list[KeyEventKind]:
        """Return :attr:`kinds` when there are ``count`` of them, and no more come."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.kinds) < count:
                self._came.clear()
                await self._came.wait()
        await moment()
        return self.kinds
