"""Standard input and other pipes: raw samples or any container, as they come."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Literal

from vivavoce.actors.capture.decoding import (
    SNIFF,
    decode_container,
    decode_raw,
    looks_like_container,
    looks_like_text,
)
from vivavoce.actors.capture.paced import PacedSource
from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.clock import Clock
from vivavoce.pipeline.messages import Pcm


class PipeSource(PacedSource):
    """Raw s16le 16 kHz mono, or any container, told apart by its first bytes.

    What a live program sends is passed on as soon as it makes a block. After :meth:`stop`, what was
    read already is still delivered; the pipe is not waited for.

    Args:
        pipe: an open file descriptor that stays the caller's, or the path of a pipe or device.
    """

    _finishes = True

    def __init__(
        self,
        name: str,
        pipe: int | Path,
        *,
        pace: Literal["realtime", "max"],
        block_ms: int,
        clock: Clock,
    ) -> None:
        super().__init__(name, pace=pace, block_ms=block_ms, clock=clock)
        self._pipe = pipe
        self._input = InterruptibleInput()

    def _decode(self) -> Generator[Pcm, None, None]:
        try:
            if isinstance(self._pipe, Path):
                # Without O_NONBLOCK, opening a pipe waits for its writer, and cannot be stopped.
                fd = os.open(self._pipe, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            else:
                fd = os.dup(self._pipe)
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error
        try:
            self._input.fd = fd
            yield from self._decode_from(fd)
        finally:
            os.close(fd)

    def _decode_from(self, fd: int) -> Generator[Pcm, None, None]:
        try:
            begin = self._sniff()
            seekable = stat.S_ISREG(os.fstat(fd).st_mode) and os.lseek(fd, 0, os.SEEK_CUR) == SNIFF
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error
        if looks_like_text(begin):
            raise SourceError(
                f"{self.name} is text, not sound: send raw s16le 16 kHz mono samples, or a "
                "recording in a format such as WAV, MP3, FLAC or Ogg"
            )
        if not looks_like_container(begin):
            yield from decode_raw(self._input, self.name, self._warn, begin)
        elif seekable:  # some formats keep at their end what is needed to read them
            self._finishes = False  # it is a recording, and nobody is speaking
            os.lseek(fd, 0, os.SEEK_SET)
            with os.fdopen(os.dup(fd), "rb") as file:
                yield from decode_container(file, self.name, self._warn)
        else:
            self._input.unread(begin)
            yield from decode_container(self._input, self.name, self._warn)

    def _sniff(self) -> bytes:
        begin = b""
        while len(begin) < SNIFF and (more := self._input.read(SNIFF - len(begin))):
            begin += more
        return begin

    def _would_wait(self) -> bool:
        return not self._input.ready()

    def _interrupt(self) -> None:
        self._input.interrupt()

    async def close(self) -> None:
        """Release the pipe. Idempotent."""
        await super().close()
        self._input.close()


class StdinSource(PipeSource):
    """Standard input."""

    def __init__(
        self, *, pace: Literal["realtime", "max"], block_ms: int, clock: Clock, fd: int = 0
    ) -> None:
        super().__init__("standard input", fd, pace=pace, block_ms=block_ms, clock=clock)
        self._fd = fd

    async def open(self) -> None:
        """See :class:`PacedSource`; a terminal is refused, and so is a closed input."""
        if self._fd == 0 and sys.stdin is None:
            raise SourceError("standard input is closed: send audio to it")
        if os.isatty(self._fd):
            raise SourceError(
                "standard input is the terminal: send audio to it, as in "
                "`vivavoce --source - < talk.wav`"
            )
        await super().open()


class InterruptibleInput:
    """Blocking reads from a file descriptor that another thread can end.

    A read waits for data or for :meth:`interrupt`, after which every read finds the end.

    Attributes:
        fd: what is read from; set before the first read.
    """

    def __init__(self, fd: int = -1) -> None:
        self.fd = fd
        self._pushed_back = b""
        self._interrupted = False
        self._wake_read, self._wake_write = os.pipe()

    def read(self, count: int = -1, /) -> bytes:
        """Up to ``count`` bytes; empty at the end, or when interrupted."""
        if self._pushed_back:
            count = len(self._pushed_back) if count < 0 else count
            data, self._pushed_back = self._pushed_back[:count], self._pushed_back[count:]
            return data
        while True:
            self._wait(None)
            if self._interrupted:
                return b""
            try:
                return os.read(self.fd, count if count > 0 else 65_536)
            except BlockingIOError:
                continue  # somebody else took it

    def ready(self) -> bool:
        """Whether a read would return at once."""
        return bool(self._pushed_back) or self._wait(0)

    def unread(self, data: bytes) -> None:
        """Let ``data`` be read again."""
        self._pushed_back = data + self._pushed_back

    def interrupt(self) -> None:
        """End the read that waits, and every later one. Safe from any thread; idempotent."""
        if not self._interrupted:
            self._interrupted = True
            os.write(self._wake_write, b"\0")

    def close(self) -> None:
        """Interrupt, and free what waiting takes; nothing may be reading any more. Idempotent."""
        self._interrupted = True
        ends, self._wake_read, self._wake_write = (self._wake_read, self._wake_write), -1, -1
        for end in ends:
            if end >= 0:
                os.close(end)

    def _wait(self, timeout_ms: int | None) -> bool:
        if sys.platform == "win32":  # where only sockets can be waited for
            return True
        poll = select.poll()  # select() fails in a program with more than 1024 open files
        poll.register(self.fd, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        return bool(poll.poll(timeout_ms))
