"""What watching costs: the monitor's own CPU time, by part and by power mode."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Coroutine
from typing import Any

from vivavoce.actors.monitor import MonitorActor
from vivavoce.actors.monitor.exporter import rendered
from vivavoce.actors.monitor.leaks import LeakWatch, census
from vivavoce.bench.measure import cpu_per_call
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.config import load_profile
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
    context = ActorContext()
    _fill(context.metrics)
    profile = load_profile("captions", environ={})
    monitor = MonitorActor(
        profile, channels=lambda: {"monitor": monitor.inbox.statistics()}, context=context
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
    options.say("single parts")
    parts = _parts(monitor, context, profile.metrics, calls)
    monitor.inbox.close()
    await task
    await monitor.on_stop()
    return Result(
        name=name,
        figures=_figures(parts, speaking, listening, profile.metrics, seconds),
        quick=options.quick,
        notes=[
            "CPU time of the thread of an event loop that holds the monitor alone; percent of one "
            "core",
            f"{_HISTOGRAMS} histograms with observations; a sample every "
            f"{profile.metrics.interval_s:g} s, when quiet every "
            f"{profile.metrics.quiet_interval_s:g} s",
            "`idle` is calculated: a tick and its wake-up cost what they cost while listening",
        ],
    )


async def _share(seconds: float) -> float:
    """CPU time of this thread while the loop runs for so long, in percent."""
    cpu, began = time.thread_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    return 100 * (time.thread_time() - cpu) / (time.perf_counter() - began)


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
    watch = LeakWatch(3.0, 2.0)
    hours = iter(range(10_000_000))

    def judge_growth() -> None:
        watch.add(next(hours) * 960.0, 60.0)

    for _ in range(300):
        judge_growth()  # until its points are as many as they get
    final = Final(
        utterance=1, start=0, end=16_000, text="x", model="m", latency=Latency(decode=0.1)
    )
    parts: dict[str, Callable[[], object]] = {
        "a tick": monitor._look,
        "a sample": monitor._sample,
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
    speaking: float,
    listening: float,
    settings: MetricsSettings,
    seconds: float,
) -> list[Figure]:
    quiet = parts["a sample"] + 2 * parts["a look at the growth of memory"]
    wakeup = listening - 100 * parts["a sample"] / settings.interval_s
    idle = _TICKS_PER_S["idle"] * wakeup + 100 * quiet / settings.quiet_interval_s
    shares = {"while somebody speaks": speaking, "listening": listening, "idle": idle}
    return [
        Figure(
            name=f"CPU, {mode}",
            value=share,
            unit="% of a core",
            budget=_BUDGET_PERCENT,
            noise=0.02,
            samples=int(_TICKS_PER_S[mode] * seconds) or 1,
        )
        for mode, share in shares.items()
    ] + [
        Figure(name=part, value=taken * 1e6, unit="µs CPU", noise=20.0)
        for part, taken in parts.items()
    ]
