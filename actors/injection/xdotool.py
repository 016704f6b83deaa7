"""Types with xdotool, into X11 windows (and into those of XWayland).

A modifier that goes down while ``xdotool type`` is at work makes shortcuts of the rest of the text.
Where a person may well press one (it is the hotkey), xdotool is fed key by key instead: it executes
commands as they come on its standard input.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from vivavoce.actors.injection.back_end import DONE, PRESSED, Manner, Report, Result, report_of
from vivavoce.actors.injection.keymap import have_xlib
from vivavoce.actors.injection.lending import Lending
from vivavoce.actors.injection.tool import Finished, ToolRunner
from vivavoce.config.injection import InjectionSettings

_NAMES = {
    "ctrl": "ctrl", "alt": "alt", "shift": "shift", "super": "super", "enter": "Return",
    "tab": "Tab", "backspace": "BackSpace", "delete": "Delete", "escape": "Escape",
    "insert": "Insert", "space": "space",
}  # fmt: skip

_SIDES = {
    "ctrl": ("Control_L", "Control_R"), "alt": ("Alt_L",), "shift": ("Shift_L", "Shift_R"),
    "super": ("Super_L", "Super_R"),
}  # fmt: skip

_SLOW = 40.0
"""Characters per second where characters that are on no key are left to xdotool itself; 250 are the
most that arrived in xterm."""


_WATCHED = 200.0
"""Characters per second where each key is looked after."""
_STARTS_S = 0.012
_EXECUTED_S = 0.001
"""When xdotool has started, and has pressed the key that it was told to: it answers nothing. The
key takes 0.3 ms; in what is waited for longer, no press can be told from one that came before."""
_ONCE_REPEATS = 8


@dataclass(slots=True)
class _Told:
    """What xdotool was told.

    Attributes:
        keys: how many.
        paused: no more, because a modifier is held.
        unsure: perhaps it went down before the last of them.
    """

    keys: int = 0
    paused: bool = False
    unsure: bool = False


class Xdotool:
    """``xdotool type``, the text on its standard input.

    Args:
        runner: with ``DISPLAY`` in its environment.
        settings: none of its own.
    """

    name = "xdotool"
    piece = 200
    pace = 1_000.0
    has_keys = True

    def __init__(self, runner: ToolRunner, settings: InjectionSettings) -> None:
        self._runner = runner
        display = runner.environ.get("DISPLAY", "")
        self._lending = Lending(display, self.name) if display and have_xlib() else None

    @property
    def looks(self) -> bool:
        """See :class:`~vivavoce.actors.injection.back_end.Looks`."""
        return self._lending is not None

    async def held(self) -> bool:
        """See :class:`~vivavoce.actors.injection.back_end.Looks`."""
        return self._lending is not None and await self._lending.held()

    async def let_go(self, held: frozenset[str]) -> str:
        """See :class:`~vivavoce.actors.injection.back_end.LetsGo`."""
        if self._lending is not None:
            return await self._lending.let_go()
        names = [side for name in sorted(held) for side in _SIDES[name]]
        if not names:
            return ""
        finished = await self._runner.run(["xdotool", "keyup", *names], timeout_s=1.0)
        return "" if finished.ok else finished.complaint("xdotool")

    async def available(self) -> str | None:
        """Whether it is installed and its X server answers."""
        if not self._runner.environ.get("DISPLAY"):
            return "xdotool needs an X11 session: DISPLAY is not set"
        if self._runner.find("xdotool") is None:
            return "xdotool is not installed: install it with your package manager"
        asked = await self._runner.run(["xdotool", "getdisplaygeometry"], timeout_s=1.0)
        return None if asked.ok else asked.complaint("xdotool")

    async def type(self, text: str, manner: Manner) -> Report:
        """Type ``text``, characters that the keyboard lacks included."""
        was_on = await self._caps_lock(False)
        try:
            return await self._type(text, manner)
        finally:
            if was_on:
                await self._caps_lock(True)

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        """Press a combination of keys."""
        names = "+".join(_name(part) for part in keys.split("+"))
        if not manner.watched or self._lending is None:
            return await self._press(names, manner, times)
        if await self._lending.held():
            return Report(Result.DONE, typed=0, paused=True)
        times = min(times, _ONCE_REPEATS)
        report = await self._press(names, manner, times)
        if report.done and await self._lending.held():
            return Report(Result.UNCERTAIN, PRESSED)
        return Report(Result.DONE, typed=times) if report.done else report

    async def rest(self) -> None:
        """See :class:`~vivavoce.actors.injection.back_end.Rests`."""
        if self._lending is not None:
            await self._lending.rest()

    async def close(self) -> None:
        """Give lent keys back now."""
        if self._lending is not None:
            await self._lending.close()

    async def _press(self, names: str, manner: Manner, times: int) -> Report:
        # xdotool takes delays in whole milliseconds, and waits once more between repetitions.
        delay = str(round(1_000 / manner.characters_per_s))
        finished = await self._runner.run(
            ["xdotool", "key", "--delay", delay, "--repeat", str(times), "--repeat-delay", delay,
             names],
            timeout_s=manner.timeout_s,
        )  # fmt: skip
        if finished.ok:
            return DONE
        result = Result.NOTHING if finished.error else Result.UNCERTAIN
        return Report(result, finished.complaint("xdotool"))

    async def _type(self, text: str, manner: Manner) -> Report:
        rate = manner.characters_per_s
        if text.isascii() or self._lending is None:
            rate = rate if text.isascii() else min(rate, _SLOW)
            return await self._run(text, manner, rate, manner.timeout_s)
        return await self._lending.typed(
            text, lambda piece, left: self._run(piece, manner, rate, left), manner.timeout_s
        )

    async def _run(self, text: str, manner: Manner, rate: float, timeout_s: float) -> Report:
        if manner.watched and self._lending is not None:
            return await self._tell(text, min(rate, _WATCHED), timeout_s, self._lending)
        finished = await self._runner.run(
            ["xdotool", "type", "--delay", str(round(1_000 / rate)), "--file", "-"],
            stdin=text.encode(),
            timeout_s=timeout_s,
        )
        return await self._report(finished)

    async def _tell(self, text: str, rate: float, timeout_s: float, lending: Lending) -> Report:
        """Have it press key by key, as long as no modifier is held."""
        told = _Told()
        commands = _commands(text, rate, timeout_s / 2, lending, told)
        finished = await self._runner.run(["xdotool", "-"], stdin=commands, timeout_s=timeout_s)
        report = await self._report(finished)
        if not report.done:
            return report
        if told.unsure:
            return Report(Result.UNCERTAIN, PRESSED, typed=told.keys - 1)
        return Report(Result.DONE, typed=told.keys, paused=told.paused)

    async def _report(self, finished: Finished) -> Report:
        if finished.ok and "skipping" in finished.said:
            return Report(Result.UNCERTAIN, finished.said)  # "I don't what key produces …"
        if not finished.ok and not finished.unread and self._lending is not None:
            with suppress(OSError):  # the X server is gone, and its keys with it
                await self._lending.worker.do(self._lending.keys.release_all)
        return report_of(finished, "xdotool")

    async def _caps_lock(self, wanted: bool) -> bool:
        """Switch Caps Lock; whether it was otherwise. xdotool itself leaves it off."""
        if self._lending is None:
            return False
        try:
            return await self._lending.worker.do(self._lending.keys.caps_lock, wanted)
        except OSError:
            return False  # xdotool will find out


async def _commands(
    text: str, rate: float, time_s: float, lending: Lending, told: _Told
) -> AsyncIterator[bytes]:
    """What xdotool is told, each when its time has come."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + time_s
    await asyncio.sleep(_STARTS_S)
    for character in text:
        if await _modified(lending):
            told.paused = True
            return
        if told.keys and loop.time() > ends:
            return
        told.keys += 1
        yield _command(character)
        if await _modified(lending, _EXECUTED_S):
            told.unsure = True
            return
        await asyncio.sleep(1 / rate - _EXECUTED_S)


async def _modified(lending: Lending, after_s: float = 0.0) -> bool:
    """Whether a modifier is down, some time from now, that xdotool itself does not press."""

    def look() -> bool:
        time.sleep(after_s)  # the event loop's sleep is longer by up to a millisecond
        return bool(lending.keys.held(shift=False))

    try:
        return await lending.worker.do(look)
    except OSError:
        return False  # xdotool will find out


def _command(character: str) -> bytes:
    """The command that types a character. No text can begin or end one."""
    if character.isascii():
        return f"key --delay 0 U{ord(character):04X}\n".encode()
    # `key` knows only one of the names that a character can have on a keyboard.
    return f'type --delay 0 "{character}"\n'.encode()


def _name(part: str) -> str:
    known = _NAMES.get(part.lower())
    if known is not None:
        return known
    with suppress(ValueError):
        if part[:1] in "fF" and 1 <= int(part[1:]) <= 24:
            return part.upper()
    return part if part.isalnum() and part.isascii() else f"U{ord(part[0]):04X}"
