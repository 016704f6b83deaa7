"""The pipeline, assembled: capture → vad → transcription → cleanup → fan-out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio

from vivavoce.actors.capture import CaptureActor, PushSource, make_source
from vivavoce.actors.capture.source import Source
from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.trigger import TriggerActor
from vivavoce.chain import as_played, make_actors, reads_ahead
from vivavoce.closing import ClosingPolicy
from vivavoce.config import Profile, load_profile
from vivavoce.config.cell import ProfileCell
from vivavoce.config.errors import VivavoceError
from vivavoce.config.schema import LogSettings
from vivavoce.crew import Crew
from vivavoce.desktop import Desktop
from vivavoce.live_profile import LiveProfile
from vivavoce.pipeline.actor import TO_SINKS, Actor, ActorContext, ActorHandle
from vivavoce.pipeline.channel import ChannelClosed, Overload
from vivavoce.pipeline.clock import Clock, LoopClock, StreamClock
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.fanout import FanOut, Subscription
from vivavoce.pipeline.ledger import Ledger
from vivavoce.pipeline.log import HostLog, Sink, get_logger, use_sink
from vivavoce.pipeline.messages import Caption, PowerMode
from vivavoce.pipeline.metrics import Metrics
from vivavoce.pipeline.supervisor import Supervisor
from vivavoce.statistics import PipelineStatistics, gather_statistics
from vivavoce.trigger import Trigger
from vivavoce.upkeep import Outcome, Upkeep

if TYPE_CHECKING:
    from vivavoce.actors.monitor import MonitorActor
    from vivavoce.actors.monitor.advice import Recommendation
    from vivavoce.actors.monitor.targets import Finding
    from vivavoce.actors.transcription import TranscriptionActor
    from vivavoce.actors.transcription.engine import EngineClient

Progress = Callable[[str, int, int], None]
"""Told of a model download: what, bytes so far, bytes in all (0 when unknown)."""

_LOOK_S = 1.0
"""How often it is looked, while a pipeline comes to its end, whether somebody hangs."""
_ABORT_S = 20.0
"""How long a pipeline that is ended at once is waited for: hooks that stop have 5 s each."""

log = get_logger("pipeline")


class Stage(StrEnum):
    """Where in its life a pipeline is; it goes from one to the next, and lives once."""

    NEW = "new"
    RUNNING = "running"
    """Entered, or being entered; also when the source has ended."""
    LEFT = "left"
    """It is being left, or was: nothing can be asked of it any more but what it did."""


class PipelineStateError(VivavoceError, RuntimeError):
    """A pipeline was asked for something that it cannot do any more, or not yet."""


class Pipeline:
    """Sound in, captions out, as an asynchronous context manager.

    Entering returns when every actor has started and can be reached; leaving stops capture,
    finishes what was said and releases everything. A failure of the pipeline cancels the body and
    is raised from the ``async with``. Who cannot enter and leave in one task calls :meth:`start`
    and :meth:`aclose`.

    A body that is cancelled, or raises, ends the pipeline at once: what was not final then is lost,
    and stays pending on the ledger.

    Args:
        profile: a shipped or a user's profile by name, the path of a YAML file, or a
            :class:`Profile`.
        source: where the sound comes from; by default what the profile's ``capture`` says.
        overrides: settings over the profile, each ``"section.key=value"``.
        environ: the environment to read ``VIVAVOCE_*`` settings from; the process's by default.
        clock: the time; the event loop's by default.
        on_progress: told of a model download.
        buffer_events: keep events for :meth:`events` from the start on. Without, only
            subscriptions made by then see them. Events that nobody reads hold up the pipeline once
            the buffer is full: nothing is lost in silence. :meth:`check` says when that happens.
        follow_profile: take changes of the profile's files over while the pipeline runs.
        engine: decodes instead of what the profile asks for, such as a
            :class:`vivavoce.testing.ScriptedEngine`; it is started with the first audio.
        log: makes of the profile's ``log`` what its messages go to. By default Python's ``logging``
            (loggers ``vivavoce.<component>``): the host's configuration says what is shown, and a
            level of the profile, where it sets one, what gets that far.

    Raises:
        ProfileError: the profile or an override is wrong.
    """

    def __init__(
        self,
        profile: str | Path | Profile = "captions",
        *,
        source: Source | None = None,
        overrides: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        on_progress: Progress | None = None,
        buffer_events: bool = True,
        follow_profile: bool = False,
        engine: EngineClient | None = None,
        log: Callable[[Callable[[], LogSettings]], Sink] = HostLog,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._live: LiveProfile | None = None
        self._origin = "" if isinstance(profile, Profile) else str(profile)
        self._gone: list[str] = []
        if not isinstance(profile, Profile):
            profile = self._load(profile, environ, overrides, follow=follow_profile)
        clock = clock or LoopClock()
        self.source = source or make_source(profile.capture, clock)
        self._reads_ahead = source is None and reads_ahead(profile.capture)
        holds = as_played(profile) if self._reads_ahead else profile
        self.context = ActorContext(
            clock=clock,
            stream=StreamClock(clock),
            ledger=Ledger(),
            metrics=Metrics(),
            settings=ProfileCell(holds),
        )
        self._fan: FanOut[Caption] = FanOut()
        self._events: Subscription[Caption] | None = None
        if buffer_events:
            self._events = self._fan.subscribe(TO_SINKS, Overload.BLOCK, name="events")
        self._keys = HeldKeys()
        self.desktop = Desktop(lambda: self.profile_name, self.context, self._keys, environ)
        self._capture = CaptureActor(self.source, self.context)
        self._crew = self._assemble(holds, on_progress, engine)
        self._supervisor = Supervisor(profile.supervisor, self.context)
        self._outcome = Outcome(self._fan)
        self._sink = log(self.context.settings.of(lambda profile: profile.log))
        self._upkeep = Upkeep(
            profile,
            self.context,
            self._supervisor,
            self._outcome,
            ahead=self._reads_ahead,
            make_monitor=self._make_monitor,
            follow=self._follow,
        )
        self._monitor: MonitorActor | None = None
        self._stage = Stage.NEW
        self._running: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()  # one profile after the other
        self._host: asyncio.Task[Any] | None = None  # the task whose body runs inside
        self._cancelled_host = False
        self._ending = asyncio.Event()  # capture was told to stop
        self._finished = asyncio.Event()

    def _load(
        self,
        origin: str | Path,
        environ: Mapping[str, str],
        overrides: Sequence[str],
        *,
        follow: bool,
    ) -> Profile:
        profile = load_profile(
            origin, environ=environ, overrides=overrides, on_gone=self._gone.append
        )
        if follow:
            self._live = LiveProfile(
                origin, profile, environ=environ, overrides=overrides, gone=self._gone
            )
        return profile

    def _assemble(
        self, profile: Profile, on_progress: Progress | None, engine: EngineClient | None
    ) -> Crew:
        live = not self._reads_ahead
        chain = make_actors(
            profile,
            self.context,
            self._keys,
            on_progress,
            ask_focus=self.desktop.focus if live else None,
            ahead=self._reads_ahead,
            engine=engine,
        )
        crew = Crew([self._capture, *chain], self.context, self._fan)
        self.desktop.join(crew, live=live)
        return crew

    # -- before it runs

    def insert(
        self, actor: Actor[Any, Any], *, after: str | None = None, before: str | None = None
    ) -> ActorHandle[Any]:
        """Put an own actor into the chain; it receives what its neighbour sends.

        Audio that it does not pass on is a :class:`Gap` (``actor_lost``) in its place, unless it
        has settled that on ``context.ledger``. It may hold audio back; what it holds at the end of
        the stream it sends before that.

        Args:
            actor: passes on what it does not care for with ``await self.emit(message)``.
            after: name of the actor before it: ``capture``, ``trigger``, ``vad``,
                ``transcription``, ``cleanup``, or an inserted one.
            before: name of the actor behind it; exactly one of the two is given.

        Raises:
            ValueError: no such actor, both or neither of ``after`` and ``before``, or nothing can
                stand there.
            PipelineStateError: the pipeline runs already.
        """
        self._must_be_new("insert an actor")
        self._crew.insert(actor, after, before)
        return ActorHandle(actor)

    def add_sink(self, actor: Actor[Caption, Any]) -> ActorHandle[Caption]:
        """Give every caption event to ``actor`` too, through its own mailbox.

        That one's policy is ``BLOCK`` unless the actor was made with another: a sink that does not
        keep up holds up the pipeline, and :meth:`check` says so.

        Raises:
            ValueError: there is an actor of that name.
            PipelineStateError: the pipeline runs already.
        """
        self._must_be_new("add a sink")
        self._crew.add_sink(actor)
        return ActorHandle(actor)

    # -- its life

    async def start(self) -> None:
        """What entering does, for those who do not leave in the same task; :meth:`aclose` ends it.

        Nobody is cancelled where the pipeline fails: :meth:`events` come to their end, and
        :meth:`aclose` raises the failure.

        Raises:
            VivavoceError: it cannot start: no microphone, an actor that fails, …
            PipelineStateError: it was started before, or does not run under asyncio.
        """
        self._must_be_new("start it")
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise PipelineStateError(
                "vivavoce runs on asyncio, and no asyncio loop runs here: under trio, use "
                "vivavoce.listen() in a thread (trio.to_thread.run_sync)"
            ) from None
        self._stage = Stage.RUNNING
        self._crew.join(self._supervisor, self._outcome)
        self._running = asyncio.create_task(self._run(), name="vivavoce pipeline")
        started = asyncio.create_task(self._supervisor.started())
        try:
            await asyncio.wait([self._running, started], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._stage = Stage.LEFT
            await self._abort()
            raise
        finally:
            started.cancel()
        if self._running.cancelled():
            self._must_run("go on")
        elif self._running.done() and self._running.exception() is not None:
            self._stage = Stage.LEFT
            self._running.result()

    async def aclose(self) -> None:
        """Stop capture, finish what was said, release everything. Idempotent, from any task.

        An actor of somebody's own that hangs, and a subscriber that stopped reading, are given up
        after some seconds, and named. A second one who calls it waits for the same end. Who is
        cancelled while waiting ends the pipeline at once.

        Raises:
            VivavoceError: why the pipeline failed, if it did.
        """
        self._stage = Stage.LEFT
        if self._running is None:
            self._fan.close()
            self._finished.set()
            return
        self.stop()
        if self._events is not None and not self._events.was_read:
            self._events.close()  # else somebody may still want the rest
        try:
            await asyncio.wait([self._running])
        except asyncio.CancelledError:
            await self._abort()
            raise
        if not self._running.cancelled():  # else somebody has ended it at once
            self._running.result()

    async def __aenter__(self) -> Self:
        await self.start()
        assert self._running is not None
        self._host = asyncio.current_task()
        self._running.add_done_callback(self._cancel_host)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        host, self._host = self._host, None
        if error is None:
            if self._cancelled_host and host is not None:
                host.uncancel()  # the body went on all the same
            await self.aclose()
            return None
        self._stage = Stage.LEFT
        failure = self._failure()
        await self._abort()
        # A body that was cancelled because of a failure, or met what it left, is not to blame.
        follows = isinstance(error, ChannelClosed | PipelineStateError)
        if self._cancelled_host and host is not None:
            follows = not host.uncancel() or not isinstance(error, asyncio.CancelledError)
        if failure is not None and follows:
            raise failure from failure.__cause__
        return None

    def _cancel_host(self, ended: asyncio.Task[None]) -> None:
        """The pipeline has ended by itself: where it failed, so does the body."""
        if self._host is not None and self._failure() is not None:
            self._cancelled_host = True
            self._host.cancel()

    def _failure(self) -> BaseException | None:
        ended = self._running
        if ended is None or not ended.done() or ended.cancelled():
            return self._supervisor.failure  # of which the rest is coming to its end
        return ended.exception()

    async def _abort(self) -> None:
        """End at once what still runs."""
        running = self._running
        assert running is not None
        running.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([running], timeout=_ABORT_S)
        self._failure()  # it is known, whether it is raised or what the body raised
        if not running.done():
            names = ", ".join(actor.name for actor in self._supervisor.actors)
            log.error(f"the pipeline was left though these have not ended: {names}")

    # -- while it runs

    async def ready(self) -> None:
        """Return when the engine is loaded; it is loaded now if it is not.

        Raises:
            VivavoceError: it cannot be loaded, or the pipeline has failed.
            PipelineStateError: the pipeline does not run, or the stream has ended meanwhile.
        """
        self._must_run("wait for its engine")
        assert self._running is not None
        loading = asyncio.ensure_future(self._transcription.load())
        try:
            await asyncio.wait([loading, self._running], return_when=asyncio.FIRST_COMPLETED)
            if loading.done():
                loading.result()
                return
        finally:
            loading.cancel()
        if (failure := self._failure()) is not None:
            raise failure from failure.__cause__
        self._must_run("wait for its engine")

    def stop(self) -> None:
        """Stop capture; what was said until now is still finished. Idempotent."""
        self._capture.stop()
        self._ending.set()

    async def wait(self) -> None:
        """Return when the source has ended, or capture was stopped, and all is finished."""
        await self._finished.wait()

    async def feed(self, samples: Any) -> None:
        """Push audio into a :class:`PushSource`; waits while the pipeline is behind.

        Args:
            samples: what :meth:`PushSource.push` takes.

        Raises:
            TypeError: the pipeline's source is not a :class:`PushSource`.
        """
        await self._pushed().push(samples)

    def end(self) -> None:
        """Nothing more will be fed; the events go on to their end. Raises as :meth:`feed` does."""
        self._pushed().end()

    def events(self) -> Subscription[Caption]:
        """Every caption event until the end of the stream, which comes last; iterate it.

        There is one such stream, and a wait for its next event that is cancelled, or times out,
        loses nothing. Use :meth:`subscribe` for more.

        Raises:
            RuntimeError: the pipeline was made with ``buffer_events=False``.
        """
        if self._events is None:
            raise RuntimeError("events() needs a pipeline with buffer_events=True: subscribe()")
        return self._events

    def subscribe(
        self,
        capacity: int = TO_SINKS,
        overload: Overload = Overload.DROP_OLDEST,
        *,
        name: str = "subscriber",
    ) -> Subscription[Caption]:
        """A channel of its own with every event from now on: iterate it, and leave or close it.

        One that is not read loses its oldest events, and :meth:`check` says so. One that must not
        lose any asks for ``Overload.BLOCK``, and holds up the pipeline while it does not read;
        :meth:`check` names it.

        Args:
            capacity: events that wait at most.
            overload: what happens to one event more.
            name: in statistics and findings.

        Example::

            with pipeline.subscribe(name="screen") as events:
                async for event in events:
                    show(event)
        """
        return self._fan.subscribe(capacity, overload, name=self._unused(name))

    def _unused(self, name: str) -> str:
        taken = {channel.name for channel in self._crew.channels}
        numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
        return name if name not in taken else next(one for one in numbered if one not in taken)

    def actor(self, name: str) -> ActorHandle[Any]:
        """A handle to an actor of the chain or a sink, for ``tell`` and ``ask``.

        Raises:
            KeyError: no actor has that name.
        """
        return ActorHandle(self._crew.actor(name))

    @property
    def trigger(self) -> Trigger:
        """Says when to record: ``start()``, ``stop()``, ``toggle()``, ``cancel()``, ``recording``.

        Call these in the event loop.

        Raises:
            RuntimeError: a recording that is read ahead has no trigger.
        """
        try:
            trigger = self._crew.actor("trigger")
        except KeyError:
            raise RuntimeError("what is read at maximum pace has no trigger") from None
        assert isinstance(trigger, TriggerActor)
        return Trigger(trigger)

    @property
    def engine_ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._transcription.engine_ready

    @property
    def revises(self) -> bool:
        """Whether each final is followed by a revision."""
        return self.profile.transcription.draft is not None and not self._reads_ahead

    def statistics(self) -> PipelineStatistics:
        """Ledger, metrics, channels and this process's memory and CPU as they stand."""
        return gather_statistics(self.context, self._crew.channels, self._monitor)

    @property
    def power_mode(self) -> PowerMode:
        """How much of the pipeline is awake."""
        return self._upkeep.mode

    def force_power(self, mode: PowerMode | str | None) -> None:
        """Spend silence in ``mode`` from now on, before or while the pipeline runs.

        Speech still leads to ``active``; but in ``closed`` the microphone is released at once and
        nothing is heard. None: by how long it has been quiet, as the profile says.

        Raises:
            ValueError: there is no such mode.
        """
        self._upkeep.force(None if mode is None else PowerMode(mode))

    def wake(self) -> None:
        """Listen, also where the microphone was released."""
        self._upkeep.wake()

    async def reconfigure(self, profile: Profile) -> None:
        """Go on with another profile: what can change at once does, the rest at the next silence.

        Source, pace and format of the captions stay; ``docs/profiles.md`` says what takes effect
        when.

        Raises:
            PipelineStateError: the pipeline does not run.
            VivavoceError: a part of it cannot be had, such as a history; nothing has changed.
        """
        await _to_its_end(self._reconfigure(profile))

    async def use_profile(self, profile: str | Path) -> None:
        """Go on with another profile by its name or path, and follow that one.

        Raises:
            ProfileError: there is none, or it is wrong; nothing has changed.
            VivavoceError: as for :meth:`reconfigure`.
            PipelineStateError: the pipeline does not run, or does not follow a profile.
        """
        if self._live is None:
            raise PipelineStateError("use_profile() needs a pipeline with follow_profile=True")
        self._must_run("use another profile")
        await _to_its_end(self._live.switch(profile, self._reconfigure))

    async def _reconfigure(self, profile: Profile) -> None:
        async with self._changing:
            self._must_run("use another profile")
            await self.desktop.make_ready(profile, self._supervisor)
            await self._upkeep.take_profile(profile)

    @property
    def profile(self) -> Profile:
        """The profile as it was written; what the machine's conditions make of it now is
        ``context.settings.profile``."""
        return self._upkeep.written

    @property
    def profile_name(self) -> str:
        """The name or path of the profile; empty: it was given as an object."""
        return self._live.name if self._live is not None else self._origin

    def reload_profile(self) -> None:
        """Read the files of a profile that is followed again, now."""
        if self._live is not None:
            self._live.reload()

    def check(self) -> Sequence[Finding]:
        """Which targets of the profile are missed now, and which faults there are: for example a
        subscriber that holds up the pipeline, by its name.

        Judged by what is known: latencies, channels and the ledger as of now; memory, CPU and
        battery as of the last look at the sensors, some seconds ago (a minute when it is quiet).
        Nothing is read, so it may be called in the loop at any time;
        ``await pipeline.actor("monitor").ask("check")`` looks first. Empty before the first sample.
        """
        return self._monitor.check() if self._monitor is not None else ()

    def recommendations(self) -> Sequence[Recommendation]:
        """What could be done about what :meth:`check` finds; each names a setting."""
        return self._monitor.recommendations() if self._monitor is not None else ()

    def report(self) -> str:
        """How the run is doing, for a person: findings and advice first, then every figure."""
        return self.statistics().report()

    def say_report(self) -> None:
        """Write :meth:`report` where the log goes; to Python's ``logging`` at INFO."""
        self._sink.say("report", self.report())

    # -- inside

    async def _follow(self) -> None:
        if self._live is not None:
            await self._live.follow(self._reconfigure)

    @property
    def _transcription(self) -> TranscriptionActor:
        from vivavoce.actors.transcription import TranscriptionActor

        transcription = self._crew.actor("transcription")
        assert isinstance(transcription, TranscriptionActor)
        return transcription

    def _make_monitor(self) -> MonitorActor:
        from vivavoce.actors.monitor import MonitorActor

        transcription = self._transcription
        self._monitor = MonitorActor(
            channels=lambda: {one.name: one.statistics() for one in self._crew.channels},
            readers=lambda: [one.name for one in self._fan.channels],
            statistics=lambda: gather_statistics(self.context, self._crew.channels),
            engine_ready=lambda: transcription.engine_ready,
            live=not self._reads_ahead,
            context=self.context,
        )
        return self._crew.add_sink(self._monitor)

    async def _run(self) -> None:
        use_sink(self._sink)
        for line in self._gone:
            log.warning(line)
        try:
            await self.desktop.open()
            async with anyio.create_task_group() as group:
                group.start_soon(self._sink.drain, name="log")
                group.start_soon(self._upkeep.run, name="upkeep")
                group.start_soon(self.desktop.run, name="desktop")
                group.start_soon(self._see_to_the_end, name="closing")
                try:
                    await self._supervisor.run()
                    if self._capture.failure is not None:
                        raise self._capture.failure
                finally:
                    group.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__
        finally:
            await self.desktop.close()
            self.context.stream.stop()
            self._fan.close()
            self._finished.set()

    async def _see_to_the_end(self) -> None:
        """Once capture was stopped: give up who hangs; see :mod:`vivavoce.closing`."""
        await self._ending.wait()
        loop = asyncio.get_running_loop()
        policy = ClosingPolicy(loop.time())
        while True:
            await asyncio.sleep(_LOOK_S)
            now = loop.time()
            for actor in policy.stuck(self._supervisor.actors, now):
                self._supervisor.give_up_on(actor)
            readers = [one for one in self._fan.channels if isinstance(one, Subscription)]
            for subscription in policy.stalled(readers, now):
                log.error(
                    f"subscriber {subscription.name!r} stopped reading and held up the end: it "
                    "does not get the rest"
                )
                subscription.close()

    def _pushed(self) -> PushSource:
        if not isinstance(self.source, PushSource):
            raise TypeError(
                f"this pipeline listens to {self.source.name}: make it with source=PushSource() "
                "to feed it"
            )
        return self.source

    def _must_be_new(self, what: str) -> None:
        if self._stage is not Stage.NEW:
            raise PipelineStateError(
                f"cannot {what}: this pipeline {_LIVED[self._stage]}; make another one"
            )

    def _must_run(self, what: str) -> None:
        if self._stage is not Stage.RUNNING or self._finished.is_set():
            stage = Stage.LEFT if self._finished.is_set() else self._stage
            raise PipelineStateError(f"cannot {what}: this pipeline {_LIVED[stage]}")


async def _to_its_end(change: Coroutine[Any, Any, None]) -> None:
    """Make a change that does not stay half made because somebody stops waiting for it."""
    making = asyncio.ensure_future(change)
    try:
        await asyncio.shield(making)
    except asyncio.CancelledError:
        making.add_done_callback(_tell_failed_change)
        raise


def _tell_failed_change(making: asyncio.Future[None]) -> None:
    if not making.cancelled() and (failure := making.exception()) is not None:
        log.error(f"the profile stays as it was: {failure}")


_LIVED = {
    Stage.NEW: "has not been entered yet (`async with pipeline:`, or `await pipeline.start()`)",
    Stage.RUNNING: "runs already",
    Stage.LEFT: "has ended",
}

__all__ = ["ChannelClosed", "Pipeline", "PipelineStateError", "Progress", "Stage"]
