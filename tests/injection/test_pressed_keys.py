"""The user presses modifiers while text is typed into a real xterm, and a real listener hears."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from support.injecting import Rig, final, profile
from support.waiting import moment, until
from support.x11 import Terminal, XDisplay

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.injection.focus.x11 import X11Focus
from vivavoce.actors.injection.hands import Hands
from vivavoce.actors.trigger.keys import KeyEvent, KeyEventKind
from vivavoce.actors.trigger.pynput_keys import PynputKeys
from vivavoce.config.hotkeys import KeyCombination
from vivavoce.config.trigger import TriggerSettings

pytestmark = [pytest.mark.desktop, pytest.mark.patient]

pytest.importorskip("Xlib")
TEXT = "The boys examined 3 of them, with NO result at all; nobody knew why."
_DOWN = (KeyEventKind.PRESS, KeyEventKind.CANCEL, KeyEventKind.MODIFIER_DOWN)


class Desktop:
    """A rig, and a hotkey listener that tells it of modifiers.

    Attributes:
        told: of hotkeys, what is not of the program itself.
    """

    def __init__(self, display: XDisplay, hotkey: str, back_end: str, **settings) -> None:
        self.rig = Rig(
            profile(
                {"backend": [back_end], **settings},
                trigger={"hotkey": hotkey, "cancel_hotkey": "escape"},
            ),
            probe=X11Focus(display.environ),
            environ=display.environ,
        )
        self._display = display
        self.told: list[KeyEventKind] = []
        self.heard: list[KeyEventKind] = []
        self._listener = PynputKeys(KeyCombination.parse(hotkey))

    async def __aenter__(self) -> "Desktop":
        await self._listener.start(self._on_key)
        await self._is_heard()
        return self

    async def _is_heard(self) -> None:
        """pynput says that it is ready shortly before the server is."""
        taps = 0
        while not self.heard:
            await asyncio.to_thread(self._display.xdotool, "key", "Shift_L")
            taps += 1
            await moment()
        await until(lambda: len(self.heard) % 2 == 0 and not self.rig.keys.held, "a key is down")
        await moment()
        self.told.clear()
        self.heard.clear()

    async def __aexit__(self, *_: object) -> None:
        await self._listener.stop()
        await self.rig.stop()

    def _on_key(self, event: KeyEvent) -> None:
        self.heard.append(event.kind)
        keys = self.rig.keys
        if event.kind in _DOWN and keys.is_ours(event.at):
            return
        if event.kind is KeyEventKind.MODIFIER_DOWN:
            keys.press(event.modifier)
        elif event.kind is KeyEventKind.MODIFIER_UP:
            keys.release(event.modifier)
        elif event.kind.value != "typed" or not keys.is_typing(event.at):
            self.told.append(event.kind)


@pytest.fixture
async def fingers(display: XDisplay) -> AsyncIterator["Fingers"]:
    """A user whose fingers are as fast as a program's."""
    made = Fingers(display)
    yield made
    made.close()


class Fingers:
    def __init__(self, display: XDisplay) -> None:
        from Xlib.display import Display

        self._display = Display(display.display)

    def change(self, keysym: int, *, down: bool) -> None:
        from Xlib import X
        from Xlib.ext import xtest

        key = self._display.keysym_to_keycode(keysym)
        xtest.fake_input(self._display, X.KeyPress if down else X.KeyRelease, key)
        self._display.sync()

    def close(self) -> None:
        self._display.close()


RIGHT_CTRL, RIGHT_ALT, RIGHT_SUPER, RIGHT_SHIFT = 0xFFE4, 0xFFEA, 0xFFEC, 0xFFE2


@pytest.fixture(autouse=True)
def _display_of_the_listener(display: XDisplay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display.display)
    monkeypatch.setenv("HOME", os.environ.get("HOME", "/"))


@pytest.mark.parametrize("back_end", ["xdotool", "pynput"])
@pytest.mark.parametrize("after", [2, 10, 30])
async def test_the_hotkey_is_pressed_while_text_is_typed(
    display: XDisplay, editor: Terminal, fingers: Fingers, back_end: str, after: int
):
    display.copy(b"")

    async def press(desktop: Desktop) -> None:
        while len(editor.typed) < after:  # as soon as possible, and nobody else is held up
            await asyncio.sleep(0)
        fingers.change(RIGHT_CTRL, down=True)
        await until(lambda: desktop.told, "the key is not heard")
        await moment()
        fingers.change(RIGHT_CTRL, down=False)

    async with Desktop(display, "right_ctrl", back_end) as desktop:
        pressing = asyncio.create_task(press(desktop))
        await desktop.rig.say(final(1, TEXT))
        await pressing
        await until(lambda: len(desktop.told) == 2, "the key is not heard")
    [delivery] = desktop.rig.deliveries
    if delivery.outcome is Outcome.PARTLY:  # it came in the fraction of a millisecond of a key
        assert "modifier" in delivery.reason
        await moment(0.3)
        typed = editor.typed if editor.typed.isprintable() else editor.typed[:-1]
        assert TEXT.startswith(typed), "at most one shortcut"
        rest = display.clipboard().decode()
        both = [(begin + rest).replace(" ", "") for begin in (typed, typed[:-1])]
        assert TEXT.replace(" ", "") in both, "the key in question is in the clipboard"
    else:
        assert delivery.outcome is Outcome.TYPED
        await asyncio.to_thread(editor.wait_for, TEXT)
    assert desktop.told == [KeyEventKind.PRESS, KeyEventKind.RELEASE]


@pytest.mark.parametrize("back_end", ["xdotool", "pynput"])
@pytest.mark.parametrize(
    ("hotkey", "keysym"),
    [("right_ctrl", RIGHT_CTRL), ("right_alt", RIGHT_ALT), ("right_super", RIGHT_SUPER),
     ("right_shift", RIGHT_SHIFT)],
)  # fmt: skip
async def test_a_key_that_stays_held_is_released_and_never_pressed(
    display: XDisplay, editor: Terminal, fingers: Fingers, back_end: str, hotkey: str, keysym: int
):
    async with Desktop(display, hotkey, back_end, wait_for_modifiers_ms=50) as desktop:
        fingers.change(keysym, down=True)
        await until(lambda: desktop.heard, "the key is not heard")
        try:
            await desktop.rig.say(final(1, TEXT))
        finally:
            fingers.change(keysym, down=False)
        await asyncio.to_thread(editor.wait_for, TEXT)
        assert desktop.rig.outcomes == [Outcome.TYPED]
        if keysym != RIGHT_SHIFT:
            await until(lambda: len(desktop.told) == 2, "the key is not heard")
            assert desktop.told == [KeyEventKind.PRESS, KeyEventKind.RELEASE]
            assert desktop.rig.keys.held == frozenset()


@pytest.mark.parametrize("back_end", ["xdotool", "pynput"])
async def test_keys_that_nobody_hears_are_seen(
    display: XDisplay, editor: Terminal, fingers: Fingers, back_end: str
):
    """As where the desktop has a key for `vivavoce ctl toggle`, and it is still down."""
    rig = Rig(
        profile({"backend": [back_end]}), probe=X11Focus(display.environ), environ=display.environ
    )
    fingers.change(RIGHT_CTRL, down=True)
    saying = asyncio.create_task(rig.say(final(1, TEXT)))
    await moment()
    assert editor.typed == ""
    fingers.change(RIGHT_CTRL, down=False)
    await saying
    await asyncio.to_thread(editor.wait_for, TEXT)
    await rig.stop()


@pytest.mark.parametrize("back_end", ["xdotool", "pynput"])
async def test_other_characters_are_typed_key_by_key_as_well(
    display: XDisplay, editor: Terminal, back_end: str
):
    text = "Да, 5 € (100 %)! \"q\" 'x' $HOME `id` \\ # 日本語 😀 é\u0301 a\u00a0b; end\u3000."
    async with Desktop(display, "ctrl+alt+space", back_end) as desktop:
        await desktop.rig.say(final(1, text))
        await asyncio.to_thread(editor.wait_for, text)
        assert desktop.told == []
        await desktop.rig.say(final(2, TEXT))
        await asyncio.to_thread(editor.wait_for, f"{text} {TEXT}")


async def test_own_keys_are_not_heard_as_hotkeys(display: XDisplay, editor: Terminal):
    display.copy(b"before")
    async with Desktop(display, "ctrl", "clipboard", restore_clipboard_ms=0) as desktop:
        await desktop.rig.say(final(1, TEXT))
        await asyncio.to_thread(editor.wait_for, TEXT)
        await until(lambda: KeyEventKind.PRESS in desktop.heard, "it is not heard at all")
        assert KeyEventKind.PRESS not in desktop.told
        assert desktop.rig.keys.held == frozenset()
        display.xdotool("key", "Control_L")
        await until(lambda: KeyEventKind.PRESS in desktop.told, "that of a person is not heard")


@pytest.mark.parametrize(
    ("hotkey", "hidden"),
    [("right_ctrl", False), ("f9", False), ("escape", False), ("shift", True), ("left_shift", True),
     ("right_shift", False), ("ctrl+a", False), ("shift+f9", False)],
)  # fmt: skip
def test_the_hotkey_is_heard_while_text_is_typed_unless_texts_press_it(hotkey: str, hidden: bool):
    """What texts press can be no word of a person's; all else is, also while text is typed."""
    keys = HeldKeys(lambda: 1.0)
    hands = Hands(keys, lambda: TriggerSettings(mode="hold", hotkey=hotkey))
    with hands.typing():
        assert keys.is_ours(1.0) is hidden
    assert not keys.is_ours(1.1)


def test_keys_that_are_this_programs_own():
    now = 10.0
    keys = HeldKeys(lambda: now)
    hands = Hands(keys, lambda: TriggerSettings(mode="hold", hotkey="ctrl"))
    assert not keys.is_ours(10.0)
    with hands.pressing("ctrl+v"):
        assert keys.is_ours(10.0)
        assert not keys.is_ours(9.99)
        now = 10.5
    assert keys.is_ours(10.52), "heard late"
    assert not keys.is_ours(10.54)
    now = 11.0
    with hands.pressing("backspace"):
        assert not keys.is_ours(11.0), "that is no hotkey, and a person's is heard meanwhile"
