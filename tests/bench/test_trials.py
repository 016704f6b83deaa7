"""What became of each utterance, and how finals compare with those of the undisturbed run."""

import random
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import scenario, trials
from bench.scenario import Placed
from bench.trials import Trial, difference, lost_words, shift_of


def power(t: float, mode: str) -> dict:
    return {"type": "power", "t": t, "mode": mode}


def partial(t: float, utterance: int) -> dict:
    return {"type": "partial", "t": t, "utterance": utterance}


def final(t: float, utterance: int, start: float, end: float, text: str) -> dict:
    return {
        "type": "final",
        "t": t,
        "utterance": utterance,
        "start": start,
        "end": end,
        "text": text,
    }


PLACED = [Placed("one", 5.0, 6.0), Placed("two", 10.0, 12.0), Placed("three", 20.0, 21.0)]
EVENTS = [
    power(3.0, "parked"),
    power(5.1, "listening"),
    power(5.2, "active"),
    partial(5.5, 0),
    partial(5.9, 0),
    final(6.8, 0, 4.68, 6.16, "It is."),
    power(6.9, "parked"),
    power(9.5, "listening"),
    power(10.3, "active"),
    final(11.6, 1, 9.7, 11.1, "The only"),
    partial(11.8, 2),
    final(13.0, 2, 11.2, 12.3, "way."),
    final(15.0, 3, 14.0, 14.5, ""),
]


def test_each_utterance_gets_its_finals_mode_and_latencies() -> None:
    one, two, three = trials.trials(EVENTS, PLACED)
    assert (one.text, one.start, one.end, one.mode) == ("It is.", 4.68, 6.16, "parked")
    assert (one.active, one.partial, one.final) == pytest.approx((0.2, 0.5, 0.8))
    assert two.text == "The only way."
    assert two.mode == "listening", "something else had woken it before"
    assert (two.active, two.partial, two.final) == pytest.approx((0.3, 1.8, 1.0))
    assert (three.text, three.partial, three.final) == ("", None, None)
    assert three.mode == "active"
    assert three.active is None


def test_a_scenario_that_began_later_is_found_there() -> None:
    earlier = [Placed(one.name, one.onset - 2.5, one.end - 2.5) for one in PLACED]
    assert trials.trials(EVENTS, earlier, 2.5) == trials.trials(EVENTS, PLACED)


@pytest.mark.parametrize(
    ("reference", "text", "lost"),
    [
        ("It is the only way.", "it is the only way", 0),
        ("It is the only way.", "is the only way.", 1),
        ("It is the only way.", "", 5),
        ("It is the only way.", "It is the one lonely way.", 1),
        ("It is the only way.", "way only the is it", 4),
        ("", "Hello.", 0),
    ],
)
def test_lost_words(reference: str, text: str, lost: int) -> None:
    assert lost_words(reference, text) == lost


def trial(text: str, final: float | None = 0.7) -> Trial:
    return Trial(text, 1.0, 2.0, "parked", 0.1, 0.3, final)


def test_a_difference_counts_what_is_lost_unlike_and_later() -> None:
    undisturbed = [trial("It is."), trial("The only way."), trial("Yes."), trial("No.")]
    same = difference(undisturbed, undisturbed[:2])
    assert (same.lost, same.unlike, same.later) == (0, 0, (0.0, 0.0))
    found = [trial("it is", final=0.9), trial("only way."), trial("", final=None)]
    apart = difference(undisturbed, found)
    assert (apart.lost, apart.unlike) == (2, 3)
    assert apart.later == pytest.approx((0.2, 0.0))


def test_speech_that_was_captured_as_played_has_no_altered_samples() -> None:
    sound = np.random.default_rng(1).integers(-2_000, 2_000, 16_000 * 8).astype(np.int16)
    placed = [Placed("one", 1.0, 2.0), Placed("two", 4.0, 6.0)]
    late = np.concatenate([np.zeros(777, dtype=np.int16), sound])
    assert trials.altered(sound, late, placed) == [0, 0]
    # 86 samples lost in the second utterance: a third of it, and what was kept behind, has moved.
    cut = round(5.2 * 16_000)
    lost = np.concatenate([late[:cut], late[cut + 86 :]])
    one, two = trials.altered(sound, lost, placed)
    assert one == 0
    assert 10_000 < two < 25_000
    changed = late.copy()
    changed[777 + 20_000] += 1
    assert trials.altered(sound, changed, placed) == [1, 0]
    assert trials.altered(sound, late[: 16_000 * 3], placed)[1] == 2.6 * 16_000


@settings(max_examples=30, deadline=None)
@given(st.floats(-50, 50), st.sets(st.integers(0, 14), min_size=9), st.integers(0, 3))
def test_the_shift_is_found_though_utterances_are_missing(
    shift: float, kept: set[int], more: int
) -> None:
    gaps = random.Random(1)
    expected = list(accumulate(gaps.uniform(4.0, 7.0) for _ in range(15)))
    found = [expected[number] + shift for number in sorted(kept)]
    found += [shift - 100.0 - 7.0 * number for number in range(more)]
    assert shift_of(expected, found) == pytest.approx(shift, abs=0.25)
    assert shift_of(expected, []) is None


class TestScenario:
    def test_utterances_lie_where_it_says(self) -> None:
        made = scenario.alternating(8, lead_s=4.0, pause_s=(2.0, 2.8), seed=3)
        assert len(made.placed) == 8
        assert made.placed[0].onset == pytest.approx(4.1, abs=0.01)
        for one, other in zip(made.placed, made.placed[1:], strict=False):
            assert 2.2 <= other.onset - one.end <= 3.0 + 0.01
        loud = abs(made.pcm.astype(float))
        for one in made.placed:
            before = loud[round((one.onset - 0.5) * 16_000) : round((one.onset - 0.15) * 16_000)]
            inside = loud[round(one.onset * 16_000) : round(one.end * 16_000)]
            assert before.max() < 40, "nothing wakes it before somebody speaks"
            assert inside.max() > 1_000

    def test_onsets_fall_anywhere_in_the_longest_block(self) -> None:
        made = scenario.alternating(100, lead_s=4.0, pause_s=(2.0, 2.8), seed=11)
        places = {int(one.onset * 16_000) % 8_192 // 1_024 for one in made.placed}
        assert places == set(range(8))

    def test_the_same_seed_gives_the_same_samples_and_a_beginning_of_it(self) -> None:
        one, other = (
            scenario.alternating(3, lead_s=1.0, pause_s=(1.0, 2.0), seed=5) for _ in range(2)
        )
        assert (one.pcm == other.pcm).all()
        first = one.first(2, 0.5)
        assert first.placed == one.placed[:2]
        assert (first.pcm == one.pcm[: len(first.pcm)]).all()
        assert first.seconds == pytest.approx(one.placed[1].end + 0.5, abs=0.001)
