"""The captions actor: events in, bytes out."""

from __future__ import annotations

import asyncio
import select
from typing import BinaryIO

from vivavoce.actors.captions.writer import CaptionWriter, write_bytes
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.messages import Caption, EndOfStream


class CaptionActor(Actor[Caption, None]):
    """Renders each event and writes it to a stream.

    A stream that takes the bytes gets them at once; one that is full (a pipe that nobody reads) is
    waited for in a thread, so that the other actors go on.

    Args:
        writer: the format.
        stream: where the bytes go, usually standard output.
    """

    name = "captions"

    def __init__(self, writer: CaptionWriter, stream: BinaryIO) -> None:
        super().__init__()
        self._writer = writer
        self._stream = stream

    async def on_message(self, message: Caption) -> None:
        """Show one event.

        Raises:
            OutputClosed: the reader went away.
            OutputFailed: the bytes cannot be written.
        """
        t = self.context.stream.elapsed()
        kind = type(message).__name__.lower()
        self.context.metrics.counter("vivavoce_captions_total", type=kind).add()
        if isinstance(message, EndOfStream):
            data = self._writer.finish(self.context.ledger.summary(), t)
        else:
            data = self._writer.render(message, t)
        if data:
            await self._write(data)

    async def _write(self, data: bytes) -> None:
        if self._takes_now():
            write_bytes(self._stream, data)
        else:
            await asyncio.to_thread(write_bytes, self._stream, data)

    def _takes_now(self) -> bool:
        """Whether a write of a line returns at once (a pipe promises 4096 bytes then)."""
        try:
            _, ready, _ = select.select([], [self._stream], [], 0)
        except (OSError, ValueError):
            return True  # no file descriptor: it is memory
        return bool(ready)
