"""What a real device does only when it is in trouble, played by a device that is told to."""

import asyncio
import itertools
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from vivavoce.actors.capture.microphone import MicrophoneSource
from vivavoce.actors.capture.source import SourceError
from vivavoce.actors.capture.wake import LoopWaker
from vivavoce.pipeline.messages import AudioBlock, Gap, GapReason


class PortAudioError(Exception):
    pass


class Device:
    """Plays sounddevice: one microphone, whose callback the test calls with :meth:`speak`."""

    PortAudioError = PortAudioError
    default = SimpleNamespace(device=(0, 0))

    def __init__(self, rate: int = 16_000, broken_starts: int = 0, slow_s: float = 0.0) -> None:
        self.rate, self.broken_starts = rate, broken_starts
        self.opened = self.closed = 0
        self.adc = 100.0
        self.may_open = threading.Event()
        if not slow_s:
            self.may_open.set()

    def query_devices(self) -> list:
        return [{"name": "Mic", "max_input_channels": 1, "default_samplerate": float(self.rate)}]

    def InputStream(self, **options):  # noqa: N802 - sounddevice's name
        self.may_open.wait(10)
        if options["samplerate"] != self.rate:
            raise PortAudioError("Invalid sample rate")
        self.opened += 1
        self.options = options
        return self

    def start(self) -> None:
        if self.broken_starts:
            self.broken_starts -= 1
            raise PortAudioError("Unanticipated host error")

    def close(self) -> None:
        self.closed += 1
        self.options["finished_callback"]()

    def speak(self, samples: int, *, overflow: bool = False) -> None:
        """PortAudio's thread calls back."""
        times = SimpleNamespace(inputBufferAdcTime=self.adc)
        status = SimpleNamespace(input_overflow=overflow)
        block = np.full((samples, 1), 7, np.int16)
        thread = threading.Thread(
            target=self.options["callback"], args=(block, samples, times, status)
        )
        thread.start()
        thread.join()
        self.adc += samples / self.rate

    def pull_out(self) -> None:
        self.options["finished_callback"]()


def plug_in(monkeypatch, device: Device) -> MicrophoneSource:
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    return MicrophoneSource(None, block_ms=32, ring_s=1)


async def test_a_device_that_opens_but_does_not_start_is_let_go(monkeypatch) -> None:
    device = Device(rate=44_100, broken_starts=9)
    source = plug_in(monkeypatch, device)
    with pytest.raises(SourceError, match="'Mic': Unanticipated host error"):
        await source.open()
    await source.close()
    assert device.opened == device.closed == 1


async def test_what_the_driver_lost_is_a_gap_of_the_right_length(monkeypatch) -> None:
    device = Device(rate=48_000)
    source = plug_in(monkeypatch, device)
    await source.open()
    for _ in range(5):
        device.speak(1_536)
    device.adc += 0.25
    device.speak(1_536, overflow=True)
    source.stop()
    items = [item async for item in source.blocks()]
    await source.close()
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert gap.reason is GapReason.DEVICE_LOST
    assert (gap.start, gap.end) == (5 * 512, 5 * 512 + 4_000)
    assert items[-1].end == 6 * 512 + 4_000
    assert all(a.end == b.start for a, b in itertools.pairwise(items))


async def test_a_full_ring_is_a_gap_and_the_time_goes_on(monkeypatch) -> None:
    device = Device()
    source = plug_in(monkeypatch, device)
    await source.open()
    for _ in range(40):
        device.speak(512)  # 31 fit into a second
    source.stop()
    items = [item async for item in source.blocks()]
    await source.close()
    assert items[-1] == Gap(start=31 * 512, end=40 * 512, reason=GapReason.OVERRUN)


async def test_a_device_that_is_pulled_out_gives_what_it_heard_and_then_one_line(
    monkeypatch,
) -> None:
    device = Device()
    source = plug_in(monkeypatch, device)
    await source.open()
    device.speak(512)
    device.speak(512)
    device.pull_out()
    blocks = source.blocks()
    async with asyncio.timeout(0.9):  # told by PortAudio: no deadline is waited for
        heard = [(await anext(blocks)).end, (await anext(blocks)).end]
        with pytest.raises(SourceError, match="'Mic' delivers no more sound"):
            await anext(blocks)
    await source.close()
    assert heard == [512, 1_024]
    assert device.closed == 1


async def test_stopping_takes_nothing_new_however_slow_the_pipeline_is(monkeypatch) -> None:
    device = Device()
    source = plug_in(monkeypatch, device)
    await source.open()
    device.speak(512)
    device.speak(512)
    heard = []
    async for block in source.blocks():
        assert isinstance(block, AudioBlock)
        heard.append(block.end)
        if not device.closed:
            device.speak(512)  # the ring is never empty
            device.speak(512)
        source.stop()
        assert len(heard) < 10
    await source.close()
    assert heard == [512, 1_024, 1_536, 2_048]


async def test_an_opening_that_is_cancelled_leaves_no_device_open(monkeypatch) -> None:
    device = Device(slow_s=1)
    source = plug_in(monkeypatch, device)
    opening = asyncio.create_task(source.open())
    await asyncio.sleep(0.05)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    closing = asyncio.create_task(source.close())
    await asyncio.sleep(0.01)
    device.may_open.set()
    await closing
    await source.close()
    assert device.opened == device.closed == 1


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
