"""The running program, as those who control it see it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from vivavoce import __version__
from vivavoce.actors.desktop.delivery import Delivery
from vivavoce.assembly import Pipeline
from vivavoce.config.trigger import TriggerMode
from vivavoce.control.instance import Changes
from vivavoce.control.protocol import DeliveryStatus, EngineStatus, Forced, Status
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.messages import Caption, Final, Gap, GapReason, PowerMode, seconds
from vivavoce.pipeline.power import PowerEvent

_MEANT = (GapReason.CANCELLED, GapReason.CLOSED)


class RunningInstance:
    """A pipeline under control; see :class:`vivavoce.control.instance.Instance`.

    Args:
        pipeline: not running yet: a sink is added to it, which counts.
        name: of the instance.
        finish: ends the run when what was said is finished.
    """

    def __init__(self, pipeline: Pipeline, name: str, finish: Callable[[], None]) -> None:
        self._pipeline = pipeline
        self._name = name
        self._finish = finish
        self._changes = Changes()
        self._began = time.monotonic()
        self._power_forced = False
        self._ending = False
        self._watch = _Watch(self._changes)
        pipeline.add_sink(self._watch)
        pipeline.trigger.on_change(self._changes.tell)
        pipeline.context.power.listen(self._on_power)
        pipeline.desktop.on_delivery(self._watch.delivered)

    @property
    def changes(self) -> Changes:
        """Told whenever the status has something new."""
        return self._changes

    def status(self) -> Status:
        """How it is doing."""
        pipeline, watch = self._pipeline, self._watch
        transcription = pipeline.profile.transcription
        ledger = pipeline.context.ledger.summary()
        mode = pipeline.power_mode
        last = watch.final
        return Status(
            pid=os.getpid(),
            version=__version__,
            instance=self._name,
            profile=pipeline.profile_name,
            mode=pipeline.trigger.mode,
            hotkey=pipeline.profile.trigger.hotkey,
            recording=pipeline.trigger.recording,
            speaking=pipeline.context.power.speaking,
            power=mode,
            power_forced=self._power_forced,
            engine=EngineStatus(
                name=last.engine if last else transcription.engine,
                model=last.model if last else transcription.model,
                ready=pipeline.engine_ready,
            ),
            microphone="" if mode is PowerMode.CLOSED else pipeline.source.name,
            uptime_s=round(time.monotonic() - self._began, 3),
            finals=watch.finals,
            words=watch.words,
            pending_s=round(seconds(ledger.pending), 3),
            dropped_s=round(seconds(watch.lost), 3),
            delivery=watch.delivery,
            held=pipeline.desktop.held_texts,
            history=pipeline.desktop.keeps_history,
            problem=pipeline.desktop.problem,
        )

    async def start(self) -> None:
        """Begin to record."""
        self._pipeline.trigger.start()

    async def stop(self) -> None:
        """End the recording."""
        self._pipeline.trigger.stop()

    async def toggle(self) -> None:
        """The other of the two."""
        self._pipeline.trigger.toggle()

    async def cancel(self) -> None:
        """Discard what was said."""
        self._pipeline.trigger.cancel()

    async def set_mode(self, mode: TriggerMode | None) -> None:
        """Use another trigger mode."""
        self._pipeline.trigger.force_mode(mode)
        self._changes.tell()

    async def set_power(self, mode: Forced) -> None:
        """Spend silence in another power mode."""
        self._power_forced = mode != "auto"
        self._pipeline.force_power(mode if self._power_forced else None)
        self._changes.tell()

    async def use_profile(self, name: str) -> None:
        """Go on with another profile.

        Raises:
            ProfileError: there is none, or it is wrong.
        """
        await self._pipeline.use_profile(Path(name) if os.sep in name else name)
        self._changes.tell()

    def quit(self) -> None:
        """Finish what was said, and end."""
        if not self._ending:
            self._ending = True
            self._finish()

    def _on_power(self, event: PowerEvent) -> None:
        # The mode follows when the power policy has seen the event.
        asyncio.get_running_loop().call_soon(self._changes.tell)


class _Watch(Actor[Caption, None]):
    """Counts what comes out, and tells that it did."""

    name = "status"

    def __init__(self, changes: Changes) -> None:
        super().__init__()
        self._changes = changes
        self.final: Final | None = None
        self.finals = 0
        self.words = 0
        self.lost = 0  # samples; what was cancelled, or was not to be heard, is no loss
        self.delivery: DeliveryStatus | None = None

    async def on_message(self, message: Caption) -> None:
        """Count a final; anything may have changed the status."""
        if isinstance(message, Final) and message.text:
            self.final = message
            self.finals += 1
            self.words += len(message.text.split())
        elif isinstance(message, Gap) and message.reason not in _MEANT:
            self.lost += message.end - message.start
        self._changes.tell()

    def delivered(self, delivery: Delivery) -> None:
        """A text came to where it belongs, or did not."""
        self.delivery = DeliveryStatus(
            outcome=delivery.outcome,
            back_end=delivery.back_end,
            application=delivery.application,
        )
        self._changes.tell()
