"""The pipeline, assembled: capture → vad → transcription → cleanup → fan-out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio

from vivavoce.actors.capture import CaptureActor, PushSource, make_source
from vivavoce.actors.capture.source import Source
from vivavoce.actors.trigger import TriggerActor
from vivavoce.chain import as_played, make_actors, reads_ahead
from vivavoce.config import Profile, load_profile
from vivavoce.crew import TO_SUBSCRIBERS, Crew
from vivavoce.desktop import Desktop
from vivavoce.live_profile import LiveProfile
from vivavoce.pipeline.actor import Actor, ActorContext, ActorHandle
from vivavoce.pipeline.channel import Channel, ChannelClosed, Overload
from vivavoce.pipeline.clock import Clock, LoopClock, StreamClock
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.fanout import FanOut
from vivavoce.pipeline.ledger import Ledger
from vivavoce.pipeline.log import LogSink, use_sink
from vivavoce.pipeline.messages import Caption, PowerMode
from vivavoce.pipeline.metrics import Metrics
from vivavoce.pipeline.supervisor import Supervisor
from vivavoce.statistics import PipelineStatistics, gather_statistics
from vivavoce.upkeep import Outcome, Upkeep

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from vivavoce.actors.monitor import MonitorActor
    from vivavoce.actors.monitor.advice import Recommendation
    from vivavoce.actors.monitor.targets import Finding

Progress = Callable[[str, int, int], None]
"""Told of a model download: what, bytes so far, bytes in all (0 when unknown)."""


class Pipeline:
    """Sound in, captions out, as an asynchronous context manager.

    Entering starts every actor; leaving stops capture, finishes what was said and releases
    everything. A failure of the pipeline cancels the body and is raised from the ``async with``.

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
            the buffer is full: nothing is lost in silence.
        follow_profile: take changes of the profile's files over while the pipeline runs.

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
    ) -> None:
        environ = os.environ if environ is None else environ
        self._live: LiveProfile | None = None
        self._origin = "" if isinstance(profile, Profile) else str(profile)
        if not isinstance(profile, Profile):
            origin = profile
            profile = load_profile(origin, environ=environ, overrides=overrides)
            if follow_profile:
                self._live = LiveProfile(origin, profile, environ=environ, overrides=overrides)
        self.profile = profile
        clock = clock or LoopClock()
        self.context = ActorContext(
            clock=clock, stream=StreamClock(clock), ledger=Ledger(), metrics=Metrics()
        )
        self.source = source or make_source(profile.capture, clock)
        self._reads_ahead = source is None and reads_ahead(profile.capture)
        self._fan: FanOut[Caption] = FanOut()
        self._events = self._fan.subscribe(TO_SUBSCRIBERS, name="events") if buffer_events else None
        self._capture = CaptureActor(self.source)
        if self._reads_ahead:
            profile = as_played(profile)
        chain = make_actors(profile, self.context.metrics, on_progress, ahead=self._reads_ahead)
        self._crew = Crew([self._capture, *chain], self.context, self._fan)
        self.desktop = Desktop(
            profile, self._origin, self._crew, self.context, environ, live=not self._reads_ahead
        )
        self._supervisor = Supervisor(profile.supervisor, self.context)
        self._outcome = Outcome(self._fan)
        self._sink = LogSink(profile.log)
        self._upkeep = Upkeep(
            profile,
            self.context,
            self._supervisor,
            self._outcome,
            self._sink,
            sleeps=not self._reads_ahead,
            make_monitor=self._make_monitor,
            follow=self._follow,
        )
        self._monitor: MonitorActor | None = None
        self._group: TaskGroup | None = None
        self._finished = asyncio.Event()

    # -- before it runs

    def insert(
        self, actor: Actor[Any, Any], *, after: str | None = None, before: str | None = None
    ) -> ActorHandle[Any]:
        """Put an own actor into the chain; it receives what its neighbour sends.

        Args:
            actor: passes on what it does not care for with ``await self.emit(message)``.
            after: name of the actor before it: ``capture``, ``trigger``, ``vad``,
                ``transcription``, ``cleanup``, or an inserted one.
            before: name of the actor behind it; exactly one of the two is given.

        Raises:
            ValueError: no such actor, both or neither of ``after`` and ``before``, or nothing can
                stand there.
            RuntimeError: the pipeline runs already.
        """
        self._must_not_run("insert an actor")
        self._crew.insert(actor, after, before)
        return ActorHandle(actor)

    def add_sink(
        self,
        actor: Actor[Caption, Any],
        *,
        capacity: int = TO_SUBSCRIBERS,
        overload: Overload = Overload.BLOCK,
    ) -> ActorHandle[Caption]:
        """Give every caption event to ``actor`` too, through a channel of its own.

        Raises:
            RuntimeError: the pipeline runs already.
        """
        self._must_not_run("add a sink")
        self._crew.add_sink(actor, capacity, overload)
        return ActorHandle(actor)

    # -- while it runs

    async def __aenter__(self) -> Self:
        self._must_not_run("start it again")
        self._group = await anyio.create_task_group().__aenter__()
        self._group.start_soon(self._run, name="vivavoce pipeline")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        group = self._group
        assert group is not None
        if error is None:
            self.stop()
            if self._events is not None:
                self._fan.unsubscribe(self._events)
        else:
            group.cancel_scope.cancel()
        try:
            return await group.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__

    def stop(self) -> None:
        """Stop capture; what was said until now is still finished. Idempotent."""
        self._capture.stop()

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

    async def events(self) -> AsyncIterator[Caption]:
        """Every caption event until the end of the stream, which comes last.

        There is one such stream; use :meth:`subscribe` for more.

        Raises:
            RuntimeError: the pipeline was made with ``buffer_events=False``.
        """
        if self._events is None:
            raise RuntimeError("events() needs a pipeline with buffer_events=True: subscribe()")
        async for event in self._events:
            yield event

    def subscribe(
        self, capacity: int = TO_SUBSCRIBERS, overload: Overload = Overload.BLOCK
    ) -> Channel[Caption]:
        """A channel of its own with every event from now on; iterate it."""
        return self._fan.subscribe(capacity, overload)

    def actor(self, name: str) -> ActorHandle[Any]:
        """A handle to an actor of the chain or a sink, for ``tell`` and ``ask``.

        Raises:
            KeyError: no actor has that name.
        """
        return ActorHandle(self._crew.actor(name))

    @property
    def trigger(self) -> TriggerActor:
        """Says when to record: ``start()``, ``stop()``, ``toggle()``, ``cancel()``, ``recording``.

        Call these in the event loop, while the pipeline runs.

        Raises:
            RuntimeError: a recording that is read ahead has no trigger.
        """
        try:
            trigger = self._crew.actor("trigger")
        except KeyError:
            raise RuntimeError("what is read at maximum pace has no trigger") from None
        assert isinstance(trigger, TriggerActor)
        return trigger

    @property
    def engine_ready(self) -> bool:
        """Whether the engine is loaded."""
        return bool(getattr(self._crew.actor("transcription"), "engine_ready", False))

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
        """
        self.profile = profile
        await self.desktop.take_profile(profile, self.profile_name, self._supervisor)
        await self._upkeep.take_profile(as_played(profile) if self._reads_ahead else profile)

    async def use_profile(self, profile: str | Path) -> None:
        """Go on with another profile by its name or path, and follow that one.

        Raises:
            ProfileError: there is none, or it is wrong; nothing has changed.
            RuntimeError: the pipeline does not follow a profile.
        """
        if self._live is None:
            raise RuntimeError("use_profile() needs a pipeline with follow_profile=True")
        await self._live.switch(profile)

    @property
    def profile_name(self) -> str:
        """The name or path of the profile; empty: it was given as an object."""
        return self._live.name if self._live is not None else self._origin

    def reload_profile(self) -> None:
        """Read the files of a profile that is followed again, now."""
        if self._live is not None:
            self._live.reload()

    def check(self) -> Sequence[Finding]:
        """Which targets of the profile are missed now, with the measured value and the target."""
        return self._monitor.check() if self._monitor is not None else ()

    def recommendations(self) -> Sequence[Recommendation]:
        """What could be done about what :meth:`check` finds; each names a setting."""
        return self._monitor.recommendations() if self._monitor is not None else ()

    def report(self) -> str:
        """How the run is doing, for a person: findings and advice first, then every figure."""
        return self.statistics().report()

    def say_report(self) -> None:
        """Write :meth:`report` where the log goes."""
        self._sink.say("report", self.report())

    # -- inside

    async def _follow(self) -> None:
        if self._live is not None:
            await self._live.follow(self.reconfigure)

    def _make_monitor(self, profile: Profile) -> MonitorActor:
        from vivavoce.actors.monitor import MonitorActor
        from vivavoce.actors.transcription import TranscriptionActor

        transcription = self._crew.actor("transcription")
        assert isinstance(transcription, TranscriptionActor)
        self._monitor = MonitorActor(
            profile,
            channels=lambda: {one.name: one.statistics() for one in self._crew.channels},
            statistics=lambda: gather_statistics(self.context, self._crew.channels),
            on_trim=transcription.trim,
            engine_ready=lambda: transcription.engine_ready,
            live=not self._reads_ahead,
        )
        # It only watches: what it has no time for, it does without.
        inbox = self._fan.subscribe(TO_SUBSCRIBERS, Overload.DROP_OLDEST, name="monitor")
        self._monitor.attach(inbox, None, self.context)
        return self._monitor

    async def _run(self) -> None:
        self._crew.join(self._supervisor, self._outcome)
        use_sink(self._sink)
        await self.desktop.open()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._sink.drain, name="log")
                group.start_soon(self._upkeep.run, name="upkeep")
                group.start_soon(self.desktop.run, name="desktop")
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
            self._fan.close()
            self._finished.set()

    def _pushed(self) -> PushSource:
        if not isinstance(self.source, PushSource):
            raise TypeError(
                f"this pipeline listens to {self.source.name}: make it with source=PushSource() "
                "to feed it"
            )
        return self.source

    def _must_not_run(self, what: str) -> None:
        if self._group is not None:
            raise RuntimeError(f"the pipeline runs already: {what} before `async with`")


__all__ = ["ChannelClosed", "Pipeline", "Progress"]
