"""The pure rules of streaming: hold-back, the ladder, the quietest place, guards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.transcription.agreement import LocalAgreement
from vivavoce.actors.transcription.engines.guards import (
    before_repetition,
    invented,
    looks_bad,
    loops,
)
from vivavoce.actors.transcription.hold_back import certain_words
from vivavoce.actors.transcription.overload import OverloadLadder, Rung
from vivavoce.actors.transcription.settle import quietest_near

RATE = 16_000

# -- hold-back


@pytest.mark.parametrize(
    ("probabilities", "shown"),
    [
        ([], 0),
        ([0.9, 0.9], 2),
        ([0.9, 0.2], 1),
        ([0.9, 0.2, 0.3], 1),
        ([0.9, 0.6, 0.2, 0.3], 2),  # only the last two may be cut
        ([0.9, 0.55, 0.9], 3),  # what is behind it is certain, so it is complete
        ([0.9, 0.2, 0.9], 1),  # but what is behind a doubtful one goes on from that
    ],
)
def test_improbable_last_words_are_held_back(probabilities, shown) -> None:
    assert certain_words(probabilities, last=2, least=0.7) == shown


def test_a_doubtful_word_is_shown_when_two_hypotheses_have_it() -> None:
    doubtful = [0.9, 0.2, 0.9, 0.9, 0.4]
    assert certain_words(doubtful, last=2, least=0.7) == 1
    assert certain_words(doubtful, last=2, least=0.7, agreed=2) == 4
    assert certain_words(doubtful, last=2, least=0.7, agreed=5) == 5
    assert certain_words(doubtful, last=2, least=0.7, stable=2) == 4, "it cannot be taken back"


def test_where_the_next_partial_is_far_away_less_is_held_back() -> None:
    doubtful = [0.9, 0.4, 0.9, 0.35]
    assert certain_words(doubtful, last=2, least=0.6) == 1
    assert certain_words(doubtful, last=2, least=0.6, patience=0.7) == 3
    assert certain_words(doubtful, last=2, least=0.6, patience=0.5) == 4


def test_what_is_held_back_is_neither_shown_nor_made_stable() -> None:
    agreement = LocalAgreement()
    assert agreement.update("the skole", certain=1) == ("", "the")
    assert agreement.update("the skole", certain=1) == ("the", "")
    assert agreement.update("the skole master", certain=3) == ("the", "skole master")


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abc"), max_size=6), st.integers(0, 6)), max_size=20
    )
)
def test_held_back_or_not_stable_text_only_grows(stream) -> None:
    agreement = LocalAgreement()
    before = ""
    for words, certain in stream:
        stable, _ = agreement.update(" ".join(words), certain=certain)
        assert stable == before or stable.startswith(before + " " if before else "")
        before = stable


# -- overload


def test_the_ladder_is_climbed_at_once_and_left_step_by_step() -> None:
    ladder = OverloadLadder(6.0)  # a rung at 2, 3, 4 and 6 s
    assert ladder.update(0.0, 1.9) is Rung.KEEPING_UP
    assert ladder.update(1.0, 2.1) is Rung.FEWER_PARTIALS
    assert ladder.update(1.2, 3.1) is Rung.NO_PARTIALS
    assert ladder.update(1.5, 4.1) is Rung.LONGER_WINDOWS
    assert ladder.update(2.0, 6.5) is Rung.CHEAPER_FINALS
    assert ladder.update(3.0, 4.0) is Rung.CHEAPER_FINALS
    assert ladder.update(4.0, 2.0) is Rung.CHEAPER_FINALS
    assert ladder.update(13.9, 2.0) is Rung.CHEAPER_FINALS
    assert ladder.update(14.0, 2.0) is Rung.LONGER_WINDOWS
    assert ladder.update(24.0, 0.0) is Rung.NO_PARTIALS
    assert ladder.update(34.0, 0.0) is Rung.FEWER_PARTIALS
    assert ladder.update(35.0, 1.4) is Rung.FEWER_PARTIALS, "not calm: it stays"
    assert ladder.update(45.0, 0.0) is Rung.FEWER_PARTIALS, "and calm begins anew"
    assert ladder.update(55.0, 0.0) is Rung.KEEPING_UP


def test_after_a_long_silence_the_ladder_is_left_at_once() -> None:
    ladder = OverloadLadder(6.0)
    ladder.update(0.0, 7.0)
    assert ladder.update(1.0, 0.0) is Rung.CHEAPER_FINALS
    assert ladder.update(300.0, 0.0) is Rung.KEEPING_UP


def test_what_waited_for_the_engine_to_load_is_no_overload() -> None:
    ladder = OverloadLadder(6.0)
    ladder.begin(10.0)
    assert ladder.update(10.0, 8.0) is Rung.KEEPING_UP
    assert ladder.update(14.0, 1.0) is Rung.KEEPING_UP, "it has caught up"
    assert ladder.update(15.0, 8.0) is Rung.CHEAPER_FINALS
    slow = OverloadLadder(6.0)
    slow.begin(10.0)
    assert slow.update(24.0, 8.0) is Rung.KEEPING_UP
    assert slow.update(25.0, 8.0) is Rung.CHEAPER_FINALS, "it does not catch up"


def test_a_ladder_that_is_off_is_never_climbed() -> None:
    assert OverloadLadder(6.0, enabled=False).update(0.0, 100.0) is Rung.KEEPING_UP


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 20)), max_size=60))
def test_lag_below_the_first_step_never_climbs_and_more_never_falls(steps) -> None:
    ladder, now = OverloadLadder(6.0), 0.0
    for wait, lag in steps:
        now += wait
        before = ladder.rung
        after = ladder.update(now, lag)
        assert after >= sum(lag >= at for at in (2, 3, 4, 6))
        assert after >= before - 1
        if lag < 2:
            assert after <= before


# -- the quietest place

AROUND = RATE * 3 // 20


@given(st.integers(0, 10 * RATE))
def test_the_quietest_place_is_near_and_quiet(position: int) -> None:
    generator = np.random.default_rng(7)
    pcm = (generator.normal(size=10 * RATE) * 3_000).astype(np.int16)
    pcm[4 * RATE : 4 * RATE + 800] = 0
    cut = quietest_near(pcm, position, AROUND)
    assert abs(cut - position) <= AROUND + 320
    if abs(position - (4 * RATE + 400)) < 2_000:
        assert 4 * RATE <= cut <= 4 * RATE + 800


# -- guards


@pytest.mark.parametrize(
    ("text", "loop"),
    [
        ("no, no, no", False),
        ("no no no no no", True),
        ("thank you. Thank you, thank you", True),
        ("and so on and so on", False),
        ("it was said that I do not know I do not know I do not know", True),
        ("I do not know I do not know I do not know. But then", False),
        ("", False),
    ],
)
def test_loops_at_the_end(text: str, loop: bool) -> None:
    assert loops(text.split()) is loop


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("at nine o' o' o' o' o' o'", "at nine o'"),
        (
            "the speech SDK exposes many features. The speech SDK",
            "the speech SDK exposes many features.",
        ),
        ("and then the key to the key to the key to", "and then the key to"),
        ("the key to the key to the", "the key to"),
        ("no, no, no", "no, no, no"),
        ("it is good, it is", "it is good, it is"),
        ("I have a dream I have a dream that", "I have a dream I have a dream that"),
        ("", ""),
    ],
)
def test_what_comes_before_a_phrase_that_comes_again_at_the_end(text: str, kept: str) -> None:
    words = text.split()
    assert " ".join(words[: before_repetition(words)]) == kept


def test_a_lost_decoder_is_noticed() -> None:
    assert not looks_bad("The medical man rose, came to the lamp.", -0.3)
    assert looks_bad("The medical man rose, came to the lamp.", -1.2)
    assert looks_bad("la la la la la la", -0.1)


def test_what_is_invented_on_noise() -> None:
    def verdict(text: str = "Thank you.", **figures) -> bool:
        sound = {
            "seconds": 2.0,
            "no_speech_probability": 0.1,
            "average_log_probability": -0.3,
            "word_probabilities": (0.9, 0.8),
        }
        return invented(text, **{**sound, **figures})

    assert not verdict()
    assert verdict(no_speech_probability=0.8, average_log_probability=-1.0)
    assert not verdict(no_speech_probability=0.8, average_log_probability=-0.9), "as faster-whisper"
    assert not verdict(no_speech_probability=0.8), "sure of its words in spite of it"
    assert verdict("a b c d e f g h i j k l m n o p q r s t u v", seconds=1.0)
    assert verdict(word_probabilities=(0.1, 0.2))
    assert not verdict(word_probabilities=())
    assert not verdict("")
