"""Hotkeys on a real X server, pressed by xdotool."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from support.hotkeys import Keyboard, Told, missing
from support.waiting import PATIENCE_S, moment

from vivavoce.actors.trigger.hotkeys import choose_listener
from vivavoce.actors.trigger.keys import KeyEventKind
from vivavoce.actors.trigger.listener import HotkeysUnavailable
from vivavoce.actors.trigger.pynput_keys import PynputKeys
from vivavoce.config.hotkeys import KeyCombination
from vivavoce.config.trigger import TriggerSettings

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

PRESS, RELEASE, CANCEL, LOST = (
    KeyEventKind.PRESS,
    KeyEventKind.RELEASE,
    KeyEventKind.CANCEL,
    KeyEventKind.LOST,
)


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyboard]:
    made = Keyboard()
    monkeypatch.setenv("DISPLAY", made.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    yield made
    made.kill()


@pytest.fixture
async def listening() -> AsyncIterator[object]:
    running: list[PynputKeys] = []

    async def listen(hotkey: str, cancel: str = "escape") -> Told:
        listener = choose_listener(TriggerSettings(hotkey=hotkey, cancel_hotkey=cancel), os.environ)
        assert isinstance(listener, PynputKeys)
        told = Told()
        await listener.start(told)
        running.append(listener)
        return told

    listen.running = running  # type: ignore[attr-defined]
    yield listen
    for listener in running:
        await listener.stop()


@pytest.mark.smoke
async def test_press_release_and_cancel(keyboard: Keyboard, listening) -> None:
    told = await listening("f9")
    before = time.monotonic()
    await keyboard.xdotool("keydown", "F9")
    await told.wait_for(1)
    await keyboard.xdotool("keyup", "F9", "key", "Escape")
    assert await told.wait_for(3) == [PRESS, RELEASE, CANCEL]
    times = [event.at for event in told.events]
    assert before < times[0] < times[1] < times[2] < time.monotonic()


async def test_a_combination_with_a_digit_under_shift(keyboard: Keyboard, listening) -> None:
    told = await listening("ctrl+shift+1")
    await keyboard.xdotool("key", "1", "key", "ctrl+1", "key", "ctrl+alt+shift+1")
    # Shift goes up first: what the key types is another then.
    await keyboard.xdotool(
        "keydown", "ctrl", "keydown", "shift", "keydown", "1", "keyup", "shift", "keyup", "1"
    )
    await keyboard.xdotool("keyup", "ctrl")
    assert await told.wait_for(2) == [PRESS, RELEASE]
    modifiers = [event.modifier for event in told.events if event.modifier]
    assert modifiers[-4:] == ["ctrl", "shift", "shift", "ctrl"]


async def test_a_modifier_of_one_side_alone(keyboard: Keyboard, listening) -> None:
    told = await listening("right_ctrl")
    await keyboard.xdotool("keydown", "Control_L", "keyup", "Control_L")
    await keyboard.xdotool("keydown", "Control_R", "key", "Escape", "keyup", "Control_R")
    assert await told.wait_for(3) == [PRESS, CANCEL, RELEASE]


async def test_a_key_that_repeats_itself_is_pressed_once(keyboard: Keyboard, listening) -> None:
    told = await listening("ctrl+alt+space")
    presses: list[object] = []
    from pynput.keyboard import Listener

    with Listener(on_press=presses.append) as witness:
        await keyboard.xdotool("keydown", "ctrl", "keydown", "alt", "keydown", "space")
        while len(presses) < 6:  # Xvfb repeats keys when there is something else to do
            await keyboard.xdotool("sleep", "0.1", "getmouselocation")
        await keyboard.xdotool("keyup", "space", "keyup", "alt", "keyup", "ctrl")
        assert await told.wait_for(2) == [PRESS, RELEASE]
        witness.stop()
        await keyboard.xdotool("key", "a")  # which is what makes a plain one of pynput end
        witness.join()
    assert told.events[-1].at > told.events[0].at


async def test_stopped_it_tells_nothing(keyboard: Keyboard, listening) -> None:
    before = set(threading.enumerate())
    told = await listening("f9")
    (listener,) = listening.running
    while not told.kinds:  # it says that it is ready shortly before the server is
        await keyboard.xdotool("key", "F9")
        await moment()
    (thread,) = (one for one in threading.enumerate() if one not in before and one.daemon)
    await listener.stop()
    await asyncio.to_thread(thread.join, PATIENCE_S)
    assert not thread.is_alive()
    heard = len(told.kinds)
    await keyboard.xdotool("key", "F9")
    assert len(await told.wait_for(heard)) == heard
    await listener.stop()


async def test_a_server_that_goes_away_is_told_once(keyboard: Keyboard, listening, capfd) -> None:
    told = await listening("f9")
    await keyboard.xdotool("keydown", "F9")
    await told.wait_for(1)
    keyboard.kill()
    assert await told.wait_for(2) == [PRESS, LOST]
    assert "no longer heard" in told.events[-1].reason
    assert told.events[-1].reason.isprintable()
    await listening.running[0].stop()
    assert told.kinds == [PRESS, LOST]
    assert capfd.readouterr() == ("", "")


async def test_without_a_server_it_is_one_line(keyboard: Keyboard) -> None:
    keyboard.kill()
    with pytest.raises(HotkeysUnavailable) as caught:
        await PynputKeys(KeyCombination.parse("f9")).start(Told())
    assert "vivavoce ctl toggle" in str(caught.value)
    assert str(caught.value).isprintable()


def test_nothing_is_printed_where_captions_go(keyboard: Keyboard, tmp_path: Path) -> None:
    """python-xlib prints a warning to standard output where the authority file is empty."""
    (tmp_path / "authority").touch()
    script = """if True:
        import asyncio
        from vivavoce.actors.trigger.pynput_keys import PynputKeys
        from vivavoce.config.hotkeys import KeyCombination
        async def main():
            listener = PynputKeys(KeyCombination.parse("f9"))
            await listener.start(print)
            await listener.stop()
        asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={**os.environ, "XAUTHORITY": str(tmp_path / "authority")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
