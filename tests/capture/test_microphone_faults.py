"""What a real device does only when it is in trouble, played by a device that is told to."""

import asyncio
import itertools
import sys

import numpy as np
import pytest
from support.fake_portaudio import FakePortAudio
from support.waiting import moment

from vivavoce.actors.capture.microphone import MicrophoneSource
from vivavoce.actors.capture.source import SourceError
from vivavoce.actors.capture.wake import LoopWaker
from vivavoce.pipeline.messages import AudioBlock, Gap, GapReason


def sevens(samples: int) -> np.ndarray:
    return np.full(samples, 7, np.int16)


def plug_in(monkeypatch, device: FakePortAudio) -> MicrophoneSource:
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    return MicrophoneSource(None, block_ms=32, ring_s=1)


async def test_a_device_that_opens_but_does_not_start_is_let_go(monkeypatch) -> None:
    device = FakePortAudio(rate=44_100)
    device.broken_starts = 9
    source = plug_in(monkeypatch, device)
    with pytest.raises(SourceError, match="'Mic': Unanticipated host error"):
        await source.open()
    await source.close()
    assert len(device.streams) == device.closed == 1


async def test_what_the_driver_lost_is_a_gap_of_the_right_length(monkeypatch) -> None:
    device = FakePortAudio(rate=48_000)
    source = plug_in(monkeypatch, device)
    await source.open()
    (stream,) = device.streams
    for _ in range(5):
        stream.deliver(sevens(1_536))
    device.adc += 0.25
    stream.deliver(sevens(1_536), overflow=True)
    source.stop()
    items = [item async for item in source.blocks()]
    await source.close()
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert gap.reason is GapReason.DEVICE_LOST
    assert (gap.start, gap.end) == (5 * 512, 5 * 512 + 4_000)
    assert items[-1].end == 6 * 512 + 4_000
    assert all(a.end == b.start for a, b in itertools.pairwise(items))


async def test_a_full_ring_is_a_gap_and_the_time_goes_on(monkeypatch) -> None:
    device = FakePortAudio()
    source = plug_in(monkeypatch, device)
    await source.open()
    for _ in range(40):
        device.streams[0].deliver(sevens(512))  # 31 fit into a second
    source.stop()
    items = [item async for item in source.blocks()]
    await source.close()
    assert items[-1] == Gap(start=31 * 512, end=40 * 512, reason=GapReason.OVERRUN)


async def test_stopping_takes_nothing_new_however_slow_the_pipeline_is(monkeypatch) -> None:
    device = FakePortAudio()
    source = plug_in(monkeypatch, device)
    await source.open()
    (stream,) = device.streams
    stream.deliver(sevens(512))
    stream.deliver(sevens(512))
    heard = []
    async for block in source.blocks():
        assert isinstance(block, AudioBlock)
        heard.append(block.end)
        if not device.closed:
            stream.deliver(sevens(512))  # the ring is never empty
            stream.deliver(sevens(512))
        source.stop()
        assert len(heard) < 10
    await source.close()
    assert heard == [512, 1_024, 1_536, 2_048]


async def test_an_opening_that_is_cancelled_leaves_no_device_open(monkeypatch) -> None:
    device = FakePortAudio()
    device.may_open.clear()
    source = plug_in(monkeypatch, device)
    opening = asyncio.create_task(source.open())
    await asyncio.to_thread(device.asked.wait)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    closing = asyncio.create_task(source.close())
    await moment()
    device.may_open.set()
    await closing
    await source.close()
    assert len(device.streams) == device.closed == 1


async def test_the_waker_wakes_from_another_thread_and_many_wakes_are_one() -> None:
    event = asyncio.Event()
    waker = LoopWaker(asyncio.get_running_loop(), event)
    for _ in range(3):
        event.clear()
        await asyncio.to_thread(lambda: [waker.wake() for _ in range(100_000)])
        async with asyncio.timeout(5):
            await event.wait()
    waker.close()
    waker.close()
    waker.wake()  # too late: nothing happens
