"""A source that a program feeds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.actors.capture.resample import MixDown, Resampler
from vivavoce.pipeline.channel import Channel, ChannelClosed
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import SAMPLE_RATE, AudioBlock, Gap, Pcm

_CHUNK = SAMPLE_RATE // 2
_WAITING = 8

log = get_logger("capture")


class PushSource:
    """Audio from your own program, at your own pace.

    At most 4 seconds wait to be taken; :meth:`push` waits for room beyond that, so that nothing is
    lost and memory stays bounded.

    Args:
        rate: samples per second of what you push; converted to 16 kHz.
        channels: 1 for arrays of shape ``(n,)``; more for ``(n, channels)``, mixed to mono.

    Raises:
        ValueError: ``rate`` or ``channels`` is not positive.
    """

    live = False

    def __init__(self, rate: int = SAMPLE_RATE, channels: int = 1) -> None:
        if rate < 1 or channels < 1:
            raise ValueError(f"rate and channels are positive, not {rate} and {channels}")
        self.name = "pushed audio"
        self.channels = channels
        self.clipped = 0
        """Float samples beyond ±1 that were clipped."""
        self._resampler = Resampler(rate)
        self._waiting: Channel[Pcm] = Channel(_WAITING, name="pushed audio")

    async def push(self, samples: npt.NDArray[Any]) -> None:
        """Feed audio; waits while the pipeline is behind.

        Args:
            samples: int16, or float32 or float64 in [-1, 1] (what is beyond is clipped, counted in
                :attr:`clipped` and warned of once); shape ``(n,)`` or ``(n, channels)``.

        Raises:
            TypeError: another type.
            ValueError: another shape, or NaN or infinite samples. Nothing of the array is taken.
            ChannelClosed: the source was ended or stopped.
        """
        pcm = self._resampler.convert(self._mono(samples))
        for start in range(0, len(pcm), _CHUNK):
            await self._waiting.send(pcm[start : start + _CHUNK])

    def end(self) -> None:
        """Nothing more will be pushed. Idempotent."""
        self._waiting.close()

    def _mono(self, samples: npt.NDArray[Any]) -> Pcm:
        if not isinstance(samples, np.ndarray):
            raise TypeError(f"push() takes a NumPy array, not {type(samples).__name__}")
        shapes = "(n,)" if self.channels == 1 else f"(n, {self.channels})"
        if samples.ndim == 1 and self.channels == 1:
            samples = samples[:, np.newaxis]
        if samples.ndim != 2 or samples.shape[1] != self.channels:
            raise ValueError(f"push() takes arrays of shape {shapes}, not {samples.shape}")
        if samples.dtype != np.int16:
            samples = self._from_float(samples)
        # A copy: what the caller does with its array afterwards is its own affair.
        return MixDown(self.channels, len(samples)).mix(samples).copy()

    def _from_float(self, samples: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
        if samples.dtype not in (np.float32, np.float64):
            raise TypeError(f"push() takes int16, float32 or float64, not {samples.dtype}")
        if not np.isfinite(samples).all():
            bad = int(np.count_nonzero(~np.isfinite(samples)))
            raise ValueError(
                f"push() got {bad} samples that are NaN or infinite: nothing was taken"
            )
        beyond = int(np.count_nonzero(np.abs(samples) > 1.0))
        if beyond and not self.clipped:
            log.warning("pushed samples are beyond ±1 and are clipped: scale floats to [-1, 1]")
        self.clipped += beyond
        scaled = np.rint(samples * 32_768.0)
        return np.clip(scaled, -32_768, 32_767).astype(np.int16)

    # -- the pipeline's side

    async def open(self) -> None:
        """Nothing to acquire."""

    async def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
        """What was pushed, in order."""
        at = 0
        async for pcm in self._waiting:
            yield AudioBlock(start=at, pcm=pcm)
            at += len(pcm)
        rest = self._resampler.convert(np.zeros(0, dtype=np.int16), last=True)
        if len(rest):
            yield AudioBlock(start=at, pcm=rest)

    def stop(self) -> None:
        """As :meth:`end`: what was pushed already still flows."""
        self.end()

    async def close(self) -> None:
        """As :meth:`end`."""
        self.end()


__all__ = ["ChannelClosed", "PushSource"]
