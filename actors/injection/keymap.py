"""Characters that an X11 keyboard does not have, on keys that it does not use.

``xdotool type`` puts each such character on one spare key, presses it, and takes it away again at
once. A window learns of a changed keyboard and then *asks* for it: at more than about 200
characters per second it asks too late, and sees the key empty, or with the next character. So the
characters of a stretch of text are put on spare keys first, all of them, and stay there while it is
typed; a key gets another character only when windows have had the time to read the last one.

Needs python-xlib, which comes with pynput. Without it, xdotool types such texts slowly.
"""

from __future__ import annotations

import importlib.util
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SETTLED_S = 0.06
"""How long after its last use a key keeps its character: a window's keyboard must be up to date."""

_CAPS_LOCK = 0xFFE5
_LOCKS = frozenset({_CAPS_LOCK, 0xFFE6, 0xFF7F, 0xFF14})  # and of Shift, numbers and scrolling
_SHIFTS = frozenset({0xFFE1, 0xFFE2, 0xFE03, 0xFF7E})  # what a text itself may need: levels, groups
_LOCK_MASK = 2  # of the state of modifiers

# Keysyms from before Unicode: a byte of an 8-bit character set, by the keysym's second byte.
_OLD_SETS = {1: "iso8859-2", 2: "iso8859-3", 3: "iso8859-4", 5: "iso8859-6", 6: "koi8-r",
             7: "iso8859-7", 12: "iso8859-8", 13: "tis-620"}  # fmt: skip


def have_xlib() -> bool:
    """Whether python-xlib is installed; without importing it."""
    return importlib.util.find_spec("Xlib") is not None


def keysym_of(character: str) -> int:
    """The keysym of a printable character."""
    code = ord(character)
    return code if code < 0x100 else 0x0100_0000 + code


def character_of(keysym: int) -> str | None:
    """The character of a keysym that has one."""
    if 0x20 <= keysym <= 0x7E or 0xA0 <= keysym <= 0xFF:
        return chr(keysym)
    if 0x0100_0000 <= keysym <= 0x0110_FFFF:
        return chr(keysym - 0x0100_0000)
    if keysym == 0x20AC:
        return "€"
    codec = _OLD_SETS.get(keysym >> 8)
    if codec is None or keysym & 0xFF < 0xA0:
        return None
    with suppress(UnicodeDecodeError):
        return bytes([keysym & 0xFF]).decode(codec)
    return None


def stretches(text: str, missing: Callable[[str], bool], most: int) -> Iterable[str]:
    """The text in pieces with at most ``most`` different characters that are ``missing``. Pure."""
    begin, needed = 0, set[str]()
    for at, character in enumerate(text):
        if character not in needed and missing(character):
            if len(needed) == most:
                yield text[begin:at]
                begin, needed = at, set()
            needed.add(character)
    if begin < len(text):
        yield text[begin:]


class SpareKeys:
    """The spare keys of one X server. All methods block for about a millisecond: use a thread.

    Args:
        display: as in ``DISPLAY``.
    """

    def __init__(self, display: str) -> None:
        self._name = display
        self._display: Any = None
        self._places: dict[str, tuple[int, bool]] = {}
        self._modifiers: dict[int, int] = {}
        self._lent: OrderedDict[int, tuple[str, float]] = OrderedDict()  # least recently used first

    def stretches(self, text: str) -> tuple[list[str], set[str]]:
        """The text in stretches that can be typed with the keys there are, and what of it needs
        spare keys.

        Raises:
            OSError: the X server cannot be reached.
        """
        mapped, spare = self._keyboard()
        missing = {character for character in text if character > " " and character not in mapped}
        # Half of the keys, so that the other half can still be read while these are given out.
        most = max(1, (len(spare) + len(self._lent)) // 2)
        return list(stretches(text, missing.__contains__, most)), missing

    def lend(self, needed: Sequence[str], now: float) -> float:
        """Put characters on keys; returns the seconds to wait before it can be done, or 0.

        Raises:
            OSError: the X server cannot be reached.
        """
        _, spare = self._keyboard()
        have = {character: key for key, (character, _) in self._lent.items()}
        new = [character for character in needed if character not in have]
        free = [key for key in spare if key not in self._lent]
        reusable = [key for key, (held, _) in self._lent.items() if held not in needed]
        keys = (free + reusable)[: len(new)]
        wait = max((self._lent[key][1] + SETTLED_S - now for key in keys if key in self._lent),
                   default=0.0)  # fmt: skip
        if wait > 0:
            return wait
        for key, character in zip(keys, new, strict=False):
            self._put(key, keysym_of(character))
            self._lent[key] = (character, now)
        self._sync()
        return 0.0

    def used(self, needed: Sequence[str], now: float) -> None:
        """The characters were typed until ``now``."""
        for key, (character, _) in list(self._lent.items()):
            if character in needed:
                self._lent[key] = (character, now)
                self._lent.move_to_end(key)

    def give_back(self) -> None:
        """Leave the keyboard as it was found."""
        if self._display is not None:
            with suppress(OSError):
                for key in self._lent:
                    self._put(key, 0)
                self._sync()
            self._close()
        self._lent.clear()

    # -- pressing them

    def places(self) -> dict[str, tuple[int, bool]]:
        """The key of each character that can be typed now, and whether with Shift.

        Raises:
            OSError: the X server cannot be reached.
        """
        self._keyboard()
        found = {held: (key, False) for key, (held, _) in self._lent.items()}
        return self._places | found

    def place_of(self, keysym: int) -> tuple[int, bool] | None:
        """The key with a keysym that stands for no character."""
        key = self._asked(lambda: self._open().keysym_to_keycode(keysym))
        return (key, False) if key else None

    def tap_unmodified(self, held: Sequence[int]) -> tuple[bool, bool]:
        """:meth:`tap`, but only where no modifier is down.

        Returns:
            Whether they were pressed, and whether a modifier was down when they had been: then it
            came before them, or between them.
        """
        if self.held():
            return False, True
        self.tap(held, wait=False)
        return True, bool(self.held())  # the server is asked in one go with the keys

    def tap(self, held: Sequence[int], *, wait: bool = True) -> None:
        """Press keys in turn, and release them in reverse.

        Args:
            held: codes of the keys.
            wait: until the X server has done it.

        Raises:
            OSError: the X server cannot be reached.
        """
        for key in held:
            self._fake(key, down=True)
        for key in reversed(held):
            self._fake(key, down=False)
        if wait:
            self._sync()

    def caps_lock(self, wanted: bool) -> bool:
        """Switch Caps Lock, which turns letters round; whether it was otherwise.

        Raises:
            OSError: the X server cannot be reached.
        """
        asked = self._asked(self._open().screen().root.query_pointer)
        place = self.place_of(_CAPS_LOCK)
        if place is None or bool(asked.mask & _LOCK_MASK) is wanted:
            return False
        self.tap([place[0]])
        return True

    def release_all(self) -> None:
        """Release every key that is down: a program that dies while it types leaves one pressed,
        and the X server repeats it for ever. Ctrl, Alt … no text needs: a person holds them.

        Raises:
            OSError: the X server cannot be reached.
        """
        kept = set(self.held(shift=False))
        for key in self._down():
            if key not in kept:
                self._fake(key, down=False)
        self._sync()

    def held(self, *, shift: bool = True) -> list[int]:
        """The modifier keys that are down, locks left out.

        Args:
            shift: also those with which a text reaches the other characters of a key.

        Raises:
            OSError: the X server cannot be reached.
        """
        if not self._modifiers:
            self._keyboard()
        bits = self._asked(lambda: self._open().query_keymap())
        return [
            key
            for key, keysym in self._modifiers.items()
            if bits[key // 8] >> key % 8 & 1 and (shift or keysym not in _SHIFTS)
        ]

    def let_go(self) -> None:
        """Release the modifiers that are down.

        Raises:
            OSError: the X server cannot be reached.
        """
        for key in self.held():
            self._fake(key, down=False)
        self._sync()

    # -- the X server

    def _fake(self, key: int, *, down: bool) -> None:
        from Xlib import X
        from Xlib.ext import xtest

        kind = X.KeyPress if down else X.KeyRelease
        self._asked(lambda: xtest.fake_input(self._open(), kind, key))

    def _down(self) -> list[int]:
        bits = self._asked(lambda: self._open().query_keymap())
        return [key for key in range(8, 256) if bits[key // 8] >> key % 8 & 1]

    def _open(self) -> Any:
        if self._display is None:
            from Xlib.display import Display
            from Xlib.error import DisplayError

            try:
                self._display = Display(self._name)
            except (DisplayError, *_errors()) as error:
                raise OSError(str(error)) from error
        return self._display

    def _close(self) -> None:
        display, self._display = self._display, None
        if display is None:  # closed already: the failure of one question fails those around it
            return
        with suppress(*_errors()):  # it is given up, because of one of them
            display.close()

    def _keyboard(self) -> tuple[set[str], list[int]]:
        """The characters on the keys that are not lent, and the keys with nothing on them."""
        display = self._open()
        low, high = display.display.info.min_keycode, display.display.info.max_keycode
        rows = self._asked(lambda: display.get_keyboard_mapping(low, high - low + 1))
        modifiers = {key for row in self._asked(display.get_modifier_mapping) for key in row if key}
        mapped: set[str] = set()
        spare: list[int] = []
        self._places = {}
        first = {key: row[0] for key, row in enumerate(rows, low)}
        self._modifiers = {key: first[key] for key in modifiers if first.get(key) not in _LOCKS}
        for key, row in enumerate(rows, low):
            if not any(row) and key not in modifiers and key > low:
                self._lent.pop(key, None)  # somebody else took its character away
                spare.append(key)
            elif key not in self._lent:
                characters = [character_of(keysym) for keysym in row]
                mapped.update(filter(None, characters))
                for shift, character in enumerate(characters[:2]):
                    if character is not None:
                        self._places.setdefault(character, (key, bool(shift)))
        # The first spare key is left to other programs, xdotool itself among them.
        return mapped, spare[1:]

    def _put(self, key: int, keysym: int) -> None:
        display = self._open()
        self._asked(lambda: display.change_keyboard_mapping(key, [[keysym, keysym]]))

    def _sync(self) -> None:
        self._asked(self._open().sync)

    def _asked(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except _errors() as error:
            self._close()
            self._lent.clear()
            raise OSError(f"X server: {error}") from error


def _errors() -> tuple[type[Exception], ...]:
    from Xlib.error import ConnectionClosedError, XError

    return ConnectionClosedError, XError, OSError
