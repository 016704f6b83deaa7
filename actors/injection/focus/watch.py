"""The actor that notes which window had the focus when an utterance began."""

from __future__ import annotations

import asyncio

from vivavoce.actors.injection.back_end import FocusProbe
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.messages import Speech, SpeechStarted


class FocusWatch(Actor[Speech, Speech]):
    """Passes everything on at once and untouched, and takes notes in a task of its own.

    The desktop is asked once at a time. Of the utterances that begin meanwhile only the last one is
    asked for; where the others began is not known, nor where one did whose question failed.
    """

    name = "focus"

    def __init__(self, probe: FocusProbe) -> None:
        super().__init__()
        self._probe = probe
        self._asked = -1
        self._wanted = -1
        self._asking: asyncio.Task[None] | None = None

    async def on_message(self, message: Speech) -> None:
        """Pass it on; where an utterance begins, have the desktop asked."""
        if type(message) is SpeechStarted and message.start > self._wanted:
            self._wanted = message.start
            self.context.focus.note(message.start, None)  # not where the one before it began
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask(), name="focus")
        await self.emit(message)

    async def on_stop(self) -> None:
        """Stop asking."""
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            await asyncio.wait([asking])

    async def _ask(self) -> None:
        while self._asked < self._wanted:
            start = self._asked = self._wanted
            self.context.focus.note(start, await self._probe.focus())
