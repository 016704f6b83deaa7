"""Runs the power policy: events and time in, every actor told, the change published."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import PowerChanged, PowerMode
from vivavoce.pipeline.power import Power, PowerEvent, PowerPolicy

log = get_logger("power")


class PowerController:
    """Sleeps until something happens or the policy's next moment has come.

    Args:
        context: clock, settings, and the port on which actors tell what happens.
        tell: tells every actor.
        publish: sends the change to those who receive captions.
    """

    def __init__(
        self,
        context: ActorContext,
        *,
        tell: Callable[[Power], Awaitable[None]],
        publish: Callable[[PowerChanged], Awaitable[None]],
    ) -> None:
        self._context = context
        self._tell = tell
        self._publish = publish
        self._news = asyncio.Event()
        self._power = Power()
        settings = context.settings.of(lambda profile: profile.power)
        self._policy = PowerPolicy(settings, context.clock.now())
        context.power.listen(self._happened)
        context.settings.when_changed(self._settings_changed)

    @property
    def mode(self) -> PowerMode:
        """The mode that everybody was told last."""
        return self._power.mode

    def force(self, mode: PowerMode | None) -> None:
        """Spend silence in ``mode`` from now on; None: as the profile says.

        Speech still leads to ``active``, but for ``closed``, in which nothing is heard.
        """
        self._policy.force(mode, self._context.clock.now())
        self._news.set()

    async def run(self) -> None:
        """Work until cancelled."""
        clock = self._context.clock
        while True:
            self._news.clear()
            now = clock.now()
            if self._policy.reopens(now):
                self._policy.handle(PowerEvent.WAKE, now)
            await self._enter(self._policy.power(now))
            due = self._policy.due(clock.now())
            try:
                async with asyncio.timeout(None if due is None else max(0.0, due - clock.now())):
                    await self._news.wait()
            except TimeoutError:
                continue

    def _happened(self, event: PowerEvent) -> None:
        self._policy.handle(event, self._context.clock.now())
        self._news.set()

    def _settings_changed(self) -> None:
        self._policy.settings_changed()
        self._news.set()

    async def _enter(self, power: Power) -> None:
        before, self._power = self._power, power
        if power == before:
            return
        self._context.power.power = power
        await self._tell(power)
        if power.mode is not before.mode:
            log.info(f"power mode {power.mode}", before=str(before.mode))
            await self._publish(PowerChanged(mode=power.mode))
