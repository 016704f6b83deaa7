"""When memory is short: trim at once, park when it lasts, and no flapping."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.monitor.pressure import MemoryPressure, Relief
from vivavoce.actors.monitor.sensors import MemoryReading

GB = 10**9


def reading(some: float = 0.0, full: float = 0.0, free: float = 0.5) -> MemoryReading:
    return MemoryReading(
        total_bytes=8 * GB,
        available_bytes=int(8 * GB * free),
        some_percent=some,
        full_percent=full,
    )


def played(readings: list[MemoryReading], every: float = 5.0) -> list[tuple[float, Relief]]:
    policy = MemoryPressure()
    found = []
    for number, one in enumerate(readings):
        relief = policy.update(number * every, one)
        if relief is not None:
            found.append((number * every, relief))
    return found


def test_calm_does_nothing() -> None:
    assert played([reading()] * 100) == []


def test_a_short_squeeze_trims_once() -> None:
    assert played([reading(some=20)] * 3 + [reading()] * 20) == [(0.0, Relief.TRIM)]


def test_what_lasts_parks_and_is_trimmed_again_later() -> None:
    assert played([reading(some=20)] * 80) == [
        (0.0, Relief.TRIM),
        (30.0, Relief.PARK),
        (330.0, Relief.TRIM),
        (360.0, Relief.PARK),
    ]


def test_each_sign_counts() -> None:
    for sign in (reading(some=10), reading(full=5), reading(free=0.04)):
        assert played([sign]) == [(0.0, Relief.TRIM)]


def test_where_the_kernel_tells_no_stalls_free_memory_decides() -> None:
    low = MemoryReading(total_bytes=8 * GB, available_bytes=GB // 10)
    high = MemoryReading(total_bytes=8 * GB, available_bytes=4 * GB)
    assert played([low]) == [(0.0, Relief.TRIM)]
    assert played([high]) == []


def test_around_the_limit_it_does_not_flap() -> None:
    wavering = [reading(some=11), reading(some=5)] * 30
    assert [relief for _, relief in played(wavering)] == [Relief.TRIM, Relief.PARK]
    policy = MemoryPressure()
    assert policy.update(0.0, reading(some=11)) is Relief.TRIM
    assert policy.update(5.0, reading()) is None
    assert policy.since == 0.0, "a moment's calm is not the end"
    policy.update(70.0, reading())
    assert policy.since is None
    assert policy.update(75.0, reading(some=11)) is Relief.TRIM


@given(st.lists(st.builds(reading, some=st.floats(0, 100), free=st.floats(0, 1)), max_size=200))
def test_it_never_parks_before_it_trimmed_and_acts_at_most_twice_in_five_minutes(readings) -> None:
    acts = played(readings)
    if acts:
        assert acts[0][1] is Relief.TRIM
    for (_, one), (_, other) in pairwise(acts):
        assert not (one is Relief.PARK and other is Relief.PARK)
