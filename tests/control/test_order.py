"""Commands that overtake each other leave the state that the person meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.control.order import CommandOrder

pytestmark = pytest.mark.process

NOW = 1_000.0


def test_a_stop_that_came_before_its_start_leaves_nothing_recording() -> None:
    order = CommandOrder()
    assert not order.is_outdated(NOW + 0.08, NOW + 0.15)
    assert order.is_outdated(NOW, NOW + 0.16)


def test_a_time_that_is_unknown_or_of_another_clock_says_nothing() -> None:
    order = CommandOrder()
    assert not order.is_outdated(NOW, NOW)
    for began in (0.0, NOW - 3_600, NOW + 3_600):
        assert not order.is_outdated(began, NOW)
    assert not order.is_outdated(NOW, NOW), "they did not move the clock either"


@given(
    st.lists(st.booleans(), min_size=1, max_size=8).flatmap(
        lambda commands: st.permutations(
            [(NOW + 0.02 * at, begin) for at, begin in enumerate(commands)]
        )
    )
)
def test_in_whatever_order_they_arrive_the_last_one_given_holds(
    arrivals: list[tuple[float, bool]],
) -> None:
    order, recording = CommandOrder(), False
    for began, begin in arrivals:
        if not order.is_outdated(began, NOW + 1):
            recording = begin
    assert recording == max(arrivals)[1]
