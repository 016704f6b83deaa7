"""Which listener is chosen in which session, and what is said where there is none."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from vivavoce.actors.trigger import hotkeys
from vivavoce.actors.trigger.evdev_keys import EvdevKeys
from vivavoce.actors.trigger.hotkeys import Impossible, choose_listener
from vivavoce.actors.trigger.key_names import BY_KEYSYM, BY_LINUX
from vivavoce.actors.trigger.pynput_keys import PynputKeys
from vivavoce.config.hotkeys import KEYS, MODIFIERS
from vivavoce.config.trigger import TriggerSettings

X11 = {"DISPLAY": ":0", "XDG_SESSION_TYPE": "x11"}
SWAY = {"WAYLAND_DISPLAY": "wayland-1", "DISPLAY": ":0", "SWAYSOCK": "/run/sway.sock"}
HYPRLAND = {"WAYLAND_DISPLAY": "wayland-1", "HYPRLAND_INSTANCE_SIGNATURE": "x"}
GNOME = {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}
CONSOLE = {"XDG_SESSION_TYPE": "tty"}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both libraries, as far as the choice can see."""
    monkeypatch.setattr(hotkeys, "find_spec", lambda _: importlib.util.find_spec("json"))


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    (tmp_path / "event0").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("backend", "environ", "platform", "readable", "expected"),
    [
        ("auto", X11, "linux", True, PynputKeys),
        ("auto", {"DISPLAY": ":1"}, "freebsd14", False, PynputKeys),
        ("auto", SWAY, "linux", True, EvdevKeys),
        ("auto", GNOME, "linux", True, EvdevKeys),
        ("auto", CONSOLE, "linux", True, EvdevKeys),
        ("auto", {}, "darwin", False, PynputKeys),
        ("auto", {}, "win32", False, PynputKeys),
        ("evdev", X11, "linux", True, EvdevKeys),
        ("pynput", GNOME, "linux", False, PynputKeys),
        ("auto", SWAY, "linux", False, "in sway's config: bindsym F9 exec vivavoce ctl toggle"),
        ("auto", HYPRLAND, "linux", False, "bind = , F9, exec, vivavoce ctl toggle"),
        ("auto", GNOME, "linux", False, "Wayland lets no program hear the keys of others"),
        ("auto", CONSOLE, "linux", False, "bind `vivavoce ctl toggle` to a key in your desktop"),
        ("evdev", X11, "linux", False, "/dev/input cannot be read"),
        ("evdev", {}, "darwin", False, "evdev is of Linux"),
        ("pynput", CONSOLE, "linux", True, "DISPLAY is not set"),
    ],
)
def test_the_choice(
    backend: str,
    environ: dict[str, str],
    platform: str,
    readable: bool,
    expected: type | str,
    devices: Path,
    tmp_path: Path,
) -> None:
    settings = TriggerSettings(hotkey="f9", backend=backend)  # type: ignore[arg-type]
    folder = devices if readable else tmp_path / "none"
    chosen = choose_listener(settings, environ, platform=platform, devices=folder)
    if isinstance(expected, str):
        assert isinstance(chosen, Impossible)
        assert expected in chosen.reason
        assert chosen.reason.isprintable()
    else:
        assert isinstance(chosen, expected)


def test_without_hotkeys_nobody_listens() -> None:
    assert choose_listener(TriggerSettings(), X11) is None
    assert isinstance(choose_listener(TriggerSettings(cancel_hotkey="esc"), X11), PynputKeys)


def test_a_library_that_is_missing_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotkeys, "find_spec", lambda _: None)
    chosen = choose_listener(TriggerSettings(hotkey="f9"), X11, platform="linux")
    assert chosen == Impossible(
        "hotkeys need pynput; install it with: pip install 'vivavoce[dictation]'"
    )


def test_each_key_that_a_hotkey_may_have_is_known_to_x11() -> None:
    assert set(BY_KEYSYM.values()) == KEYS - set(MODIFIERS)
    assert set(BY_LINUX.values()) == KEYS - set(MODIFIERS)
