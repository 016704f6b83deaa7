"""Which listener hears the keys in this session; where none can, what to do instead."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from vivavoce.actors.trigger import evdev_keys, pynput_keys
from vivavoce.actors.trigger.listener import HotkeyListener
from vivavoce.config.hotkeys import KeyCombination
from vivavoce.config.trigger import TriggerSettings

BackEnd: TypeAlias = Literal["pynput", "evdev"]


@dataclass(frozen=True, slots=True)
class Impossible:
    """No global hotkey can be had; ``reason`` is a line that says why and what to do instead."""

    reason: str


def choose_listener(
    settings: TriggerSettings,
    environ: Mapping[str, str],
    *,
    platform: str = sys.platform,
    devices: Path = evdev_keys.INPUT,
) -> HotkeyListener | Impossible | None:
    """The listener for the hotkeys of a profile that was loaded; nothing is imported yet.

    Args:
        settings: which keys, and heard by what.
        environ: of the session; only looked at.
        platform: as :data:`sys.platform`.
        devices: where Linux has its input devices.

    Returns:
        None where the profile has no hotkeys.
    """
    hotkey, cancel = _combination(settings.hotkey), _combination(settings.cancel_hotkey)
    if hotkey is None and cancel is None:
        return None
    found = _back_end(settings.backend, environ, platform, evdev_keys.readable(devices))
    if isinstance(found, Impossible):
        return found
    if find_spec(found) is None:
        return Impossible(pynput_keys.MISSING.format(found))
    if found == "pynput":
        return pynput_keys.PynputKeys(hotkey, cancel)
    return evdev_keys.EvdevKeys(hotkey, cancel)


def _combination(text: str | None) -> KeyCombination | None:
    return None if text is None else KeyCombination.parse(text)


def _back_end(
    wanted: Literal["auto", "pynput", "evdev"],
    environ: Mapping[str, str],
    platform: str,
    readable: bool,
) -> BackEnd | Impossible:
    linux = platform not in ("darwin", "win32")
    wayland = environ.get("XDG_SESSION_TYPE") == "wayland" or bool(environ.get("WAYLAND_DISPLAY"))
    display = bool(environ.get("DISPLAY"))
    if wanted == "evdev" and not linux:
        return Impossible("hotkeys cannot be heard: evdev is of Linux; use trigger.backend: auto")
    if wanted == "pynput" and linux and not display:
        return Impossible(
            "hotkeys cannot be heard: pynput needs an X server, and DISPLAY is not set; "
            + _instead(environ)
        )
    if not linux or wanted == "pynput" or (wanted == "auto" and display and not wayland):
        return "pynput"
    if readable:
        return "evdev"
    why = (
        "Wayland lets no program hear the keys of others, and /dev/input cannot be read"
        if wayland
        else "there is no X server, and /dev/input cannot be read"
    )
    return Impossible(f"hotkeys cannot be heard: {why}; {_instead(environ)}")


def _instead(environ: Mapping[str, str]) -> str:
    """What to do where there is no global hotkey, by desktop."""
    advice = "bind `vivavoce ctl toggle` to a key in your desktop"
    if environ.get("SWAYSOCK"):
        advice += ", in sway's config: bindsym F9 exec vivavoce ctl toggle"
    elif environ.get("HYPRLAND_INSTANCE_SIGNATURE"):
        advice += ", in hyprland.conf: bind = , F9, exec, vivavoce ctl toggle"
    elif environ.get("WAYLAND_DISPLAY"):
        advice += " (sway: bindsym F9 exec vivavoce ctl toggle; Hyprland: bind = , F9, exec, …)"
    return advice
