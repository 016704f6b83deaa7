import pytest

from vivavoce.pipeline.metrics import Histogram, Metrics


def test_quantiles_are_within_a_bucket_of_the_truth() -> None:
    histogram = Histogram()
    for milliseconds in range(1, 1001):
        histogram.observe(milliseconds / 1000)
    summary = histogram.summary()
    assert summary.count == 1000
    assert summary.p50 == pytest.approx(0.5, rel=0.13)
    assert summary.p99 == pytest.approx(0.99, rel=0.13)
    assert summary.maximum == 1.0
    assert summary.total == pytest.approx(500.5)


def test_an_empty_histogram_is_all_zero() -> None:
    summary = Histogram().summary()
    assert (summary.p50, summary.p95, summary.maximum) == (0, 0, 0)


def test_measure_counts_time_even_when_the_block_raises() -> None:
    now = iter([1.0, 1.5]).__next__
    metrics = Metrics(now=now)
    with pytest.raises(ZeroDivisionError), metrics.measure("work_seconds", stage="vad"):
        raise ZeroDivisionError
    assert metrics.histograms()['work_seconds{stage="vad"}'].total == pytest.approx(0.5)


def test_measure_decorates() -> None:
    metrics = Metrics()

    @metrics.measure("call_seconds")
    def answer() -> int:
        return 42

    assert (answer(), answer()) == (42, 42)
    assert metrics.histograms()["call_seconds"].count == 2


def test_instruments_are_shared_by_name_and_labels() -> None:
    metrics = Metrics()
    metrics.counter("a_total", actor="x").add(2)
    metrics.counter("a_total", actor="x").add()
    metrics.counter("a_total", actor="y").add()
    metrics.gauge("lag_seconds").set(1.5)
    assert metrics.counters() == {'a_total{actor="x"}': 3, 'a_total{actor="y"}': 1}
    assert metrics.gauges() == {"lag_seconds": 1.5}


def test_memory_does_not_grow_with_observations() -> None:
    histogram = Histogram()
    size = len(histogram._buckets)
    for _ in range(10_000):
        histogram.observe(1e9)
        histogram.observe(0.0)
    assert len(histogram._buckets) == size
