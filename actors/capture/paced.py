"""The base of sources that are decoded rather than heard: recordings and pipes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Literal

import numpy as np

from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.clock import Clock
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import SAMPLE_RATE, AudioBlock, Gap, Pcm

_CHUNK = SAMPLE_RATE
"""Samples decoded ahead: one second."""

log = get_logger("capture")


class PacedSource:
    """Decodes in a worker thread, a second ahead; delivers as spoken, or as fast as it is taken.

    At real-time pace the block that ends at sample *n* is delivered *n* / 16,000 s after the first
    block began: no drift, and a pipeline that was slow catches up.
    """

    live = False

    _finishes = False
    """Whether audio that was read already is delivered after :meth:`stop`."""

    def __init__(
        self, name: str, *, pace: Literal["realtime", "max"], block_ms: int, clock: Clock
    ) -> None:
        self.name = name
        self._pace = pace
        self._block = SAMPLE_RATE * block_ms // 1000
        self._clock = clock
        self._pieces: Generator[Pcm, None, None] | None = None
        self._working: asyncio.Future[Pcm | None] | None = None
        self._rest: Pcm = np.zeros(0, dtype=np.int16)
        self._first: Pcm | None = None
        self._warnings: list[str] = []
        self._stopping = False

    # -- for the kinds of sources; all run in the worker thread but _interrupt

    def _decode(self) -> Generator[Pcm, None, None]:
        """Open and decode."""
        raise NotImplementedError

    def _would_wait(self) -> bool:
        """Whether the next piece is not at hand yet, so that what there is should go on its way."""
        return False

    def _interrupt(self) -> None:
        """Make a read that waits, and every later one, find the end."""

    def _warn(self, text: str) -> None:
        self._warnings.append(text)  # logged by the loop, which the log belongs to

    # -- the source

    async def open(self) -> None:
        """Decode the first second, so that what cannot be decoded is said at once.

        Raises:
            SourceError: the source cannot be opened or holds no audio.
        """
        self._pieces = self._decode()
        try:
            self._first = await self._fetched(self._fetch())
        except SourceError:
            if not self._stopping:
                raise  # else nothing had come yet: an empty stream, not a fault

    async def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
        """The audio in blocks of the profile's length; the last may be shorter."""
        chunk, self._first = self._first, None
        began = self._clock.now()
        at = 0
        while chunk is not None:
            ahead = self._fetch()
            for start in range(0, len(chunk), self._block):
                pcm = chunk[start : start + self._block]
                if self._pace == "realtime" and not self._stopping:
                    await self._wait_until(began + (at + len(pcm)) / SAMPLE_RATE)
                if self._stopping and not self._finishes:
                    return
                yield AudioBlock(start=at, pcm=pcm)
                at += len(pcm)
            chunk = await self._fetched(ahead)

    async def _wait_until(self, due: float) -> None:
        wait = due - self._clock.now()
        if wait > 0:
            await self._clock.sleep(wait)

    def _fetch(self) -> asyncio.Future[Pcm | None]:
        self._working = asyncio.ensure_future(asyncio.to_thread(self._next_chunk))
        return self._working

    async def _fetched(self, chunk: asyncio.Future[Pcm | None]) -> Pcm | None:
        try:
            # Whoever cancels this cannot stop the thread: close() waits for it.
            return await asyncio.shield(chunk)
        finally:
            while self._warnings:
                log.warning(self._warnings.pop(0))

    def _next_chunk(self) -> Pcm | None:
        """About a second of audio, a whole number of blocks until the last; None at the end."""
        assert self._pieces is not None
        gathered = [self._rest]
        count = len(self._rest)
        ended = True
        for piece in self._pieces:
            gathered.append(piece)
            count += len(piece)
            if count >= _CHUNK or (count >= self._block and self._would_wait()):
                ended = False
                break
        joined = np.concatenate(gathered)
        whole = len(joined) if ended else len(joined) - len(joined) % self._block
        self._rest = joined[whole:].copy()
        return joined[:whole] if whole else None

    def stop(self) -> None:
        """End after the block that is being delivered. Idempotent."""
        self._stopping = True
        self._interrupt()

    async def close(self) -> None:
        """Release what is read from. Idempotent."""
        self.stop()
        if self._working is not None:
            await asyncio.wait([self._working])
            if not self._working.cancelled():
                self._working.exception()  # seen: nobody waits for it any more
        if self._pieces is not None:
            pieces, self._pieces = self._pieces, None
            await asyncio.to_thread(pieces.close)
