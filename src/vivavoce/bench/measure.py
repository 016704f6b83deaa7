"""How things are measured on a machine that is never quiet: in turns, by medians, in CPU time."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def in_turns(variants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run the variants A/B/A/B and collect what each returns (seconds per operation).

    The order rotates with each round and one unrecorded round goes before, so that a drift of the
    machine falls on all alike. Garbage collection runs between the measurements, not in them.
    """
    names = list(variants)
    found: dict[str, list[float]] = {name: [] for name in names}
    was_enabled = gc.isenabled()
    try:
        for turn in range(rounds + 1):
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                gc.collect()
                gc.disable()
                value = variants[name]()
                if turn:
                    found[name].append(value)
    finally:
        if was_enabled:
            gc.enable()
    return found


def paired_ratio(reference: Sequence[float], candidate: Sequence[float]) -> float:
    """How many times the candidate goes into the reference: the median over the rounds."""
    return statistics.median(
        one / other for one, other in zip(reference, candidate, strict=True) if other > 0
    )


def cpu_per_call(call: Callable[[], object], calls: int) -> float:
    """CPU seconds of this thread per call, over ``calls`` calls in a row."""
    repeat = range(calls)
    began = time.thread_time()
    for _ in repeat:
        call()
    return (time.thread_time() - began) / calls


def quantile(values: Sequence[float], fraction: float) -> float:
    """The nearest-rank quantile of the values (not empty)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]


def theil_sen_slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The median of the slopes between all pairs of points: deaf to outliers.

    H. Theil, "A rank-invariant method of linear and polynomial regression analysis", 1950;
    P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968.

    Raises:
        ValueError: fewer than two different places on the x axis.
    """
    return statistics.median(_slopes(x, y))


def theil_sen_interval(
    x: Sequence[float], y: Sequence[float], confidence: float = 0.95
) -> tuple[float, float]:
    """Between which slopes the true one lies, if the points are independent of each other.

    Sen 1968, section 3: the slopes between all pairs, ordered, are counted off from both ends by
    the normal approximation of Kendall's statistic (places on the x axis all differ).

    Raises:
        ValueError: fewer than two different places on the x axis.
    """
    slopes = sorted(_slopes(x, y))
    count = len(x)
    spread = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    reach = statistics.NormalDist().inv_cdf((1 + confidence) / 2) * spread
    low = max(0, math.floor((len(slopes) - reach) / 2) - 1)
    return slopes[low], slopes[len(slopes) - 1 - low]


def _slopes(x: Sequence[float], y: Sequence[float]) -> list[float]:
    slopes = [
        (y[j] - y[i]) / (x[j] - x[i])
        for i in range(len(x))
        for j in range(i + 1, len(x))
        if x[j] != x[i]
    ]
    if not slopes:
        raise ValueError("a slope needs points at two different places at least")
    return slopes
