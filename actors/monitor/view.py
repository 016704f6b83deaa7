"""What the monitor knows, and what follows from it: the facts of the last minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping

from vivavoce.actors.monitor.leaks import Growth, LeakWatch, TypeGrowth
from vivavoce.actors.monitor.readings import Readings
from vivavoce.actors.monitor.report import Recent
from vivavoce.actors.monitor.targets import Facts
from vivavoce.actors.monitor.windows import (
    WINDOW_S,
    CounterWindow,
    Highest,
    HistogramWindow,
    ModeAccount,
)
from vivavoce.config.monitoring import TargetSettings
from vivavoce.pipeline.channel import ChannelStatistics
from vivavoce.pipeline.messages import Final, PowerMode, seconds
from vivavoce.pipeline.metrics import HistogramSnapshot, Metrics

_LOOP_LAG = "vivavoce_loop_lag_seconds"
_PARTIAL = "vivavoce_partial_shown_seconds"
_FINAL = "vivavoce_endpoint_to_final_seconds"

_LEAST_PARTIALS = 10
_LEAST_FINALS = 3
_LEAST_TICKS = 200
_LEAST_MODE_S = 60.0
"""Less is too little to judge by."""
_FINALS_KEPT = 50
_STALLED_S = 5.0
"""A subscriber that lets the pipeline wait longer has forgotten to read."""
_LEAK_FLOOR_MB = 2.0
_BLOCKS_PER_HOUR = 50_000.0
"""Of about 64 bytes each, 3 MB."""
_BLOCKS_FLOOR = 20_000.0


class View:
    """Turns instruments and readings into facts; all of its memory is bounded.

    Args:
        metrics: the pipeline's instruments.
        targets: of the profile, as they are then.
        live: whether somebody waits for the captions; else latency and lag mean nothing.
    """

    def __init__(
        self, metrics: Metrics, targets: Callable[[], TargetSettings], *, live: bool
    ) -> None:
        self._metrics = metrics
        self._targets = targets
        self._live = live
        # One in a thousand takes longer to see.
        self._windows = {_LOOP_LAG: HistogramWindow(3 * WINDOW_S)}
        self._counters: dict[str, CounterWindow] = {}
        self._dropped: dict[str, CounterWindow] = {}
        self._lag = Highest()
        self._decoded: deque[tuple[float, float]] = deque(maxlen=_FINALS_KEPT)
        self._model = ""
        self._memory = LeakWatch(_LEAK_FLOOR_MB)
        self._objects = LeakWatch(_BLOCKS_FLOOR)
        self.growing_types: tuple[TypeGrowth, ...] = ()
        self.recent: dict[str, Recent] = {}

    @property
    def leak(self) -> Growth | None:
        """Resident memory that grows, in MB per hour."""
        return self._memory.growth

    @property
    def objects(self) -> Growth | None:
        """Python's memory blocks that grow, in blocks per hour."""
        return self._objects.growth

    def saw(self, final: Final) -> None:
        """A final arrived: how fast does the engine decode?"""
        if final.latency.decode > 0:
            self._model = final.model
            self._decoded.append((final.latency.decode, seconds(final.end - final.start)))

    def glance(self, now: float) -> None:
        """What must be looked at often, because its worst counts."""
        self._lag.add(now, self._gauge("vivavoce_lag_seconds"))

    def sampled(self, now: float, readings: Readings) -> None:
        """New readings were taken."""
        process = readings.process
        if process is None:
            return
        allowed = self._targets().memory_slope_mb_per_hour
        blocks = None if allowed is None else _BLOCKS_PER_HOUR
        self._memory.add(now, process.resident_bytes / 1e6, allowed)
        self._objects.add(now, process.blocks, blocks)

    def facts(
        self,
        now: float,
        *,
        at: float,
        readings: Readings,
        modes: ModeAccount,
        mode: PowerMode,
        channels: Mapping[str, ChannelStatistics],
        readers: Collection[str],
        short_since: float | None,
    ) -> Facts:
        """The facts at second ``now``, which is second ``at`` of the stream.

        Ask regularly, for the windows are kept by it. ``readers``: the channels of those who read
        the captions, by name. ``short_since``: since when the machine has been short of memory.
        """
        self.glance(now)
        counters = self._metrics.counters()
        partial = self._quantile(now, _PARTIAL, 0.95, _LEAST_PARTIALS)
        final = self._quantile(now, _FINAL, 0.95, _LEAST_FINALS)
        self._note_recent(now)
        spoken = sum(length for _, length in self._decoded)
        return Facts(
            at=at,
            mode=mode,
            partial_p95_s=partial if self._live else None,
            final_p95_s=final if self._live else None,
            lag_s=self._lag.at(now) if self._live else None,
            loop_lag_p999_s=self._quantile(now, _LOOP_LAG, 0.999, _LEAST_TICKS),
            main_bytes=readings.process.resident_bytes if readings.process else None,
            engine_bytes=readings.engines.resident_bytes if readings.engines else None,
            listening_cpu_percent=_cpu(modes, PowerMode.LISTENING),
            idle_cpu_percent=_cpu(modes, PowerMode.IDLE, PowerMode.PARKED),
            leak=self.leak,
            objects=self.objects,
            growing_types=self.growing_types,
            drain_percent_per_hour=readings.drain(),
            lost_samples=int(
                self._grown(now, "lost", counters.get("vivavoce_capture_overrun_samples_total", 0))
            ),
            dropped=self._lost_by(now, channels),
            stalled={
                name: channels[name].waiting_s
                for name in readers
                if name in channels and channels[name].waiting_s > _STALLED_S
            },
            engine_hangs=int(
                self._grown(now, "hangs", counters.get("vivavoce_engine_hangs_total", 0))
            ),
            engine_restarts=int(
                self._grown(now, "engine", counters.get("vivavoce_engine_restarts_total", 0))
            ),
            actor_restarts=int(self._grown(now, "actors", _sum(counters, "actor_restarts_total"))),
            memory_short_s=now - short_since if short_since is not None else None,
            model=self._model,
            real_time_factor=(
                sum(decode for decode, _ in self._decoded) / spoken if spoken > 0 else None
            ),
        )

    def _lost_by(self, now: float, channels: Mapping[str, ChannelStatistics]) -> dict[str, int]:
        """Who lost how many events lately; subscribers that are gone are forgotten."""
        self._dropped = {name: self._dropped.get(name, CounterWindow()) for name in channels}
        lost = {
            name: int(window.grown(now, channels[name].dropped))
            for name, window in self._dropped.items()
        }
        return {name: events for name, events in lost.items() if events}

    def _note_recent(self, now: float) -> None:
        for item in self._metrics.instruments():
            if item.histogram is not None and item.histogram.count:
                labels = ",".join(f'{key}="{value}"' for key, value in item.labels)
                full = f"{item.name}{{{labels}}}" if labels else item.name
                found = self._window(full).recent(now, item.histogram)
                self.recent[full] = Recent(
                    count=found.count,
                    p50=found.quantile(0.5),
                    p95=found.quantile(0.95),
                    p999=found.quantile(0.999),
                )

    def _quantile(self, now: float, name: str, fraction: float, least: int) -> float | None:
        histogram = self._metrics.find(name)
        if histogram is None:
            return None
        recent: HistogramSnapshot = self._window(name).recent(now, histogram.snapshot())
        return recent.quantile(fraction) if recent.count >= least else None

    def _window(self, name: str) -> HistogramWindow:
        return self._windows.setdefault(name, HistogramWindow())

    def _grown(self, now: float, name: str, value: float) -> float:
        return self._counters.setdefault(name, CounterWindow()).grown(now, value)

    def _gauge(self, name: str) -> float:
        return self._metrics.gauge(name).value


def _cpu(modes: ModeAccount, *which: PowerMode) -> float | None:
    used = modes.recent(*which)
    return used.cpu_percent if used.seconds >= _LEAST_MODE_S else None


def _sum(counters: Mapping[str, float], name: str) -> float:
    return sum(value for full, value in counters.items() if full.startswith(f"vivavoce_{name}"))
