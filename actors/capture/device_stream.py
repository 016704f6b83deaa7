"""One open PortAudio stream: its thread writes to a ring of its own, the loop reads from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from vivavoce.actors.capture.devices import InputDevice, portaudio
from vivavoce.actors.capture.resample import MixDown
from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm
from vivavoce.pipeline.ring import AudioRing, Hole

_LONGEST_HOLE_S = 60
_OLDEST_S = 30.0
_SHORT_MS = 64
"""Longest block for which a driver is asked for low latency; longer ones are to cost little."""


class Delivery(NamedTuple):
    """A call of the callback: when it came, how old its first sample was then, and its samples."""

    at: float
    age: float
    start: int
    end: int


class DeviceStream:
    """A device that records with one block length until it is closed or dies.

    Samples are counted from the first one that this stream delivered, holes included.

    Args:
        device: what to open.
        rate, channels: how to open it.
        block_ms: length of a block in milliseconds.
        ring_s: seconds kept while nobody reads.
        wake: called from other threads when there is something to look at.
        now: seconds on a clock that goes on during sleep; called in PortAudio's thread, too.

    Attributes:
        block: samples in a block.
        ring: where the audio thread writes.
        latest: the newest delivery; None before the first.
        died: the device ended by itself.
        closed: :meth:`close` has returned: nothing is written any more.
        best: whether the profile likes no device more; told by whoever opened it.
        opened_at: when it began to record, on the clock of ``now``.
        overflows: how often the driver reported lost input.
        position: index of the next sample that :meth:`take` returns.
    """

    def __init__(
        self,
        device: InputDevice,
        *,
        rate: int,
        channels: int,
        block_ms: int,
        ring_s: int,
        wake: Callable[[], object],
        now: Callable[[], float],
    ) -> None:
        self.device = device
        self.rate = rate
        self.channels = channels
        self.block_ms = block_ms
        self.block = rate * block_ms // 1000
        self.ring = AudioRing(rate * ring_s, wake)
        self.latest: Delivery | None = None
        self.died = False
        self.closed = False
        self.best = True
        self.opened_at = 0.0
        self.overflows = 0
        self.position = 0
        self._wake = wake
        self._now = now
        self._mix_down = MixDown(channels, max(4 * self.block, rate))
        self._last_adc_end = 0.0
        self._heard = 0
        self._skip = 0
        self._ahead: Pcm | None = None
        self._stream: Any = None

    def start(self) -> None:
        """Begin to record. Blocks: for a worker thread.

        Raises:
            sounddevice.PortAudioError: the device refuses.
        """
        sounddevice = portaudio()
        stream = sounddevice.InputStream(
            samplerate=self.rate,
            channels=self.channels,
            dtype="int16",
            blocksize=self.block,
            device=self.device.index,
            latency="low" if self.block_ms <= _SHORT_MS else "high",
            callback=self._callback,
            finished_callback=self._device_ended,
        )
        try:
            stream.start()
        except sounddevice.PortAudioError:
            stream.close()  # or the device would be busy for the next way to open it
            raise
        self._stream = stream
        self.opened_at = self._now()

    def close(self) -> None:
        """Release the device; what it delivered stays readable. Blocks; idempotent."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
            self.ring.finish()
        self.closed = True
        self._wake()

    # -- PortAudio's thread

    def _callback(self, samples: Any, count: int, times: Any, status: Any) -> None:
        """No lock, log, or import; views only."""
        adc = times.inputBufferAdcTime
        start = self._heard
        if status.input_overflow:
            self.overflows += 1
            # The driver does not say how much it lost; its clock does.
            hole = round((adc - self._last_adc_end) * self.rate)
            if self._last_adc_end and 0 < hole < _LONGEST_HOLE_S * self.rate:
                self.ring.skip(hole)
                start += hole
        self._last_adc_end = adc + count / self.rate
        self._heard = end = start + count
        self.latest = Delivery(self._now(), times.currentTime - adc, start, end)
        self.ring.write(self._mix_down.mix(samples))

    def _device_ended(self) -> None:
        """The stream ended: the device went away, or it was closed."""
        self.died = True
        self._wake()

    # -- the loop

    def time_of(self, sample: int) -> float:
        """When ``sample`` was captured, by the newest delivery (before the first: the opening)."""
        if self.latest is None:
            return self.opened_at + sample / self.rate
        at, age, start, end = self.latest
        if not 0.0 <= age <= _OLDEST_S:  # some drivers do not tell
            age = (end - start) / self.rate
        return at - age + (sample - start) / self.rate

    def take(self) -> Pcm | Hole | None:
        """The next samples, at most a block (shape ``(n,)``, the device's rate), or the hole there;
        None when nothing has come."""
        if self._ahead is not None:
            pcm, self._ahead = self._ahead, None
            self.position += len(pcm)
            return pcm
        while True:
            hole = self.ring.take_hole()
            if hole is not None:
                start = min(hole.end, hole.start + self._skip)
                self._skip -= start - hole.start
                if start == hole.end:
                    continue
                self.position = hole.end
                return Hole(start, hole.end, hole.overrun)
            read = self.ring.read(self.block)
            if read is None:
                return None
            skipped = min(self._skip, len(read))
            self._skip -= skipped
            if skipped == len(read):
                continue
            self.position = self.ring.position
            return read[skipped:]

    def go_on_at(self, sample: int, ahead: Pcm) -> None:
        """Let :meth:`take` continue at ``sample``, which may lie in the future.

        Args:
            sample: index of this stream; not before the first sample of ``ahead``.
            ahead: what was read from :attr:`ring` last, up to where it stands now, without a hole.
        """
        read = self.ring.position
        self.position = sample
        self._skip = max(0, sample - read)
        self._ahead = ahead[len(ahead) - (read - sample) :] if sample < read else None

    @property
    def empty(self) -> bool:
        """Whether :meth:`take` has nothing, and will wake when something comes."""
        return self._ahead is None and self.ring.prepare_to_wait()


def open_first(
    devices: Sequence[InputDevice], make: Callable[[InputDevice, int, int], DeviceStream]
) -> DeviceStream:
    """Start the first of ``devices`` that can be. Blocks: for a worker thread.

    Args:
        devices: best first.
        make: from a device, a rate and a number of channels to the stream.

    Raises:
        SourceError: none can be opened; the text says why for each.
    """
    sounddevice = portaudio()
    refused: list[str] = []
    for device in devices:
        reason = ""
        for rate, channels in _ways_to_open(device):
            stream = make(device, rate, channels)
            try:
                stream.start()
            except sounddevice.PortAudioError as error:
                reason = str(error.args[0]) if error.args else str(error)
            else:
                return stream
        refused.append(f"{device.name!r}: {' '.join(reason.split())}")
    raise SourceError(
        f"the microphone cannot be opened ({'; '.join(refused)}): is another program using it? "
        "`vivavoce devices` lists the others"
    )


def _ways_to_open(device: InputDevice) -> list[tuple[int, int]]:
    """Rates and channels to try: 16 kHz mono if the device takes it, else what it likes best."""
    ways = [
        (SAMPLE_RATE, 1),
        (device.default_rate, 1),
        (device.default_rate, device.channels),
    ]
    return list(dict.fromkeys(ways))
