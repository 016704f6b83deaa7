"""Key combinations as people write them, `ctrl+alt+space`. Pure; needs no library for keys."""

from __future__ import annotations

import difflib
import string
from dataclasses import dataclass

from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path

MODIFIERS = ("ctrl", "alt", "shift", "super")
"""The modifier keys by kind; `left_ctrl` and `right_ctrl` are both a `ctrl`."""

SIDED = {f"{side}_{kind}": kind for kind in MODIFIERS for side in ("left", "right")}
"""The modifier keys themselves, each with its kind."""

PUNCTUATION = {
    "minus": "-",
    "equal": "=",
    "comma": ",",
    "period": ".",
    "slash": "/",
    "backslash": "\\",
    "semicolon": ";",
    "apostrophe": "'",
    "grave": "`",
    "left_bracket": "[",
    "right_bracket": "]",
}
"""Keys of punctuation, each with what it types on an American keyboard."""

_TYPING = frozenset(
    (*string.ascii_lowercase, *string.digits, *PUNCTUATION, "space", "enter", "tab", "backspace")
)
_OTHERS = frozenset(
    (
        *("escape", "insert", "delete", "home", "end", "page_up", "page_down"),
        *("up", "down", "left", "right", "pause", "scroll_lock", "print_screen"),
        *("caps_lock", "num_lock", "menu"),
        *("media_play_pause", "media_next", "media_previous", "media_stop"),
        *("volume_up", "volume_down", "volume_mute"),
        *(f"f{number}" for number in range(1, 25)),
    )
)
KEYS = _TYPING | _OTHERS | frozenset(SIDED) | frozenset(MODIFIERS)
"""Every name of a key, without aliases."""

_ALIASES = {
    **{"control": "ctrl", "strg": "ctrl", "option": "alt", "opt": "alt"},
    **{"win": "super", "windows": "super", "cmd": "super", "command": "super", "meta": "super"},
    **{"alt_gr": "right_alt", "altgr": "right_alt"},
    **{"esc": "escape", "return": "enter", "del": "delete", "ins": "insert"},
    **{"pgup": "page_up", "pageup": "page_up", "pgdn": "page_down", "pagedown": "page_down"},
    **{"break": "pause", "scrolllock": "scroll_lock", "capslock": "caps_lock"},
    **{"numlock": "num_lock", "print": "print_screen", "prtsc": "print_screen"},
    **{"dot": "period", "backtick": "grave", "quote": "apostrophe", "spacebar": "space"},
    **{"play": "media_play_pause", "play_pause": "media_play_pause", "mute": "volume_mute"},
    **{"media_prev": "media_previous"},
    **{sign: name for name, sign in PUNCTUATION.items()},
}


@dataclass(frozen=True, slots=True)
class KeyCombination:
    """Keys that are pressed together.

    Attributes:
        modifiers: what is held with ``key``: kinds (:data:`MODIFIERS`) or keys of :data:`SIDED`.
        key: a name of :data:`KEYS`; a modifier where the combination is of modifiers only.
    """

    modifiers: frozenset[str]
    key: str

    @classmethod
    def parse(cls, text: str) -> KeyCombination:
        """Read a combination as a person has written it; case and spaces do not matter.

        Raises:
            ValueError: it names no keys, or some that cannot go together; one line says what.
        """
        names = [_canonical(part, text) for part in text.split("+")]
        *modifiers, key = names
        for name in modifiers:
            if name not in MODIFIERS and name not in SIDED:
                raise ValueError(
                    f"{text!r}: {name} is no modifier; expected ctrl, alt, shift or super before "
                    "one other key, as ctrl+alt+space"
                )
        kinds = [kind_of(name) for name in names]
        if len(set(kinds)) < len(kinds):
            raise ValueError(f"{text!r}: names a key twice; expected each once")
        if key in _TYPING and not {"ctrl", "alt", "super"}.intersection(kinds):
            raise ValueError(
                f"{text!r}: would be pressed whenever you type it; expected ctrl, alt or super "
                f"with it, as ctrl+alt+{key}, or a key that types nothing, as f9 or right_ctrl"
            )
        return cls(frozenset(modifiers), key)

    @property
    def names(self) -> frozenset[str]:
        """All of its keys."""
        return self.modifiers | {self.key}

    def __str__(self) -> str:
        order = {name: number for number, name in enumerate(MODIFIERS)}
        modifiers = sorted(self.modifiers, key=lambda name: order[kind_of(name)])
        return "+".join([*modifiers, self.key])


def kind_of(name: str) -> str:
    """The kind of a modifier key (`ctrl` of `right_ctrl`); any other name as it is."""
    return SIDED.get(name, name)


def _canonical(part: str, text: str) -> str:
    name = "_".join(part.strip().lower().replace("-", "_").split())
    if part.strip() == "-":
        name = "minus"
    side, _, rest = name.partition("_")
    if side in ("left", "right") and rest in _ALIASES:
        name = f"{side}_{_ALIASES[rest]}"
    elif name.endswith(("_l", "_r")):
        kind = _ALIASES.get(name[:-2], name[:-2])
        name = f"{'left' if name.endswith('l') else 'right'}_{kind}"
    name = _ALIASES.get(name, name)
    if name in KEYS:
        return name
    if not name:
        raise ValueError(
            f"{text!r}: a key is missing; expected names joined by +, as ctrl+alt+space"
        )
    nameless = len(name) == 1 or name[1:].isdigit()  # a sign, or as f25: nothing is near it
    near = [] if nameless else difflib.get_close_matches(name, sorted(KEYS | {*_ALIASES}), n=1)
    hint = (
        f"did you mean {near[0]}?"
        if near
        else "expected a letter, a digit, f1 to f24, or a name as space, pause, right_ctrl"
    )
    raise ValueError(f"{text!r}: there is no key {part.strip()!r}: {hint}")


def wrong_hotkeys(profile: Profile) -> list[tuple[Path, str]]:
    """What is wrong with the hotkeys of a profile: where, and what."""
    found: list[tuple[Path, str]] = []
    combinations: dict[str, KeyCombination] = {}
    for setting in ("hotkey", "cancel_hotkey"):
        text: str | None = getattr(profile.trigger, setting)
        if text is None:
            continue
        try:
            combinations[setting] = KeyCombination.parse(text)
        except ValueError as error:
            found.append((("trigger", setting), str(error)))
    if len(combinations) == 2 and _same(*combinations.values()):
        text = profile.trigger.cancel_hotkey
        complaint = f"{text!r}: is the same as trigger.hotkey; expected other keys"
        found.append((("trigger", "cancel_hotkey"), complaint))
    return found


def _same(one: KeyCombination, other: KeyCombination) -> bool:
    """Whether the same keys could mean both."""
    return {kind_of(name) for name in one.names} == {kind_of(name) for name in other.names} and all(
        a == b or kind_of(a) != kind_of(b) or a in MODIFIERS or b in MODIFIERS
        for a in one.names
        for b in other.names
    )
