"""Key combinations as people write them."""

from __future__ import annotations

import pytest

from vivavoce.config.hotkeys import KEYS, KeyCombination, wrong_hotkeys
from vivavoce.config.schema import Profile
from vivavoce.config.trigger import TriggerSettings

parse = KeyCombination.parse


@pytest.mark.parametrize(
    ("text", "meant"),
    {
        "ctrl+alt+space": "ctrl+alt+space",
        "Alt + CTRL + Space": "ctrl+alt+space",
        "control+option+spacebar": "ctrl+alt+space",
        "f9": "f9",
        "F24": "f24",
        "right_ctrl": "right_ctrl",
        "Right Control": "right_ctrl",
        "right-ctrl": "right_ctrl",
        "ctrl_r": "right_ctrl",
        "control_l": "left_ctrl",
        "AltGr": "right_alt",
        "left_cmd+d": "left_super+d",
        "win+h": "super+h",
        "meta+shift+return": "shift+super+enter",
        "ctrl+shift": "ctrl+shift",
        "super": "super",
        "pause": "pause",
        "scroll_lock": "scroll_lock",
        "ScrollLock": "scroll_lock",
        "esc": "escape",
        "play": "media_play_pause",
        "ctrl+-": "ctrl+minus",
        "ctrl+.": "ctrl+period",
        "ctrl+5": "ctrl+5",
        "shift+f1": "shift+f1",
    }.items(),
)
def test_what_is_meant(text: str, meant: str) -> None:
    assert str(parse(text)) == meant
    assert parse(meant) == parse(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    {
        "ctrl+spce": "'ctrl+spce': there is no key 'spce': did you mean space?",
        "contrl+a": "there is no key 'contrl': did you mean control?",
        "f25": "expected a letter, a digit, f1 to f24",
        "ctrl+ß": "expected a letter, a digit, f1 to f24",
        "": "a key is missing; expected names joined by +",
        "ctrl+": "a key is missing",
        "+": "a key is missing",
        "a+b": "a is no modifier; expected ctrl, alt, shift or super before one other key",
        "space+ctrl": "space is no modifier",
        "ctrl+control+a": "names a key twice",
        "ctrl+right_ctrl": "names a key twice",
        "a": "would be pressed whenever you type it; expected ctrl, alt or super with it",
        "shift+a": "would be pressed whenever you type it",
        "space": "as ctrl+alt+space, or a key that types nothing",
        "ctrl\n+x\x1b[2J": "there is no key",
    }.items(),
)
def test_what_is_wrong_is_said_in_a_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse(text)
    assert complaint in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_is_read_as_itself(key: str) -> None:
    assert parse(f"{'shift' if key.endswith('ctrl') else 'ctrl'}+{key}").key == key


def complaints(**trigger: str) -> list[tuple[str, ...]]:
    profile = Profile(trigger=TriggerSettings(**trigger))  # type: ignore[arg-type]
    return [path for path, _ in wrong_hotkeys(profile)]


def test_both_hotkeys_of_a_profile_are_read() -> None:
    assert complaints() == []
    assert complaints(mode="hold") == []  # `vivavoce ctl` will do
    assert complaints(hotkey="ctrl+alt+space", cancel_hotkey="escape") == []
    assert complaints(hotkey="x", cancel_hotkey="nonsense") == [
        ("trigger", "hotkey"),
        ("trigger", "cancel_hotkey"),
    ]


@pytest.mark.parametrize(
    ("hotkey", "cancel", "same"),
    [
        ("f9", "F9", True),
        ("ctrl+alt+x", "alt+control+x", True),
        ("ctrl+shift", "shift+ctrl", True),
        ("right_ctrl", "ctrl", True),
        ("right_ctrl", "left_ctrl", False),
        ("f9", "shift+f9", False),
        ("f9", "f10", False),
    ],
)
def test_one_key_cannot_mean_both(hotkey: str, cancel: str, same: bool) -> None:
    assert complaints(hotkey=hotkey, cancel_hotkey=cancel) == (
        [("trigger", "cancel_hotkey")] if same else []
    )
