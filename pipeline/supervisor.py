"""The supervisor: runs actors, restarts the one that fails, and escalates when that is no use.

The vocabulary is Erlang/OTP's ("Supervisor Behaviour", OTP Design Principles): one-for-one
restarts, and a restart intensity (so many restarts within a period) beyond which the failure is
escalated with its cause.

The life of an actor, as it is seen from here::

    added ─► starting ─► running ─► ended          its mailbox is closed and empty
               ▲   │        │
               │   └────────┴─► failed ─► escalated, where that is no use
               └───────────────────┘      restarted after a back-off
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from vivavoce.config.errors import VivavoceError
from vivavoce.config.schema import SupervisorSettings
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.mailbox import PowerNews, ProfileNews, Urgent
from vivavoce.pipeline.power import Power
from vivavoce.pipeline.tasks import is_cancelled, stray

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

_STOP_GRACE_S = 5.0
_PATIENCE_S = 1.0
"""How long it is waited for an actor to hear of something; it is told all the same."""

log = get_logger("supervisor")


class ActorFailed(VivavoceError):  # noqa: N818 - what happened: "the actor failed"
    """An actor failed more often than its restart intensity allows (the cause is chained), failed
    while it stopped, ended too early, or was given up because it did not come to an end."""


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
        self._starting: set[Actor[Any, Any]] = set()  # added, and not started once yet
        self._all_started = asyncio.Event()
        self._all_started.set()
        self._scopes: dict[Actor[Any, Any], anyio.CancelScope] = {}
        self._stuck: list[Actor[Any, Any]] = []  # given up; see give_up_on()
        self._stops_failed: list[VivavoceError] = []  # told when all have stopped
        self._power: Power | None = None
        self._profile_changed = False
        self.failure: Exception | None = None
        """What :meth:`run` will raise, as soon as it is known."""

    def add(self, actor: Actor[Any, Any]) -> None:
        """Supervise ``actor``: from the next :meth:`run` on, or at once where that is running."""
        self._actors.append(actor)
        self._starting.add(actor)
        self._all_started.clear()
        if self._group is not None:
            self._group.start_soon(self._supervise, actor, name=actor.name)

    @property
    def actors(self) -> tuple[Actor[Any, Any], ...]:
        """Those that have not ended."""
        return tuple(self._actors)

    async def started(self) -> None:
        """Return when every actor that was added has started once (or has ended)."""
        await self._all_started.wait()

    async def run(self) -> None:
        """Run all actors until each has come to its end.

        Raises:
            ActorFailed: restart intensity exceeded; the last failure is its cause. Or an actor was
                given up as stuck.
            VivavoceError: raised by an actor as a fault that a restart cannot mend.
        """
        try:
            async with anyio.create_task_group() as self._group:
                for actor in tuple(self._actors):
                    self._group.start_soon(self._supervise, actor, name=actor.name)
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__
        finally:
            self._group = None
        if self._stuck:
            raise _stuck(self._stuck)
        if self._stops_failed:
            raise self._stops_failed[0]

    def begin_with(self, power: Power) -> None:
        """Tell each actor this power mode when it has started."""
        self._power = power

    async def tell_power(self, power: Power) -> None:
        """Tell every actor that the pipeline entered another power mode; those that have not
        started, when they have.

        Returns when all have handled it. One that is busy for longer than a second does so when it
        comes to it.
        """
        self._power = power
        await self._tell(lambda heard: PowerNews(heard, power))

    async def tell_profile(self) -> None:
        """Tell every actor that the profile of the context changed, as with the power mode."""
        self._profile_changed = True
        await self._tell(ProfileNews)

    async def _tell(self, news: Callable[[asyncio.Future[None]], Urgent]) -> None:
        loop = asyncio.get_running_loop()
        heard = []
        for actor in self._actors:
            if actor not in self._starting:
                heard.append(loop.create_future())
                actor.inbox.put_first(news(heard[-1]))
        if heard:
            await asyncio.wait(heard, timeout=_PATIENCE_S)

    def give_up_on(self, actor: Actor[Any, Any]) -> None:
        """Cancel an actor that will not come to an end by itself.

        What hangs behind it in the chain would wait for ever, so that ends with it; a sink ends
        alone. :meth:`run` raises :class:`ActorFailed` that names it.
        """
        scope = self._scopes.get(actor)
        if scope is not None and actor not in self._stuck:
            log.error(f"{actor.name} did not come to an end and is cancelled")
            self._stuck.append(actor)
            scope.cancel()

    async def _supervise(self, actor: Actor[Any, Any]) -> None:
        completed = False
        try:
            await self._run_unless_stuck(actor)
        except Exception as failure:
            self.failure = self.failure or failure
            raise
        else:
            completed = True
            self._has_started(actor)  # those behind one that failed need not be waited for
        finally:
            del self._scopes[actor]
            await self._stop(actor)
            await self._end(actor, completed=completed)

    async def _end(self, actor: Actor[Any, Any], *, completed: bool) -> None:
        """Close what it has; who did not come to its end by itself leaves its debts unpaid."""
        try:
            if completed:
                await actor.finish_outlet()
        finally:
            self._actors.remove(actor)
            actor.inbox.end()
            if actor.is_sink:
                actor.inbox.close()  # who sends to it need not wait for it any more
            actor.close_outlet()

    async def _run_unless_stuck(self, actor: Actor[Any, Any]) -> None:
        with anyio.CancelScope() as self._scopes[actor]:
            await self._run_and_restart(actor)
        if actor in self._stuck and not actor.is_sink:
            raise _stuck([actor])

    async def _stop(self, actor: Actor[Any, Any]) -> None:
        """One that fails to stop is told at the end: the others still finish what was said."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_STOP_GRACE_S) as grace:
            try:
                await actor.on_stop()
            except VivavoceError as failure:
                log.error(f"{actor.name}: {failure}")  # noqa: TRY400 - one line, no trace
                self._stops_failed.append(failure)
            except Exception as cause:  # noqa: BLE001 - the supervisor: told, and raised at the end
                what = f"{actor.name} failed while it stopped: {type(cause).__name__}: {cause}"
                log.error(what)  # noqa: TRY400 - one line, no trace
                failed = ActorFailed(what)
                failed.__cause__ = cause
                self._stops_failed.append(failed)
        if grace.cancelled_caught:
            log.error(f"{actor.name} did not stop within {_STOP_GRACE_S:g} s and was left")

    async def _run_and_restart(self, actor: Actor[Any, Any]) -> None:
        intensity = RestartIntensity(self._settings)
        pending: Exception | None = None
        while True:
            try:
                if pending is None:
                    await actor.on_start()
                else:
                    await actor.on_restart(pending)
                self._bring_up_to_date(actor)
                await actor.run()
            except VivavoceError:
                raise
            except asyncio.CancelledError as cause:
                if is_cancelled():
                    raise
                pending = stray(cause)
                await self._after_failure(actor, intensity, pending)
            except Exception as cause:  # noqa: BLE001 - this is the supervisor: it decides
                await self._after_failure(actor, intensity, cause)
                pending = cause
            else:
                break
        if not (actor.inbox.closed or actor.is_sink):
            raise ActorFailed(
                f"{actor.name} returned from run() before the end of the stream; an actor with its "
                "own run() awaits deliver() with what it receives from its inbox until "
                "ChannelClosed is raised"
            )

    def _bring_up_to_date(self, actor: Actor[Any, Any]) -> None:
        loop = asyncio.get_running_loop()
        if self._profile_changed:
            actor.inbox.put_first(ProfileNews(loop.create_future()))
        if self._power is not None:
            actor.inbox.put_first(PowerNews(loop.create_future(), self._power))
        self._has_started(actor)

    def _has_started(self, actor: Actor[Any, Any]) -> None:
        self._starting.discard(actor)
        if not self._starting:
            self._all_started.set()

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
            await self._set_aside(actor, given_up)
            if self._on_set_aside is not None:
                self._on_set_aside(given_up)
        await self._context.clock.sleep(wait)

    async def _set_aside(self, actor: Actor[Any, Any], given_up: SetAside) -> None:
        try:
            await actor.on_set_aside(given_up.message)
            await actor.account_for(given_up.message)
        except VivavoceError:
            raise
        except Exception as cause:
            what = f"{actor.name} failed at setting a message aside"
            raise ActorFailed(f"{what}: {type(cause).__name__}: {cause}") from cause


def _stuck(actors: Iterable[Actor[Any, Any]]) -> ActorFailed:
    names = ", ".join(actor.name for actor in actors)
    return ActorFailed(
        f"{names} did not come to an end when the pipeline was left, and was cancelled: what it "
        "still held is lost; an actor must return from its hooks, and from run() when the inbox is "
        "closed"
    )
