"""Noise is no leak, a step is no leak, five megabytes an hour are one."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vivavoce.actors.monitor.leaks import LeakWatch, Series, census, growing, without_steps
from vivavoce.actors.monitor.slopes import median, robust_slope

Memory = Callable[[float], float]
"""Megabytes at an hour."""


def watched(memory: Memory, hours: float = 8.0, every_s: float = 60.0) -> LeakWatch:
    watch = LeakWatch(floor=2.0)
    for sample in range(int(hours * 3_600 / every_s)):
        at = sample * every_s
        watch.add(at, memory(at / 3_600), 3.0)
        watch.ever = getattr(watch, "ever", False) or watch.growth is not None  # type: ignore[attr-defined]
    return watch


def suspected(memory: Memory, hours: float = 8.0) -> bool:
    return watched(memory, hours).ever  # type: ignore[attr-defined, no-any-return]


@pytest.mark.thorough
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), sigma=st.floats(0.0, 3.0))
def test_noise_is_never_a_leak(seed: int, sigma: float) -> None:
    noise = random.Random(seed)
    assert not suspected(lambda _: 70 + noise.gauss(0, sigma))


@pytest.mark.thorough
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_noise_that_remembers_is_never_a_leak(seed: int) -> None:
    noise, state = random.Random(seed), [0.0]

    def memory(_: float) -> float:
        state[0] = 0.98 * state[0] + noise.gauss(0, 2 * math.sqrt(1 - 0.98**2))
        return 70 + state[0]

    assert not suspected(memory)


@pytest.mark.thorough
@settings(max_examples=15, deadline=None)
@example(seed=335, slope=5.0)
@given(seed=st.integers(0, 2**32), slope=st.floats(5.0, 50.0))
def test_growth_is_found_with_its_slope(seed: int, slope: float) -> None:
    noise = random.Random(seed)
    growth = watched(lambda hour: 70 + slope * hour + noise.gauss(0, 1)).growth
    assert growth is not None
    assert growth.slope.low <= growth.slope.value <= growth.slope.high
    assert growth.slope.value == pytest.approx(slope, rel=0.15)
    assert 6 < growth.hours < 8


@pytest.mark.thorough
@settings(max_examples=40, deadline=None)
@example(seed=0, steps=[(1.0, 6.0), (3.0, 26.0), (0.328125, 13.0)])
@given(
    seed=st.integers(0, 2**32),
    steps=st.lists(st.tuples(st.floats(0, 8), st.floats(5, 300)), max_size=3),
)
def test_steps_are_no_leak(seed: int, steps: list[tuple[float, float]]) -> None:
    noise = random.Random(seed)
    assert not suspected(
        lambda hour: 70 + sum(size for at, size in steps if hour >= at) + noise.gauss(0, 0.5)
    )


def test_modes_that_come_and_go_are_no_leak() -> None:
    assert not suspected(lambda hour: 70 + (25 if int(hour * 2) % 2 else 0))
    assert not suspected(lambda hour: 70 + (25 if int(hour / 1.3) % 2 else 0))


def test_what_levels_off_is_no_leak() -> None:
    assert not suspected(lambda hour: 70 + 20 * (1 - math.exp(-4 * hour)))


@pytest.mark.thorough
def test_growth_in_chunks_is_found_and_growth_that_ends_is_forgotten() -> None:
    assert suspected(lambda hour: 70 + int(5 * hour))
    ended = watched(lambda hour: 70 + 5 * min(hour, 4), hours=24)
    assert ended.ever  # type: ignore[attr-defined]
    assert ended.growth is None


def test_growth_is_not_told_before_two_hours() -> None:
    assert not suspected(lambda hour: 70 + 50 * hour, hours=2.0)


def test_points_are_bounded_and_cover_more_than_a_day() -> None:
    series = Series()
    for minute in range(7 * 24 * 60):
        series.add(minute * 60.0, float(minute))
    at = [at for at, _ in series.points]
    assert len(at) <= 120
    assert 30 * 3_600 <= at[-1] - at[0] <= 33 * 3_600
    assert at == sorted(at)


def test_the_growth_beneath_a_step_remains() -> None:
    growth = [float(n) for n in range(40)]
    stepped = [value + (100 if value >= 20 else 0) for value in growth]
    smooth = without_steps(stepped, floor=2.0)
    assert max(abs(a - b) for a, b in zip(smooth, growth, strict=True)) < 6
    assert without_steps(growth, floor=2.0) == growth
    outlier = [*growth[:20], 500.0, *growth[21:]]
    assert without_steps(outlier, floor=2.0) == outlier, "that is no step"


def test_the_robust_slope_ignores_outliers_and_its_bounds_hold_it() -> None:
    x = [float(n) for n in range(40)]
    y = [2 * one for one in x]
    y[3], y[30] = 500.0, -500.0
    slope = robust_slope(x, y)
    assert slope.value == pytest.approx(2.0)
    assert slope.low <= 2.0 <= slope.high
    with pytest.raises(ValueError, match="two different places"):
        robust_slope([1.0, 1.0], [1.0, 2.0])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_the_median_is_that_of_the_standard_library(values: list[float]) -> None:
    import statistics

    assert median(values) == pytest.approx(statistics.median(values))


class Kept:
    pass


def test_types_that_grow_are_named() -> None:
    before = census([1, "a", Kept()])
    assert before["int"] == 1
    name = next(key for key in before if key.endswith("Kept"))
    kept = [Kept() for _ in range(500)]
    grown = growing(before, census([1, 2, *kept]))
    assert [(one.name, one.count, one.more) for one in grown] == [(name, 500, 499)]
