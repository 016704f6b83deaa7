"""Which modifier keys a person holds, as far as a hotkey listener sees them.

A live port: the listener writes it, the trigger says while a key is held to talk, and whatever
types reads it before it presses a key.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf

_MOST_WINDOWS = 256
_HEARD_LATE_S = 0.03
"""How long after a key a listener may be told of it."""


class HeldKeys:
    """The modifier keys that a person holds down now, as far as a hotkey listener sees them.

    A listener hears the keys that this program presses as well. Who presses some that could be
    taken for a hotkey does so within :meth:`ours`; who is told of keys asks :meth:`is_ours` before
    acting on one that went *down* (the hotkey, the cancel hotkey, a modifier). Keys that go *up*
    always count: a recording must end with its key, whoever let it go.

    Args:
        now: seconds on the clock of key events.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._held: set[str] = set()
        self._none_held = asyncio.Event()
        self._none_held.set()
        self._not_talking = asyncio.Event()
        self._not_talking.set()
        self._presses: Counter[str] = Counter()
        self._ours: deque[_Window] = deque(maxlen=_MOST_WINDOWS)
        self._typing: deque[_Window] = deque(maxlen=_MOST_WINDOWS)
        self._when_typed: list[Callable[[], None]] = []
        self.heard = False
        """Whether somebody hears the keys at all."""

    @property
    def held(self) -> frozenset[str]:
        """Names as ``ctrl``, ``alt``, ``shift``, ``super``."""
        return frozenset(self._held)

    def press(self, name: str) -> None:
        """``name`` went down. In the event loop."""
        self._held.add(name)
        self._presses[name] += 1
        self._none_held.clear()

    def release(self, name: str) -> None:
        """``name`` went up. In the event loop."""
        self._held.discard(name)
        if not self._held:
            self._none_held.set()

    def forget(self) -> None:
        """Nobody sees the keys any more: none counts as held."""
        self._held.clear()
        self._none_held.set()

    async def released(self, timeout_s: float) -> bool:
        """Wait until none is held; whether that came within ``timeout_s`` seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._none_held.wait()
        except TimeoutError:
            return not self._held
        return True

    # -- since when

    def mark(self) -> int:
        """A moment, for :meth:`pressed_since`. Shift does not count: texts press it themselves."""
        return self._presses.total() - self._presses["shift"]

    def pressed_since(self, mark: int) -> bool:
        """Whether a modifier other than Shift went down since then, held or not."""
        return self.mark() != mark

    # -- keys held to talk

    @property
    def talking(self) -> bool:
        """Whether a recording is on that ends when the hotkey is let go."""
        return not self._not_talking.is_set()

    def talk(self, on: bool) -> None:
        """Such a recording began (True) or ended. In the event loop, as soon as it is decided."""
        if on:
            self._not_talking.clear()
        else:
            self._not_talking.set()

    async def talked(self, longest_s: float) -> None:
        """Wait until no such recording is on, or none is held; ``longest_s`` seconds at most."""
        waiting = [
            asyncio.ensure_future(event.wait()) for event in (self._not_talking, self._none_held)
        ]
        try:
            await asyncio.wait(waiting, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    # -- what a person types

    def when_typed(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` in the event loop when a person has pressed an ordinary key."""
        self._when_typed.append(callback)

    def typed(self) -> None:
        """A person has pressed an ordinary key; which one is nobody's business."""
        for callback in self._when_typed:
            callback()

    @contextmanager
    def typing(self) -> Iterator[None]:
        """Ordinary keys that go down meanwhile are this program's; hotkeys are a person's."""
        with _within(self._typing, self._now):
            yield

    def is_typing(self, at: float) -> bool:
        """Whether an ordinary key that went down at ``at`` may be this program's own."""
        windows = (*self._typing, *self._ours)
        return any(window.begin <= at <= window.end for window in windows)

    # -- keys of this program

    @contextmanager
    def ours(self) -> Iterator[None]:
        """Keys that go down meanwhile are pressed by this program."""
        with _within(self._ours, self._now):
            yield

    def is_ours(self, at: float) -> bool:
        """Whether a key that went down at ``at`` (as :attr:`KeyEvent.at`) is this program's own.

        Those are heard up to 30 ms late. A person who presses the hotkey in just that time has to
        press it again.
        """
        return any(window.begin <= at <= window.end for window in self._ours)


@dataclass(slots=True)
class _Window:
    begin: float
    end: float = inf


@contextmanager
def _within(windows: deque[_Window], now: Callable[[], float]) -> Iterator[None]:
    window = _Window(now())
    windows.append(window)
    try:
        yield
    finally:
        window.end = now() + _HEARD_LATE_S
