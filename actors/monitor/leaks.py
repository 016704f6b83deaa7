"""Does memory leak? Judged over hours by a robust slope, not by two samples. Pure.

Memory is noisy, and it takes steps: a model is loaded, a buffer grows to its size, a power mode
changes. Neither is a leak, and nor is memory that levels off. So points are thinned to medians of
equal times, and the robust slope must be steeper than allowed over the whole time as it is, over
the whole time with the few largest jumps taken out, and over the later half; with confidence over
the whole; and again for as many points as make it no accident.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from vivavoce.actors.monitor.slopes import Slope, median, robust_slope

_FIRST_WIDTH_S = 60.0
_LAST_WIDTH_S = 960.0
_MOST_POINTS = 120
"""From two hours by the minute to 32 hours by 16 minutes; beyond that the oldest go."""
_LEAST_POINTS = 24
_LEAST_SPAN_S = 7_200.0
_SETTLE_S = 600.0
_STEPS = 3
"""So many jumps are taken for steps; memory that goes on jumping is growing."""
_STEP_FACTOR = 4.0
"""A step is so many times the usual change."""
_BESIDE = 5
_CONFIDENT_SHARE = 0.5
"""Of what is allowed: the lower bound of the slope lies above it."""
_IN_A_ROW = 3
_LEAST_GROWTH_H = 4.0
"""It has grown by what is allowed in so many hours: noise that remembers goes astray by less."""


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """A suspected leak: ``slope`` in units per hour over the last ``hours``."""

    slope: Slope
    hours: float


class Series:
    """A quantity over a day and a half at most, as medians of equal times; bounded."""

    def __init__(self) -> None:
        self._width = _FIRST_WIDTH_S
        self._points: list[tuple[float, float]] = []
        self._bin: list[float] = []
        self._bin_began: float | None = None

    def add(self, at: float, value: float) -> bool:
        """Note ``value`` at second ``at``; whether a point was completed by it."""
        if self._bin_began is None:
            self._bin_began = at
        completed = at - self._bin_began >= self._width and bool(self._bin)
        if completed:
            middle = (self._bin_began + at) / 2
            # The lower one of two in the middle: a step must not become two half steps.
            self._points.append((middle, sorted(self._bin)[(len(self._bin) - 1) // 2]))
            self._bin, self._bin_began = [], at
            self._thin()
        if len(self._bin) < _MOST_POINTS:
            self._bin.append(value)
        return completed

    @property
    def points(self) -> list[tuple[float, float]]:
        """Seconds and values, in order; at most 120."""
        return self._points

    def _thin(self) -> None:
        if len(self._points) <= _MOST_POINTS:
            return
        if self._width >= _LAST_WIDTH_S:
            del self._points[0]
            return
        self._width *= 2
        self._points = self._points[::2]


class LeakWatch:
    """Watches one quantity.

    Args:
        floor: jumps up to this are growth, never a step.
    """

    def __init__(self, floor: float) -> None:
        self._floor = floor
        self._series = Series()
        self._began: float | None = None
        self._suspected = 0
        self._growth: Growth | None = None

    def add(self, at: float, value: float, allowed: float | None) -> None:
        """Note ``value`` at second ``at``; the first ten minutes are start-up and do not count.

        Args:
            allowed: growth per hour that is no leak; None: nobody minds any.
        """
        if self._began is None:
            self._began = at
        if at - self._began < _SETTLE_S or not self._series.add(at, value):
            return
        found = None if allowed is None else self._judge(self._series.points, allowed)
        self._suspected = self._suspected + 1 if found is not None else 0
        self._growth = found if self._suspected >= _IN_A_ROW else None

    @property
    def growth(self) -> Growth | None:
        """The suspected leak; None: none, or it is too early to tell."""
        return self._growth

    def _judge(self, points: list[tuple[float, float]], allowed: float) -> Growth | None:
        if len(points) < _LEAST_POINTS or points[-1][0] - points[0][0] < _LEAST_SPAN_S:
            return None
        hours = [at / 3_600 for at, _ in points]
        values = [value for _, value in points]
        half = len(points) // 2
        smooth = without_steps(values, self._floor)
        if robust_slope(hours[half:], smooth[half:]).value <= allowed:
            return None
        slopes = robust_slope(hours, values), robust_slope(hours, smooth)
        if any(one.value <= allowed for one in slopes) or any(
            one.low <= _CONFIDENT_SHARE * allowed for one in slopes
        ):
            return None
        slope, span = min(slopes, key=lambda one: one.value), hours[-1] - hours[0]
        leaks = slope.value * span >= _LEAST_GROWTH_H * allowed
        return Growth(slope=slope, hours=span) if leaks else None


def without_steps(values: list[float], floor: float) -> list[float]:
    """The values with the largest steps taken out: three at most, each above ``floor``.

    A step is where the medians of the five values before and behind differ by far more than they
    do elsewhere; growth beneath it remains, and a single value that is far out is none.
    """
    values = list(values)
    for _ in range(_STEPS):
        places = range(2, len(values) - 2)
        rises = [
            median(values[at : at + _BESIDE]) - median(values[max(0, at - _BESIDE) : at])
            for at in places
        ]
        usual = median(rises)
        spread = 1.4826 * median(abs(rise - usual) for rise in rises)
        height, at = max((abs(rise - usual), at) for rise, at in zip(rises, places, strict=True))
        if height <= max(floor, _STEP_FACTOR * spread):
            break
        step = rises[at - 2] - usual
        near = range(max(1, at - _BESIDE), min(len(values), at + _BESIDE))
        at = max(((values[one] - values[one - 1]) * step, one) for one in near)[1]
        values[at:] = [value - step for value in values[at:]]
    return values


class TypeGrowth(msgspec.Struct, frozen=True, kw_only=True):
    """A type that has ``more`` objects than when the suspicion came up."""

    name: str
    count: int
    more: int


def census(objects: Iterable[object]) -> Counter[str]:
    """How many there are of each type, by qualified name."""
    by_type = Counter(map(type, objects))
    counts: Counter[str] = Counter()
    for kind, count in by_type.items():
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        counts[f"{module}{kind.__qualname__}"] += count
    return counts


def growing(
    before: Mapping[str, int], after: Mapping[str, int], most: int = 5
) -> tuple[TypeGrowth, ...]:
    """The types that grew most between two censuses, if by more than 1 % and 100 objects."""
    grown = [
        TypeGrowth(name=name, count=count, more=count - before.get(name, 0))
        for name, count in after.items()
        if count - before.get(name, 0) > max(100, 0.01 * before.get(name, 0))
    ]
    return tuple(sorted(grown, key=lambda one: -one.more)[:most])
