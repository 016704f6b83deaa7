"""The captions actor: events in, bytes out."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import BinaryIO

from vivavoce.actors.captions.factory import wants_colour
from vivavoce.actors.captions.revisions import PatientWriter
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.actors.captions.writer import CaptionWriter, Output, same_terminal
from vivavoce.config.errors import VivavoceError
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import TO_SINKS, Actor, ActorContext
from vivavoce.pipeline.log import LogSink, current_sink
from vivavoce.pipeline.messages import Caption, EndOfStream

_MOST_NOTICES = 64


class CaptionActor(Actor[Caption, None]):
    """Renders each event and writes it to a stream.

    Log lines that go to the same terminal as a live view are shown above it, by this actor: written
    beside it, they would tear what is being said.

    Args:
        writer: the format.
        stream: where the bytes go, usually standard output.
        environ: ``NO_COLOR``, for when the profile changes; the process's by default.
        context: as for every actor.
    """

    name = "captions"
    closing_grace_s = None

    def __init__(
        self,
        writer: CaptionWriter,
        stream: BinaryIO,
        environ: Mapping[str, str] | None = None,
        context: ActorContext | None = None,
    ) -> None:
        super().__init__(context=context, capacity=TO_SINKS)
        self._writer = writer
        self._output = Output(stream)
        self._environ = os.environ if environ is None else environ
        self._live = writer if isinstance(writer, TerminalWriter) else None
        self._stream = stream
        self._notices: deque[str] = deque()
        self._unwritten = b""
        self._finished = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def on_start(self) -> None:
        """Take the log's lines where they would disturb a live view."""
        sink = current_sink()
        shares = self._live is not None and same_terminal(self._stream, sys.stderr)
        if shares and isinstance(sink, LogSink):
            self._loop = asyncio.get_running_loop()
            sink.divert(self._take_notice)

    async def on_message(self, message: Caption) -> None:
        """Show one event.

        Raises:
            OutputClosed: the reader went away.
            OutputFailed: the bytes cannot be written.
        """
        t = self.context.stream.elapsed()
        kind = type(message).__name__.lower()
        self.context.metrics.counter("vivavoce_captions_total", type=kind).add()
        before, self._unwritten = self._unwritten + self._rendered_notices(), b""
        if isinstance(message, EndOfStream):
            self._finished = True
            data = self._writer.finish(self.context.ledger.summary(), t)
        else:
            data = self._writer.render(message, t)
        await self._output.write(before + data)

    async def on_profile(self, profile: Profile) -> None:
        """Colour, and whether finals wait for a revision; the format cannot change."""
        if self._live is not None:
            self._live.use_colour(wants_colour(profile.captions, self._environ))
        if isinstance(self._writer, PatientWriter):
            self._writer.revisions_follow = profile.transcription.draft is not None

    async def on_stop(self) -> None:
        """Leave all in order where the run ends early; an output that is stuck is left."""
        sink = current_sink()
        if self._loop is not None and isinstance(sink, LogSink):
            self._loop = None
            sink.divert(None)
        if self._output.stalled or not self._output.takes_now():
            return
        last = self._unwritten + self._rendered_notices()
        with suppress(VivavoceError):  # it failed before, and that is on its way to the user
            self._output.write_ready(last + (b"" if self._finished else self._writer.abandon()))

    # -- log lines on the same terminal

    def _take_notice(self, text: str) -> bool:
        """Show lines of the log; False where they must find another way. From any thread."""
        loop = self._loop
        if loop is None or len(self._notices) >= _MOST_NOTICES:
            return False
        self._notices.append(text)
        with suppress(RuntimeError):  # the loop has ended; on_stop() shows what is left
            loop.call_soon_threadsafe(self._show_notices)
        return True

    def _show_notices(self) -> None:
        if self._output.stalled or self._unwritten or not self._output.takes_now():
            return  # the next event takes them along
        with suppress(VivavoceError):  # the next event meets the same, and says so
            self._unwritten = self._output.write_ready(self._rendered_notices())

    def _rendered_notices(self) -> bytes:
        rendered = b""
        while self._live is not None and self._notices:
            rendered += self._live.notice(self._notices.popleft())
        return rendered
