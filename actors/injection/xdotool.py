"""Types with xdotool, into X11 windows (and into those of XWayland)."""

from __future__ import annotations

from contextlib import suppress

from vivavoce.actors.injection.back_end import DONE, Manner, Report, Result, report_of
from vivavoce.actors.injection.keymap import have_xlib
from vivavoce.actors.injection.lending import Lending
from vivavoce.actors.injection.tool import ToolRunner
from vivavoce.config.injection import InjectionSettings

_NAMES = {
    "ctrl": "ctrl", "alt": "alt", "shift": "shift", "super": "super", "enter": "Return",
    "tab": "Tab", "backspace": "BackSpace", "delete": "Delete", "escape": "Escape",
    "insert": "Insert", "space": "space",
}  # fmt: skip

_SLOW = 40.0
"""Characters per second where characters that are on no key are left to xdotool itself; 250 are the
most that arrived in xterm."""


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
        # xdotool takes delays in whole milliseconds, and waits once more between repetitions.
        delay = str(round(1_000 / manner.characters_per_s))
        command = ["xdotool", "key", *_clearing(manner), "--delay", delay]
        finished = await self._runner.run(
            [*command, "--repeat", str(times), "--repeat-delay", delay, names],
            timeout_s=manner.timeout_s,
        )
        if finished.ok:
            return DONE
        result = Result.NOTHING if finished.error else Result.UNCERTAIN
        return Report(result, finished.complaint("xdotool"))

    async def close(self) -> None:
        """Give lent keys back now."""
        if self._lending is not None:
            await self._lending.close()

    async def _type(self, text: str, manner: Manner) -> Report:
        rate = manner.characters_per_s
        if text.isascii() or self._lending is None:
            rate = rate if text.isascii() else min(rate, _SLOW)
            return await self._run(text, manner, rate, manner.timeout_s)
        return await self._lending.typed(
            text, lambda piece, left: self._run(piece, manner, rate, left), manner.timeout_s
        )

    async def _run(self, text: str, manner: Manner, rate: float, timeout_s: float) -> Report:
        finished = await self._runner.run(
            ["xdotool", "type", *_clearing(manner), "--delay", str(round(1_000 / rate)),
             "--file", "-"],
            stdin=text.encode(),
            timeout_s=timeout_s,
        )  # fmt: skip
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


def _clearing(manner: Manner) -> list[str]:
    return ["--clearmodifiers"] if manner.clear_modifiers else []


def _name(part: str) -> str:
    known = _NAMES.get(part.lower())
    if known is not None:
        return known
    with suppress(ValueError):
        if part[:1] in "fF" and 1 <= int(part[1:]) <= 24:
            return part.upper()
    return part if part.isalnum() and part.isascii() else f"U{ord(part[0]):04X}"
