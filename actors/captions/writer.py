"""What a caption writer is, and the one place where bytes leave the program."""

from __future__ import annotations

import asyncio
import errno
import os
import select
from typing import BinaryIO, Protocol, TextIO

from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import Caption


class OutputClosed(VivavoceError):  # noqa: N818 - a state that ends the run, not a fault
    """The reader of the captions went away, as `head` does; nobody needs to be told."""

    exit_code = 0


class OutputFailed(VivavoceError):  # noqa: N818 - what happened: "the output failed"
    """The captions cannot be written: a full disk, for example."""


class CaptionWriter(Protocol):
    """Turns events into bytes; ``t`` is seconds since capture started."""

    def render(self, event: Caption, t: float) -> bytes:
        """What to write for ``event``; empty for nothing."""
        ...

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """What to write when the stream has ended."""
        ...

    def abandon(self) -> bytes:
        """What to write when the run fails before the stream has ended."""
        ...


class Output:
    """Writes bytes to a stream without ever holding up the event loop.

    A stream that takes the bytes gets them at once; one that is full (a pipe that nobody reads) is
    waited for in a thread. Bytes go straight to the file descriptor: nothing stays in a buffer that
    Python would try to flush, and fail to, at exit.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._descriptor = _descriptor(stream)
        self.stalled = False

    async def write(self, data: bytes) -> None:
        """Write all of ``data``.

        Raises:
            OutputClosed: the reader went away; the message is empty.
            OutputFailed: writing failed otherwise, in one line.
        """
        data = self.write_ready(data)
        if data:
            self.stalled = True  # until it is written: a cancelled wait leaves it so
            await asyncio.to_thread(self._write_all, data)
            self.stalled = False

    def write_ready(self, data: bytes) -> bytes:
        """Write what the stream takes without waiting; return the rest.

        Raises:
            OutputClosed: the reader went away; the message is empty.
            OutputFailed: writing failed otherwise, in one line.
        """
        while data and self.takes_now():
            # A pipe that is ready promises to take this much without blocking.
            written = self._write_some(data[: select.PIPE_BUF])
            data = data[written:]
            if not written:
                break
        return data

    def takes_now(self) -> bool:
        """Whether a write of ``PIPE_BUF`` bytes returns at once."""
        if self._descriptor is None:
            return True
        try:
            return bool(select.select([], [self._descriptor], [], 0)[1])
        except (OSError, ValueError):
            return False  # closed, or too large a number for select(): a thread finds out

    def _write_all(self, data: bytes) -> None:
        while data:
            written = self._write_some(data)
            data = data[written:]
            if not written and self._descriptor is not None:
                select.select([], [self._descriptor], [])

    def _write_some(self, data: bytes) -> int:
        try:
            if self._descriptor is None:
                return self._stream.write(data)
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0  # whoever shares the descriptor has made it non-blocking
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.ECONNRESET):
                raise OutputClosed from error
            raise OutputFailed(
                f"the captions cannot be written: {error.strerror or error}"
            ) from error
        except ValueError as error:  # the stream object was closed
            raise OutputClosed from error


def same_terminal(stream: BinaryIO, other: TextIO | None) -> bool:
    """Whether both streams are the same terminal."""
    try:
        if other is None or not (stream.isatty() and other.isatty()):
            return False
        one, two = os.fstat(stream.fileno()), os.fstat(other.fileno())
    except (OSError, ValueError):
        return False
    return one.st_rdev == two.st_rdev


def _descriptor(stream: BinaryIO) -> int | None:
    """The stream's file descriptor; None for streams in memory, which have none."""
    try:
        stream.flush()
        return stream.fileno()
    except (OSError, ValueError):
        return None
