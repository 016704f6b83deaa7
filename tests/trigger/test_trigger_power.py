"""What the trigger tells about power: who holds a key is heard, and `voice` still sleeps."""

from typing import Any

import msgspec
import numpy as np
import pytest

from vivavoce.actors.trigger import TriggerActor
from vivavoce.config import Profile
from vivavoce.config.cell import ProfileCell
from vivavoce.config.trigger import TriggerSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import AudioBlock
from vivavoce.pipeline.power import PowerEvent

STARTED, ENDED, WAKE = (
    PowerEvent.RECORDING_STARTED,
    PowerEvent.RECORDING_ENDED,
    PowerEvent.WAKE,
)


class Told:
    """A trigger, and what it told about power."""

    def __init__(self, mode: str) -> None:
        self.settings = ProfileCell(Profile(trigger=TriggerSettings(mode=mode, tail_ms=64)))
        self.context = ActorContext(settings=self.settings)
        self.events: list[PowerEvent] = []
        self.context.power.listen(self.events.append)
        self.actor = TriggerActor(context=self.context)
        self.at = 0

    async def take(self, settings: TriggerSettings) -> None:
        self.settings.put(Profile(trigger=settings))
        await self.actor.on_profile(self.settings.profile)

    async def hear(self, seconds: float) -> None:
        for _ in range(round(seconds * 31.25)):
            self.context.ledger.capture(self.at + 512)
            self.context.stream.start()
            await self.actor.redeliver()
            await self.actor.on_message(AudioBlock(start=self.at, pcm=np.zeros(512, np.int16)))
            self.at += 512
            await self.context.clock.sleep(0.032)


def told(mode: str, script: Any) -> list[PowerEvent]:
    async def main() -> list[PowerEvent]:
        trigger = Told(mode)
        await trigger.hear(0.5)
        await script(trigger)
        await trigger.actor.on_stop()
        return trigger.events

    return run_virtual(main)


def test_the_microphone_stays_until_the_tail_is_here() -> None:
    async def script(trigger: Told) -> None:
        trigger.actor.press(trigger.context.clock.now())
        assert trigger.events == [STARTED]
        await trigger.hear(0.5)
        trigger.actor.release(trigger.context.clock.now())
        assert trigger.events == [STARTED], "its tail is still to come"
        await trigger.hear(0.2)

    assert told("hold", script) == [STARTED, ENDED]


@pytest.mark.parametrize("say", ["cancel", "start", "toggle twice"])
def test_always_listening_sleeps_again_whatever_was_said(say: str) -> None:
    async def script(trigger: Told) -> None:
        if say == "toggle twice":
            trigger.actor.toggle()
            await trigger.hear(0.2)
            trigger.actor.toggle()
        else:
            getattr(trigger.actor, say)()
        await trigger.hear(0.2)

    assert STARTED not in told("voice", script)


def test_a_change_to_always_listening_lets_it_sleep() -> None:
    async def script(trigger: Told) -> None:
        trigger.actor.start()
        await trigger.hear(0.2)
        settings = msgspec.structs.replace(TriggerSettings(), mode="voice")
        await trigger.take(settings)
        assert trigger.actor.recording

    assert told("manual", script) == [STARTED, ENDED]


def test_a_recording_ends_by_itself() -> None:
    async def script(trigger: Told) -> None:
        longest = msgspec.structs.replace(TriggerSettings(mode="hold"), max_recording_s=2.0)
        await trigger.take(longest)
        trigger.actor.press(trigger.context.clock.now())
        await trigger.hear(3.0)
        assert not trigger.actor.recording, "though the key was never released"

    assert told("hold", script) == [STARTED, ENDED]
