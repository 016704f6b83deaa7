"""Plays sounddevice: microphones that do only when told what real ones do in trouble."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np


class PortAudioError(Exception):
    pass


class FakeStream:
    """An open stream; the test calls its callback with :meth:`deliver`."""

    def __init__(self, portaudio: FakePortAudio, name: str, options: dict) -> None:
        self.name, self.options = name, options
        self.rate = int(options["samplerate"])
        self.delivered = 0
        self.running = self.closed = False
        self._portaudio = portaudio

    def start(self) -> None:
        if self._portaudio.broken_starts:
            self._portaudio.broken_starts -= 1
            raise PortAudioError("Unanticipated host error")
        self.running = True

    def close(self) -> None:
        assert not self.closed, "closed twice"
        self.closed = True
        self._portaudio.closed += 1
        if self.running:
            self.running = False
            self.options["finished_callback"]()

    def deliver(self, pcm: np.ndarray, *, age: float | None = None, overflow: bool = False) -> None:
        """PortAudio's thread calls back with ``pcm``, shape ``(n,)``, whose first sample is so old
        (by default: as old as the block is long)."""
        adc = self._portaudio.adc
        age = len(pcm) / self.rate if age is None else age
        times = SimpleNamespace(inputBufferAdcTime=adc, currentTime=adc + age)
        status = SimpleNamespace(input_overflow=overflow)
        block = np.ascontiguousarray(pcm, np.int16).reshape(-1, 1)
        thread = threading.Thread(
            target=self.options["callback"], args=(block, len(pcm), times, status)
        )
        thread.start()
        thread.join()
        self.delivered += len(pcm)
        self._portaudio.adc += len(pcm) / self.rate

    def pull_out(self) -> None:
        """The device ends by itself."""
        self.running = False
        self.options["finished_callback"]()


class FakePortAudio:
    """The module: put it into ``sys.modules`` as ``sounddevice``."""

    PortAudioError = PortAudioError

    def __init__(self, *names: str, rate: int = 16_000) -> None:
        self.plugged = list(names) or ["Mic"]
        self.listed = list(self.plugged)
        self.rate = rate
        self.default = SimpleNamespace(device=(0, 0))
        self.streams: list[FakeStream] = []
        self.attempts = self.closed = self.started_anew = self.broken_starts = 0
        self.exclusive = False
        self.adc = 100.0
        self.may_open = threading.Event()
        self.may_open.set()
        self.asked = threading.Event()

    @property
    def open_streams(self) -> list[FakeStream]:
        return [stream for stream in self.streams if stream.running]

    def query_devices(self) -> list[dict]:
        rate = float(self.rate)
        return [
            {"name": name, "max_input_channels": 1, "default_samplerate": rate}
            for name in self.listed
        ]

    def InputStream(self, **options):  # noqa: N802 - sounddevice's name
        self.asked.set()
        assert self.may_open.wait(60)
        self.attempts += 1
        name = self.listed[options["device"]]
        if options["samplerate"] != self.rate:
            raise PortAudioError("Invalid sample rate")
        if name not in self.plugged:
            raise PortAudioError("Device unavailable")
        if self.exclusive and self.open_streams:
            raise PortAudioError("Device is busy")
        stream = FakeStream(self, name, options)
        self.streams.append(stream)
        return stream

    def _terminate(self) -> None:
        assert not self.open_streams, "PortAudio was taken down under an open stream"

    def _initialize(self) -> None:
        self.started_anew += 1
        self.listed = list(self.plugged)
