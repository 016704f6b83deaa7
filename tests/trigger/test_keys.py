"""From keys that go up and down to hotkeys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.trigger.keys import CombinationWatch, KeyEvent, KeyEventKind
from vivavoce.config.hotkeys import KeyCombination

CASES: dict[str, tuple[str, str, str]] = {
    "in order": ("ctrl+alt+space", "+left_ctrl +left_alt +space -space", "press release"),
    "in any order": ("ctrl+alt+space", "+space +right_alt +left_ctrl -right_alt", "press release"),
    "released once": ("ctrl+space", "+left_ctrl +space -left_ctrl -space", "press release"),
    "repeats": ("f9", "+f9 +f9 +f9 -f9", "press release"),
    "pairs of repeats": ("f9", "+f9 -f9 +f9 -f9", "press release press release"),
    "a part is not enough": ("ctrl+alt+space", "+left_ctrl +space -space", ""),
    "another modifier is held": ("f9", "+left_ctrl +f9 -f9 -left_ctrl", ""),
    "another modifier comes later": ("f9", "+f9 +left_ctrl -left_ctrl -f9", "press release"),
    "other keys do not matter": ("f9", "+a +f9 +b -f9", "press release"),
    "the other side": ("right_ctrl", "+left_ctrl -left_ctrl", ""),
    "that side": ("right_ctrl", "+right_ctrl -right_ctrl", "press release"),
    "a side with a key": ("right_ctrl+f1", "+left_ctrl +f1 -f1 +right_ctrl +f1", "press"),
    "either side keeps it": (
        "ctrl+f1",
        "+left_ctrl +f1 +right_ctrl -left_ctrl -right_ctrl",
        "press release",
    ),
    "modifiers only": ("ctrl+shift", "+left_shift +right_ctrl -left_shift", "press release"),
    "a modifier whose side is unknown": ("ctrl+f1", "+ctrl +f1 -ctrl", "press release"),
    "another key does not press it": ("ctrl+f1", "+f1 +left_ctrl -f1 +a -a", "press release"),
    "cancel": ("f9", "+escape -escape +escape", "cancel cancel"),
    "cancel while held": ("f9", "+f9 +escape -escape -f9", "press cancel release"),
    "cancel while a modifier is the hotkey": (
        "right_ctrl",
        "+right_ctrl +escape -escape -right_ctrl",
        "press cancel release",
    ),
    "cancel with a modifier is another combination": ("f9", "+left_ctrl +escape", ""),
}


def told(watch: CombinationWatch, script: str) -> list[KeyEvent]:
    found: list[KeyEvent] = []
    for at, step in enumerate(script.split()):
        found += (watch.down if step[0] == "+" else watch.up)(step[1:], float(at))
    return found


@pytest.mark.parametrize("case", CASES)
def test_what_is_pressed(case: str) -> None:
    hotkey, script, expected = CASES[case]
    watch = CombinationWatch(KeyCombination.parse(hotkey), KeyCombination.parse("escape"))
    events = [event for event in told(watch, script) if not event.modifier]
    assert [event.kind for event in events if event.kind != "typed"] == expected.split()


def test_other_keys_are_told_without_their_names() -> None:
    watch = CombinationWatch(KeyCombination.parse("ctrl+f9"), KeyCombination.parse("escape"))
    events = told(watch, "+a -a +left_ctrl +f9 -f9 -left_ctrl +enter -enter +escape -escape")
    kinds = [event.kind for event in events if not event.modifier]
    assert kinds == ["typed", "press", "release", "typed", "cancel"]
    assert all(not event.reason for event in events)


def test_times_and_modifiers() -> None:
    watch = CombinationWatch(KeyCombination.parse("ctrl+f1"))
    assert told(watch, "+left_ctrl +f1 +right_ctrl -left_ctrl -f1 -right_ctrl") == [
        KeyEvent(KeyEventKind.MODIFIER_DOWN, 0.0, "ctrl"),
        KeyEvent(KeyEventKind.PRESS, 1.0),
        KeyEvent(KeyEventKind.RELEASE, 4.0),
        KeyEvent(KeyEventKind.MODIFIER_UP, 5.0, "ctrl"),
    ]


NAMES = st.sampled_from(["left_ctrl", "right_ctrl", "ctrl", "left_alt", "space", "f9", "escape"])


@given(
    hotkey=st.sampled_from(["f9", "ctrl+alt+space", "right_ctrl", "ctrl+alt", "ctrl+f9"]),
    steps=st.lists(st.tuples(st.sampled_from("+-"), NAMES), max_size=40),
)
def test_whatever_happens_all_is_up_when_all_keys_are(
    hotkey: str, steps: list[tuple[str, str]]
) -> None:
    watch = CombinationWatch(KeyCombination.parse(hotkey), KeyCombination.parse("escape"))
    keys = ["left_ctrl", "right_ctrl", "left_alt", "space", "f9", "escape"]
    script = " ".join([*map("".join, steps), *(f"-{key}" for key in keys)])
    events = told(watch, script)
    pressed = [event.kind for event in events if event.kind in ("press", "release")]
    assert pressed == ["press", "release"] * (len(pressed) // 2)
    for modifier in ("ctrl", "alt"):
        kinds = [event.kind for event in events if event.modifier == modifier]
        assert kinds == ["modifier_down", "modifier_up"] * (len(kinds) // 2)
