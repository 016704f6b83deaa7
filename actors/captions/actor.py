"""The captions actor: events in, bytes out."""

from __future__ import annotations

from contextlib import suppress
from typing import BinaryIO

from vivavoce.actors.captions.writer import CaptionWriter, Output
from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.messages import Caption, EndOfStream


class CaptionActor(Actor[Caption, None]):
    """Renders each event and writes it to a stream.

    Args:
        writer: the format.
        stream: where the bytes go, usually standard output.
    """

    name = "captions"

    def __init__(self, writer: CaptionWriter, stream: BinaryIO) -> None:
        super().__init__()
        self._writer = writer
        self._output = Output(stream)
        self._finished = False

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
            self._finished = True
            data = self._writer.finish(self.context.ledger.summary(), t)
        else:
            data = self._writer.render(message, t)
        await self._output.write(data)

    async def on_stop(self) -> None:
        """Leave all in order where the run ends early; an output that is stuck is left."""
        if self._finished or self._output.stalled or not self._output.takes_now():
            return
        with suppress(VivavoceError):  # it failed before, and that is on its way to the user
            self._output.write_ready(self._writer.abandon())
