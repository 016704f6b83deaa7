"""When an engine is taken to hang: silence, deadlines, and time in which nobody ran."""

import pytest

from vivavoce.actors.transcription.deadlines import (
    LEAST_S,
    LOADING_SILENCE_S,
    SILENCE_S,
    UNMEASURED_S,
    Kind,
    Patience,
)


class Watch:
    """A program that looks at the clock each second, and an engine that beats or not."""

    def __init__(self) -> None:
        self.patience = Patience()
        self.now = 1_000.0
        self.worked = 0.0
        self.asked = 0

    def begin(self, kind: Kind) -> int:
        self.asked += 1
        self.patience.begin(self.asked, kind, self.now)
        return self.asked

    def answer(self, kind: Kind, seconds: float) -> None:
        number = self.begin(kind)
        assert self.run(seconds, beats=True) is None
        self.patience.end(number, self.now, answered=True)

    def run(self, seconds: float, *, beats: bool = False, works: float = 0.0) -> float | None:
        """Time goes on; after how many seconds the engine is taken to hang."""
        began, step = self.now, 1.0
        while self.now < began + seconds:
            step = min(1.0, began + seconds - self.now)
            self.now += step
            self.worked += works * step
            if beats:
                self.patience.hear(self.now)
            if self.patience.tick(self.now, lambda: self.worked) is not None:
                return self.now - began
        return None


@pytest.mark.parametrize("kind", ["partial", "exact", "send"])
def test_without_a_sign_of_life_it_hangs(kind: Kind) -> None:
    watch = Watch()
    watch.begin(kind)
    assert watch.run(100) == pytest.approx(SILENCE_S + 1, abs=1)


def test_loading_may_be_silent_for_longer_and_take_any_time() -> None:
    watch = Watch()
    watch.begin("load")
    assert watch.run(10_000, beats=True) is None
    assert watch.run(100) == pytest.approx(LOADING_SILENCE_S + 1, abs=1)


def test_the_first_answer_may_take_long_and_later_ones_four_times_their_cost() -> None:
    watch = Watch()
    watch.begin("exact")
    assert watch.run(200, beats=True) == pytest.approx(UNMEASURED_S, abs=2)
    watch = Watch()
    watch.answer("exact", 10.0)
    watch.answer("partial", 3.0)
    watch.begin("exact")
    assert watch.run(100, beats=True) == pytest.approx(4 * 10 + 2, abs=2)
    assert watch.patience.limit("partial") == pytest.approx(4 * 3 + 2)


@pytest.mark.parametrize("kind", ["partial", "exact"])
def test_however_quick_the_answers_were_one_may_take_its_time(kind: Kind) -> None:
    watch = Watch()
    watch.answer(kind, 0.1)
    assert watch.patience.limit(kind) == LEAST_S[kind]


def test_a_cost_rises_at_once_and_falls_slowly() -> None:
    watch = Watch()
    for seconds in (10.0, 40.0, 10.0, 10.0):
        watch.answer("exact", seconds)
    assert 4 * 32 + 2 < watch.patience.limit("exact") < 4 * 40 + 2
    for _ in range(80):
        watch.answer("exact", 10.0)
    assert watch.patience.limit("exact") == pytest.approx(4 * 10 + 2, rel=0.1)


def test_what_took_too_long_has_twice_as_long_when_it_is_asked_again() -> None:
    watch = Watch()
    watch.answer("exact", 10.0)
    waited = []
    for _ in range(3):
        number = watch.begin("exact")
        waited.append(watch.run(300, beats=True))
        watch.patience.end(number, watch.now, answered=False)
    assert waited == [pytest.approx(limit, abs=2) for limit in (42, 82, 162)]


def test_what_nobody_waited_for_to_the_end_is_no_measure() -> None:
    watch = Watch()
    number = watch.begin("exact")
    watch.run(0.5)
    watch.patience.end(number, watch.now, answered=False)
    assert watch.patience.limit("exact") == UNMEASURED_S


def test_an_engine_that_holds_pythons_lock_while_it_works_does_not_hang() -> None:
    watch = Watch()
    watch.begin("exact")
    assert watch.run(UNMEASURED_S - 5, works=0.5) is None
    assert watch.run(100) == pytest.approx(SILENCE_S, abs=2), "it works no more"


def test_silence_before_something_was_asked_does_not_count() -> None:
    watch = Watch()
    watch.answer("partial", 1.0)
    watch.run(500)
    watch.begin("partial")
    assert watch.run(1.0) is None
    assert watch.run(100) is not None


@pytest.mark.parametrize("silent_s", [0, 3])
def test_time_in_which_this_program_did_not_run_does_not_count(silent_s: int) -> None:
    """The machine slept, or the program was stopped: the heartbeats are read after that."""
    watch = Watch()
    watch.begin("exact")
    watch.run(silent_s)
    for _ in range(5):
        watch.now += 3_600
        assert watch.patience.tick(watch.now, lambda: 0.0) is None
        watch.patience.hear(watch.now)
    assert watch.run(20, beats=True) is None


def test_several_in_flight_are_watched_each() -> None:
    watch = Watch()
    watch.answer("partial", 0.5)
    watch.answer("exact", 5.0)
    watch.begin("exact")
    watch.begin("partial")
    assert watch.run(100, beats=True) == pytest.approx(LEAST_S["partial"], abs=2)
