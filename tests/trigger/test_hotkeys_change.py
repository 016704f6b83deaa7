"""Hotkeys of a running program on a real X server: other keys, and keys that are this program's."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from support.hotkeys import Keyboard, missing
from support.waiting import moment, until

from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.trigger import TriggerActor
from vivavoce.config.cell import ProfileCell
from vivavoce.config.schema import Profile
from vivavoce.config.trigger import TriggerSettings
from vivavoce.hotkeys import Hotkeys
from vivavoce.pipeline.actor import ActorContext

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyboard]:
    made = Keyboard()
    monkeypatch.setenv("DISPLAY", made.display)
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    yield made
    made.kill()


def _with(hotkey: str) -> Profile:
    return Profile(trigger=TriggerSettings(mode="hold", hotkey=hotkey))


class Listening:
    """A trigger whose keys are heard."""

    def __init__(self, keyboard: Keyboard, hotkey: str) -> None:
        self.keyboard = keyboard
        self.settings = ProfileCell(_with(hotkey))
        self.context = ActorContext(settings=self.settings)
        self.keys = HeldKeys()
        self.trigger = TriggerActor(self.keys, self.context)
        self.hotkeys = Hotkeys(
            self.settings, self.trigger, self.keys, self.context.clock, dict(os.environ)
        )

    async def until(self, recording: bool, *keys: str) -> None:
        """Press until it is heard; keys that are not heard yet are let go of."""
        for _ in range(1_200):
            if self.trigger.recording is recording:
                return
            if keys:
                await self.keyboard.xdotool("keydown", *keys)
            await moment()
            if keys and self.trigger.recording is not recording:
                await self.keyboard.xdotool("keyup", *keys)
        raise AssertionError(self.hotkeys.problem or f"{keys} are not heard: {self.keys.held}")


@pytest.fixture
async def listening(keyboard: Keyboard) -> AsyncIterator[Listening]:
    made = Listening(keyboard, "right_ctrl")
    task = asyncio.create_task(made.hotkeys.run())
    yield made
    task.cancel()
    await asyncio.wait([task])
    await made.trigger.on_stop()


async def test_another_hotkey_while_one_is_held_leaves_nothing_recording(
    listening: Listening, keyboard: Keyboard
) -> None:
    await listening.until(True, "Control_R")
    assert listening.keys.held == {"ctrl"}
    listening.settings.put(_with("f8"))
    await listening.until(False)
    assert listening.keys.held == set()
    await keyboard.xdotool("keyup", "Control_R")
    await listening.until(True, "F8")
    await keyboard.xdotool("keyup", "F8")
    await listening.until(False)


async def test_what_this_program_presses_is_no_hotkey(
    listening: Listening, keyboard: Keyboard
) -> None:
    await listening.until(True, "Control_R")
    await keyboard.xdotool("keyup", "Control_R")
    await listening.until(False)
    with listening.keys.ours():
        await keyboard.xdotool("key", "Control_R")
        await moment(0.1)
    assert not listening.trigger.recording
    assert listening.keys.held == set()
    await moment(0.1)  # keys that come soon after count as this program's
    await listening.until(True, "Control_R")


async def test_a_person_who_types_is_noticed_and_this_program_is_not(
    listening: Listening, keyboard: Keyboard
) -> None:
    await listening.until(True, "Control_R")
    assert listening.keys.heard
    await keyboard.xdotool("keyup", "Control_R")
    times: list[float] = []
    listening.keys.when_typed(lambda: times.append(asyncio.get_running_loop().time()))
    with listening.keys.typing():
        await keyboard.xdotool("type", "ours")
        await moment(0.1)
    await moment(0.1)
    assert times == []
    await keyboard.xdotool("key", "Return")
    await until(lambda: times, "nobody is noticed")


async def test_a_server_that_dies_ends_the_recording_and_says_so(
    listening: Listening, keyboard: Keyboard
) -> None:
    await listening.until(True, "Control_R")
    assert listening.hotkeys.problem == ""
    keyboard.kill()
    await listening.until(False)
    assert "hotkeys" in listening.hotkeys.problem
