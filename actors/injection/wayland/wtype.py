"""Typing with wtype: compositors with the virtual keyboard protocol (sway, Hyprland, river …)."""

from __future__ import annotations

import asyncio

from vivavoce.actors.injection.back_end import DONE, Manner, Report, Result, report_of
from vivavoce.actors.injection.tool import Finished, ToolRunner
from vivavoce.actors.injection.wayland.chords import read_chord
from vivavoce.actors.injection.wayland.key_codes import runs, skipping
from vivavoce.config.injection import InjectionSettings

_PROBE_S = 1.0
_LEAD_MS = 10
"""Pause between the appearance of the virtual keyboard and its first key: where it is the only one
of the seat, programs bind to it only now, and a key that comes before is lost."""
_KEY_MS = 4
"""What wtype takes for a character at least: 2 ms each for press and release."""
_NO_PROTOCOL = "does not support the virtual keyboard protocol"


class Wtype:
    """Types any character: wtype brings a keymap of its own with the characters of the text.

    A held Ctrl or Alt of the real keyboard does not count: its keyboard has modifiers of its own.
    """

    name = "wtype"
    # Where each character is another one, that takes 1.1 s.
    piece = 100
    pace = 220.0
    has_keys = True

    def __init__(self, runner: ToolRunner, settings: InjectionSettings) -> None:
        # It stops silently at the first character that its locale cannot decode.
        self._runner = ToolRunner({**runner.environ, "LC_ALL": "C.UTF-8"})

    async def available(self) -> str | None:
        """Let it make a keyboard and press nothing."""
        if self._runner.find("wtype") is None:
            return "wtype is not installed: install the package wtype"
        finished = await self._run(["-s", "1"], None, _PROBE_S)
        if finished.ok:
            return None
        if _NO_PROTOCOL in finished.said:
            return (
                "wtype: this desktop has no virtual keyboard protocol (GNOME and KDE have none): "
                "use ydotool, dotool or clipboard"
            )
        return finished.complaint("wtype")

    async def type(self, text: str, manner: Manner) -> Report:
        """Type ``text``, given on standard input; Enter and Tab are keys to wtype, too."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + manner.timeout_s
        delay_ms = int(1_000 / manner.characters_per_s) - _KEY_MS
        delay = ["-d", str(delay_ms)] if delay_ms > 0 else []
        report = DONE
        for number, run in enumerate(runs(text)):
            finished = await self._run(
                ["-s", str(_LEAD_MS), *skipping(run.skipped), *delay, "-"],
                run.text.encode(errors="replace"),
                max(0.0, ends - loop.time()),
            )
            report = report_of(finished, "wtype")
            if not report.done:  # what came before this run is typed
                return Report(Result.UNCERTAIN, report.reason) if number else report
        return report

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        """Press keys together."""
        try:
            chord = read_chord(keys)
        except ValueError as error:
            return Report(Result.NOTHING, str(error))
        modifiers = ["logo" if name == "super" else name for name in chord.modifiers]
        arguments = ["-s", str(_LEAD_MS)]
        for name in modifiers:
            arguments += ["-M", name]
        arguments += ["-k", chord.keysym] * times
        for name in reversed(modifiers):
            arguments += ["-m", name]
        return report_of(await self._run(arguments, None, manner.timeout_s), "wtype")

    async def _run(self, arguments: list[str], stdin: bytes | None, timeout_s: float) -> Finished:
        return await self._runner.run(["wtype", *arguments], stdin=stdin, timeout_s=timeout_s)
