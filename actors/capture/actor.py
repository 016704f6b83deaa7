"""The capture actor: a source's audio, on the ledger."""

from __future__ import annotations

import anyio

from vivavoce.actors.capture.source import DeviceSource, Source, SourceError
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.messages import Audio, AudioBlock, EndOfStream, Gap, GapReason, seconds
from vivavoce.pipeline.power import Power

_TIME_PASSED = (GapReason.DEVICE_LOST, GapReason.SUSPENDED, GapReason.CLOSED)
_AHEAD = 2
"""Blocks that may wait to be put on the ledger; what the rest waits in is the source's own."""


class CaptureActor(Actor[AudioBlock | Gap, Audio]):
    """Opens the source, passes its audio on, and tells the ledger of every sample.

    The source is listened to by a task of its own, which puts what it hears into the mailbox: so
    the power mode reaches a device that is silent, or waited for, too.

    Attributes:
        failure: why the source ended early, if it did. What it had delivered still flows, so this
            is not raised but kept for whoever waits for the end of the pipeline.
    """

    name = "capture"
    closing_grace_s = None

    def __init__(self, source: Source, context: ActorContext | None = None) -> None:
        super().__init__(context=context, capacity=_AHEAD)
        self.failure: SourceError | None = None
        self._source = source
        self._device = source if isinstance(source, DeviceSource) else None
        self._stopping = False
        self._heard = 0  # where what was put into the mailbox ends
        self._ended_at = 0
        metrics = self.context.metrics
        self._captured = metrics.counter("vivavoce_capture_samples_total")
        self._overrun = metrics.counter("vivavoce_capture_overrun_samples_total")
        self._clipped = metrics.counter("vivavoce_capture_clipped_samples_total")

    async def on_start(self) -> None:
        """Open the source."""
        if self._device is not None:
            self._device.measure(self.context.metrics)
            await self._device.set_power(self.context.power.power)  # it may begin closed
        await self._source.open()

    async def run(self) -> None:
        """Pass audio on until the source ends or is stopped."""
        try:
            async with anyio.create_task_group() as group:
                if not self.inbox.closed:  # else the source has ended before a restart
                    group.start_soon(self._listen, name="capture source")
                await super().run()
                group.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__
        if self.failure is not None and not self._ended_at:
            raise self.failure
        self.context.stream.start()  # also where there was nothing: others wait for the beginning
        await self.emit(EndOfStream(end=self._ended_at))

    async def _listen(self) -> None:
        origin = self._heard
        try:
            async for heard in self._source.blocks():
                # A source that was opened again counts from 0 again.
                item = _moved(heard, origin) if origin else heard
                await self.inbox.send(item)
                self._heard = item.end
        except SourceError as failure:
            self.failure = failure
        self.inbox.close()

    async def on_message(self, message: AudioBlock | Gap) -> None:
        """Put what was heard on the ledger, and pass it on."""
        context = self.context
        count = message.end - message.start
        context.stream.start(heard=seconds(count))
        context.ledger.capture(message.end)
        self._captured.add(count)
        self._ended_at = message.end
        if isinstance(message, Gap):
            context.ledger.drop(message.start, message.end)
            if message.reason is GapReason.OVERRUN:
                self._overrun.add(count)
            elif message.reason in _TIME_PASSED:
                # The clock may have stood still with the machine: it must not fall behind.
                context.stream.catch_up(seconds(message.end))
        # Only a source of floats can tell what it had to clip.
        self._clipped.add(getattr(self._source, "clipped", 0) - self._clipped.value)
        await self.emit(message)

    async def on_restart(self, cause: BaseException) -> None:
        """Listen again. What is not live cannot go on in the middle, so its failure is final.

        Raises:
            SourceError: the source is not live, or cannot be opened again.
        """
        if not self._source.live:
            name, kind = self._source.name, type(cause).__name__
            raise SourceError(f"{name} cannot be read any further: {kind}: {cause}") from cause
        if self._stopping:
            self.inbox.close()  # nothing new is wanted
        if not self.inbox.closed:
            await super().on_restart(cause)

    async def on_power(self, power: Power) -> None:
        """A device follows the power mode."""
        if self._device is not None:
            await self._device.set_power(power)

    async def on_profile(self, profile: Profile) -> None:
        """A device takes over what changed."""
        if self._device is not None:
            await self._device.set_capture(profile.capture)

    async def on_stop(self) -> None:
        """Release the source."""
        await self._source.close()

    def stop(self) -> None:
        """Capture nothing new; what was captured already still flows. Idempotent.

        Not through the mailbox: like a key, it holds from its own moment on.
        """
        self._stopping = True
        self._source.stop()


def _moved(item: AudioBlock | Gap, by: int) -> AudioBlock | Gap:
    if isinstance(item, Gap):
        return Gap(start=item.start + by, end=item.end + by, reason=item.reason)
    return AudioBlock(start=item.start + by, pcm=item.pcm)
