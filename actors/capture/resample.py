"""To mono 16 kHz int16, streaming."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm


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
        np.add.reduce(samples, axis=1, out=sums)
        np.floor_divide(sums, self._channels, out=sums)
        mono = self._mono[:count]
        mono[:] = sums
        return mono
