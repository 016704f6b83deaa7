"""Types into X11 windows without a tool: pynput's place on X11.

pynput itself sends characters to X11 windows as events that say that they are sent by a program.
xterm and others ignore those, and pynput does not learn of it. The extension XTEST presses keys as
a keyboard does; python-xlib, which comes with pynput, speaks it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vivavoce.actors.injection.back_end import DONE, PRESSED, Manner, Report, Result
from vivavoce.actors.injection.keymap import SpareKeys, have_xlib
from vivavoce.actors.injection.lending import Lending
from vivavoce.config.injection import InjectionSettings

_KEYSYMS = {
    "enter": 0xFF0D, "tab": 0xFF09, "backspace": 0xFF08, "delete": 0xFFFF, "escape": 0xFF1B,
    "insert": 0xFF63, "space": 0x20, "ctrl": 0xFFE3, "alt": 0xFFE9, "shift": 0xFFE1,
    "super": 0xFFEB, **{f"f{number}": 0xFFBD + number for number in range(1, 25)},
}  # fmt: skip


class X11Typing:
    """Presses keys through the X server, in a thread: it looks before each whether it still may.

    Args:
        display: as in ``DISPLAY``.
        settings: none of its own.
    """

    name = "pynput"
    piece = 200
    pace = 500.0
    has_keys = True
    looks = True

    def __init__(self, display: str, settings: InjectionSettings) -> None:
        self._display = display
        self._lending = Lending(display, self.name) if have_xlib() else None

    async def available(self) -> str | None:
        """Whether python-xlib is installed and the X server answers."""
        if self._lending is None:
            return "pynput is not installed: pip install 'vivavoce[dictation]'"
        if not self._display:
            return "pynput needs an X11 session: DISPLAY is not set"
        try:
            async with asyncio.timeout(1.0):
                await self._lending.worker.do(self._lending.keys.places)
        except TimeoutError:
            return "the X server does not answer"
        except OSError as error:
            return f"pynput: {error}"
        return None

    async def type(self, text: str, manner: Manner) -> Report:
        """Type ``text``, characters that the keyboard lacks included."""
        assert self._lending is not None
        return await self._lending.typed(
            text,
            lambda piece, left: self._in_thread([[character] for character in piece], manner, left),
            manner.timeout_s,
        )

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        """Press a combination of keys."""
        return await self._in_thread([keys.lower().split("+")] * times, manner, manner.timeout_s)

    async def held(self) -> bool:
        """See :class:`~vivavoce.actors.injection.back_end.Looks`."""
        return self._lending is not None and await self._lending.held()

    async def let_go(self, held: frozenset[str]) -> str:
        """See :class:`~vivavoce.actors.injection.back_end.LetsGo`."""
        return "pynput is not installed" if self._lending is None else await self._lending.let_go()

    async def rest(self) -> None:
        """See :class:`~vivavoce.actors.injection.back_end.Rests`."""
        if self._lending is not None:
            await self._lending.rest()

    async def close(self) -> None:
        """Give lent keys back now."""
        if self._lending is not None:
            await self._lending.close()

    async def _in_thread(self, chords: list[list[str]], manner: Manner, left: float) -> Report:
        stop = threading.Event()
        if self._lending is None:
            return Report(Result.NOTHING, "pynput is not installed")
        try:
            async with asyncio.timeout(left):
                return await self._lending.worker.do(self._do, chords, manner, stop)
        except TimeoutError:
            return Report(Result.UNCERTAIN, "the X server did not take the text in time")
        finally:
            stop.set()

    def _do(self, chords: list[list[str]], manner: Manner, stop: threading.Event) -> Report:
        assert self._lending is not None
        keys = self._lending.keys
        pressed = 0
        try:
            places = keys.places()
            with _without_caps_lock(keys):
                for chord in chords:
                    if stop.is_set():
                        return Report(Result.UNCERTAIN, "typing was stopped")
                    done, modified = keys.tap_unmodified(_keys_of(chord, places, keys))
                    if not done:
                        return Report(Result.DONE, typed=pressed, paused=True)
                    if modified:
                        return Report(Result.UNCERTAIN, PRESSED, typed=pressed)
                    pressed += 1
                    stop.wait(1 / manner.characters_per_s)
        except OSError as error:
            return Report(Result.UNCERTAIN if pressed else Result.NOTHING, f"pynput: {error}")
        return DONE


@contextmanager
def _without_caps_lock(keys: SpareKeys) -> Iterator[None]:
    was_on = keys.caps_lock(False)
    try:
        yield
    finally:
        if was_on:
            keys.caps_lock(True)


def _keys_of(chord: list[str], places: dict[str, tuple[int, bool]], keys: SpareKeys) -> list[int]:
    """The keys to press for names of keys, or a character."""
    held: list[int] = []
    for name in chord:
        keysym = _KEYSYMS.get(name)
        place = keys.place_of(keysym) if keysym else places.get(name)
        if place is None:
            raise OSError(f"the keyboard has no {name!r}")
        shift = keys.place_of(_KEYSYMS["shift"]) if place[1] else None
        held += [shift[0], place[0]] if shift is not None else [place[0]]
    return held
