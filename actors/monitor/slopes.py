"""Slopes that neither noise nor outliers fool. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

_Z99 = 2.576
"""Standard deviations of a two-sided confidence of 99 %."""


class Slope(msgspec.Struct, frozen=True, kw_only=True):
    """A robust slope, in y per x, and the bounds between which it lies with 99 % confidence."""

    value: float
    low: float
    high: float


def robust_slope(x: Sequence[float], y: Sequence[float]) -> Slope:
    """The median of the slopes between all pairs of points, with its confidence interval.

    H. Theil, "A rank-invariant method of linear and polynomial regression analysis" (1950); the
    interval from the variance of Kendall's S, as in P. K. Sen, "Estimates of the regression
    coefficient based on Kendall's tau" (1968), section 6. It takes n²/2 divisions: thin the points.

    Raises:
        ValueError: fewer than two different places on the x axis.
    """
    count = len(x)
    slopes = sorted(
        (y[j] - y[i]) / (x[j] - x[i])
        for i in range(count)
        for j in range(i + 1, count)
        if x[j] != x[i]
    )
    if not slopes:
        raise ValueError("a slope needs points at two different places at least")
    spread = _Z99 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + spread) / 2))
    return Slope(value=median(slopes), low=slopes[low], high=slopes[high])


def median(values: Iterable[float]) -> float:
    """The middle one, or the mean of the two (:mod:`statistics` is slow to import, and to run).

    Raises:
        ValueError: there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values have no median")
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
