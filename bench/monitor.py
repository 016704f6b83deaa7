"""What watching costs: the monitor's own CPU time, by part and by power mode."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from vivavoce.actors.monitor import MonitorActor
from vivavoce.actors.monitor.exporter import rendered
from vivavoce.actors.monitor.leaks import LeakWatch, census
from vivavoce.actors.monitor.readings import Sensor, look
from vivavoce.actors.monitor.sensors import SystemSensors
from vivavoce.bench.measure import cpu_per_call
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.config import load_profile
from vivavoce.config.cell import ProfileCell
from vivavoce.config.monitoring import MetricsSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.messages import Final, Latency, PowerMode
from vivavoce.pipeline.metrics import Metrics
from vivavoce.pipeline.power import Power

name = "monitor"
description = "What the monitor itself costs: CPU per tick, sample and scrape, and in each mode"

_BUDGET_PERCENT = 0.1
_TICKS_PER_S = {"while somebody speaks": 2.0, "listening": 1.0, "idle": 0.2}
_HISTOGRAMS = 12


def run(options: Options) -> Result:
    """Run the monitor alone in a loop, with the instruments of a real run, and time its parts."""
    return asyncio.run(_measure(options))


async def _measure(options: Options) -> Result:
    seconds, calls = (1.0, 5) if options.quick else (20.0, 200)
    profile = load_profile("captions", environ={})
    context = ActorContext(settings=ProfileCell(profile))
    _fill(context.metrics)
    monitor = MonitorActor(
        channels=lambda: {"monitor": monitor.inbox.statistics()}, context=context
    )
    await monitor.on_start()
    task = asyncio.create_task(monitor.run())
    context.stream.start()
    await asyncio.sleep(1.5)  # psutil is imported, the first sample taken
    options.say("somebody speaks")
    speaking = await _share(seconds)
    await monitor.on_power(Power(mode=PowerMode.LISTENING))
    options.say("listening")
    listening = await _share(seconds)
    await monitor.on_power(Power(mode=PowerMode.IDLE))
    options.say("idle")
    idle = await _share(seconds)
    options.say("single parts")
    parts = _parts(monitor, context, profile.metrics, calls)
    monitor.inbox.close()
    await task
    await monitor.on_stop()
    return Result(
        name=name,
        figures=_figures(parts, (speaking, listening, idle), profile.metrics, seconds),
        quick=options.quick,
        notes=[
            "CPU time of a process whose event loop holds the monitor alone; percent of one core",
            f"{_HISTOGRAMS} histograms with observations; a sample every "
            f"{profile.metrics.interval_s:g} s, when quiet every "
            f"{profile.metrics.quiet_interval_s:g} s",
            "wake-ups per second of all threads, while somebody speaks, listening, idle: "
            f"{speaking.wakeups:.1f}, {listening.wakeups:.1f}, {idle.wakeups:.1f}",
        ],
    )


@dataclass(frozen=True, slots=True)
class _Share:
    """What the process used: percent of a core, and times a second that a thread was woken."""

    percent: float
    wakeups: float


async def _share(seconds: float) -> _Share:
    """What all threads use while the loop runs for so long."""
    before, began = SystemSensors().usage(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, took = SystemSensors().usage(), time.perf_counter() - began
    return _Share(
        100 * (after.cpu_s - before.cpu_s) / took, (after.wakeups - before.wakeups) / took
    )


def _fill(metrics: Metrics) -> None:
    for number in range(_HISTOGRAMS):
        for value in range(200):
            metrics.histogram("bench_seconds", number=str(number)).observe(value / 100)
    for number in range(30):
        metrics.counter("bench_total", number=str(number)).add(number)


def _parts(
    monitor: MonitorActor, context: ActorContext, settings: MetricsSettings, calls: int
) -> dict[str, float]:
    """CPU seconds of each part."""
    watch = LeakWatch(2.0)
    hours = iter(range(10_000_000))

    def judge_growth() -> None:
        watch.add(next(hours) * 960.0, 60.0, 3.0)

    for _ in range(300):
        judge_growth()  # until its points are as many as they get
    final = Final(
        utterance=1, start=0, end=16_000, text="x", model="m", latency=Latency(decode=0.1)
    )
    parts: dict[str, Callable[[], object]] = {
        "a tick": monitor._tick,
        "a look at all sensors": lambda: look(SystemSensors(), frozenset(Sensor)),
        "a judgement": monitor._judge_all,
        "a final's latencies": lambda: _drive(monitor.on_message(final)),
        "a look at the growth of memory": judge_growth,
        "a census of types": lambda: census(gc.get_objects()),
        "a scrape": lambda: rendered(context.metrics.instruments()),
        "a report": monitor.report,
    }
    return {part: cpu_per_call(call, calls) for part, call in parts.items()}


def _drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits."""
    with contextlib.suppress(StopIteration):
        coroutine.send(None)


def _figures(
    parts: dict[str, float],
    shares: tuple[_Share, ...],
    settings: MetricsSettings,
    seconds: float,
) -> list[Figure]:
    # Too rare to fall into what was measured: a full look when it is quiet, late in a long run.
    quiet = parts["a look at all sensors"] + parts["a judgement"]
    quiet += 2 * parts["a look at the growth of memory"]
    rare = {"idle": 100 * quiet / settings.quiet_interval_s}
    return [
        Figure(
            name=f"CPU, {mode}",
            value=share.percent + rare.get(mode, 0.0),
            unit="% of a core",
            budget=_BUDGET_PERCENT,
            noise=0.02,
            samples=int(_TICKS_PER_S[mode] * seconds) or 1,
        )
        for mode, share in zip(_TICKS_PER_S, shares, strict=True)
    ] + [
        Figure(name=part, value=taken * 1e6, unit="µs CPU", noise=20.0)
        for part, taken in parts.items()
    ]
