"""Counters, gauges and latency histograms, cheap enough for hot paths, bounded in memory."""

from __future__ import annotations

import functools
import inspect
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, ParamSpec, Protocol, TypeAlias, TypeVar, cast

import msgspec

Labels: TypeAlias = tuple[tuple[str, str], ...]
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _bounds() -> list[float]:
    """Bucket bounds from 1 µs to about 1,000 s, twenty to a decade: within 6 % of the truth.

    They are rounded so that powers of ten are what they read as.
    """
    return [float(f"{1e-6 * 10 ** (step / 20):.12g}") for step in range(181)]


_BOUNDS = _bounds()


class Counter:
    """A number that only grows; whole as long as only whole numbers are added."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def add(self, amount: float = 1) -> None:
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


class HistogramSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a histogram held at one moment; the difference of two is what came in between.

    ``maximum`` of a difference is a bound: the greatest value ever seen.
    """

    buckets: tuple[int, ...]
    count: int
    total: float
    maximum: float

    def since(self, earlier: HistogramSnapshot | None) -> HistogramSnapshot:
        """What was observed after ``earlier`` (None: everything)."""
        if earlier is None:
            return self
        return HistogramSnapshot(
            buckets=tuple(a - b for a, b in zip(self.buckets, earlier.buckets, strict=True)),
            count=self.count - earlier.count,
            total=self.total - earlier.total,
            maximum=self.maximum,
        )

    def quantile(self, fraction: float) -> float:
        """The upper bound of the bucket that holds the quantile (at most the maximum seen)."""
        return _quantile(self.buckets, self.count, self.maximum, fraction)

    def cumulative(self, bounds: Sequence[float]) -> list[int]:
        """How many observations lie at or below each of ``bounds`` (seconds, ascending).

        Exact where a bound is one of the histogram's own (each power of ten is); elsewhere a bucket
        that a bound divides counts as above it.
        """
        return [sum(self.buckets[: bisect_right(_BOUNDS, bound)]) for bound in bounds]


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
        return _quantile(self._buckets, self.count, self.maximum, fraction)

    def snapshot(self) -> HistogramSnapshot:
        """All buckets as they stand."""
        return HistogramSnapshot(
            buckets=tuple(self._buckets), count=self.count, total=self.total, maximum=self.maximum
        )

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


def _quantile(buckets: Sequence[int], count: int, maximum: float, fraction: float) -> float:
    wanted = fraction * count
    seen = 0
    for bound, held in zip(_BOUNDS, buckets, strict=False):
        seen += held
        if seen >= wanted and seen:
            return min(bound, maximum)
    return maximum if count else 0.0


class Measurement:
    """Observes in a histogram how long something takes, also when it raises.

    A context manager for one block after the other, and a decorator of functions and coroutine
    functions, whose calls may overlap.
    """

    __slots__ = ("_began", "_histogram", "_now")

    def __init__(self, histogram: Histogram, now: Callable[[], float]) -> None:
        self._histogram = histogram
        self._now = now
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = self._now()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._histogram.observe(self._now() - self._began)

    def __call__(self, function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        """``function``, measured from call to return; a coroutine function until it is done.

        Raises:
            TypeError: ``function`` is a generator: its time is also that of who iterates over it.
        """
        return _measured(function, lambda _: Measurement(self._histogram, self._now))


class _HasMeasure(Protocol):
    def measure(self, name: str) -> Measurement: ...


def measured(name: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Decorate a method of an actor: as ``with self.measure(name):`` around its body.

    Raises:
        TypeError: (when it decorates) the method is a generator.
    """

    def decorate(method: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        return _measured(method, lambda called: cast(_HasMeasure, called[0]).measure(name))

    return decorate


def _measured(
    function: Callable[Arguments, Result], begin: Callable[[tuple[Any, ...]], Measurement]
) -> Callable[Arguments, Result]:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"{function.__qualname__} is a generator: measure a block inside it, with "
            "`with ….measure(…):`"
        )
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*positional: Arguments.args, **named: Arguments.kwargs) -> Any:
            with begin(positional):
                return await function(*positional, **named)

        return cast(Callable[Arguments, Result], awaited)

    @functools.wraps(function)
    def called(*positional: Arguments.args, **named: Arguments.kwargs) -> Result:
        with begin(positional):
            return function(*positional, **named)

    return called


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument at one moment: a number, or all buckets of a histogram."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    labels: Labels
    value: float = 0.0
    histogram: HistogramSnapshot | None = None


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

    def measure(self, name: str, **labels: str) -> Measurement:
        """Observe how long a block or a decorated function takes, also when it raises.

        A coroutine function is measured until it is done. Actors of your own have
        :meth:`vivavoce.pipeline.actor.Actor.measure` and :func:`measured`.
        """
        return Measurement(self.histogram(name, **labels), self._now)

    def counters(self) -> Mapping[str, float]:
        """All counters by ``name{label="value"}``."""
        return {_spell(*key): item.value for key, item in sorted(self._counters.items())}

    def gauges(self) -> Mapping[str, float]:
        """All gauges by ``name{label="value"}``."""
        return {_spell(*key): item.value for key, item in sorted(self._gauges.items())}

    def histograms(self) -> Mapping[str, HistogramSummary]:
        """All histograms by ``name{label="value"}``."""
        return {_spell(*key): item.summary() for key, item in sorted(self._histograms.items())}

    def find(self, name: str, **labels: str) -> Histogram | None:
        """The histogram of that name and labels, if anything was ever observed in it."""
        return self._histograms.get((name, _key(labels)))

    def instruments(self) -> list[Instrument]:
        """Every instrument as it stands, by kind, name and labels; for exporters."""
        numbers: list[tuple[Literal["counter", "gauge"], Mapping[Any, Counter | Gauge]]] = [
            ("counter", self._counters),
            ("gauge", self._gauges),
        ]
        return [
            Instrument(kind=kind, name=name, labels=labels, value=item.value)
            for kind, items in numbers
            for (name, labels), item in sorted(items.items())
        ] + [
            Instrument(kind="histogram", name=name, labels=labels, histogram=item.snapshot())
            for (name, labels), item in sorted(self._histograms.items())
        ]


def _key(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items())) if labels else ()


def _spell(name: str, labels: Labels) -> str:
    if not labels:
        return name
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in labels) + "}"
