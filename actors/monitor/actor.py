"""The monitor: watches the pipeline from the side, says what is wrong, and never holds it up."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Mapping
from typing import Any

import anyio

from vivavoce.actors.monitor.advice import Recommendation, recommend
from vivavoce.actors.monitor.exporter import Exporter, Health
from vivavoce.actors.monitor.latency import observe_latency
from vivavoce.actors.monitor.leaks import census, growing
from vivavoce.actors.monitor.pressure import MemoryPressure, Relief
from vivavoce.actors.monitor.published import channel_instruments
from vivavoce.actors.monitor.readings import Readings
from vivavoce.actors.monitor.report import Figures, MonitorSummary, render
from vivavoce.actors.monitor.sensors import Sensors, SystemSensors
from vivavoce.actors.monitor.targets import Facts, Finding, Judge
from vivavoce.actors.monitor.trim import give_memory_back
from vivavoce.actors.monitor.view import View
from vivavoce.actors.monitor.windows import ModeAccount
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import TO_SINKS, Actor, ActorContext
from vivavoce.pipeline.channel import ChannelStatistics, Overload
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.log import get_logger
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

log = get_logger("monitor")


class MonitorActor(Actor[Caption, None]):
    """Measures a running pipeline, holds it against the profile's targets, and gives advice.

    It is a sink whose mailbox drops the oldest when full (it reads captions only for their
    latencies), and it ends with the pipeline. It emits nothing. A failure of its own is
    logged and counted; only an address that cannot be served at the start ends the run.

    One timer does it all: two ticks a second while somebody speaks, one while it listens, one in
    five seconds else. Each tick says how late it is (the event loop's lag); every
    ``metrics.interval_s`` (``quiet_interval_s`` when quiet) one of them takes a sample.

    Answers ``ask("check" | "recommendations" | "report" | "statistics" | "health")``.

    Args:
        profile: targets, metrics, and what the advice refers to.
        sensors: where process and machine are read.
        channels: the pipeline's channels and what they count.
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
        profile: Profile,
        *,
        sensors: Sensors | None = None,
        channels: Callable[[], Mapping[str, ChannelStatistics]] = dict,
        statistics: Callable[[], Figures] | None = None,
        on_trim: Callable[[], object] | None = None,
        engine_ready: Callable[[], bool] = lambda: True,
        live: bool = True,
        context: ActorContext | None = None,
    ) -> None:
        # It only watches: what it has no time for, it does without.
        super().__init__(context=context, capacity=TO_SINKS, overload=Overload.DROP_OLDEST)
        self._profile = profile
        self._sensors = sensors or SystemSensors()
        self._channels = channels
        self._statistics = statistics
        self._on_trim = on_trim
        self._engine_ready = engine_ready
        self._live = live
        self._judge = Judge(profile.targets)
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
        self._sampled_at: float | None = None
        self._memory_at: float | None = None
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
            self._view = View(metrics, self._profile.targets, live=self._live)
            self._readings = Readings(self._sensors, metrics)
        if self._profile.metrics.listen is not None:
            self._exporter = Exporter(self._profile.metrics, self._page, self.health)
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
        self._account(before.mode)
        if self._rate is not None and self._napping:
            self._rate.cancel()

    async def on_profile(self, profile: Profile) -> None:
        """Other targets and intervals hold at once; another address from the next start on."""
        self._profile = profile
        self._judge.targets = profile.targets

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
            self._guarded(self._sample)  # while the engine is still there

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
            return answers[question]()
        return await super().on_ask(question)

    # -- what it says

    def check(self) -> tuple[Finding, ...]:
        """Targets that are missed and faults that should not happen, as of now."""
        if self._running:
            self._guarded(self._sample)
        return self._findings

    def recommendations(self) -> tuple[Recommendation, ...]:
        """Advice for each finding; it names a setting where one helps."""
        return recommend(self.check(), self._facts, self._profile)

    def summary(self) -> MonitorSummary:
        """All that is known, as of now; after the end, as of then."""
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

    def _page(self) -> list[Instrument]:
        if self._running:
            self._guarded(self._sample)
        context = self.context
        extra = channel_instruments(self._channels(), context.ledger.summary())
        return [*context.metrics.instruments(), *extra]

    async def _tick_on(self) -> None:
        await self.context.stream.begun()
        await asyncio.to_thread(_import_psutil)  # not in the loop: it takes 20 ms
        clock = self.context.clock
        self._running = True
        self._audio = (0, clock.now())
        self._account(self._power.mode)
        self._sampled_at = clock.now() + _FIRST_SAMPLE_S - self._interval_s()
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
            lags.observe(max(0.0, clock.now() - began - tick_s))
            relief = self._guarded(self._look)
            if relief is not None:
                await self._relieve(relief)
            await self._look_for_types()

    def _interval_s(self) -> float:
        metrics = self._profile.metrics
        busy = self._power.mode in (PowerMode.ACTIVE, PowerMode.LISTENING)
        return metrics.interval_s if busy else metrics.quiet_interval_s

    def _guarded(self, work: Callable[[], Relief | None]) -> Relief | None:
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

    def _look(self) -> Relief | None:
        """What each tick does."""
        assert self._view is not None
        assert self._readings is not None
        now = self.context.clock.now()
        self._view.glance(now)
        relief = None
        if self._memory_at is None or now - self._memory_at >= _MEMORY_EVERY_S:
            self._memory_at = now
            self._hear(now)
            memory = self._readings.read_memory()
            relief = self._pressure.update(now, memory) if memory is not None else None
        if self._sampled_at is None or now - self._sampled_at >= self._interval_s():
            self._sample()
        return relief

    def _sample(self) -> None:
        assert self._view is not None
        assert self._readings is not None
        now = self.context.clock.now()
        self._sampled_at = now
        self._account(self._power.mode)
        self._readings.read(now)
        self._view.sampled(now, self._readings)
        self._facts = self._view.facts(
            now,
            at=self.context.stream.elapsed(),
            readings=self._readings,
            modes=self._modes,
            mode=self._power.mode,
            channels=self._channels(),
            short_since=self._pressure.since,
        )
        known = {finding.name for finding in self._findings}
        self._findings = self._judge.judge(self._facts)
        for finding in self._findings:
            if finding.name not in known:
                log.info(
                    f"{finding.what}: {finding.measured:,.1f} {finding.unit}",
                    target=finding.target,
                )

    def _account(self, until_now: PowerMode) -> None:
        """What was used since the last time was used in the mode ``until_now``."""
        assert self._readings is not None
        usage, metrics = self._readings.usage(), self.context.metrics
        used = self._modes.note(self.context.clock.now(), usage, self._power.mode)
        if used is not None:
            mode = str(until_now)
            metrics.counter("vivavoce_mode_seconds_total", mode=mode).add(used.seconds)
            metrics.counter("vivavoce_mode_cpu_seconds_total", mode=mode).add(used.cpu_s)
            metrics.counter("vivavoce_mode_wakeups_total", mode=mode).add(used.wakeups)
        for mode in PowerMode:
            metrics.gauge("vivavoce_power_mode", mode=str(mode)).set(mode is self._power.mode)

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


def _import_psutil() -> None:
    import psutil  # noqa: F401 - so that it is there
