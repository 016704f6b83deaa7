import asyncio

import pytest

from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.metrics import Histogram, Metrics, measured


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


async def test_measure_decorates_coroutine_functions_until_they_are_done() -> None:
    times = iter([0.0, 1.0, 3.0, 7.0])
    metrics = Metrics(now=lambda: next(times))

    @metrics.measure("wait_seconds")
    async def answer(gate: asyncio.Event) -> int:
        """Doc."""
        await gate.wait()
        return 42

    # Two calls that overlap: 0 → 3 and 1 → 7.
    gates = asyncio.Event(), asyncio.Event()
    first, second = (asyncio.create_task(answer(gate)) for gate in gates)
    await asyncio.sleep(0)
    gates[0].set()
    assert await first == 42
    gates[1].set()
    assert await second == 42
    assert metrics.histograms()["wait_seconds"].total == pytest.approx(3 + 6)
    assert answer.__doc__ == "Doc."


async def test_measure_counts_a_coroutine_that_is_cancelled() -> None:
    metrics = Metrics()

    @metrics.measure("wait_seconds")
    async def forever() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert metrics.histograms()["wait_seconds"].count == 1


def test_measure_refuses_generators() -> None:
    with pytest.raises(TypeError, match="is a generator"):

        @Metrics().measure("x_seconds")
        def numbers():
            yield 1


async def test_actors_measure_their_own_parts() -> None:
    class Translator(Actor[int, int]):
        async def on_message(self, message: int) -> None:
            with self.measure("look up"):
                pass
            await self.translate(message)

        @measured("translate")
        async def translate(self, message: int) -> None:
            await self.emit(message)

    actor, context = Translator("translator"), ActorContext()
    actor.context = context
    await actor.on_message(1)
    found = context.metrics.histograms()
    for part in ("look up", "translate"):
        assert found[f'vivavoce_actor_seconds{{actor="translator",part="{part}"}}'].count == 1


def test_the_difference_of_two_snapshots_is_what_came_in_between() -> None:
    histogram = Histogram()
    for _ in range(1_000):
        histogram.observe(0.001)
    before = histogram.snapshot()
    for _ in range(10):
        histogram.observe(2.0)
    between = histogram.snapshot().since(before)
    assert (between.count, between.total) == (10, pytest.approx(20.0))
    assert between.quantile(0.5) == pytest.approx(2.0, rel=0.13)
    assert histogram.quantile(0.5) == pytest.approx(0.001, rel=0.13)
    assert before.since(before).quantile(0.99) == 0.0
    assert before.since(None) is before


def test_cumulative_counts_are_exact_at_powers_of_ten() -> None:
    histogram = Histogram()
    for seconds in (0.001, 0.01, 0.02, 0.1, 0.5, 5.0, 5_000.0):
        histogram.observe(seconds)
    assert histogram.snapshot().cumulative([0.001, 0.01, 0.1, 1.0, 10.0]) == [1, 2, 4, 5, 6]


def test_instruments_carry_their_labels_apart() -> None:
    metrics = Metrics()
    metrics.counter("b_total", x="1").add(2.5)
    metrics.gauge("a_bytes").set(3)
    metrics.histogram("c_seconds", y="2").observe(1)
    kinds = [(item.kind, item.name, item.labels, item.value) for item in metrics.instruments()]
    assert kinds == [
        ("counter", "b_total", (("x", "1"),), 2.5),
        ("gauge", "a_bytes", (), 3),
        ("histogram", "c_seconds", (("y", "2"),), 0.0),
    ]
    histogram = metrics.instruments()[2].histogram
    assert histogram is not None
    assert histogram.count == 1
    assert metrics.find("c_seconds", y="2") is not None
    assert metrics.find("c_seconds") is None
