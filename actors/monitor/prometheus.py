"""Our instruments as Prometheus wants them. The only module that imports ``prometheus_client``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from vivavoce.actors.monitor.words import help_of
from vivavoce.pipeline.metrics import Instrument

BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets in seconds; our own are finer."""

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_:]")
_NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9_]")


class _Snapshot:
    """A collector of what was taken already."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._instruments = instruments

    def collect(self) -> Iterable[Metric]:
        """The families, each with all of its label values."""
        key = lambda one: (_valid(one.name, _NOT_IN_NAMES), one.kind)  # noqa: E731
        seen: set[str] = set()
        for (name, kind), group in groupby(sorted(self._instruments, key=key), key=key):
            if name in seen:
                continue  # one name, two kinds: somebody's own mistake; the page stays readable
            seen.add(name)
            yield _family(name, kind, list(group))


def _family(name: str, kind: str, members: list[Instrument]) -> Metric:
    text = help_of(members[0].name)
    labels = sorted({_valid(key, _NOT_IN_LABELS) for one in members for key, _ in one.labels})
    family: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
    if kind == "counter":
        family = CounterMetricFamily(name, text, labels=labels)
    elif kind == "gauge":
        family = GaugeMetricFamily(name, text, labels=labels)
    else:
        family = HistogramMetricFamily(name, text, labels=labels)
    for one in members:
        given = {_valid(key, _NOT_IN_LABELS): value for key, value in one.labels}
        values = [given.get(label, "") for label in labels]
        if one.histogram is None:
            assert not isinstance(family, HistogramMetricFamily)
            family.add_metric(values, one.value)
        else:
            assert isinstance(family, HistogramMetricFamily)
            counts = [*one.histogram.cumulative(BOUNDS), one.histogram.count]
            bounds = [*(repr(bound) for bound in BOUNDS), "+Inf"]
            buckets = [(bound, float(count)) for bound, count in zip(bounds, counts, strict=True)]
            family.add_metric(values, buckets, sum_value=one.histogram.total)
    return family


def _valid(name: str, wrong: re.Pattern[str]) -> str:
    """A name that Prometheus takes: own actors may call their figures as they like."""
    name = wrong.sub("_", name) or "_"
    return f"_{name}" if name[0].isdigit() else name


def page(instruments: Sequence[Instrument]) -> tuple[str, bytes]:
    """The content type and the text of the page."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(instruments))
    return CONTENT_TYPE_LATEST, generate_latest(registry)
