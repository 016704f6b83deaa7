"""Typing with dotool: keys below every window system, through /dev/uinput, by a layout."""

from __future__ import annotations

import re
from unicodedata import east_asian_width

from vivavoce.actors.injection.back_end import DONE, Manner, Report, Result, report_of
from vivavoce.actors.injection.tool import Finished, ToolRunner
from vivavoce.actors.injection.wayland.chords import read_chord
from vivavoce.config.injection import InjectionSettings

_PROBE_S = 2.0
_HOLD_MS = 2
_LEAD = ("keydelay 200", "key k:240", "keydelay 2")
"""Its keyboard appears with it, and the desktop needs a moment to notice: 200 ms, spent on a key
that means nothing (KEY_UNKNOWN). The language of dotool has no other way to wait."""
_KEYS_OF_LINES = {
    "\n": "key k:28",
    "\r": "key k:28",
    "\t": "key k:15",
    "\x1b": "key k:1",
    " ": "key k:57",
}
_PARTS = re.compile(
    r"[\n\r\t\x1b]| +(?=[\n\r\t\x1b]|\Z)|[^ \n\r\t\x1b](?:[^\n\r\t\x1b]*[^ \n\r\t\x1b])?| +"
)


class Dotool:
    """Types the characters of one keyboard layout: ``DOTOOL_XKB_LAYOUT``, US where it is not set.

    Its input is a program, a command on each line. A text becomes several ``type`` commands; what
    would end a line becomes a key, so that no text can begin a command.
    """

    name = "dotool"
    piece = 150
    pace = 100.0
    has_keys = True

    def __init__(self, runner: ToolRunner, settings: InjectionSettings) -> None:
        self._runner = runner

    async def available(self) -> str | None:
        """Let it make its keyboard and press nothing."""
        if self._runner.find("dotool") is None:
            return "dotool is not installed"
        finished = await self._runner.run(["dotool"], stdin=b"", timeout_s=_PROBE_S)
        if finished.ok:
            return None
        return f"{finished.complaint('dotool')} (it needs write access to /dev/uinput)"

    async def type(self, text: str, manner: Manner) -> Report:
        """Type ``text``; what no alphabetic layout has is refused before anything is typed."""
        strange = next((c for c in text if _in_no_layout(c)), None)
        if strange is not None:
            return Report(Result.NOTHING, f"dotool cannot type U+{ord(strange):04X}")
        delay_ms = max(1, int(1_000 / manner.characters_per_s) - _HOLD_MS)
        return await self._run(
            [f"typehold {_HOLD_MS}", f"typedelay {delay_ms}", *_typing(text)], manner
        )

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        """Press keys together."""
        try:
            chord = read_chord(keys)
        except ValueError as error:
            return Report(Result.NOTHING, str(error))
        if chord.code is None:
            return Report(Result.NOTHING, f"dotool cannot press {keys!r}")
        command = "+".join([*chord.modifiers, f"k:{chord.code}"])
        return await self._run([" ".join(["key", *[command] * times])], manner)

    async def let_go(self, held: frozenset[str]) -> str:
        """They are down on another keyboard, and its keys cannot be released here."""
        return f"{'+'.join(sorted(held))} is held down" if held else ""

    async def _run(self, commands: list[str], manner: Manner) -> Report:
        program = "".join(f"{line}\n" for line in (*_LEAD, *commands))
        finished = await self._runner.run(
            ["dotool"], stdin=program.encode(errors="replace"), timeout_s=manner.timeout_s
        )
        return _report(finished)


def _report(finished: Finished) -> Report:
    if finished.ok and not finished.unread:
        # It warns of characters that it left out, and calls that a success.
        return Report(Result.UNCERTAIN, f"dotool: {finished.said}") if finished.said else DONE
    return report_of(finished, "dotool")


def _in_no_layout(character: str) -> bool:
    control = not character.isprintable() and character not in _KEYS_OF_LINES and character < "\xa0"
    return control or east_asian_width(character) in ("W", "F")


def _typing(text: str) -> list[str]:
    """Commands that type ``text``: no command holds a character that could end it.

    Spaces at the ends of a command are keys, too: it is not said whether they belong to the text.
    """
    commands: list[str] = []
    for part in _PARTS.findall(text):
        key = _KEYS_OF_LINES.get(part[0])
        commands += [key] * len(part) if key else [f"type {part}"]
    return commands
