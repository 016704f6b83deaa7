"""To mono 16 kHz int16, streaming."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.pipeline.messages import SAMPLE_RATE, AudioBlock, Gap, GapReason, Pcm


class Resampler:
    """Streams mono int16 from any rate to 16 kHz; does nothing when it is 16 kHz already.

    Args:
        rate: samples per second that come in; positive.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._stream: Any = None
        if rate != SAMPLE_RATE:
            import soxr

            self._stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="int16")

    def convert(self, pcm: Pcm, *, last: bool = False) -> Pcm:
        """What comes out for ``pcm``, shape ``(n,)``; with ``last``, all that is left, too."""
        if self._stream is None:
            return pcm
        out: Pcm = self._stream.resample_chunk(pcm, last=last)
        return out


class Doorway:
    """From a device's samples and holes to blocks and gaps at 16 kHz.

    Positions are computed from the device's own, so that no number of holes makes them drift.

    Args:
        rate: samples per second of the device; positive.
        at: index, at 16 kHz, of the first sample that comes out.

    Attributes:
        rate: as given.
        at: index, at 16 kHz, behind what has come out.
    """

    def __init__(self, rate: int, at: int = 0) -> None:
        self.rate = rate
        self.at = at
        self._resampler = Resampler(rate)
        self._begin = at
        self._taken = 0

    def audio(self, pcm: Pcm) -> Iterator[AudioBlock]:
        """What comes out for the device's next samples, shape ``(n,)``: at most one block."""
        self._taken += len(pcm)
        return self._block(self._resampler.convert(pcm))

    def hole(self, count: int, reason: GapReason) -> Iterator[AudioBlock | Gap]:
        """The device's next ``count`` samples are missing: the audio before them, and a gap."""
        yield from self.finish()
        self._taken += count
        yield from self._gap(self._begin + round(self._taken * SAMPLE_RATE / self.rate), reason)

    def pause(self, seconds: float, reason: GapReason) -> Iterator[AudioBlock | Gap]:
        """No device was open for so long: the audio before it, and a gap."""
        yield from self.finish()
        yield from self._gap(self.at + round(seconds * SAMPLE_RATE), reason)
        self._begin, self._taken = self.at, 0

    def finish(self) -> Iterator[AudioBlock]:
        """What the resampler still holds: at most one block. More audio can follow."""
        rest = self._resampler.convert(np.zeros(0, dtype=np.int16), last=True)
        self._resampler = Resampler(self.rate)
        return self._block(rest)

    def _gap(self, end: int, reason: GapReason) -> Iterator[Gap]:
        if end > self.at:
            start, self.at = self.at, end
            yield Gap(start=start, end=end, reason=reason)

    def _block(self, pcm: Pcm) -> Iterator[AudioBlock]:
        if len(pcm):
            block = AudioBlock(start=self.at, pcm=pcm)
            self.at = block.end
            yield block


class MixDown:
    """The mean of the channels, computed in buffers that are made once.

    Args:
        channels: channels that come in.
        most: samples that come at once at most.
    """

    def __init__(self, channels: int, most: int) -> None:
        self._channels = channels
        self._sums = np.zeros(most, dtype=np.int32)
        self._mono: Pcm = np.zeros(most, dtype=np.int16)

    def mix(self, samples: npt.NDArray[np.int16]) -> Pcm:
        """Mix ``samples``, shape ``(n, channels)``, down.

        Returns:
            A view, shape ``(n,)``, that the next call overwrites.
        """
        if self._channels == 1:
            return samples[:, 0]
        count = len(samples)
        sums = self._sums[:count]
        # Channel by channel: a reduction over the short axis is five times slower.
        sums[:] = samples[:, 0]
        for channel in range(1, self._channels):
            np.add(sums, samples[:, channel], out=sums)
        np.floor_divide(sums, self._channels, out=sums)
        mono = self._mono[:count]
        mono[:] = sums
        return mono
