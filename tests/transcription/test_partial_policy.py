"""When partials come: spaced by cost, and where words end."""

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.transcription.partial_policy import PartialPolicy


def test_the_first_partial_waits_and_needs_something_to_hear() -> None:
    policy = PartialPolicy(0.4, 0.5)
    policy.begin_utterance(10.0)
    assert policy.due_at(0) is None
    assert policy.due_at(1_600) == 10.5


def test_the_next_waits_for_new_audio() -> None:
    policy = PartialPolicy(0.4, 0.5)
    policy.begin_utterance(0.0)
    policy.started(0.4, covered=8_000)
    policy.cost(0.05)
    assert policy.due_at(8_100) is None
    assert policy.due_at(9_600) == 0.4 + 0.5


def test_where_a_word_ends_a_partial_comes_early() -> None:
    policy = PartialPolicy(0.4, 0.5)
    policy.begin_utterance(0.0)
    for level in (60.0, 62.0, 61.0):
        policy.hear(level)
    assert policy.due_at(9_600) == 0.5
    policy.hear(50.0)
    assert policy.due_at(9_600) == 0.24
    policy.started(0.3, covered=9_600)
    assert policy.due_at(11_200) == 0.8, "one dip, one partial"


def test_dips_all_the_time_bring_no_more_partials_than_the_interval_says() -> None:
    policy = PartialPolicy(0.4, 0.5)
    policy.begin_utterance(0.0)
    now, count = 0.0, 0
    while now < 40.0:
        for level in (60.0, 50.0):
            policy.hear(level)
        due = policy.due_at(round(16_000 * (now + 1.0)))
        assert due is not None
        now = due
        policy.started(now, covered=round(16_000 * now))
        count += 1
    assert 98 <= count <= 102


def test_a_partial_that_was_abandoned_tells_how_long_it_takes_at_least() -> None:
    policy = PartialPolicy(0.25, 0.5)
    policy.cost_at_least(1.0)
    assert policy.interval() == 2.0
    policy.cost_at_least(0.1)
    assert policy.interval() == 2.0, "abandoned early: that is no news"


def test_an_engine_that_cannot_keep_up_gets_fewer() -> None:
    policy = PartialPolicy(0.4, 0.5)
    policy.begin_utterance(0.0)
    assert policy.interval(thinned=True) == 3 * policy.interval()


@given(
    st.floats(0.05, 2.0),
    st.floats(0.05, 1.0),
    st.lists(st.floats(0.001, 3.0), min_size=30, max_size=30),
)
def test_partials_stay_within_their_share(interval, share, costs) -> None:
    policy = PartialPolicy(interval, share)
    for cost in costs:
        policy.cost(cost)
    assert policy.interval() >= interval
    assert min(costs[-5:]) / policy.interval() <= share * 1.000001 or min(costs) != max(costs)
    steady = PartialPolicy(interval, share)
    for _ in range(3):
        steady.cost(costs[0])
    assert costs[0] / steady.interval() <= share * 1.000001


def test_patience_ends_where_partials_are_far_apart() -> None:
    policy = PartialPolicy(0.3, 0.25)
    assert policy.patience == 1.0
    policy.cost(0.15)
    assert policy.patience == 1.0
    policy.cost(3.0)
    assert 0.1 < policy.patience < 0.2
