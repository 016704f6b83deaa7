"""Where utterances meet to be decoded in batches: what is made together, and what is not."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from vivavoce.actors.transcription.engines.base import Abandoned
from vivavoce.actors.transcription.engines.rendezvous import Rendezvous

PATIENCE_S = 20


class Party:
    """Members that enter together, each in a thread of its own; every wait has a limit."""

    def __init__(
        self, *works: Callable[[Rendezvous], Any], rendezvous: Rendezvous | None = None
    ) -> None:
        self.rendezvous = rendezvous or Rendezvous()
        self.outcomes: list[Any] = [None] * len(works)
        entered = threading.Barrier(len(works))

        def take_part(number: int, work: Callable[[Rendezvous], Any]) -> None:
            try:
                with self.rendezvous.member():
                    entered.wait(PATIENCE_S)
                    self.outcomes[number] = work(self.rendezvous)
            except Exception as failure:  # noqa: BLE001 - looked at by the test
                self.outcomes[number] = failure

        self.threads = [
            threading.Thread(target=take_part, args=(number, work), daemon=True)
            for number, work in enumerate(works)
        ]
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(PATIENCE_S)
        assert not any(thread.is_alive() for thread in self.threads), "a member hangs"


class Recorder:
    """Makes calls, and remembers which were made together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, arguments: Any) -> list[int]:
        self.batches.append(list(arguments))
        return [argument * 10 for argument in arguments]

    @property
    def sets(self) -> list[set[int]]:
        return [set(batch) for batch in self.batches]


def test_equal_calls_are_made_as_one_and_each_gets_its_own_result() -> None:
    made = Recorder()
    party = Party(*(lambda r, n=n: r.call("same", n, made) for n in range(5)))
    assert made.sets == [{0, 1, 2, 3, 4}]
    assert party.outcomes == [0, 10, 20, 30, 40]


def test_different_calls_are_made_apart() -> None:
    made = Recorder()
    party = Party(*(lambda r, n=n: r.call(n % 2, n, made) for n in range(4)))
    assert sorted(map(sorted, made.batches)) == [[0, 2], [1, 3]]
    assert party.outcomes == [0, 10, 20, 30]


def test_members_meet_again_at_every_step() -> None:
    made = Recorder()

    def steps(number: int) -> Callable[[Rendezvous], list[int]]:
        return lambda r: [r.call("step", step * 10 + number, made) for step in range(20)]

    party = Party(*(steps(number) for number in range(3)))
    assert made.sets == [{10 * step, 10 * step + 1, 10 * step + 2} for step in range(20)]
    assert party.outcomes[2] == [(10 * step + 2) * 10 for step in range(20)]


def test_who_leaves_early_is_not_waited_for() -> None:
    made = Recorder()
    party = Party(
        lambda r: r.call("step", 1, made),
        lambda r: [r.call("step", 2, made), r.call("step", 3, made)],
        lambda r: "nothing to do",
    )
    assert made.sets == [{1, 2}, {3}]
    assert party.outcomes == [10, [20, 30], "nothing to do"]


def test_the_last_one_waited_for_may_leave_instead_of_calling() -> None:
    made = Recorder()
    waiting = threading.Event()

    class Watched(Rendezvous):
        def _appoint(self) -> None:
            super()._appoint()
            if len(self._waiting) == 2:
                waiting.set()

    party = Party(
        lambda r: r.call("step", 1, made),
        lambda r: r.call("step", 2, made),
        lambda _: waiting.wait(PATIENCE_S),
        rendezvous=Watched(),
    )
    assert party.outcomes == [10, 20, True]
    assert made.sets == [{1, 2}]


def test_a_failure_reaches_the_callers_of_that_group_and_nobody_else() -> None:
    made = Recorder()

    def broken(_: Any) -> list[int]:
        raise ValueError("this batch is too large")

    party = Party(
        lambda r: r.call("bad", 1, broken),
        lambda r: r.call("good", 2, made),
        lambda r: r.call("bad", 3, broken),
        lambda r: r.call("good", 4, made),
    )
    assert [type(party.outcomes[n]) for n in (0, 2)] == [ValueError, ValueError]
    assert (party.outcomes[1], party.outcomes[3]) == (20, 40)
    assert made.sets == [{2, 4}]


def test_a_wrong_number_of_results_is_a_failure_not_a_mix_up() -> None:
    party = Party(*(lambda r, n=n: r.call("short", n, lambda _: [1]) for n in range(2)))
    assert [type(outcome) for outcome in party.outcomes] == [ValueError, ValueError]


def test_after_a_failure_the_same_members_can_go_on() -> None:
    made = Recorder()

    def broken(_: Any) -> list[int]:
        raise ValueError("once")

    def work(number: int) -> Callable[[Rendezvous], int]:
        def steps(rendezvous: Rendezvous) -> int:
            with pytest.raises(ValueError, match="once"):
                rendezvous.call("bad", number, broken)
            return rendezvous.call("good", number, made)

        return steps

    party = Party(work(1), work(2))
    assert made.sets == [{1, 2}]
    assert party.outcomes == [10, 20]


def test_one_that_is_abandoned_between_its_calls_does_not_hang_the_others() -> None:
    made = Recorder()

    def abandoned(rendezvous: Rendezvous) -> None:
        rendezvous.call("step", 1, made)
        raise Abandoned

    party = Party(
        abandoned,
        lambda r: [r.call("step", 2, made), r.call("step", 3, made)],
        lambda r: [r.call("step", 4, made), r.call("step", 5, made)],
    )
    assert isinstance(party.outcomes[0], Abandoned)
    assert party.outcomes[1:] == [[20, 30], [40, 50]]
    assert made.sets == [{1, 2, 4}, {3, 5}]


def test_a_member_alone_waits_for_nobody() -> None:
    made = Recorder()
    party = Party(lambda r: r.call("step", 7, made))
    assert (party.outcomes, made.batches) == ([70], [[7]])


def test_who_comes_later_takes_part_from_the_next_call_on() -> None:
    made = Recorder()
    running, joined = threading.Event(), threading.Event()

    def slow(arguments: Any) -> list[int]:
        running.set()
        assert joined.wait(PATIENCE_S)
        return made(arguments)

    rendezvous = Rendezvous()
    outcomes: list[int] = []

    def first() -> None:
        with rendezvous.member():
            outcomes.append(rendezvous.call("step", 1, slow))
            outcomes.append(rendezvous.call("step", 2, made))

    def second() -> None:
        assert running.wait(PATIENCE_S)
        with rendezvous.member():
            joined.set()
            rendezvous.call("step", 3, made)

    threads = [threading.Thread(target=work, daemon=True) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)
    assert outcomes == [10, 20]
    assert made.sets == [{1}, {2, 3}]
