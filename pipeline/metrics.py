"""Counters, gauges and latency histograms, cheap enough for hot paths, bounded in memory."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

import msgspec

Labels: TypeAlias = tuple[tuple[str, str], ...]


def _bounds() -> list[float]:
    """Bucket bounds from 1 µs to about 1,000 s, twenty to a decade: within 6 % of the truth."""
    return [1e-6 * 10 ** (step / 20) for step in range(181)]


_BOUNDS = _bounds()


class Counter:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def add(self, amount: int = 1) -> None:
        """Count ``amount`` more."""
        self.value += amount


class Gauge:
    """A number that goes up and down."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def set(self, value: float) -> None:
        """The value is ``value`` from now on."""
        self.value = value


class HistogramSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Quantiles in seconds; all zero when nothing was observed."""

    count: int
    total: float
    p50: float
    p95: float
    p99: float
    maximum: float


class Histogram:
    """A latency histogram over logarithmic buckets; its size never changes."""

    __slots__ = ("_buckets", "count", "maximum", "total")

    def __init__(self) -> None:
        self._buckets = [0] * (len(_BOUNDS) + 1)
        self.count = 0
        self.total = 0.0
        self.maximum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one observation of ``seconds``."""
        self._buckets[bisect_left(_BOUNDS, seconds)] += 1
        self.count += 1
        self.total += seconds
        if seconds > self.maximum:
            self.maximum = seconds

    def quantile(self, fraction: float) -> float:
        """The upper bound of the bucket that holds the quantile (at most the maximum seen)."""
        wanted = fraction * self.count
        seen = 0
        for bound, count in zip(_BOUNDS, self._buckets, strict=False):
            seen += count
            if seen >= wanted and seen:
                return min(bound, self.maximum)
        return self.maximum

    def summary(self) -> HistogramSummary:
        """Count, total and quantiles as they stand."""
        return HistogramSummary(
            count=self.count,
            total=self.total,
            p50=self.quantile(0.5),
            p95=self.quantile(0.95),
            p99=self.quantile(0.99),
            maximum=self.maximum,
        )


class Metrics:
    """The instruments of one pipeline, made on first use and kept by name and labels.

    Names follow Prometheus: ``vivavoce_…_total`` for counters, ``…_seconds`` for histograms. Ask
    for an instrument once and keep it where it is used often.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._counters: dict[tuple[str, Labels], Counter] = {}
        self._gauges: dict[tuple[str, Labels], Gauge] = {}
        self._histograms: dict[tuple[str, Labels], Histogram] = {}

    def counter(self, name: str, **labels: str) -> Counter:
        """The counter of that name and labels."""
        return self._counters.setdefault((name, _key(labels)), Counter())

    def gauge(self, name: str, **labels: str) -> Gauge:
        """The gauge of that name and labels."""
        return self._gauges.setdefault((name, _key(labels)), Gauge())

    def histogram(self, name: str, **labels: str) -> Histogram:
        """The histogram of that name and labels."""
        key = (name, _key(labels))
        found = self._histograms.get(key)
        if found is None:
            found = self._histograms[key] = Histogram()
        return found

    @contextmanager
    def measure(self, name: str, **labels: str) -> Iterator[None]:
        """Observe how long the block (or the decorated function) takes, also when it raises."""
        histogram = self.histogram(name, **labels)
        began = self._now()
        try:
            yield
        finally:
            histogram.observe(self._now() - began)

    def counters(self) -> Mapping[str, int]:
        """All counters by ``name{label="value"}``."""
        return {_spell(*key): item.value for key, item in sorted(self._counters.items())}

    def gauges(self) -> Mapping[str, float]:
        """All gauges by ``name{label="value"}``."""
        return {_spell(*key): item.value for key, item in sorted(self._gauges.items())}

    def histograms(self) -> Mapping[str, HistogramSummary]:
        """All histograms by ``name{label="value"}``."""
        return {_spell(*key): item.summary() for key, item in sorted(self._histograms.items())}


def _key(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items())) if labels else ()


def _spell(name: str, labels: Labels) -> str:
    if not labels:
        return name
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in labels) + "}"
