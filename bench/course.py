"""How memory and CPU of a program went over time: recorded from outside, and judged."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.bands import Band
from vivavoce.bench import proc
from vivavoce.bench.child import Run
from vivavoce.bench.measure import theil_sen_interval, theil_sen_slope

_WARM_UP = 0.2
"""Of the run, at its beginning: caches and the allocator fill."""


@dataclass(frozen=True, slots=True)
class Point:
    """A program at a moment.

    Attributes:
        at: seconds since it was started.
        main_mb, engine_mb: resident memory of the main process, and of all under it together.
        cpu_percent, engine_cpu_percent: of one core, since the point before.
    """

    at: float
    main_mb: float
    engine_mb: float
    cpu_percent: float
    engine_cpu_percent: float
    threads: int
    open_files: int


@dataclass(slots=True)
class Course:
    """The points of a run and its engines: process ids, in the order in which they were seen."""

    points: list[Point] = field(default_factory=list)
    engines: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trend:
    """A slope per hour, and between which the true one lies with 95 % confidence."""

    slope: float
    low: float
    high: float
    points: int

    @property
    def flat(self) -> bool:
        """Whether it is 0 within noise."""
        return self.low <= 0.0 <= self.high

    def __str__(self) -> str:
        what = "0 within noise" if self.flat else "grows" if self.low > 0 else "shrinks"
        return f"{what} ({self.low:+.2f} … {self.high:+.2f})"


@contextmanager
def recorded(pid: int, run: Run, every_s: float) -> Iterator[Course]:
    """Look at a process and those under it again and again while the body runs."""
    course = Course()
    ended = threading.Event()
    recorder = threading.Thread(target=_record, args=(pid, run, course, every_s, ended))
    recorder.start()
    try:
        yield course
    finally:
        ended.set()
        recorder.join()


def _record(pid: int, run: Run, course: Course, every_s: float, ended: threading.Event) -> None:
    before = proc.snapshot(pid)
    engines: dict[int, proc.Snapshot] = {}
    while not ended.wait(every_s):
        now = proc.snapshot(pid)
        if before is None or now is None:
            return
        alive = {
            engine: found
            for engine in proc.descendants(pid)
            if (found := proc.snapshot(engine)) is not None
        }
        course.engines += [engine for engine in alive if engine not in course.engines]
        course.points.append(
            Point(
                at=now.at - run.began,
                main_mb=now.resident_mb,
                engine_mb=sum(found.resident_mb for found in alive.values()),
                cpu_percent=proc.window(before, now).cpu_percent,
                engine_cpu_percent=sum(
                    proc.window(engines[engine], found).cpu_percent
                    for engine, found in alive.items()
                    if engine in engines
                ),
                threads=len(now.threads),
                open_files=now.open_files,
            )
        )
        before, engines = now, alive


def modes_of(run: Run, ends: float) -> list[Band]:
    """The power modes of a run, by the time at which each was read, until ``ends``."""
    changes = [(0.0, "active")] + [
        (at, event["mode"])
        for at, event in zip(run.read_at, run.events, strict=True)
        if event["type"] == "power"
    ]
    after = [at for at, _ in changes[1:]] + [max(ends, changes[-1][0])]
    return [Band(at, end, mode) for (at, mode), end in zip(changes, after, strict=True)]


def mode_at(bands: Sequence[Band], at: float) -> str:
    """The mode at a time."""
    return next((band.name for band in bands if band.start <= at < band.end), bands[-1].name)


def settled(points: Sequence[Point]) -> list[Point]:
    """The points after the warm-up."""
    ends = points[-1].at
    return [point for point in points if point.at >= _WARM_UP * ends] or list(points)


def binned(
    places: Sequence[float], values: Sequence[float], bins: int
) -> tuple[list[float], list[float]]:
    """Medians of places and values in so many parts of equal length; empty parts are left out.

    Neighbouring points of memory depend on each other, and on where in the round of modes they
    are. One value for each round does not, and only such points say how sure a slope is.
    """
    low, width = places[0], (places[-1] - places[0]) / bins or 1.0
    parts: dict[int, list[int]] = {}
    for index, place in enumerate(places):
        parts.setdefault(min(bins - 1, int((place - low) / width)), []).append(index)
    return (
        [statistics.median(places[index] for index in part) for part in parts.values()],
        [statistics.median(values[index] for index in part) for part in parts.values()],
    )


def trend(hours: Sequence[float], values: Sequence[float], bins: int) -> Trend:
    """The slope of the medians of ``bins`` parts.

    Raises:
        ValueError: the points are of fewer than two different times.
    """
    x, y = binned(hours, values, bins)
    low, high = theil_sen_interval(x, y)
    return Trend(theil_sen_slope(x, y), low, high, len(x))


def risen(points: Sequence[Point], what: str) -> float:
    """By how much the last fifth of the points lies above the first: medians of an attribute."""
    fifth = max(1, len(points) // 5)
    values = [float(getattr(point, what)) for point in points]
    return statistics.median(values[-fifth:]) - statistics.median(values[:fifth])
