"""The capture actor: a source's audio, on the ledger."""

from __future__ import annotations

from vivavoce.actors.capture.source import Source
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.messages import Audio, EndOfStream, Gap


class CaptureActor(Actor[None, Audio]):
    """Opens the source, passes its audio on, and tells the ledger of every sample."""

    name = "capture"

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._ended_at = 0

    async def on_start(self) -> None:
        """Open the source."""
        await self._source.open()

    async def run(self) -> None:
        """Pass audio on until the source ends or is stopped."""
        context = self.context
        captured = context.metrics.counter("vivavoce_capture_samples_total")
        lost = context.metrics.counter("vivavoce_capture_overrun_samples_total")
        async for item in self._source.blocks():
            context.stream.start()
            context.ledger.capture(item.end)
            captured.add(item.end - item.start)
            self._ended_at = item.end
            if isinstance(item, Gap):
                lost.add(item.end - item.start)
                context.ledger.drop(item.start, item.end)
            await self.emit(item)
        context.stream.start()  # also where there was nothing: others wait for the beginning
        await self.emit(EndOfStream(end=self._ended_at))

    async def on_stop(self) -> None:
        """Release the source."""
        await self._source.close()

    def stop(self) -> None:
        """Capture nothing new; what was captured already still flows. Idempotent."""
        self._source.stop()
