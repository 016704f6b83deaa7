"""What runs beside the actors and keeps the run cheap and current: power modes, and the profile."""

from __future__ import annotations

import asyncio

from vivavoce.config import Profile
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.fanout import FanOut
from vivavoce.pipeline.messages import Caption, EndOfStream, PowerChanged, PowerMode
from vivavoce.pipeline.power import Power, PowerEvent
from vivavoce.pipeline.power_control import PowerController
from vivavoce.pipeline.supervisor import Supervisor


class Outcome:
    """The end of the chain: what it sends goes to every subscriber, and power changes beside it.

    The end of the stream is the last message: no power change comes behind it.
    """

    def __init__(self, fan: FanOut[Caption]) -> None:
        self._fan = fan
        self._ended = False

    async def send(self, item: Caption) -> None:
        """Deliver what the chain sends."""
        if isinstance(item, EndOfStream):
            self._ended = True
        await self._fan.send(item)

    async def publish(self, change: PowerChanged) -> None:
        """Deliver a change of the power mode."""
        if not self._ended:
            await self._fan.send(change)

    def close(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._fan.close()


class Upkeep:
    """Power modes and profile of a running pipeline.

    Args:
        profile: with which it begins.
        context: shared with the actors.
        supervisor: tells the actors.
        outcome: where power changes are published.
        sleeps: whether there are power modes; a recording that is read ahead has none.
    """

    def __init__(
        self,
        profile: Profile,
        context: ActorContext,
        supervisor: Supervisor,
        outcome: Outcome,
        *,
        sleeps: bool,
    ) -> None:
        self._profile = profile
        self._context = context
        self._supervisor = supervisor
        self._outcome = outcome
        self._sleeps = sleeps
        self._forced: PowerMode | None = None
        self._controller: PowerController | None = None
        self._begun = asyncio.Event()

    @property
    def mode(self) -> PowerMode:
        """The power mode."""
        return self._context.power.power.mode

    def force(self, mode: PowerMode | None) -> None:
        """Spend silence in ``mode`` from now on; None: as the profile says."""
        self._forced = mode
        if self._controller is not None:
            self._controller.force(mode)

    def wake(self) -> None:
        """Listen, also where the microphone was released."""
        self._context.power.tell(PowerEvent.WAKE)

    async def run(self) -> None:
        """Work until cancelled."""
        if not self._sleeps:
            return
        if self._profile.power.mode == "auto" and self._forced is None:
            # Silence counts from the first sample on.
            await self._context.stream.begun()
        self._controller = PowerController(
            self._profile.power,
            self._context,
            tell=self._tell,
            publish=self._outcome.publish,
        )
        if self._forced is not None:
            self._controller.force(self._forced)
        await self._controller.run()

    async def _tell(self, power: Power) -> None:
        await self._supervisor.tell_power(power)
