"""What all hotkey listeners have in common: a thread that hears, a loop that is told."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from vivavoce.actors.trigger.keys import CombinationWatch, KeyEvent, KeyEventKind
from vivavoce.config.errors import VivavoceError

OnEvent: TypeAlias = Callable[[KeyEvent], None]


class HotkeysUnavailable(VivavoceError):  # noqa: N818 - a state of the system, told to the user
    """The keys cannot be heard; the line says why and what to do instead."""


class HotkeyListener(Protocol):
    """Hears the keys of the whole desktop."""

    async def start(self, on_event: OnEvent) -> None:
        """Listen; returns when keys are heard, which may take a few hundred milliseconds.

        Args:
            on_event: called in the event loop. ``LOST`` is the last event, and comes at most once.

        Raises:
            HotkeysUnavailable: they cannot be heard.
        """
        ...

    async def stop(self) -> None:
        """Listen no more; nothing is told after this. Stopping twice is fine."""
        ...


class Ear:
    """Takes keys from the thread of a listener and tells the event loop what they mean.

    Which keys are typed stays in that thread: the loop hears of hotkeys and modifiers, and that
    something was typed. Of many keys in a row it may be told once.

    Args:
        watch: what the keys mean; used in that thread alone.
        on_event: called in the event loop in which this is made.
    """

    def __init__(self, watch: CombinationWatch, on_event: OnEvent) -> None:
        self._watch = watch
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._typed_told = False

    def key(self, name: str, *, is_down: bool) -> None:
        """A key goes down or up now. In the listener's thread."""
        at = time.monotonic()
        self._tell(self._watch.down(name, at) if is_down else self._watch.up(name, at))

    def lost(self, reason: str) -> None:
        """No more keys will come. In the listener's thread."""
        self._tell([KeyEvent(KeyEventKind.LOST, time.monotonic(), reason=reason)])

    def close(self) -> None:
        """Tell nothing any more. In the event loop."""
        self._open = False

    def _tell(self, events: Iterable[KeyEvent]) -> None:
        for event in events:
            if event.kind is KeyEventKind.TYPED:
                if self._typed_told:
                    continue
                self._typed_told = True
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
                self._loop.call_soon_threadsafe(self._deliver, event)

    def _deliver(self, event: KeyEvent) -> None:
        if event.kind is KeyEventKind.TYPED:
            self._typed_told = False
        if self._open:
            if event.kind is KeyEventKind.LOST:
                self._open = False
            self._on_event(event)
