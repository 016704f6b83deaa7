"""Sources that are decoded rather than heard: recordings and standard input."""

from __future__ import annotations

import asyncio
import os
import select
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from vivavoce.actors.capture.decoding import decode_container, decode_raw, looks_like_container
from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.clock import Clock
from vivavoce.pipeline.messages import SAMPLE_RATE, AudioBlock, Gap, Pcm

_CHUNK = SAMPLE_RATE
"""Samples decoded ahead: one second."""


class PacedSource:
    """Decodes in a worker thread, a second ahead; delivers as spoken, or as fast as it is taken.

    At real-time pace the block that ends at sample *n* is delivered *n* / 16,000 s after the first
    block began: no drift, and a pipeline that was slow catches up.
    """

    live = False

    def __init__(
        self, name: str, *, pace: Literal["realtime", "max"], block_ms: int, clock: Clock
    ) -> None:
        self.name = name
        self._pace = pace
        self._block = SAMPLE_RATE * block_ms // 1000
        self._clock = clock
        self._pieces: Iterator[Pcm] | None = None
        self._rest: Pcm = np.zeros(0, dtype=np.int16)
        self._first: Pcm | None = None
        self._stopping = asyncio.Event()

    def _decode(self) -> Iterator[Pcm]:
        """Open and decode; runs in the worker thread."""
        raise NotImplementedError

    async def open(self) -> None:
        """Decode the first second, so that what cannot be decoded is said at once.

        Raises:
            SourceError: the source cannot be opened or holds no audio.
        """
        self._pieces = self._decode()
        self._first = await asyncio.to_thread(self._next_chunk)

    async def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
        """The audio in blocks of the profile's length; the last may be shorter."""
        chunk, self._first = self._first, None
        began = self._clock.now()
        at = 0
        ahead: asyncio.Task[Pcm | None] | None = None
        try:
            while chunk is not None and not self._stopping.is_set():
                ahead = asyncio.create_task(asyncio.to_thread(self._next_chunk))
                for start in range(0, len(chunk), self._block):
                    pcm = chunk[start : start + self._block]
                    if self._pace == "realtime":
                        await self._wait_until(began + (at + len(pcm)) / SAMPLE_RATE)
                    if self._stopping.is_set():
                        return
                    yield AudioBlock(start=at, pcm=pcm)
                    at += len(pcm)
                chunk = await ahead
        finally:
            self._interrupt()
            if ahead is not None:
                await asyncio.gather(ahead, return_exceptions=True)

    async def _wait_until(self, due: float) -> None:
        wait = due - self._clock.now()
        if wait > 0:
            await self._clock.sleep(wait)

    def _next_chunk(self) -> Pcm | None:
        """About a second of audio, a whole number of blocks until the last; None at the end."""
        assert self._pieces is not None
        gathered = [self._rest]
        count = len(self._rest)
        ended = True
        for piece in self._pieces:
            gathered.append(piece)
            count += len(piece)
            if count >= max(_CHUNK, self._block):
                ended = False
                break
        joined = np.concatenate(gathered)
        whole = len(joined) if ended else len(joined) - len(joined) % self._block
        self._rest = joined[whole:].copy()
        return joined[:whole] if whole else None

    def _interrupt(self) -> None:
        """Make a read that waits return."""

    def stop(self) -> None:
        """End after the block that is being delivered."""
        self._stopping.set()
        self._interrupt()

    async def close(self) -> None:
        """Release the file."""
        self.stop()


class RecordingSource(PacedSource):
    """A recording: anything that PyAV decodes, in bounded memory."""

    def __init__(
        self, path: Path, *, pace: Literal["realtime", "max"], block_ms: int, clock: Clock
    ) -> None:
        super().__init__(str(path), pace=pace, block_ms=block_ms, clock=clock)
        self._path = path

    def _decode(self) -> Iterator[Pcm]:
        _check_file(self._path)
        yield from decode_container(str(self._path), str(self._path))


def _check_file(path: Path) -> None:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise SourceError(f"{path} is a directory: give a recording")
        if stat.S_ISREG(found.st_mode) and not found.st_size:
            raise SourceError(f"{path} is empty: it contains no audio")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise SourceError(f"there is no file {path}: give a recording, `mic` or `-`") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error


class StdinSource(PacedSource):
    """Standard input: raw s16le 16 kHz mono, or any container, told apart by its first bytes."""

    def __init__(
        self, *, pace: Literal["realtime", "max"], block_ms: int, clock: Clock, fd: int = 0
    ) -> None:
        super().__init__("standard input", pace=pace, block_ms=block_ms, clock=clock)
        self._input = InterruptibleInput(fd)

    async def open(self) -> None:
        """See :class:`PacedSource`; a terminal is refused."""
        if os.isatty(self._input.fd):
            raise SourceError(
                "standard input is the terminal: send audio to it, as in "
                "`vivavoce --source - < talk.wav`"
            )
        await super().open()

    def _decode(self) -> Iterator[Pcm]:
        begin = self._input.read(16)
        while begin and len(begin) < 16:
            more = self._input.read(16 - len(begin))
            if not more:
                break
            begin += more
        if looks_like_container(begin):
            self._input.unread(begin)
            yield from decode_container(self._input, self.name)
        else:
            yield from decode_raw(self._input, self.name, begin)

    def _interrupt(self) -> None:
        self._input.interrupt()


class InterruptibleInput:
    """Blocking reads from a file descriptor that another thread can end.

    A read waits for data or for :meth:`interrupt`, after which every read finds the end.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._pushed_back = b""
        self._wake_read, self._wake_write = os.pipe()

    def read(self, count: int = -1, /) -> bytes:
        """Up to ``count`` bytes; empty at the end, or when interrupted."""
        if self._pushed_back:
            count = len(self._pushed_back) if count < 0 else count
            data, self._pushed_back = self._pushed_back[:count], self._pushed_back[count:]
            return data
        if sys.platform != "win32":
            ready, _, _ = select.select([self.fd, self._wake_read], [], [])
            if self._wake_read in ready:
                return b""
        return os.read(self.fd, count if count > 0 else 65_536)

    def unread(self, data: bytes) -> None:
        """Let ``data`` be read again."""
        self._pushed_back = data + self._pushed_back

    def interrupt(self) -> None:
        """End the read that waits, and every later one. Safe from any thread."""
        os.write(self._wake_write, b"\0")
