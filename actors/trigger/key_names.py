"""The names of keys in X11, Linux and pynput, each with the one that hotkeys have here."""

from __future__ import annotations

import string

from vivavoce.config.hotkeys import PUNCTUATION

BY_SIGN: dict[str, str] = {
    **{sign: sign for sign in string.ascii_lowercase + string.digits},
    **{sign: name for name, sign in PUNCTUATION.items()},
    " ": "space",
}
"""By what a key types on an American keyboard."""

_FUNCTIONS = {f"f{number}": number for number in range(1, 25)}

BY_KEYSYM: dict[int, str] = {
    **{ord(sign): name for sign, name in BY_SIGN.items()},
    **{0xFFBE + number - 1: name for name, number in _FUNCTIONS.items()},
    **{0xFF08: "backspace", 0xFF09: "tab", 0xFF0D: "enter", 0xFF8D: "enter"},
    **{0xFF13: "pause", 0xFF6B: "pause", 0xFF14: "scroll_lock", 0xFF1B: "escape"},
    **{0xFF50: "home", 0xFF51: "left", 0xFF52: "up", 0xFF53: "right", 0xFF54: "down"},
    **{0xFF55: "page_up", 0xFF56: "page_down", 0xFF57: "end"},
    **{0xFF61: "print_screen", 0xFF63: "insert", 0xFF67: "menu", 0xFF7F: "num_lock"},
    **{0xFFFF: "delete", 0xFFE5: "caps_lock"},
    **{0xFFE1: "left_shift", 0xFFE2: "right_shift", 0xFFE3: "left_ctrl", 0xFFE4: "right_ctrl"},
    **{0xFFE9: "left_alt", 0xFFEA: "right_alt", 0xFE03: "right_alt", 0xFF7E: "right_alt"},
    **{0xFFEB: "left_super", 0xFFEC: "right_super"},
    **{0x1008FF11: "volume_down", 0x1008FF12: "volume_mute", 0x1008FF13: "volume_up"},
    **{0x1008FF14: "media_play_pause", 0x1008FF31: "media_play_pause"},
    **{0x1008FF15: "media_stop", 0x1008FF16: "media_previous", 0x1008FF17: "media_next"},
}
"""By the X11 keysym without modifiers (X.Org's keysymdef.h and XF86keysym.h)."""

BY_PYNPUT: dict[str, str] = {
    **{name: name for name in _FUNCTIONS},
    **{
        name: name
        for name in (
            *("backspace", "caps_lock", "delete", "down", "end", "enter", "home", "insert", "left"),
            *("menu", "num_lock", "page_down", "page_up", "pause", "print_screen", "right"),
            *("scroll_lock", "space", "tab", "up"),
            *("media_play_pause", "media_next", "media_previous", "media_stop"),
        )
    },
    **{"esc": "escape", "alt_gr": "right_alt"},
    **{"alt": "left_alt", "alt_l": "left_alt", "alt_r": "right_alt"},
    **{"cmd": "left_super", "cmd_l": "left_super", "cmd_r": "right_super"},
    **{"ctrl": "left_ctrl", "ctrl_l": "left_ctrl", "ctrl_r": "right_ctrl"},
    **{"shift": "left_shift", "shift_l": "left_shift", "shift_r": "right_shift"},
    "media_volume_down": "volume_down",
    "media_volume_mute": "volume_mute",
    "media_volume_up": "volume_up",
}
"""By the name of pynput's ``Key``."""

BY_LINUX: dict[str, str] = {
    **{f"KEY_{sign.upper()}": sign for sign in string.ascii_lowercase + string.digits},
    **{f"KEY_{name.upper()}": name for name in _FUNCTIONS},
    **{f"KEY_{name.upper()}": name for name in ("backspace", "delete", "down", "end", "enter")},
    **{f"KEY_{name.upper()}": name for name in ("home", "insert", "left", "pause", "right")},
    **{f"KEY_{name.upper()}": name for name in ("space", "tab", "up")},
    **{"KEY_ESC": "escape", "KEY_KPENTER": "enter", "KEY_SYSRQ": "print_screen"},
    **{"KEY_PAGEUP": "page_up", "KEY_PAGEDOWN": "page_down", "KEY_COMPOSE": "menu"},
    **{"KEY_SCROLLLOCK": "scroll_lock", "KEY_CAPSLOCK": "caps_lock", "KEY_NUMLOCK": "num_lock"},
    **{"KEY_LEFTCTRL": "left_ctrl", "KEY_RIGHTCTRL": "right_ctrl"},
    **{"KEY_LEFTALT": "left_alt", "KEY_RIGHTALT": "right_alt"},
    **{"KEY_LEFTSHIFT": "left_shift", "KEY_RIGHTSHIFT": "right_shift"},
    **{"KEY_LEFTMETA": "left_super", "KEY_RIGHTMETA": "right_super"},
    **{"KEY_MINUS": "minus", "KEY_EQUAL": "equal", "KEY_COMMA": "comma", "KEY_DOT": "period"},
    **{"KEY_SLASH": "slash", "KEY_BACKSLASH": "backslash", "KEY_SEMICOLON": "semicolon"},
    **{"KEY_APOSTROPHE": "apostrophe", "KEY_GRAVE": "grave"},
    **{"KEY_LEFTBRACE": "left_bracket", "KEY_RIGHTBRACE": "right_bracket"},
    **{"KEY_PLAYPAUSE": "media_play_pause", "KEY_PLAYCD": "media_play_pause"},
    **{"KEY_NEXTSONG": "media_next", "KEY_PREVIOUSSONG": "media_previous"},
    **{"KEY_STOPCD": "media_stop", "KEY_MUTE": "volume_mute"},
    **{"KEY_VOLUMEDOWN": "volume_down", "KEY_VOLUMEUP": "volume_up"},
}
"""By the name of Linux's input-event-codes.h, which goes by the place of the key."""
