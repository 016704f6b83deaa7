"""The monitor: watches the pipeline from the side, says what is wrong, and never holds it up."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio

from vivavoce.actors.monitor.advice import Recommendation, recommend
from vivavoce.actors.monitor.exporter import Exporter, Health
from vivavoce.actors.monitor.latency import observe_latency
from vivavoce.actors.monitor.leaks import census, growing
from vivavoce.actors.monitor.pressure import MemoryPressure, Relief
from vivavoce.actors.monitor.published import channel_instruments
from vivavoce.actors.monitor.readings import Readings, Seen, Sensor, look
from vivavoce.actors.monitor.report import Figures, MonitorSummary, render
from vivavoce.actors.monitor.sensors import Sensors, SystemSensors, Usage
from vivavoce.actors.monitor.targets import Facts, Finding, Judge
from vivavoce.actors.monitor.trim import give_memory_back
from vivavoce.actors.monitor.view import View
from vivavoce.actors.monitor.windows import ModeAccount
from vivavoce.config.monitoring import TargetSettings
from vivavoce.pipeline.actor import TO_SINKS, Actor, ActorContext, ActorHandle
from vivavoce.pipeline.channel import ChannelStatistics, Overload
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.mailbox import Urgent
from vivavoce.pipeline.messages import Caption, EndOfStream, Final, Partial, PowerMode, seconds
from vivavoce.pipeline.metrics import Instrument
from vivavoce.pipeline.power import Power, PowerEvent

_TICK_S: Mapping[PowerMode, float] = {PowerMode.ACTIVE: 0.5, PowerMode.LISTENING: 1.0}
"""A wake-up costs 0.2 ms of CPU on the machine this was measured on, whatever it is for."""
_QUIET_TICK_S = 5.0
_FIRST_SAMPLE_S = 1.0
_MEMORY_EVERY_S = 5.0
_CENSUS_EVERY_S = 600.0
_STALLED_S = 60.0
_PATIENCE_S = 1.0
"""How long who asks waits for the sensors, before what is known must do."""

T = TypeVar("T")

log = get_logger("monitor")


@dataclass(frozen=True, slots=True)
class _Tick(Urgent):
    """It is time to look around."""

    replaces_earlier = True


@dataclass(frozen=True, slots=True)
class _Looked(Urgent):
    """The thread that reads the sensors has done so."""

    replaces_earlier = True


class MonitorActor(Actor[Caption, None]):
    """Measures a running pipeline, holds it against the profile's targets, and gives advice.

    It is a sink whose mailbox drops the oldest when full (it reads captions only for their
    latencies), and it ends with the pipeline. It emits nothing. A failure of its own is
    logged and counted; only an address that cannot be served at the start ends the run.

    One timer does it all: two ticks a second while somebody speaks, one while it listens, one in
    five seconds else. How late it wakes is the event loop's lag. Each tick is a message to the
    actor; every ``metrics.interval_s`` (``quiet_interval_s`` when quiet) one of them has the
    sensors read, in a thread, one look at a time, and what they said is judged in the loop.

    :meth:`check`, :meth:`recommendations`, :meth:`summary` and :meth:`report` may be called in the
    loop at any time and read no sensors: they judge instruments, channels and ledger as of now, and
    what the sensors said when they were last looked at.
    ``ask("check" | "recommendations" | "report" | "statistics")`` looks first; one that hangs is
    not waited for longer than a second or two. ``ask("health")`` looks at nothing.

    Args:
        sensors: where process and machine are read.
        channels: the pipeline's channels and what they count.
        readers: names of those channels that have the captions: subscriptions, and mailboxes of
            sinks. One that holds up the pipeline is a finding.
        statistics: the run's figures, for the report; without them it is findings and advice only.
        on_trim: empties what caches there are; called when memory is short.
        engine_ready: whether the engine can decode now.
        live: whether somebody waits for the captions; else latency and lag are not judged.
        context: as for every actor.
    """

    name = "monitor"
    closing_grace_s = None

    def __init__(
        self,
        *,
        sensors: Sensors | None = None,
        channels: Callable[[], Mapping[str, ChannelStatistics]] = dict,
        readers: Callable[[], Collection[str]] = tuple,
        statistics: Callable[[], Figures] | None = None,
        on_trim: Callable[[], object] | None = None,
        engine_ready: Callable[[], bool] = lambda: True,
        live: bool = True,
        context: ActorContext | None = None,
    ) -> None:
        # It only watches: what it has no time for, it does without.
        super().__init__(context=context, capacity=TO_SINKS, overload=Overload.DROP_OLDEST)
        self._sensors = sensors or SystemSensors()
        self._channels = channels
        self._readers = readers
        self._statistics = statistics
        self._on_trim = on_trim
        self._engine_ready = engine_ready
        self._live = live
        self._judge = Judge()
        self._modes = ModeAccount()
        self._pressure = MemoryPressure()
        self._power = Power()
        self._view: View | None = None
        self._readings: Readings | None = None
        self._exporter: Exporter | None = None
        self._rate: anyio.CancelScope | None = None
        self._napping = False
        self._facts = Facts()
        self._findings: tuple[Finding, ...] = ()
        self._running = False
        self._looking: asyncio.Task[Seen] | None = None
        self._wanted: frozenset[Sensor] = frozenset()  # with the next look
        self._sampled_at = 0.0
        self._looked_at: float | None = None  # at memory, if at nothing else
        self._census: tuple[float, Mapping[str, int]] | None = None
        self._caption_at: float | None = None
        self._audio: tuple[int, float] = (0, 0.0)

    # -- life

    async def on_start(self) -> None:
        """Serve figures where the profile wants that.

        Raises:
            ExporterError: the address cannot be served.
        """
        if self._view is None or self._readings is None:  # what was seen outlives a restart
            metrics = self.context.metrics
            self._view = View(metrics, self._targets, live=self._live)
            self._readings = Readings(metrics)
        settings = self.context.settings.profile.metrics
        if settings.listen is not None:  # from the next start on another one
            self._exporter = Exporter(settings, self._page, self.health)
            await self._exporter.start()

    async def run(self) -> None:
        """Tick, and read captions, until the pipeline ends."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._tick_on, name="monitor ticks")
                await super().run()
                group.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__
        finally:
            if self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def obey(self, urgent: Urgent) -> None:
        """Handle a tick, and what the sensors said."""
        if isinstance(urgent, _Tick):
            self._guarded(self._tick)
            await self._look_for_types()
        elif isinstance(urgent, _Looked):
            await self._looked()
        else:
            await super().obey(urgent)

    async def on_stop(self) -> None:
        """Close the port. What was found can still be asked for."""
        self._running = False
        if self._exporter is not None:
            await self._exporter.stop()
            self._exporter = None

    async def on_power(self, power: Power) -> None:
        """Close the account of the mode before, and tick at the new mode's rate at once."""
        before, self._power = self._power, power
        if not self._running or power.mode is before.mode:
            return
        self._show_mode()
        self._want(frozenset({Sensor.USAGE}))
        if self._rate is not None and self._napping:
            self._rate.cancel()

    async def on_message(self, message: Caption) -> None:
        """Note when a caption came, and how late it was."""
        now, elapsed = self.context.clock.now(), self.context.stream.elapsed()
        if isinstance(message, (Partial, Final)):
            self._caption_at = now
            if self._live:
                observe_latency(self.context.metrics, message, elapsed)
        if isinstance(message, Final) and self._view is not None:
            self._view.saw(message)
        if isinstance(message, EndOfStream) and self._running:
            await self._look_at_all()  # while the engine is still there

    async def on_ask(self, question: Any) -> Any:
        """``"check"``: findings; ``"recommendations"``: advice; ``"report"``: text for a person;
        ``"statistics"``: a :class:`MonitorSummary`; ``"health"``: a :class:`Health`."""
        answers: dict[str, Callable[[], Any]] = {
            "check": self.check,
            "recommendations": self.recommendations,
            "report": self.report,
            "statistics": self.summary,
            "health": self.health,
        }
        if isinstance(question, str) and question in answers:
            if question != "health":
                await self._look_at_all()
            return answers[question]()
        return await super().on_ask(question)

    # -- what it says

    def check(self) -> tuple[Finding, ...]:
        """Targets that are missed and faults that should not happen, by what is known now; after
        the end, as of then."""
        if self._running:
            self._guarded(self._judge_all)
        return self._findings

    def recommendations(self) -> tuple[Recommendation, ...]:
        """Advice for each finding; it names a setting where one helps."""
        return recommend(self.check(), self._facts, self.context.settings.profile)

    def summary(self) -> MonitorSummary:
        """All that is known now; after the end, as of then."""
        advice = self.recommendations()
        if self._view is None or self._readings is None:
            return MonitorSummary(facts=self._facts)
        readings = self._readings
        return MonitorSummary(
            facts=self._facts,
            findings=self._findings,
            recommendations=advice,
            modes=self._modes.total,
            recent=self._view.recent,
            process=readings.process,
            engines=readings.engines,
            memory=readings.memory,
            cpu_pressure_percent=readings.cpu_pressure,
            battery=readings.battery,
            temperature=readings.temperature,
            unreadable=readings.unreadable,
        )

    def report(self) -> str:
        """Text for a person: findings and advice first, then every figure."""
        summary = self.summary()
        if self._statistics is None:
            return render(None, summary)
        return render(self._statistics(), summary)

    def health(self) -> Health:
        """Whether it lives, and whether it captions what is said now."""
        now = self.context.clock.now()
        self._hear(now)
        captured, heard_at = self._audio
        power, open_ = self._power, self._power.settings.microphone == "open"
        audio_age = now - heard_at if captured else None
        engine = "ready" if self._engine_ready() else "loading"
        if not power.engine and engine != "ready":
            engine = "parked"
        live = self._running and not (open_ and audio_age is not None and audio_age > _STALLED_S)
        return Health(
            live=live,
            ready=live and captured > 0 and engine != "loading",
            power_mode=str(power.mode),
            engine=engine,
            last_caption_age_s=None if self._caption_at is None else now - self._caption_at,
            audio_age_s=audio_age,
            captured_s=seconds(captured),
            lag_s=self.context.metrics.gauge("vivavoce_lag_seconds").value,
        )

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where figures are served."""
        return self._exporter.addresses if self._exporter is not None else []

    # -- inside

    def _targets(self) -> TargetSettings:
        return self.context.settings.profile.targets

    async def _page(self) -> list[Instrument]:
        with suppress(TimeoutError):  # it has its hands full: what is known must do
            await ActorHandle(self).ask("check", timeout=3 * _PATIENCE_S)
        context = self.context
        extra = channel_instruments(self._channels(), context.ledger.summary())
        return [*context.metrics.instruments(), *extra]

    async def _tick_on(self) -> None:
        await self.context.stream.begun()
        self.inbox.put_first(_Tick())
        while True:
            with anyio.CancelScope() as self._rate:  # one for many ticks: it is not free
                await self._tick_at(_TICK_S.get(self._power.mode, _QUIET_TICK_S))

    async def _tick_at(self, tick_s: float) -> None:
        """Tick until the mode has changed."""
        clock, mode = self.context.clock, self._power.mode
        lags = self.context.metrics.histogram("vivavoce_loop_lag_seconds")
        while self._power.mode is mode:
            began, self._napping = clock.now(), True
            await clock.sleep(tick_s)
            self._napping = False
            # Noted here, for a tick that is never handled, as another came, was the latest of all.
            lags.observe(max(0.0, clock.now() - began - tick_s))
            self.inbox.put_first(_Tick())

    def _interval_s(self) -> float:
        metrics = self.context.settings.profile.metrics
        busy = self._power.mode in (PowerMode.ACTIVE, PowerMode.LISTENING)
        return metrics.interval_s if busy else metrics.quiet_interval_s

    def _guarded(self, work: Callable[[], T]) -> T | None:
        """Whatever goes wrong in here must not end what is watched."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - counted and told; see above
            kind = type(error).__name__
            failures = self.context.metrics.counter("vivavoce_monitor_failures_total", kind=kind)
            if not failures.value:
                log.warning("the monitor failed and goes on", error=f"{kind}: {error}")
            failures.add()
            return None

    def _tick(self) -> None:
        """What each tick does."""
        assert self._view is not None
        now = self.context.clock.now()
        if not self._running:
            self._begin(now)
        self._view.glance(now)
        if now - self._sampled_at >= self._interval_s():
            self._want_all(now)
        elif self._looked_at is None or now - self._looked_at >= _MEMORY_EVERY_S:
            self._looked_at = now
            self._hear(now)
            self._want(frozenset({Sensor.MEMORY, Sensor.USAGE}))

    def _begin(self, now: float) -> None:
        self._running = True
        self._audio = (0, now)
        self._sampled_at = now + _FIRST_SAMPLE_S - self._interval_s()
        self._show_mode()

    # -- looking at the sensors

    def _want(self, sensors: frozenset[Sensor]) -> None:
        """Have them read: now, or after what is being read."""
        self._wanted |= sensors
        if self._looking is None:
            asked, self._wanted = self._wanted, frozenset()
            self._looking = asyncio.create_task(
                asyncio.to_thread(look, self._sensors, asked), name="monitor looks"
            )
            self._looking.add_done_callback(self._tell_looked)

    def _want_all(self, now: float) -> None:
        assert self._readings is not None
        self._sampled_at = self._looked_at = now
        self._hear(now)
        self._want(self._readings.due(now))

    def _tell_looked(self, _: asyncio.Task[Seen]) -> None:
        if not self.inbox.ended:
            self.inbox.put_first(_Looked())

    async def _looked(self) -> None:
        """Judge what was seen, unless that was done already."""
        if self._looking is None or not self._looking.done():
            return
        relief = self._guarded(self._take)
        if self._wanted:
            self._want(frozenset())
        if relief is not None:
            await self._relieve(relief)

    async def _look_at_all(self) -> None:
        """Look at everything and judge it, unless the sensors hang."""
        if not self._running:
            return
        self._want_all(self.context.clock.now())
        for _ in range(2):  # what is being read already comes first
            if self._looking is None:
                return
            done, _hang = await asyncio.wait([self._looking], timeout=_PATIENCE_S)
            if not done:
                return
            await self._looked()

    def _take(self) -> Relief | None:
        assert self._looking is not None
        assert self._view is not None
        assert self._readings is not None
        looked, self._looking = self._looking, None
        seen, now = looked.result(), self.context.clock.now()
        self._readings.take(now, seen)
        if Sensor.USAGE in seen.asked:
            self._account(now, seen.usage)
        if Sensor.PROCESS in seen.asked:
            self._view.sampled(now, self._readings)
            self._judge_all()
        return self._pressure.update(now, seen.memory) if seen.memory is not None else None

    def _judge_all(self) -> None:
        """Judge what is known now."""
        assert self._view is not None
        assert self._readings is not None
        channels = {name: one for name, one in self._channels().items() if name != self.name}
        self._facts = self._view.facts(
            self.context.clock.now(),
            at=self.context.stream.elapsed(),
            readings=self._readings,
            modes=self._modes,
            mode=self._power.mode,
            channels=channels,
            readers=self._readers(),
            short_since=self._pressure.since,
        )
        known = {finding.name for finding in self._findings}
        self._findings = self._judge.judge(self._facts, self._targets())
        for finding in self._findings:
            if finding.name not in known:
                log.info(
                    f"{finding.what}: {finding.measured:,.1f} {finding.unit}",
                    target=finding.target,
                )

    def _account(self, now: float, usage: Usage | None) -> None:
        """What was used since the last time was used in the mode of then."""
        metrics, until_now = self.context.metrics, self._modes.mode
        used = self._modes.note(now, usage, self._power.mode)
        if used is not None:
            mode = str(until_now)
            metrics.counter("vivavoce_mode_seconds_total", mode=mode).add(used.seconds)
            metrics.counter("vivavoce_mode_cpu_seconds_total", mode=mode).add(used.cpu_s)
            metrics.counter("vivavoce_mode_wakeups_total", mode=mode).add(used.wakeups)

    def _show_mode(self) -> None:
        for mode in PowerMode:
            shown = self.context.metrics.gauge("vivavoce_power_mode", mode=str(mode))
            shown.set(mode is self._power.mode)

    def _hear(self, now: float) -> None:
        """Note whether audio still arrives."""
        captured = self.context.ledger.summary().captured
        if captured != self._audio[0]:
            self._audio = (captured, now)

    async def _relieve(self, relief: Relief) -> None:
        log.warning("memory is short", doing=str(relief))
        self.context.metrics.counter("vivavoce_memory_relief_total", kind=str(relief)).add()
        if relief is Relief.PARK:
            self.context.power.tell(PowerEvent.SLEEP)
            return
        if self._on_trim is not None:
            self._guarded(self._trim)
        await asyncio.to_thread(give_memory_back)

    def _trim(self) -> None:
        assert self._on_trim is not None
        self._on_trim()

    async def _look_for_types(self) -> None:
        """Once a leak is suspected: which types grow? Counted in a thread, ten minutes apart."""
        view = self._view
        assert view is not None
        if view.leak is None and view.objects is None:
            self._census, view.growing_types = None, ()
            return
        now = self.context.clock.now()
        if self._census is not None and now - self._census[0] < _CENSUS_EVERY_S:
            return
        counts = await asyncio.to_thread(lambda: census(gc.get_objects()))
        if self._census is None:
            self._census = (now, counts)
        else:
            self._census = (now, self._census[1])
            view.growing_types = growing(self._census[1], counts)
