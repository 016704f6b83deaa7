"""Names of keys pressed together, read once, and as each tool calls them. Pure."""

from __future__ import annotations

import msgspec

from vivavoce.config.hotkeys import MODIFIERS, PUNCTUATION, SIDED

_ALIASES = {
    **{"control": "ctrl", "meta": "super", "win": "super", "cmd": "super"},
    **{"return": "enter", "esc": "escape", "del": "delete", "ins": "insert"},
    **SIDED,
    **PUNCTUATION,
}

# name: (keysym of XKB, key code of Linux). The codes are those of <linux/input-event-codes.h>.
_KEYS = {
    "escape": ("Escape", 1),
    "backspace": ("BackSpace", 14),
    "tab": ("Tab", 15),
    "enter": ("Return", 28),
    "space": ("space", 57),
    "home": ("Home", 102),
    "up": ("Up", 103),
    "page_up": ("Prior", 104),
    "left": ("Left", 105),
    "right": ("Right", 106),
    "end": ("End", 107),
    "down": ("Down", 108),
    "page_down": ("Next", 109),
    "insert": ("Insert", 110),
    "delete": ("Delete", 111),
    **{f"f{number}": (f"F{number}", 58 + number) for number in range(1, 11)},
    "f11": ("F11", 87),
    "f12": ("F12", 88),
    **{f"f{number}": (f"F{number}", 170 + number) for number in range(13, 25)},
}

# Where the keys of characters lie on a US keyboard; these tools press places, not characters.
_PLACES = {
    **{digit: 2 + place for place, digit in enumerate("1234567890")},
    **{letter: 16 + place for place, letter in enumerate("qwertyuiop")},
    **{letter: 30 + place for place, letter in enumerate("asdfghjkl")},
    **{letter: 44 + place for place, letter in enumerate("zxcvbnm")},
    **{"-": 12, "=": 13, "[": 26, "]": 27, ";": 39, "'": 40, "`": 41, "\\": 43},
    **{",": 51, ".": 52, "/": 53},
}

_MODIFIER_CODES = {"ctrl": 29, "alt": 56, "shift": 42, "super": 125}


class Chord(msgspec.Struct, frozen=True):
    """Keys pressed together: modifiers, then ``key``, a name of this module or one character."""

    modifiers: tuple[str, ...]
    key: str

    @property
    def keysym(self) -> str:
        """What XKB calls the key."""
        known = _KEYS.get(self.key)
        return known[0] if known else f"U{ord(self.key):04X}"

    @property
    def code(self) -> int | None:
        """Code of the key on Linux; None: a character whose place depends on the layout."""
        known = _KEYS.get(self.key)
        return known[1] if known else _PLACES.get(self.key)

    @property
    def modifier_codes(self) -> tuple[int, ...]:
        """Codes of the modifiers on Linux."""
        return tuple(_MODIFIER_CODES[name] for name in self.modifiers)


def read_chord(keys: str) -> Chord:
    """Read ``shift+enter`` or ``ctrl+v``.

    Raises:
        ValueError: a name is not known; the text is one line for a person.
    """
    *before, key = keys.lower().replace("++", "+plus").split("+")
    key = "+" if key == "plus" else _ALIASES.get(key, key)
    modifiers = tuple(_ALIASES.get(name, name) for name in before)
    for name in modifiers:
        if name not in MODIFIERS:
            raise ValueError(f"{keys!r}: {name!r} is no modifier ({', '.join(MODIFIERS)})")
    if key not in _KEYS and len(key) != 1:
        raise ValueError(f"{keys!r}: there is no key {key!r}")
    return Chord(modifiers, key)
