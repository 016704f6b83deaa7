"""On which keys wtype types: places at which programs expect characters. Pure.

wtype gives each different character the next key code, from 1 on, whatever key a keyboard has
there. Most programs look at the character only. Chromium and Electron look at the code, too, unless
the character is an ASCII letter or digit: the 14th character of a text is a Backspace to them, the
29th a Ctrl, and from 59 on there are keys that reload the page (measured with Chromium 156; wtype's
issue 71). So texts are cut into runs in which no other character meets such a code, shifted by keys
that are only released and never pressed.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

# Escape, Backspace, Tab, Enter, Ctrl, both Shifts, Alt and Caps Lock, as in Linux's
# <linux/input-event-codes.h>.
_OTHER_KEYS = frozenset({1, 14, 15, 28, 29, 42, 54, 56})
_LAST = 57
_SHIFTS = frozenset(range(_LAST))


class Run(msgspec.Struct, frozen=True):
    """A stretch of text, and how many codes to leave unused before its first character."""

    text: str
    skipped: int


def runs(text: str) -> Iterator[Run]:
    """``text`` in stretches as long as can be typed with one keymap; joined, they are ``text``."""
    begin = 0
    seen: set[str] = set()
    shifts = _SHIFTS
    for at, character in enumerate(text):
        if character in seen:
            continue
        left = _allowed(shifts, len(seen), character)
        if not left:
            yield Run(text[begin:at], min(shifts))
            begin, seen = at, set()
            left = _allowed(_SHIFTS, 0, character)
        seen.add(character)
        shifts = left
    if begin < len(text):
        yield Run(text[begin:], min(shifts))


def _allowed(shifts: frozenset[int], before: int, character: str) -> frozenset[int]:
    """Those of ``shifts`` with which the next new character gets a code that it may have."""
    anywhere = (character.isascii() and character.isalnum()) or character in "\n\t"
    return frozenset(
        shift
        for shift in shifts
        if (code := shift + before + 1) <= _LAST and (anywhere or code not in _OTHER_KEYS)
    )


def skipping(count: int) -> list[str]:
    """Arguments that make wtype use up ``count`` codes: releases of keys that nobody pressed, with
    characters for private use, which mean nothing."""
    return [argument for number in range(count) for argument in ("-p", f"UE{number:03X}")]
