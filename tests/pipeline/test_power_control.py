"""The controller on a virtual clock: told once for each change, asleep in between."""

import asyncio

from vivavoce.config.cell import ProfileCell
from vivavoce.config.power import ModeSettings, PowerSettings
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import PowerChanged, PowerMode
from vivavoce.pipeline.power import Power, PowerEvent
from vivavoce.pipeline.power_control import PowerController

SETTINGS = PowerSettings(
    listening_after_s=10, idle_after_s=60, park_after_s=600, close_after_s=3_600, reopen_after_s=400
)


class Recorder:
    def __init__(self, settings: PowerSettings = SETTINGS) -> None:
        self.context = ActorContext(settings=ProfileCell(Profile(power=settings)))
        self.told: list[tuple[float, PowerMode]] = []
        self.published: list[PowerMode] = []
        self.last = Power()
        self.controller = PowerController(self.context, tell=self._tell, publish=self._publish)

    async def _tell(self, power: Power) -> None:
        assert self.context.power.power is power
        self.last = power
        self.told.append((self.context.clock.now(), power.mode))

    async def _publish(self, change: PowerChanged) -> None:
        assert self.told[-1][1] is change.mode, "actors know before the world does"
        self.published.append(change.mode)


def play(script, settings: PowerSettings = SETTINGS) -> Recorder:
    async def main() -> Recorder:
        recorder = Recorder(settings)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(recorder.controller.run())
            await script(recorder)
            running.cancel()
        return recorder

    return run_virtual(main)


def test_modes_follow_the_time_to_the_second() -> None:
    async def script(recorder: Recorder) -> None:
        await asyncio.sleep(5_000)

    recorder = play(script)
    assert recorder.told == [
        (10, "listening"), (60, "idle"), (600, "parked"), (3_600, "closed"), (4_000, "active"),
        (4_010, "listening"), (4_060, "idle"), (4_600, "parked"),
    ]  # fmt: skip
    assert recorder.published == [mode for _, mode in recorder.told]


def test_what_actors_tell_counts_at_once() -> None:
    async def script(recorder: Recorder) -> None:
        tell = recorder.context.power.tell
        await asyncio.sleep(100)
        tell(PowerEvent.ONSET)
        await asyncio.sleep(1)
        tell(PowerEvent.SPEECH_STARTED)
        tell(PowerEvent.WORK_STARTED)
        await asyncio.sleep(1_000)
        tell(PowerEvent.SPEECH_ENDED)
        tell(PowerEvent.WORK_ENDED)
        await asyncio.sleep(11)

    recorder = play(script)
    assert recorder.told[2:] == [(100, "listening"), (101, "active"), (1_111, "listening")]


def test_a_person_can_force_a_mode_and_let_it_go() -> None:
    async def script(recorder: Recorder) -> None:
        await asyncio.sleep(1)
        recorder.controller.force(PowerMode.PARKED)
        await asyncio.sleep(1)
        assert recorder.controller.mode is PowerMode.PARKED
        recorder.controller.force(None)
        await asyncio.sleep(1)

    assert play(script).told == [(1, "parked"), (2, "active")]


def test_other_settings_of_the_same_mode_are_told_without_an_event() -> None:
    async def script(recorder: Recorder) -> None:
        await asyncio.sleep(1)
        longer = ModeSettings(block_ms=64)
        changed = PowerSettings(active=longer, listening_after_s=5)
        recorder.context.settings.put(Profile(power=changed))
        await asyncio.sleep(1)
        assert recorder.last.settings.block_ms == 64
        await asyncio.sleep(3.5)

    recorder = play(script)
    assert recorder.told == [(1, "active"), (5, "listening")]
    assert recorder.published == ["listening"]
