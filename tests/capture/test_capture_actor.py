"""The capture actor when its source fails: nothing that was heard is lost."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from vivavoce.actors.capture.actor import CaptureActor
from vivavoce.actors.capture.push import PushSource
from vivavoce.actors.capture.source import SourceError
from vivavoce.config.schema import CaptureSettings, Profile, SupervisorSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.clock import LoopClock, StreamClock
from vivavoce.pipeline.messages import AudioBlock, EndOfStream, Gap, GapReason, PowerMode
from vivavoce.pipeline.metrics import Metrics
from vivavoce.pipeline.power import Power
from vivavoce.pipeline.supervisor import Supervisor


class FailingSource:
    """Delivers a block and a gap, and fails each time with the next of ``faults``; then ends."""

    def __init__(self, *faults: Exception, live: bool = True) -> None:
        self.name, self.live = "the test", live
        self.opened = self.closed = 0
        self._faults = iter(faults)

    async def open(self) -> None:
        self.opened += 1

    async def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
        yield AudioBlock(start=0, pcm=np.zeros(512, np.int16))
        yield Gap(start=512, end=600, reason=GapReason.OVERRUN)
        for fault in self._faults:
            raise fault

    def stop(self) -> None: ...

    async def close(self) -> None:
        self.closed += 1


async def run(source) -> tuple[CaptureActor, ActorContext, list]:
    clock = LoopClock()
    context, out = ActorContext(clock=clock, stream=StreamClock(clock)), Channel(100)
    actor = CaptureActor(source, context)
    actor.send_to(out)
    supervisor = Supervisor(SupervisorSettings(backoff_ms=0), context)
    supervisor.add(actor)
    await supervisor.run()
    return actor, context, [out.receive_nowait() for _ in range(len(out))]


async def test_what_came_before_a_failure_flows_and_the_failure_is_kept() -> None:
    gone = SourceError("unplugged")
    actor, context, messages = await run(FailingSource(gone))
    assert actor.failure is gone
    assert messages[-1] == EndOfStream(end=600)
    summary = context.ledger.summary()
    assert (summary.captured, summary.dropped, summary.pending) == (600, 88, 512)
    assert context.metrics.counters()["vivavoce_capture_overrun_samples_total"] == 88


async def test_a_live_source_is_opened_again_and_positions_go_on() -> None:
    source = FailingSource(RuntimeError("a bug"))
    actor, context, messages = await run(source)
    assert actor.failure is None
    assert source.opened == 2
    assert source.closed == 2
    positions = [(item.start, item.end) for item in messages[:-1]]
    assert positions == [(0, 512), (512, 600), (600, 1112), (1112, 1200)]
    assert messages[-1] == EndOfStream(end=1200)
    assert context.ledger.summary().captured == 1200


async def test_a_source_that_is_not_live_does_not_begin_again() -> None:
    with pytest.raises(SourceError, match=r"the test cannot be read any further: .*a bug"):
        await run(FailingSource(RuntimeError("a bug"), live=False))


async def test_clipped_samples_are_counted() -> None:
    source = PushSource()
    for _ in range(3):
        await source.push(np.array([2.0, 0.0, -3.0], np.float32))
    source.end()
    _, context, _ = await run(source)
    assert context.metrics.counters()["vivavoce_capture_clipped_samples_total"] == 6


async def test_the_streams_clock_begins_with_the_first_sample_not_with_its_delivery() -> None:
    _, context, _ = await run(FailingSource())
    assert context.stream.elapsed() >= 512 / 16_000


class Device(FailingSource):
    """A source that is a device, and keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    def measure(self, metrics: Metrics) -> None:
        self.told.append(metrics)

    async def set_power(self, power: Power) -> None:
        self.told.append(power)

    async def set_capture(self, settings: CaptureSettings) -> None:
        self.told.append(settings)


async def test_a_device_is_told_of_power_modes_and_profiles_and_files_are_not() -> None:
    power, profile = Power(mode=PowerMode.IDLE), Profile(capture=CaptureSettings(block_ms=64))
    device = Device()
    for source in (device, FailingSource(), PushSource()):
        actor = CaptureActor(source)
        await actor.on_start()
        await actor.on_power(power)
        await actor.on_profile(profile)
        await actor.on_stop()
    assert device.told[1:] == [Power(), power, profile.capture]
    assert isinstance(device.told[0], Metrics)


@pytest.mark.parametrize("reason", [GapReason.DEVICE_LOST, GapReason.SUSPENDED, GapReason.CLOSED])
async def test_time_without_a_device_is_no_overrun_and_the_streams_clock_keeps_up(reason) -> None:
    class Sleeper(FailingSource):
        async def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
            yield AudioBlock(start=0, pcm=np.zeros(512, np.int16))
            yield Gap(start=512, end=16_000 * 3_600, reason=reason)

    _, context, _ = await run(Sleeper())
    assert context.metrics.counters()["vivavoce_capture_overrun_samples_total"] == 0
    assert context.ledger.summary().dropped == 16_000 * 3_600 - 512
    assert context.stream.elapsed() >= 3_600
