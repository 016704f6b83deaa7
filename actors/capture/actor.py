"""The capture actor: a source's audio, on the ledger."""

from __future__ import annotations

from vivavoce.actors.capture.source import DeviceSource, Source, SourceError
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.messages import Audio, AudioBlock, EndOfStream, Gap, GapReason, seconds
from vivavoce.pipeline.power import Power

_TIME_PASSED = (GapReason.DEVICE_LOST, GapReason.SUSPENDED, GapReason.CLOSED)


class CaptureActor(Actor[None, Audio]):
    """Opens the source, passes its audio on, and tells the ledger of every sample.

    Attributes:
        failure: why the source ended early, if it did. What it had delivered still flows, so this
            is not raised but kept for whoever waits for the end of the pipeline.
    """

    name = "capture"

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.failure: SourceError | None = None
        self._source = source
        self._device = source if isinstance(source, DeviceSource) else None
        self._ended_at = 0

    async def on_start(self) -> None:
        """Open the source."""
        if self._device is not None:
            self._device.measure(self.context.metrics)
            await self._device.set_power(self.context.power.power)  # it may begin closed
        await self._source.open()

    async def run(self) -> None:
        """Pass audio on until the source ends or is stopped."""
        try:
            await self._pass_on()
        except SourceError as failure:
            if not self._ended_at:
                raise
            self.failure = failure
        self.context.stream.start()  # also where there was nothing: others wait for the beginning
        await self.emit(EndOfStream(end=self._ended_at))

    async def _pass_on(self) -> None:
        context = self.context
        captured = context.metrics.counter("vivavoce_capture_samples_total")
        overrun = context.metrics.counter("vivavoce_capture_overrun_samples_total")
        clipped = context.metrics.counter("vivavoce_capture_clipped_samples_total")
        origin = self._ended_at
        async for heard in self._source.blocks():
            # A source that was opened again counts from 0 again.
            item = _moved(heard, origin) if origin else heard
            count = item.end - item.start
            context.stream.start(heard=seconds(count))
            context.ledger.capture(item.end)
            captured.add(count)
            self._ended_at = item.end
            if isinstance(item, Gap):
                context.ledger.drop(item.start, item.end)
                if item.reason is GapReason.OVERRUN:
                    overrun.add(count)
                elif item.reason in _TIME_PASSED:
                    # The clock may have stood still with the machine: it must not fall behind.
                    context.stream.catch_up(seconds(item.end))
            # Only a source of floats can tell what it had to clip.
            clipped.add(getattr(self._source, "clipped", 0) - clipped.value)
            await self.emit(item)

    async def on_restart(self, cause: BaseException) -> None:
        """Listen again. What is not live cannot go on in the middle, so its failure is final.

        Raises:
            SourceError: the source is not live, or cannot be opened again.
        """
        if not self._source.live:
            name, kind = self._source.name, type(cause).__name__
            raise SourceError(f"{name} cannot be read any further: {kind}: {cause}") from cause
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
        """Capture nothing new; what was captured already still flows. Idempotent."""
        self._source.stop()


def _moved(item: AudioBlock | Gap, by: int) -> AudioBlock | Gap:
    if isinstance(item, Gap):
        return Gap(start=item.start + by, end=item.end + by, reason=item.reason)
    return AudioBlock(start=item.start + by, pcm=item.pcm)
