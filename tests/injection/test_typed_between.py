"""A person types between two texts: a real listener hears that, and does not hear this program."""

import asyncio

import pytest
from support.injecting import Rig, final, profile
from support.waiting import until
from support.x11 import Terminal, XDisplay

from vivavoce.actors.injection.focus.x11 import X11Focus
from vivavoce.actors.trigger.keys import KeyEvent
from vivavoce.actors.trigger.pynput_keys import PynputKeys
from vivavoce.config.hotkeys import KeyCombination

pytestmark = [pytest.mark.desktop, pytest.mark.patient]

pytest.importorskip("Xlib")


@pytest.mark.parametrize("back_end", ["xdotool", "pynput"])
async def test_only_what_stands_right_before_the_cursor_is_erased(
    display: XDisplay, editor: Terminal, back_end: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DISPLAY", display.display)
    rig = Rig(
        profile({"backend": [back_end]}, trigger={"hotkey": "right_ctrl"}),
        probe=X11Focus(display.environ),
        environ=display.environ,
    )
    keys = rig.keys
    persons: list[float] = []

    def on_key(event: KeyEvent) -> None:
        if event.kind.value == "typed" and not keys.is_typing(event.at):
            persons.append(event.at)
            keys.typed()

    listener = PynputKeys(KeyCombination.parse("right_ctrl"))
    await listener.start(on_key)
    keys.heard = True
    try:
        await rig.say(final(1, "Ünit one."), final(2, "Two."))
        await rig.say(final(3, "", retracts=1))
        await asyncio.to_thread(editor.wait_for, "Ünit one. Two." + "\x7f" * 5)
        assert persons == [], "this program is no person"
        await asyncio.to_thread(display.xdotool, "key", "x")
        await until(lambda: persons, "nobody hears the person")
        await rig.say(final(4, "", retracts=1), final(5, "More."))
        await asyncio.to_thread(editor.wait_for, "Ünit one. Two." + "\x7f" * 5 + "xMore.")
        assert "not taken back" in rig.deliveries[-2].reason
    finally:
        await listener.stop()
        await rig.stop()
