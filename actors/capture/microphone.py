"""The microphone: PortAudio's thread writes to the ring, the loop reads from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from vivavoce.actors.capture.devices import InputDevice, list_input_devices, portaudio, ranked
from vivavoce.actors.capture.resample import Doorway, MixDown
from vivavoce.actors.capture.source import SourceError
from vivavoce.actors.capture.wake import LoopWaker
from vivavoce.config.schema import DeviceChoice
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import SAMPLE_RATE, AudioBlock, Gap, GapReason
from vivavoce.pipeline.ring import AudioRing

_DEADLINE_S = 1.0
_MISSED_DEADLINES = 3
"""A device whose callback misses so many deadlines in a row is lost. More than one, because the
timers of a program that was suspended fire before its audio thread has run again."""
_MISSED_AT_FIRST = 10
"""Before the first sound: a device may have to wake up."""
_LONGEST_HOLE_S = 60

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
        self._opening: asyncio.Future[None] | None = None
        self._arrived = asyncio.Event()
        self._stopping = False

    async def open(self) -> None:
        """Open the first device of the choice that can be opened, and begin to record.

        Raises:
            SourceError: there is none, it is unknown, busy, or PortAudio is missing.
        """
        self._waker = LoopWaker(asyncio.get_running_loop(), self._arrived)
        self._opening = asyncio.ensure_future(asyncio.to_thread(self._open))
        # Whoever cancels this cannot stop the thread: close() waits for it.
        await asyncio.shield(self._opening)

    def _open(self) -> None:
        sounddevice = portaudio()
        refused: list[str] = []
        for device in ranked(list_input_devices(), self._choice):
            reason = ""
            for rate, channels in _ways_to_open(device):
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
        self._ring = AudioRing(rate * self._ring_s, self._waker.wake)
        self._mix_down = MixDown(channels, max(4 * block, rate))
        self._overflows = 0
        self._last_adc_end = 0.0
        self._died = False
        stream = sounddevice.InputStream(
            samplerate=rate,
            channels=channels,
            dtype="int16",
            blocksize=block,
            device=device.index,
            latency="low" if self._block_ms <= 64 else "high",
            callback=self._callback,
            finished_callback=self._device_ended,
        )
        try:
            stream.start()
        except sounddevice.PortAudioError:
            stream.close()  # or the device would be busy for the next way to open it
            raise
        self._stream = stream
        self.name = device.name

    # -- PortAudio's thread

    def _callback(self, samples: Any, count: int, times: Any, status: Any) -> None:
        """No lock, log, or import; views only."""
        if status.input_overflow:
            self._overflows += 1
            # The driver does not say how much it lost; its clock does.
            hole = round((times.inputBufferAdcTime - self._last_adc_end) * self._rate)
            if self._last_adc_end and 0 < hole < _LONGEST_HOLE_S * self._rate:
                self._ring.skip(hole)
        self._last_adc_end = times.inputBufferAdcTime + count / self._rate
        self._ring.write(self._mix_down.mix(samples))

    def _device_ended(self) -> None:
        """The stream ended: the device went away, or it was closed."""
        self._died = True
        self._waker.wake()

    # -- the loop

    async def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
        """Audio as it comes; holes become gaps in their place.

        Raises:
            SourceError: the device delivers no more sound; all that it had delivered came before.
        """
        ring = self._ring
        door = Doorway(self._rate)
        most = self._rate * self._block_ms // 1000
        lost = warned = False
        while True:
            if self._stopping:
                await self._halt()
            self._arrived.clear()
            ended = self._stream is None  # before looking: what came until then is in the ring
            hole = ring.take_hole()
            pcm = ring.read(most) if hole is None else None
            if hole is not None:
                reason = GapReason.OVERRUN if hole.overrun else GapReason.DEVICE_LOST
                for item in door.hole(hole.end, reason):
                    yield item
            elif pcm is not None:
                for block in door.audio(pcm):
                    yield block
            elif ended:
                break
            elif self._died:
                lost = True
                await self._halt()
            elif ring.prepare_to_wait() and not await self._something_arrives():
                self._died = True
            if self._overflows and not warned:
                warned = True
                log.warning("the audio driver lost input: the machine is too busy")
        for block in door.finish():
            yield block
        if lost:
            raise SourceError(
                f"the microphone {self.name!r} delivers no more sound: was it unplugged? "
                "Start again when it is back (`vivavoce devices`)"
            )

    async def _something_arrives(self) -> bool:
        patience = _MISSED_DEADLINES if self._last_adc_end else _MISSED_AT_FIRST
        for _ in range(patience):
            try:
                async with asyncio.timeout(_DEADLINE_S):
                    await self._arrived.wait()
            except TimeoutError:
                continue
            return True
        return False

    async def _halt(self) -> None:
        """Close the device; what it delivered stays in the ring."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await asyncio.to_thread(stream.close)
            self._ring.finish()

    def stop(self) -> None:
        """End after what was recorded already. Idempotent."""
        self._stopping = True
        self._arrived.set()

    async def close(self) -> None:
        """Release the device. Idempotent."""
        if self._opening is not None:
            await asyncio.wait([self._opening])
            await self._halt()
            self._waker.close()


def _ways_to_open(device: InputDevice) -> list[tuple[int, int]]:
    """Rates and channels to try: 16 kHz mono if the device takes it, else what it likes best."""
    ways = [
        (SAMPLE_RATE, 1),
        (device.default_rate, 1),
        (device.default_rate, device.channels),
    ]
    return list(dict.fromkeys(ways))
