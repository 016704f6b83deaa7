"""What a caption writer is, and the one place where bytes leave the program."""

from __future__ import annotations

import errno
from typing import BinaryIO, Protocol

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


def write_bytes(stream: BinaryIO, data: bytes) -> None:
    """Write and flush. Blocks while the reader is slow: call it in a thread.

    Raises:
        OutputClosed: the reader went away; the message is empty.
        OutputFailed: writing failed otherwise, in one line.
    """
    try:
        stream.write(data)
        stream.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.ECONNRESET):
            raise OutputClosed from error
        raise OutputFailed(f"the captions cannot be written: {error.strerror}") from error
    except ValueError as error:  # the stream object was closed
        raise OutputClosed from error
