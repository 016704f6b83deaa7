"""A source that a program feeds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.actors.capture.resample import MixDown, Resampler
from vivavoce.pipeline.channel import Channel, ChannelClosed, WouldBlock
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import SAMPLE_RATE, AudioBlock, Gap, Pcm

_ROOM = 4 * SAMPLE_RATE
_PIECES_PER_S = 2

log = get_logger("capture")


class PushSource:
    """Audio from your own program, at your own pace.

    At most 4 seconds wait to be taken; beyond that :meth:`push` waits for room, so that nothing is
    lost and memory stays bounded. All methods but :meth:`push_threadsafe` belong to the event loop
    of the pipeline.

    Args:
        rate: samples per second of what you push; converted to 16 kHz.
        channels: 1 for arrays of shape ``(n,)``; more for ``(n, channels)``, mixed to mono.

    Attributes:
        clipped: float samples beyond ±1 that were clipped.

    Raises:
        ValueError: ``rate`` or ``channels`` is not positive.
    """

    live = False

    def __init__(self, rate: int = SAMPLE_RATE, channels: int = 1) -> None:
        if rate < 1 or channels < 1:
            raise ValueError(f"rate and channels are positive, not {rate} and {channels}")
        self.name = "pushed audio"
        self.rate = rate
        self.channels = channels
        self.clipped = 0
        self._resampler = Resampler(rate)
        self._piece = max(1, rate // _PIECES_PER_S)
        self._mix_down = MixDown(channels, self._piece)
        # Its room is counted in samples, below: small arrays may be many.
        self._waiting: Channel[Pcm] = Channel(_ROOM, name=self.name)
        self._depth = 0
        self._taken = asyncio.Event()
        self._turn = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def push(self, samples: npt.NDArray[Any]) -> None:
        """Feed audio; waits while the pipeline is behind.

        An array is taken in pieces of half a second. A push that is cancelled while it waits keeps
        the pieces before; pushes of several tasks do not mix.

        Args:
            samples: int16, or float32 or float64 in [-1, 1] (what is beyond is clipped, counted in
                :attr:`clipped` and warned of once); shape ``(n,)`` or ``(n, channels)``.

        Raises:
            TypeError: another type.
            ValueError: another shape, or NaN or infinite samples. Nothing of the array is taken.
            ChannelClosed: the source was ended or stopped.
        """
        checked = self._checked(samples)
        async with self._turn:
            for piece in self._pieces(checked):
                while self._depth >= _ROOM and not self._waiting.closed:
                    self._taken.clear()
                    await self._taken.wait()
                self._put(piece)

    def push_nowait(self, samples: npt.NDArray[Any]) -> None:
        """Feed audio without waiting: all of it, or nothing.

        Where nothing waits, an array of any length is taken.

        Args:
            samples: as for :meth:`push`.

        Raises:
            WouldBlock: there is no room for it, or others wait for room.
            TypeError, ValueError, ChannelClosed: as for :meth:`push`.
        """
        checked = self._checked(samples)
        comes = len(checked) * SAMPLE_RATE // self.rate
        self._must_be_open()
        if self._turn.locked() or (self._depth and self._depth + comes > _ROOM):
            raise WouldBlock(f"{self.name}: {self._depth / SAMPLE_RATE:.1f} s wait already")
        for piece in self._pieces(checked):
            self._put(piece)

    def push_threadsafe(self, samples: npt.NDArray[Any], timeout: float | None = None) -> None:
        """Feed audio from another thread than the pipeline's; waits while the pipeline is behind.

        Args:
            samples: as for :meth:`push`.
            timeout: seconds to wait at most.

        Raises:
            RuntimeError: the pipeline does not run yet, or this is its own thread.
            TimeoutError: no room within ``timeout``; the pieces before were taken.
            TypeError, ValueError, ChannelClosed: as for :meth:`push`.
        """
        loop = self._loop
        if loop is None:
            raise RuntimeError("push_threadsafe() needs a pipeline that runs: enter it first")
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is loop:
            raise RuntimeError("push_threadsafe() would wait for itself: await push() instead")
        pushing = asyncio.run_coroutine_threadsafe(self.push(samples), loop)
        try:
            pushing.result(timeout)
        except TimeoutError:
            pushing.cancel()
            raise

    def end(self) -> None:
        """Nothing more will be pushed. Idempotent."""
        self._waiting.close()
        self._taken.set()

    def _put(self, frames: npt.NDArray[np.int16]) -> None:
        self._must_be_open()
        # A copy: what the caller does with its array afterwards is its own affair.
        pcm = self._resampler.convert(self._mix_down.mix(frames).copy())
        if len(pcm):
            self._waiting.send_nowait(pcm)
            self._depth += len(pcm)

    def _must_be_open(self) -> None:
        if self._waiting.closed:
            raise ChannelClosed(f"{self.name} was ended or stopped: it takes no more")

    def _pieces(self, frames: npt.NDArray[Any]) -> Iterator[npt.NDArray[np.int16]]:
        for start in range(0, len(frames), self._piece):
            piece = frames[start : start + self._piece]
            yield piece if piece.dtype == np.int16 else self._from_float(piece)

    def _checked(self, samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """``samples`` in the shape ``(n, channels)``, or the error that tells what is wrong."""
        if not isinstance(samples, np.ndarray):
            raise TypeError(f"push() takes a NumPy array, not {type(samples).__name__}")
        if samples.dtype not in (np.int16, np.float32, np.float64):
            raise TypeError(f"push() takes int16, float32 or float64, not {samples.dtype}")
        frames = samples[:, np.newaxis] if samples.ndim == self.channels == 1 else samples
        if frames.ndim != 2 or frames.shape[1] != self.channels:
            shape = "(n,)" if self.channels == 1 else f"(n, {self.channels})"
            raise ValueError(f"push() takes arrays of shape {shape}, not {samples.shape}")
        if frames.dtype != np.int16 and not np.isfinite(frames).all():
            bad = int(np.count_nonzero(~np.isfinite(frames)))
            raise ValueError(
                f"push() got {bad} samples that are NaN or infinite: nothing was taken"
            )
        return frames

    def _from_float(self, frames: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
        beyond = int(np.count_nonzero(np.abs(frames) > 1.0))
        if beyond and not self.clipped:
            log.warning("pushed samples are beyond ±1 and are clipped: scale floats to [-1, 1]")
        self.clipped += beyond
        scaled = np.rint(np.clip(frames, -1.0, 1.0) * 32_768.0)
        pcm: npt.NDArray[np.int16] = np.minimum(scaled, 32_767).astype(np.int16)
        return pcm

    # -- the pipeline's side

    async def open(self) -> None:
        """Nothing to acquire."""
        self._loop = asyncio.get_running_loop()

    async def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
        """What was pushed, in order."""
        at = 0
        async for pcm in self._waiting:
            self._depth -= len(pcm)
            self._taken.set()
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


__all__ = ["ChannelClosed", "PushSource", "WouldBlock"]
