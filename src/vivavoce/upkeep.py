"""What runs beside the actors and keeps the run cheap and current: power modes, and the profile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

import anyio

from vivavoce.chain import as_played
from vivavoce.config import Profile
from vivavoce.config.conditions import with_conditions
from vivavoce.config.power import CONDITIONS
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.fanout import FanOut
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import Caption, EndOfStream, PowerChanged, PowerMode
from vivavoce.pipeline.power import Power, PowerEvent, PowerPolicy
from vivavoce.pipeline.power_control import PowerController
from vivavoce.pipeline.sensors import ConditionPolicy, Conditions, Readings, read_conditions
from vivavoce.pipeline.supervisor import Supervisor

_CONDITIONS_EVERY_S = 60.0
_QUIET = (PowerMode.IDLE, PowerMode.PARKED, PowerMode.CLOSED)

log = get_logger("power")


class Outcome:
    """The end of the chain: what it sends goes to every subscriber, and power changes beside it.

    The end of the stream is the last message: no power change comes behind it.
    """

    def __init__(self, fan: FanOut[Caption]) -> None:
        self._fan = fan
        self._ended = False
        self._turn = asyncio.Lock()  # what waits for a slow subscriber is not overtaken

    async def send(self, item: Caption) -> None:
        """Deliver what the chain sends."""
        if isinstance(item, EndOfStream):
            self._ended = True
        async with self._turn:
            await self._fan.send(item)

    async def publish(self, change: PowerChanged) -> None:
        """Deliver a change of the power mode."""
        async with self._turn:
            if not self._ended:
                await self._fan.send(change)

    def close(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._fan.close()


class Upkeep:
    """Power modes and profile of a running pipeline.

    Args:
        profile: with which it begins, as it was written.
        context: shared with the actors; the profile that holds stands in its settings, and is put
            there by nobody else.
        supervisor: tells the actors.
        outcome: where power changes are published.
        ahead: whether this is a recording that is read ahead, which has no power modes.
        make_monitor: makes the monitor, once audio is captured: it is not needed before.
        follow: runs beside it once audio is captured, and takes changes of the profile over.
        read: what the platform tells of battery, pressure and heat.
    """

    def __init__(
        self,
        profile: Profile,
        context: ActorContext,
        supervisor: Supervisor,
        outcome: Outcome,
        *,
        ahead: bool,
        make_monitor: Callable[[], Actor[Any, Any]],
        follow: Callable[[], Coroutine[Any, Any, None]],
        read: Callable[[], Readings] = read_conditions,
    ) -> None:
        self._written = profile
        self._conditions = Conditions()
        self._context = context
        self._supervisor = supervisor
        self._outcome = outcome
        self._ahead = ahead
        self._make_monitor = make_monitor
        self._follow = follow
        self._read = read
        self._forced: PowerMode | None = None
        self._controller: PowerController | None = None
        self._begin_in()
        self._changed = asyncio.Event()

    @property
    def mode(self) -> PowerMode:
        """The power mode."""
        return self._context.power.power.mode

    @property
    def written(self) -> Profile:
        """The profile as it was written, without what the machine's conditions change."""
        return self._written

    def force(self, mode: PowerMode | None) -> None:
        """Spend silence in ``mode`` from now on; None: as the profile says."""
        self._forced = mode
        if self._controller is not None:
            self._controller.force(mode)
        else:
            self._begin_in()

    def wake(self) -> None:
        """Listen, also where the microphone was released."""
        self._context.power.tell(PowerEvent.WAKE)

    async def take_profile(self, profile: Profile) -> None:
        """Another profile holds from now on."""
        self._written = profile
        self._changed.set()
        await self._apply()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with anyio.create_task_group() as group:
                if not self._ahead:
                    group.start_soon(self._control_power, name="power")
                    group.start_soon(self._watch_conditions, name="conditions")
                await self._context.stream.begun()
                await asyncio.to_thread(import_module, "vivavoce.actors.monitor")
                self._supervisor.add(self._make_monitor())
                group.start_soon(self._follow, name="profile")
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__

    async def _control_power(self) -> None:
        if self._context.settings.profile.power.mode == "auto" and self._forced is None:
            # Silence counts from the first sample on.
            await self._context.stream.begun()
        self._controller = PowerController(
            self._context, tell=self._tell, publish=self._outcome.publish
        )
        if self._forced is not None:
            self._controller.force(self._forced)
        await self._controller.run()

    async def _tell(self, power: Power) -> None:
        await self._supervisor.tell_power(power)
        if power.mode in _QUIET:
            await asyncio.to_thread(_give_memory_back)

    def _begin_in(self) -> None:
        """Who starts is told the first mode at once: a microphone that is to be closed stays so."""
        if not self._ahead:
            settings = self._context.settings.of(lambda profile: profile.power)
            policy = PowerPolicy(settings, 0.0)
            if self._forced is not None:
                policy.force(self._forced, 0.0)
            self._context.power.power = policy.power(0.0)
            self._supervisor.begin_with(self._context.power.power)

    # -- conditions of the machine

    async def _watch_conditions(self) -> None:
        clock = self._context.clock
        await self._context.stream.begun()
        policy = ConditionPolicy(lambda: self._written.power)
        while True:
            self._changed.clear()
            readings = Readings()
            if self._has_conditions():
                readings = await asyncio.to_thread(self._read)
            conditions = policy.update(readings, clock.now())
            if conditions != self._conditions:
                self._conditions = conditions
                await self._apply()
            # A machine without a battery gets none while it runs.
            watched = readings.on_battery is not None or self._has_conditions("under_pressure")
            try:
                async with asyncio.timeout(_CONDITIONS_EVERY_S if watched else None):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _has_conditions(self, *names: str) -> bool:
        power = self._written.power
        return any(getattr(power, name).settings for name in names or CONDITIONS)

    async def _apply(self) -> None:
        met = {name: getattr(self._conditions, name) for name in CONDITIONS}
        effective = with_conditions(self._written, **met)
        if self._ahead:
            effective = as_played(effective)
        if effective == self._context.settings.profile:
            return
        log.info(
            "another profile holds",
            conditions=", ".join(name for name, holds in met.items() if holds) or "none",
        )
        self._context.settings.put(effective)
        await self._supervisor.tell_profile()


def _give_memory_back() -> None:
    from vivavoce.actors.monitor.trim import give_memory_back

    give_memory_back()


__all__ = ["Outcome", "Upkeep"]
