"""The figures, tables, notes and the plot of ``soak``."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.bands import Band, Panel, timeline
from bench.course import Course, Point, Trend, mode_at, modes_of, risen, settled, trend
from bench.plot import Series
from bench.wake_report import unaccounted
from vivavoce.bench.child import Run, engine_title
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Table
from vivavoce.pipeline.messages import SAMPLE_RATE, PowerMode

_FLAT_MB_PER_HOUR = 1.0
_RESIDENT_BUDGET_MB = 80.0
_MOST_BINS = 60
_LEAST_BINS = 4


@dataclass(frozen=True, slots=True)
class Soaked:
    """One of the two parts.

    Attributes:
        cycles: how often it went through all its modes.
        spoken: utterances that were spoken.
        hours_at: points (seconds since the start, hours of audio until then) where audio came
            faster than real time; else empty.
    """

    title: str
    course: Course
    run: Run
    cycles: int
    spoken: int
    hours_at: list[tuple[float, float]]

    @property
    def bands(self) -> list[Band]:
        """The power modes over time."""
        return modes_of(self.run, self.course.points[-1].at)

    @property
    def finals(self) -> int:
        """Finals with text."""
        return sum(event["type"] == "final" and bool(event["text"]) for event in self.run.events)

    def hours(self, at: float) -> float:
        """Hours of audio until a time."""
        if not self.hours_at:
            return at / 3600
        # In between, the audio grows evenly: a cycle is short.
        after = bisect_right([time for time, _ in self.hours_at], at)
        if after == len(self.hours_at):
            return self.hours_at[-1][1]
        (early, low), (late, high) = self.hours_at[after - 1], self.hours_at[after]
        return low + (high - low) * (at - early) / (late - early)

    def trend(self, what: str) -> Trend:
        """How an attribute of the points rises per hour of audio."""
        points = settled(self.course.points)
        points = [point for point in points if getattr(point, what) > 0]
        bins = max(_LEAST_BINS, min(_MOST_BINS, round(0.8 * self.cycles)))
        hours = [self.hours(point.at) for point in points]
        return trend(hours, [float(getattr(point, what)) for point in points], bins)


def figures(soaked: Soaked) -> list[Figure]:
    """Slopes, what is held at the end, and whether anything was lost."""
    return [*_slopes(soaked), *_held(soaked), *_lost(soaked)]


def _slopes(soaked: Soaked) -> list[Figure]:
    title = soaked.title
    per_hour = "MB per hour of audio" if soaked.hours_at else "MB/h"
    main, engine = soaked.trend("main_mb"), soaked.trend("engine_mb")
    return [
        Figure(
            name=f"{title}: main process, slope of memory",
            value=main.slope,
            unit=per_hour,
            noise=_FLAT_MB_PER_HOUR,
            samples=main.points,
            verdict=str(main),
        ),
        Figure(
            name=f"{title}: main process, growth beyond noise",
            value=max(0.0, main.low),
            unit=per_hour,
            noise=_FLAT_MB_PER_HOUR,
            budget=_FLAT_MB_PER_HOUR,
            samples=main.points,
        ),
        Figure(
            name=f"{title}: engine processes, slope of memory",
            value=engine.slope,
            unit=per_hour,
            noise=_FLAT_MB_PER_HOUR,
            samples=engine.points,
            verdict=str(engine),
        ),
    ]


def _held(soaked: Soaked) -> list[Figure]:
    """Memory, threads, open files and CPU of the main process."""
    title = soaked.title
    points = settled(soaked.course.points)
    parked = _in_mode(soaked, points, PowerMode.PARKED)
    alike = parked or points  # accelerated, no mode lasts for long enough to be seen alone
    return [
        Figure(
            name=f"{title}: main process, memory{' while parked' if parked else ''}",
            value=statistics.median(point.main_mb for point in alike),
            unit="MB",
            budget=_RESIDENT_BUDGET_MB,
            samples=len(alike),
        ),
        *[
            Figure(
                name=f"{title}: {words}, at the end − at the beginning",
                value=risen(alike, what),
                unit=words,
                budget=0,
                samples=len(alike),
            )
            for what, words in (("threads", "threads"), ("open_files", "open files"))
        ],
        Figure(
            name=f"{title}: CPU of the main process",
            value=statistics.mean(point.cpu_percent for point in points),
            unit="% of one core",
            noise=0.05,
            samples=len(points),
        ),
    ]


def _lost(soaked: Soaked) -> list[Figure]:
    title = soaked.title
    return [
        Figure(
            name=f"{title}: samples not accounted for",
            value=unaccounted(soaked.run.ledger),
            unit="samples",
            budget=0,
        ),
        Figure(
            name=f"{title}: samples dropped and not told as a gap",
            value=_untold(soaked.run),
            unit="samples",
            budget=0,
        ),
        Figure(
            name=f"{title}: utterances without a final",
            value=max(0, soaked.spoken - soaked.finals),
            unit="utterances",
            budget=0,
            samples=soaked.spoken,
        ),
    ]


def _untold(run: Run) -> int:
    """Dropped samples beyond the gaps in the caption stream, which are told to the millisecond."""
    gaps = [event for event in run.events if event["type"] == "gap"]
    told = round(sum(gap["end"] - gap["start"] for gap in gaps) * SAMPLE_RATE)
    apart = abs(run.ledger.get("dropped", 0) - told)
    return 0 if apart <= 2 * len(gaps) * SAMPLE_RATE // 1000 else apart


def _in_mode(soaked: Soaked, points: Sequence[Point], mode: str) -> list[Point]:
    """The points that saw nothing but that mode since the point before."""
    bands = soaked.bands
    every = points[1].at - points[0].at if len(points) > 1 else 0.0
    return [
        point
        for point in points
        if mode_at(bands, point.at) == mode and mode_at(bands, max(0.0, point.at - every)) == mode
    ]


def table(soaked: Soaked) -> Table:
    """What each mode took, by the points that lie in it."""
    points = settled(soaked.course.points)
    total = sum(band.end - band.start for band in soaked.bands)
    rows: list[list[str | float]] = []
    for mode in PowerMode:
        spent = sum(band.end - band.start for band in soaked.bands if band.name == mode)
        inside = _in_mode(soaked, points, mode)
        if not spent:
            continue
        row: list[str | float] = [str(mode), round(100 * spent / total, 1), len(inside)]
        for what in ("cpu_percent", "main_mb", "engine_mb", "threads", "open_files"):
            values = [float(getattr(point, what)) for point in inside]
            row.append(round(statistics.median(values), 2) if values else "–")
        rows.append(row)
    columns = ["mode", "% of time", "points", "CPU %", "main MB", "engine MB", "threads", "files"]
    return Table(title=f"{soaked.title}, medians by mode", columns=columns, rows=rows)


def notes(
    soaked: Sequence[Soaked],
    options: Options,
    fast: Mapping[str, float],
    slow: Mapping[str, float],
) -> list[str]:
    """What was done, and what exactly was accelerated."""
    lines = [
        f"{engine_title(options)}; slopes by Theil–Sen over one median for each cycle (at most "
        f"{_MOST_BINS}), after the first fifth of the run, with Sen's interval of 95 %; growth "
        "beyond noise is its lower end",
    ]
    for part in soaked:
        points = part.course.points
        lines.append(
            f"{part.title}: {part.hours(points[-1].at):.2f} h of audio in {points[-1].at:.0f} s, "
            f"{part.cycles} cycles, {len(part.course.engines)} engine processes, {part.spoken} "
            f"utterances, {part.finals} finals; main process at most "
            f"{max(point.main_mb for point in points):.1f} MB; ledger: "
            + ", ".join(f"{name} {count}" for name, count in part.run.ledger.items())
        )
    lines.append(
        "accelerated: audio is pushed as fast as the pipeline takes it, and the thresholds of the "
        f"power modes are {_told(fast)} of real time; starting, stopping and decoding of the "
        "engine take their real time. No microphone, and never `closed`"
    )
    lines.append(
        f"real time: a PortAudio stream on a PulseAudio null sink, nothing is faster; thresholds "
        f"{_told(slow)}, so that each cycle goes through all modes. PulseAudio serves another "
        "listener and a player at the same time, which costs wake-ups: what a mode costs alone is "
        "what `idle` measures"
    )
    return lines


def _told(thresholds: Mapping[str, float]) -> str:
    return ", ".join(
        f"{name.removesuffix('_after_s')} {seconds:g} s" for name, seconds in thresholds.items()
    )


def drawn(soaked: Soaked, options: Options) -> str:
    """Memory and CPU over time, as SVG."""
    points = soaked.course.points
    minutes = [point.at / 60 for point in points]

    def curve(name: str, what: str) -> Series:
        values = [float(getattr(point, what)) for point in points]
        return Series(name, list(zip(minutes, values, strict=True)))

    return timeline(
        title=f"Memory and CPU over time, {soaked.title}",
        subtitle=f"{soaked.cycles} cycles of talk and silence, {engine_title(options)}",
        x_label="minutes",
        panels=[
            Panel(
                "resident memory, MB",
                [curve("main process", "main_mb"), curve("engine process", "engine_mb")],
            ),
            Panel(
                "main process, CPU %",
                [curve("CPU, main process", "cpu_percent")],
                # Of its start, which would press everything else to the ground, the end is cut off.
                max(point.cpu_percent for point in settled(points)),
            ),
            Panel("engine, CPU %", [curve("CPU, engine process", "engine_cpu_percent")]),
        ],
        bands=[Band(band.start / 60, band.end / 60, band.name) for band in soaked.bands],
        names=[mode.value for mode in PowerMode],
    )
