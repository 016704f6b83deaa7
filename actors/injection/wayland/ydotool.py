"""Typing with ydotool: keys below every window system, through /dev/uinput or its daemon."""

from __future__ import annotations

from vivavoce.actors.injection.back_end import Manner, Report, Result, report_of
from vivavoce.actors.injection.tool import ToolRunner
from vivavoce.actors.injection.wayland.chords import Chord, read_chord
from vivavoce.config.injection import InjectionSettings

_PROBE_S = 2.0
_HOLD_MS = 20
"""How long versions with ``--key-hold`` hold a key by default."""
_OLD = b"recorder"
"""A command that only versions before 1.0 have; they name keys where later ones number them."""


class Ydotool:
    """Types ASCII, as keys of a US keyboard; it refuses what lies outside of that.

    It cannot know the layout of the desktop: with another than US, other letters appear.
    """

    name = "ydotool"
    piece = 60
    pace = 30.0
    has_keys = True

    def __init__(self, runner: ToolRunner, settings: InjectionSettings) -> None:
        self._runner = runner
        self._old: bool | None = None

    async def available(self) -> str | None:
        """Let it type nothing: it needs its daemon, or /dev/uinput, for that as well."""
        if self._runner.find("ydotool") is None:
            return "ydotool is not installed: install the package ydotool"
        finished = await self._runner.run(["ydotool", "type", ""], timeout_s=_PROBE_S)
        if finished.ok:
            return None
        why = finished.complaint("ydotool")
        return f"{why} (start ydotoold, and see that you may use its socket or /dev/uinput)"

    async def type(self, text: str, manner: Manner) -> Report:
        """Type ``text``, given on standard input, if a US keyboard has all of it."""
        strange = next((c for c in text if not (" " <= c <= "~" or c in "\n\t")), None)
        if strange is not None:
            return Report(Result.NOTHING, f"ydotool cannot type U+{ord(strange):04X}")
        delay_ms = max(1, int(1_000 / manner.characters_per_s) - _HOLD_MS)
        finished = await self._runner.run(
            # Some versions take `--file -` for a file of that name.
            ["ydotool", "type", f"--key-delay={delay_ms}", "--file=/dev/stdin"],
            stdin=text.encode(),
            timeout_s=manner.timeout_s,
        )
        return report_of(finished, "ydotool")

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        """Press keys together."""
        try:
            chord = read_chord(keys)
        except ValueError as error:
            return Report(Result.NOTHING, str(error))
        if chord.code is None:
            return Report(Result.NOTHING, f"ydotool cannot press {keys!r}")
        if self._old is None:
            helped = await self._runner.run(["ydotool", "--help"], timeout_s=_PROBE_S)
            if not helped.ok:
                return Report(Result.NOTHING, helped.complaint("ydotool"))
            self._old = _OLD in helped.output
        steps = _named(chord, times) if self._old else _numbered(chord, times)
        finished = await self._runner.run(["ydotool", "key", *steps], timeout_s=manner.timeout_s)
        return report_of(finished, "ydotool")

    async def let_go(self, held: frozenset[str]) -> str:
        """They are down on another keyboard, and its keys cannot be released here."""
        return f"{'+'.join(sorted(held))} is held down" if held else ""


def _named(chord: Chord, times: int) -> list[str]:
    modifiers = ["leftmeta" if name == "super" else name for name in chord.modifiers]
    key = {"escape": "esc", "page_up": "pageup", "page_down": "pagedown"}.get(chord.key, chord.key)
    return [f"--repeat={times}", "+".join([*modifiers, key])]


def _numbered(chord: Chord, times: int) -> list[str]:
    down = [f"{code}:1" for code in chord.modifier_codes]
    up = [f"{code}:0" for code in reversed(chord.modifier_codes)]
    return [*down, *[f"{chord.code}:1", f"{chord.code}:0"] * times, *up]
