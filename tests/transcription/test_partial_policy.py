from vivavoce.actors.transcription.partial_policy import PartialPolicy


def test_the_first_partial_waits_one_interval_and_needs_something_to_hear() -> None:
    policy = PartialPolicy(0.4)
    policy.begin_utterance(10.0)
    assert policy.due_at(0) is None
    assert policy.due_at(1_600) == 10.4


def test_the_next_waits_for_new_audio_and_the_interval() -> None:
    policy = PartialPolicy(0.4)
    policy.begin_utterance(0.0)
    policy.finished(began=0.4, now=0.45, covered=8_000)
    assert policy.due_at(8_100) is None
    assert policy.due_at(9_600) == 0.8


def test_a_slow_engine_gets_at_least_half_of_the_time_for_others() -> None:
    policy = PartialPolicy(0.4)
    policy.begin_utterance(0.0)
    policy.finished(began=1.0, now=2.0, covered=8_000)
    assert policy.due_at(20_000) == 3.0
