"""A microphone in virtual time: the devices hear a noise that is known at every moment."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable

import numpy as np

from support.fake_portaudio import FakePortAudio, FakeStream
from vivavoce.actors.capture.microphone import MicrophoneSource
from vivavoce.config.power import ModeSettings
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import AudioBlock, Gap, PowerMode
from vivavoce.pipeline.metrics import Metrics
from vivavoce.pipeline.power import Power

RATE = 16_000
STEP_S = 0.016
NOISE = np.random.default_rng(4).normal(0, 3_000, RATE * 200).astype(np.int16)


class Life:
    """One microphone, its devices, and all that it delivered.

    ``slept`` is how far the clock that goes on during sleep is ahead of the loop's.
    """

    def __init__(self, portaudio: FakePortAudio, choice=None, sound: np.ndarray = NOISE) -> None:
        self.portaudio = portaudio
        self.sound = sound
        self.slept = 0.0
        self.deaf = False
        self.items: list[AudioBlock | Gap] = []
        self.metrics = Metrics()
        self.source = MicrophoneSource(choice, block_ms=32, ring_s=30, now=self.now)
        self.source.measure(self.metrics)
        self._begins: dict[FakeStream, float] = {}

    def now(self) -> float:
        return asyncio.get_running_loop().time() + self.slept if _in_loop() else self._last

    async def begin(self) -> None:
        self._last = self.now()
        await self.source.open()
        self.listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for item in self.source.blocks():
            self.items.append(item)

    async def pass_by(self, seconds: float) -> None:
        """Time passes, and every open stream hears what sounds then."""
        for _ in range(round(seconds / STEP_S)):
            await asyncio.sleep(STEP_S)
            self.hear()

    def hear(self) -> None:
        self._last = now = self.now()
        for stream in self.portaudio.open_streams:
            begin = self._begins.setdefault(stream, now)
            block = stream.options["blocksize"]
            while not self.deaf and (now - begin) * RATE - stream.delivered >= block:
                first = round(begin * RATE) + stream.delivered
                stream.deliver(self.sound[first : first + block], age=now - first / RATE)

    def lose(self, stream: FakeStream, seconds: float) -> None:
        """What sounded in the last ``seconds`` never reached ``stream``."""
        self._begins[stream] += seconds

    async def power(self, mode: PowerMode, block_ms: int, microphone: str = "open") -> None:
        settings = ModeSettings(block_ms=block_ms, microphone=microphone)
        await self.source.set_power(Power(mode=mode, settings=settings))

    async def end(self) -> None:
        self.source.stop()
        async with asyncio.timeout(0.5):
            await self.listening
        await self.source.close()
        assert not self.portaudio.open_streams
        assert all(stream.closed for stream in self.portaudio.streams)
        assert all(a.end == b.start for a, b in itertools.pairwise(self.items))

    @property
    def gaps(self) -> list[Gap]:
        return [item for item in self.items if isinstance(item, Gap)]

    @property
    def stream(self) -> FakeStream:
        """The only open stream."""
        (stream,) = self.portaudio.open_streams
        return stream

    def assert_true_to_time(self, tolerance: int = 1) -> None:
        """Every block lies where it sounded, within so many samples, and is unbroken."""
        origin = None
        for item in self.items:
            if isinstance(item, AudioBlock) and len(item.pcm) >= 100:
                place = self._find(item.pcm, item.start + (origin or 0))
                origin = place - item.start if origin is None else origin
                assert abs(place - item.start - origin) <= tolerance, (item.start, place)

    def _find(self, pcm: np.ndarray, near: int) -> int:
        if near >= 0 and np.array_equal(self.sound[near : near + len(pcm)], pcm):
            return near
        starts = np.flatnonzero(self.sound[: len(self.sound) - len(pcm) + 1] == pcm[0])
        for start in starts:
            if np.array_equal(self.sound[start : start + len(pcm)], pcm):
                return int(start)
        raise AssertionError("what was heard never sounded")

    def count(self, name: str) -> int:
        return self.metrics.counters().get(name, 0)


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def live(
    monkeypatch,
    story: Callable[[Life], Awaitable[None]],
    *names: str,
    choice=None,
    sound: np.ndarray = NOISE,
) -> Life:
    """Run ``story`` with a microphone that listens, end it, and return what came of it."""
    portaudio = FakePortAudio(*names)
    monkeypatch.setitem(sys.modules, "sounddevice", portaudio)

    async def run() -> Life:
        life = Life(portaudio, choice, sound)
        await life.begin()
        await story(life)
        await life.end()
        return life

    return run_virtual(run)
