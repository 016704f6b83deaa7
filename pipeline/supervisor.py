"""The supervisor: runs actors, restarts the one that fails, and escalates when that is no use.

The vocabulary is Erlang/OTP's ("Supervisor Behaviour", OTP Design Principles): one-for-one
restarts, and a restart intensity (so many restarts within a period) beyond which the failure is
escalated with its cause.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from vivavoce.config.errors import VivavoceError
from vivavoce.config.schema import Profile, SupervisorSettings
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.power import Power

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

_STOP_GRACE_S = 5.0

log = get_logger("supervisor")


class ActorFailed(VivavoceError):  # noqa: N818 - what happened: "the actor failed"
    """An actor failed more often than its restart intensity allows; the cause is chained."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A message that failed twice and was given up, and why."""

    actor: str
    message: Any
    cause: BaseException


class RestartIntensity:
    """Pure restart policy: how long to wait before a restart, or that it is time to give up.

    At most ``max_restarts`` within any ``within_s`` seconds; the wait doubles with each restart in
    that period, from ``backoff_ms`` up to ``max_backoff_ms``.
    """

    def __init__(self, settings: SupervisorSettings) -> None:
        self._settings = settings
        self._restarts: deque[float] = deque()

    def failed(self, now: float) -> float | None:
        """An actor failed at ``now``; seconds to wait before its restart, None to escalate."""
        settings = self._settings
        while self._restarts and now - self._restarts[0] > settings.within_s:
            self._restarts.popleft()
        if len(self._restarts) >= settings.max_restarts:
            return None
        wait_ms: int = settings.backoff_ms << min(len(self._restarts), 30)
        self._restarts.append(now)
        return min(wait_ms, settings.max_backoff_ms) / 1000


class Supervisor:
    """Runs actors one-for-one in one task group.

    A :class:`VivavoceError` raised by an actor is a fault that a restart cannot mend (a missing
    microphone, a wrong model): it escalates at once, as it is. Everything else is restarted, its
    inbox intact, the failed message delivered once more.

    Args:
        settings: restart intensity and back-off.
        context: clock and metrics; restarts count in ``vivavoce_actor_restarts_total{actor=}``.
        on_set_aside: told of each message that was given up.
    """

    def __init__(
        self,
        settings: SupervisorSettings,
        context: ActorContext,
        on_set_aside: Callable[[SetAside], None] | None = None,
    ) -> None:
        self._settings = settings
        self._context = context
        self._on_set_aside = on_set_aside
        self._actors: list[Actor[Any, Any]] = []
        self._group: TaskGroup | None = None
        self._up: list[Actor[Any, Any]] = []  # started, neither failed nor ended since
        self._power: Power | None = None
        self._profile: Profile | None = None

    def add(self, actor: Actor[Any, Any]) -> None:
        """Supervise ``actor``: from the next :meth:`run` on, or at once where that is running."""
        self._actors.append(actor)
        if self._group is not None:
            self._group.start_soon(self._supervise, actor, name=actor.name)

    async def run(self) -> None:
        """Run all actors until each has come to its end.

        Raises:
            ActorFailed: restart intensity exceeded; the last failure is its cause.
            VivavoceError: raised by an actor as a fault that a restart cannot mend.
        """
        try:
            async with anyio.create_task_group() as self._group:
                for actor in self._actors:
                    self._group.start_soon(self._supervise, actor, name=actor.name)
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__
        finally:
            self._group = None

    def begin_with(self, power: Power) -> None:
        """Tell each actor this power mode when it has started."""
        self._power = power

    async def tell_power(self, power: Power) -> None:
        """Tell every actor that the pipeline entered another power mode; those that have not
        started, when they have."""
        self._power = power
        for actor in tuple(self._up):
            await self._tell(actor, "the power mode", actor.on_power(power))

    async def tell_profile(self, profile: Profile) -> None:
        """Tell every actor that the profile changed, as with the power mode."""
        self._profile = profile
        for actor in tuple(self._up):
            await self._tell(actor, "the changed profile", actor.on_profile(profile))

    async def _tell(self, actor: Actor[Any, Any], what: str, telling: Awaitable[None]) -> None:
        try:
            await telling
        except Exception as cause:  # noqa: BLE001 - the supervisor: the others must be told, too
            kind = type(cause).__name__
            log.warning(f"{actor.name} could not take over {what}", error=f"{kind}: {cause}")
            self._context.metrics.counter("vivavoce_not_told_total", actor=actor.name).add()

    async def _supervise(self, actor: Actor[Any, Any]) -> None:
        intensity = RestartIntensity(self._settings)
        try:
            pending: BaseException | None = None
            while True:
                try:
                    if pending is None:
                        await actor.on_start()
                    else:
                        await actor.on_restart(pending)
                    await self._bring_up_to_date(actor)
                    await actor.run()
                    return
                except VivavoceError:
                    raise
                except Exception as cause:  # noqa: BLE001 - this is the supervisor: it decides
                    self._is_down(actor)
                    await self._after_failure(actor, intensity, cause)
                    pending = cause
        finally:
            self._is_down(actor)
            with anyio.CancelScope(shield=True), anyio.move_on_after(_STOP_GRACE_S):
                await actor.on_stop()
            actor.close_outbox()

    def _is_down(self, actor: Actor[Any, Any]) -> None:
        if actor in self._up:
            self._up.remove(actor)

    async def _bring_up_to_date(self, actor: Actor[Any, Any]) -> None:
        self._up.append(actor)
        if self._profile is not None:
            await self._tell(actor, "the changed profile", actor.on_profile(self._profile))
        if self._power is not None:
            await self._tell(actor, "the power mode", actor.on_power(self._power))

    async def _after_failure(
        self, actor: Actor[Any, Any], intensity: RestartIntensity, cause: Exception
    ) -> None:
        wait = intensity.failed(self._context.clock.now())
        if wait is None:
            raise ActorFailed(
                f"{actor.name} failed {self._settings.max_restarts + 1} times within "
                f"{self._settings.within_s:g} s, last with {type(cause).__name__}: {cause}"
            ) from cause
        log.error(
            f"{actor.name} failed and is restarted in {wait:g} s",
            error=f"{type(cause).__name__}: {cause}",
        )
        self._context.metrics.counter("vivavoce_actor_restarts_total", actor=actor.name).add()
        if actor.deliveries >= 2:
            given_up = SetAside(actor.name, actor.set_aside(), cause)
            log.error(
                f"{actor.name} failed twice at the same message, which was set aside",
                message=type(given_up.message).__name__,
            )
            self._context.metrics.counter("vivavoce_set_aside_total", actor=actor.name).add()
            await actor.on_set_aside(given_up.message)
            if self._on_set_aside is not None:
                self._on_set_aside(given_up)
        await self._context.clock.sleep(wait)
