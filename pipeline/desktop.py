"""What actors know of the desktop: which window has the focus, and which modifier keys are held."""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

_MOST_NOTES = 256


class Focus(msgspec.Struct, frozen=True, kw_only=True):
    """The window that has the keyboard's focus.

    ``window`` is its number or address in the window system, ``application`` its class (X11) or
    app_id (Wayland). Both empty: it is known that no window has the focus.
    """

    window: str = ""
    application: str = ""

    @property
    def nobody(self) -> bool:
        """Whether no window has the focus: what is typed now is lost."""
        return not self.window


class FocusNotes:
    """Which window had the focus when an utterance began; written by one actor, read by others.

    Bounded: the oldest notes go first.
    """

    def __init__(self) -> None:
        self._notes: deque[tuple[int, Focus]] = deque(maxlen=_MOST_NOTES)

    def note(self, at: int, focus: Focus) -> None:
        """``focus`` held when sample ``at`` was heard; later notes have later samples."""
        self._notes.append((at, focus))

    def before(self, sample: int) -> Focus | None:
        """The last note of a sample before ``sample``; None: nothing is known."""
        found: Focus | None = None
        for at, focus in self._notes:
            if at >= sample:
                break
            found = focus
        return found


class HeldKeys:
    """The modifier keys that a person holds down now, as far as a hotkey listener sees them."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._none_held = asyncio.Event()
        self._none_held.set()

    @property
    def held(self) -> frozenset[str]:
        """Names as ``ctrl``, ``alt``, ``shift``, ``super``."""
        return frozenset(self._held)

    def press(self, name: str) -> None:
        """``name`` went down. In the event loop."""
        self._held.add(name)
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
            return False
        return True
