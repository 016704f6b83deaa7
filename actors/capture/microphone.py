"""The microphone: PortAudio's thread writes to the ring, the loop reads from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from vivavoce.actors.capture.devices import InputDevice, list_input_devices, portaudio, ranked
from vivavoce.actors.capture.resample import MixDown, Resampler
from vivavoce.actors.capture.source import SourceError
from vivavoce.config.schema import DeviceChoice
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import SAMPLE_RATE, AudioBlock, Gap, GapReason
from vivavoce.pipeline.ring import AudioRing

_SILENT_DEVICE_S = 3.0
"""A device whose callback stays away for so long is lost."""

log = get_logger("capture")


class MicrophoneSource:
    """A microphone by name, index or ranked list; 16 kHz, or resampled to it.

    Args:
        choice: the profile's ``capture.device``.
        block_ms: length of a block in milliseconds.
        ring_s: seconds kept while the pipeline is busy.
    """

    live = True

    def __init__(self, choice: DeviceChoice, *, block_ms: int, ring_s: int) -> None:
        self.name = "the microphone"
        self._choice = choice
        self._block_ms = block_ms
        self._ring_s = ring_s
        self._stream: Any = None
        self._arrived = asyncio.Event()
        self._stopping = False
        self._overflows = 0
        self._last_adc_end = 0.0

    async def open(self) -> None:
        """Open the first device of the choice that can be opened, and begin to record.

        Raises:
            SourceError: there is none, it is unknown, busy, or PortAudio is missing.
        """
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        sounddevice = portaudio()
        refused: list[str] = []
        for device in ranked(list_input_devices(), self._choice):
            # 16 kHz mono if the device takes it, else what it likes best.
            for rate, channels in (
                (SAMPLE_RATE, 1),
                (device.default_rate, 1),
                (device.default_rate, device.channels),
            ):
                try:
                    self._begin(sounddevice, device, rate, channels)
                except sounddevice.PortAudioError as error:
                    reason = str(error.args[0]) if error.args else str(error)
                else:
                    return
            refused.append(f"{device.name!r}: {' '.join(reason.split())}")
        raise SourceError(
            f"the microphone cannot be opened ({'; '.join(refused)}): is another program using it? "
            "`vivavoce devices` lists the others"
        )

    def _begin(self, sounddevice: Any, device: InputDevice, rate: int, channels: int) -> None:
        block = rate * self._block_ms // 1000
        self._rate = rate
        self._ring = AudioRing(
            rate * self._ring_s, lambda: self._loop.call_soon_threadsafe(self._arrived.set)
        )
        self._mix_down = MixDown(channels, max(4 * block, rate))
        stream = sounddevice.InputStream(
            samplerate=rate,
            channels=channels,
            dtype="int16",
            blocksize=block,
            device=device.index,
            latency="low" if self._block_ms <= 64 else "high",
            callback=self._callback,
        )
        stream.start()
        self._stream = stream
        self.name = device.name

    def _callback(self, samples: Any, count: int, times: Any, status: Any) -> None:
        """PortAudio's thread. No lock, log, or import; views only."""
        if status.input_overflow:
            self._overflows += 1
            hole = round((times.inputBufferAdcTime - self._last_adc_end) * self._rate)
            if 0 < hole < 60 * self._rate:
                self._ring.skip(hole)
        self._last_adc_end = times.inputBufferAdcTime + count / self._rate
        self._ring.write(self._mix_down.mix(samples))

    async def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
        """Audio as it comes; holes in the ring become gaps.

        Raises:
            SourceError: the device delivers no more sound.
        """
        resampler = Resampler(self._rate)
        most = self._rate * self._block_ms // 1000
        at = 0
        lost = False
        while True:
            self._arrived.clear()
            hole = self._ring.take_hole()
            pcm = self._ring.read(most)
            if hole is not None:
                rest = resampler.convert(np.zeros(0, dtype=np.int16), last=True)
                resampler = Resampler(self._rate)
                if len(rest):
                    yield AudioBlock(start=at, pcm=rest)
                    at += len(rest)
                length = round((hole[1] - hole[0]) * SAMPLE_RATE / self._rate)
                yield Gap(start=at, end=at + length, reason=GapReason.OVERRUN)
                at += length
            if pcm is not None:
                out = resampler.convert(pcm)
                if len(out):
                    yield AudioBlock(start=at, pcm=out)
                    at += len(out)
            if pcm is not None or hole is not None:
                continue
            if self._stream is None or lost:
                break
            if self._stopping:
                await self._halt()
            elif self._ring.prepare_to_wait():
                lost = not await self._something_arrives()
        rest = resampler.convert(np.zeros(0, dtype=np.int16), last=True)
        if len(rest):
            yield AudioBlock(start=at, pcm=rest)
        if self._overflows:
            log.warning(f"the audio driver lost input {self._overflows} times")
        if lost:
            raise SourceError(
                f"the microphone {self.name!r} delivers no more sound: was it unplugged? "
                "Start again when it is back (`vivavoce devices`)"
            )

    async def _something_arrives(self) -> bool:
        try:
            async with asyncio.timeout(_SILENT_DEVICE_S):
                await self._arrived.wait()
        except TimeoutError:
            return self._stopping
        return True

    async def _halt(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await asyncio.to_thread(stream.close)
            self._ring.finish()

    def stop(self) -> None:
        """End after what was recorded already."""
        self._stopping = True
        self._arrived.set()

    async def close(self) -> None:
        """Release the device."""
        await self._halt()
