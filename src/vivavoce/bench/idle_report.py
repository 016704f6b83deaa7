"""The figures, tables and notes of ``idle``."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from vivavoce.bench.child import engine_title
from vivavoce.bench.measure import quantile
from vivavoce.bench.proc import Between, mean_by_thread
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Table
from vivavoce.config.power import PowerSettings
from vivavoce.pipeline.messages import PowerMode

CPU_BUDGETS = {"listening": 1.0, "idle": 0.5, "parked": 0.5, "closed": 0.1, "speaking": 5.0}
"""Percent of one core. What is promised of `idle` holds for `parked`, which is less."""

WAKE_UP_BUDGETS = {"listening": 40.0, "idle": 12.0, "parked": 12.0, "closed": 12.0}
FLOOR = "empty callback"
"""The title of the program that does nothing."""

_RESIDENT_BUDGET_MB = 80.0
_CPU_NOISE = 0.02
_WAKE_UP_NOISE = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took in a mode.

    Attributes:
        title: ``microphone``, ``recording`` or :data:`FLOOR`.
        windows: one after the other, of the main process.
        ticks_percent: CPU over all windows by the kernel's ticks, as a check.
        proportional_mb: PSS; None where it is not told.
        engines: processes under the main process.
        engine_mb, engine_cpu_percent: of these together.
    """

    title: str
    mode: str
    windows: tuple[Between, ...]
    ticks_percent: float
    resident_mb: float
    proportional_mb: float | None
    engines: int
    engine_mb: float
    engine_cpu_percent: float

    @property
    def cpu(self) -> list[float]:
        """Percent of one core in each window."""
        return [window.cpu_percent for window in self.windows]

    @property
    def wake_ups(self) -> list[float]:
        """Per second in each window."""
        return [window.wakeups_per_s for window in self.windows]


def block_lengths() -> dict[PowerMode, int]:
    """Milliseconds of an audio block in each mode of the default profile; 0 without microphone."""
    settings = PowerSettings()
    return {
        mode: 0 if of_mode.microphone == "closed" else of_mode.block_ms
        for mode in PowerMode
        for of_mode in [getattr(settings, mode.value)]
    }


def figures(costs: Sequence[Cost]) -> list[Figure]:
    """CPU and wake-ups of each mode, and what is promised of memory."""
    floors = {cost.mode: cost for cost in costs if cost.title == FLOOR}
    found: list[Figure] = []
    for cost in costs:
        if cost.title == FLOOR:
            continue
        judged = cost.title == "microphone"
        found.append(
            _spread(
                f"{cost.title}, {cost.mode}: CPU",
                cost.cpu,
                "% of one core",
                CPU_BUDGETS.get(cost.mode) if judged else None,
                _CPU_NOISE,
            )
        )
        found.append(
            _spread(
                f"{cost.title}, {cost.mode}: wake-ups",
                cost.wake_ups,
                "per s",
                WAKE_UP_BUDGETS.get(cost.mode) if judged else None,
                _WAKE_UP_NOISE,
            )
        )
        if judged and (floor := floors.get(cost.mode)) is not None:
            found += _against(cost, floor)
        if cost.mode in ("parked", "closed"):
            found += _parked(cost)
    return found


def _spread(
    title: str, values: Sequence[float], unit: str, budget: float | None, noise: float
) -> Figure:
    return Figure(
        name=title,
        value=statistics.median(values),
        unit=unit,
        budget=budget,
        noise=noise,
        samples=len(values),
        p50=quantile(values, 0.5),
        p99=quantile(values, 0.99),
    )


def _against(cost: Cost, floor: Cost) -> list[Figure]:
    """How many times the wake-ups of a stream that does nothing."""
    least = statistics.median(floor.wake_ups)
    if least < _WAKE_UP_NOISE:
        return []
    return [
        Figure(
            name=f"{cost.title}, {cost.mode}: wake-ups, against an empty callback",
            value=statistics.median(cost.wake_ups) / least,
            unit="×",
            ratio_to="an empty callback",
        )
    ]


def _parked(cost: Cost) -> list[Figure]:
    return [
        Figure(
            name=f"{cost.title}, {cost.mode}: resident memory",
            value=cost.resident_mb,
            unit="MB",
            budget=_RESIDENT_BUDGET_MB,
            samples=len(cost.windows) + 1,
        ),
        Figure(
            name=f"{cost.title}, {cost.mode}: engine processes alive",
            value=cost.engines,
            unit="processes",
            budget=0,
        ),
    ]


def tables(costs: Sequence[Cost]) -> list[Table]:
    """Everything beside each other, and who wakes up."""
    columns = ["", "CPU %", "by ticks", "wake-ups/s", "RSS MB", "PSS MB", "engine", "its CPU %"]
    rows: list[list[str | float]] = [
        [
            f"{cost.title}, {cost.mode}",
            round(statistics.median(cost.cpu), 3),
            round(cost.ticks_percent, 2),
            round(statistics.median(cost.wake_ups), 1),
            round(cost.resident_mb, 1),
            "–" if cost.proportional_mb is None else round(cost.proportional_mb, 1),
            f"{cost.engine_mb:.0f} MB" if cost.engines else "none",
            round(cost.engine_cpu_percent, 3) if cost.engines else "–",
        ]
        for cost in costs
    ]
    return [Table(title="modes beside each other", columns=columns, rows=rows)]


def notes(costs: Sequence[Cost], options: Options, seconds: float, windows: int) -> list[str]:
    """How it was measured, and who wakes up."""
    budgets = "CPU is that of the main process, and p99 the worst window"
    lines = [
        f"{seconds:g} s in each mode in {windows} windows of {seconds / windows:g} s, medians; "
        f"{engine_title(options)}; {budgets}",
        "wake-ups are voluntary context switches, summed over all threads; by thread: "
        "`main` is the event loop, `threaded-ml` PulseAudio's client, `python` any other thread of "
        "the interpreter, PortAudio's callback among them",
        "empty callback: a program that does nothing but hold the same PortAudio stream open "
        f"(blocks of {', '.join(str(ms) for ms in block_lengths().values() if ms)} ms); "
        "`closed` is a program that waits",
        "speaking: with partials; includes what feeds the engine and writes captions",
    ]
    for cost in costs:
        by_thread = mean_by_thread(cost.windows)
        told = ", ".join(
            f"{name} {per_s:.1f}" for name, per_s in by_thread.items() if per_s >= 0.05
        )
        lines.append(f"wake-ups/s, {cost.title}, {cost.mode}: {told or 'none'}")
    if options.quick:
        lines.append("quick: all modes ran at once, so nothing here says what one costs")
    return lines
