"""Hotkeys by evdev: real input events from keyboards that are pipes."""

from __future__ import annotations

import os
import struct
from collections.abc import AsyncIterator, Iterator

import pytest
from support.hotkeys import Told

from vivavoce.actors.trigger.evdev_keys import EvdevKeys, is_of_a_typing_tool
from vivavoce.actors.trigger.keys import KeyEventKind
from vivavoce.actors.trigger.listener import HotkeysUnavailable
from vivavoce.config.hotkeys import KEYS, MODIFIERS, KeyCombination

evdev = pytest.importorskip("evdev")
ecodes = evdev.ecodes
PRESS, RELEASE, CANCEL, LOST = (
    KeyEventKind.PRESS,
    KeyEventKind.RELEASE,
    KeyEventKind.CANCEL,
    KeyEventKind.LOST,
)
_EVENT = struct.Struct("llHHi")


class PipedKeyboard:
    """Linux's input events, through a pipe in place of a device file."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self.closed = False

    def type(self, code: int, *values: int) -> None:
        """The kernel's events of a key, each with its report."""
        for value in values:
            os.write(
                self._writing,
                _EVENT.pack(0, 0, ecodes.EV_MSC, ecodes.MSC_SCAN, code)
                + _EVENT.pack(0, 0, ecodes.EV_KEY, code, value)
                + _EVENT.pack(0, 0, ecodes.EV_SYN, ecodes.SYN_REPORT, 0),
            )

    def unplug(self) -> None:
        os.close(self._writing)

    def fileno(self) -> int:
        return self._reading

    def read(self) -> Iterator[object]:
        data = os.read(self._reading, 64 * _EVENT.size)
        if not data:
            raise OSError(19, "No such device")
        for event in _EVENT.iter_unpack(data):
            yield evdev.InputEvent(*event)

    def close(self) -> None:
        self.closed = True
        os.close(self._reading)


@pytest.fixture
async def keyboards() -> AsyncIterator[tuple[Told, PipedKeyboard, PipedKeyboard]]:
    """A listener for ctrl+space (cancel: escape) with two keyboards."""
    first, second = PipedKeyboard(), PipedKeyboard()
    parse = KeyCombination.parse
    listener = EvdevKeys(parse("ctrl+space"), parse("escape"), lambda: [first, second])
    told = Told()
    await listener.start(told)
    yield told, first, second
    await listener.stop()
    await listener.stop()
    assert first.closed
    assert second.closed


async def test_press_release_and_cancel(
    keyboards: tuple[Told, PipedKeyboard, PipedKeyboard],
) -> None:
    told, first, second = keyboards
    first.type(ecodes.KEY_RIGHTCTRL, 1)
    first.type(ecodes.KEY_SPACE, 1, 2, 2, 2, 0)
    first.type(ecodes.KEY_RIGHTCTRL, 0)
    await told.wait_for(2)
    second.type(ecodes.KEY_ESC, 1, 0)
    assert await told.wait_for(3) == [PRESS, RELEASE, CANCEL]
    assert [event.modifier for event in told.events] == ["ctrl", "", "", "ctrl", ""]
    first.unplug()
    second.unplug()


async def test_unplugged_keys_are_up_and_without_keyboards_it_is_lost(
    keyboards: tuple[Told, PipedKeyboard, PipedKeyboard],
) -> None:
    told, first, second = keyboards
    first.type(ecodes.KEY_LEFTCTRL, 1)
    first.type(ecodes.KEY_SPACE, 1)
    await told.wait_for(1)
    first.unplug()
    assert await told.wait_for(2) == [PRESS, RELEASE]
    second.type(ecodes.KEY_ESC, 1)
    await told.wait_for(3)
    second.unplug()
    assert await told.wait_for(4) == [PRESS, RELEASE, CANCEL, LOST]
    assert "unplugged" in told.events[-1].reason


async def test_stopped_while_a_key_is_held_it_tells_nothing() -> None:
    keyboard, told = PipedKeyboard(), Told()
    listener = EvdevKeys(KeyCombination.parse("f9"), None, lambda: [keyboard])
    await listener.start(told)
    keyboard.type(ecodes.KEY_F9, 1)
    await told.wait_for(1)
    await listener.stop()
    keyboard.unplug()
    assert await told.wait_for(1) == [PRESS]
    assert keyboard.closed


async def test_a_fault_at_the_keyboard_is_told_as_the_end_of_hearing() -> None:
    class Faulty(PipedKeyboard):
        def read(self) -> Iterator[object]:
            next(super().read())
            raise struct.error("unpack requires a buffer of 24 bytes")

    first, second, told = Faulty(), PipedKeyboard(), Told()
    listener = EvdevKeys(KeyCombination.parse("f9"), None, lambda: [first, second])
    await listener.start(told)
    first.type(ecodes.KEY_F9, 1)
    assert await told.wait_for(1) == [LOST]
    assert told.events[-1].reason == (
        "hotkeys are no longer heard: unpack requires a buffer of 24 bytes"
    )
    await listener.stop()
    assert first.closed
    assert second.closed


async def test_without_a_keyboard_it_is_one_line() -> None:
    with pytest.raises(HotkeysUnavailable, match="no keyboard in /dev/input can be read"):
        await EvdevKeys(KeyCombination.parse("f9"), None, lambda: []).start(Told())


def test_each_key_that_a_hotkey_may_have_is_known_to_linux() -> None:
    from vivavoce.actors.trigger.evdev_keys import names_by_code

    assert set(names_by_code().values()) == KEYS - set(MODIFIERS)


@pytest.mark.parametrize(
    ("name", "place", "virtual"),
    [
        ("ydotoold virtual device", "", True),
        ("dotool keyboard", None, True),
        ("py-evdev-uinput", "py-evdev-uinput", False),  # remappers: what a person presses
        ("keyd virtual keyboard", None, False),
        ("AT Translated Set 2 keyboard", "isa0060/serio0/input0", False),
        (None, None, False),
    ],
)
def test_keyboards_of_tools_that_type_are_not_heard(
    name: str | None, place: str | None, virtual: bool
):
    assert is_of_a_typing_tool(name, place) is virtual
