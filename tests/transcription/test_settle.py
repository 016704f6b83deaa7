"""Which words of an exact decoding are whole sentences: tables, and what always holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.transcription.engines.base import HypothesisWord
from vivavoce.actors.transcription.settle import (
    Pause,
    Settled,
    begins_sentence,
    ends_sentence,
    join,
    seam_between,
    settle,
    settle_full,
)
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE

HALF = RATE // 2


def said(text: str, start: int = 0, each: int = HALF) -> list[HypothesisWord]:
    """The words of a text, one each half second, with a tenth of silence behind."""
    return [
        HypothesisWord(
            text=word,
            start=start + number * each,
            end=start + number * each + each * 4 // 5,
            probability=0.9,
        )
        for number, word in enumerate(text.split())
    ]


def noise(count: int) -> np.ndarray:
    return (np.random.default_rng(1).normal(0, 3_000, count)).astype(np.int16)


def sentences(text: str, *, closing: bool = False, pauses: tuple[Pause, ...] = ()) -> list[str]:
    words = said(text)
    found = settle(words, 0, noise(words[-1].end), 0, pauses, closing=closing)
    return [sentence.text for sentence in found.sentences]


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("There are none. On board was a", ["There are none."]),
        ("At nine this morning. Mission", []),  # one word behind is no evidence
        ("at nine this morning. mission control lost it", []),  # the next does not begin
        ("At nine this morning.", []),  # Whisper ends a sentence wherever the audio ends
        ("One is. Two is. Three is here now", ["One is.", "Two is."]),
        ("Dr. Kalpana Chawla was there. We will miss her", ["Dr. Kalpana Chawla was there."]),
        ("In the U.S. Army we are strong", []),
        ("It costs 3.5 Dollars. We have it here", ["It costs 3.5 Dollars."]),
        ("Who is it? \u201cIt is me and you", ["Who is it?"]),
        ("He said \u201cGo.\u201d They went home now", ["He said \u201cGo.\u201d"]),
        ("It was 1961. 12 men went there", ["It was 1961."]),
        ("So was I. They went home again", ["So was I."]),
        ("Wait... And then he went home", ["Wait..."]),
        ("\u00bfQu\u00e9 es? \u00a1Es el sol de mayo", ["\u00bfQu\u00e9 es?"]),
    ],
)
def test_a_sentence_is_settled_when_another_follows(text: str, settled: list[str]) -> None:
    assert sentences(text) == settled


def test_where_the_stretch_ends_all_words_are_settled_as_sentences() -> None:
    assert sentences("There are none. On board was", closing=True) == [
        "There are none.",
        "On board was",
    ]
    assert sentences("Yes. No. Yes", closing=True) == ["Yes.", "No.", "Yes"]


def test_less_than_a_second_of_speech_behind_a_sentence_is_no_evidence() -> None:
    words = [*said("There are none."), *said("On board", start=3 * HALF, each=RATE // 4)]
    assert not settle(words, 0, noise(words[-1].end), 0, (), closing=False).sentences


def test_behind_a_pause_a_sentence_may_begin_without_a_capital() -> None:
    pause = (Pause(4 * HALF - 1_000, 4 * HALF),)
    assert sentences("you are not alone. our nation grieves with", pauses=pause) == [
        "you are not alone."
    ]


def test_the_seam_lies_in_the_longest_pause_between_the_words() -> None:
    words = said("There are none. On board was a crew")
    # Whisper lets the word before a pause swallow half of it.
    pauses = (Pause(words[2].end - 3_000, words[2].end + 1_000), Pause(0, 200))
    found = settle(words, 0, noise(words[-1].end), 0, pauses, closing=False)
    assert found.rest_from == pauses[0].middle
    assert [word.text for word in found.rest] == ["On", "board", "was", "a", "crew"]
    assert found.sentences[0].end == found.rest_from


def test_without_a_pause_the_seam_lies_in_the_quietest_place() -> None:
    words = said("There are none. On board was a crew")
    pcm = noise(words[-1].end)
    quiet = words[2].end + 500
    pcm[quiet : quiet + 640] = 0
    seam = seam_between(words[2], words[3], pcm, 0, ())
    assert quiet <= seam <= quiet + 640


def full(text: str, pauses: tuple[Pause, ...], *, carry: bool = True) -> Settled:
    words = said(text)
    pcm = noise(words[-1].end)
    settled = settle(words, 0, pcm, 0, pauses, closing=False)
    return settle_full(settled, pcm, 0, pauses, carry=carry)


def test_a_full_window_goes_on_from_a_pause_and_keeps_the_beginning_of_its_sentence() -> None:
    pauses = (Pause(HALF, HALF + 4_000), Pause(14 * HALF - 800, 14 * HALF))
    found = full("There was one. On " + " ".join("abcdefghijklmnop"), pauses)
    assert [s.text for s in found.sentences] == ["There was one."]
    assert found.rest_from < found.decode_from == pauses[1].middle
    assert [w.text for w in found.rest[: found.begun]] == ["On", *"abcdefghij"]


def test_a_full_window_whose_sentences_leave_little_of_it_goes_on_behind_them() -> None:
    text = " ".join("abcdefghijklmnop") + " there. On board was it"
    found = full(text, (Pause(18 * HALF, 18 * HALF + 800),))
    assert len(found.sentences) == 1
    assert found.decode_from == found.rest_from
    assert found.begun == 0


def test_live_a_full_window_without_a_sentence_is_cut_at_its_longest_pause() -> None:
    words = "one two three four five six seven eight nine ten"
    pauses = (Pause(HALF, HALF + 4_000), Pause(6 * HALF - 800, 6 * HALF))
    found = full(words, pauses, carry=False)
    assert [s.text for s in found.sentences] == ["one two three four five six"]
    assert found.rest_from == found.decode_from == pauses[1].middle


def test_a_sentence_is_put_together_of_two_windows_at_most() -> None:
    words = said(" ".join("abcdefghijklmnopqrst"))
    pcm = noise(8 * HALF)
    start = words[-1].end - len(pcm)
    pauses = (Pause(16 * HALF - 800, 16 * HALF),)
    settled = settle(words, 0, pcm, start, pauses, closing=False)
    found = settle_full(settled, pcm, start, pauses, carry=True)
    assert [(s.start, s.end) for s in found.sentences] == [(0, pauses[0].middle)]


def test_a_full_window_with_neither_sentence_nor_pause_is_cut_where_it_is_quietest() -> None:
    found = full(" ".join("abcdefghijklmnopqrst"), ())
    assert len(found.sentences) == 1
    assert found.decode_from == found.rest_from == found.sentences[0].end > 5 * HALF


def test_scripts_without_spaces_are_joined_without() -> None:
    words = [
        HypothesisWord(text=t, start=0, end=1, probability=1.0) for t in ("今日", "は", "OK", "go")
    ]
    assert join(words) == "今日は OK go"


@pytest.mark.parametrize("word", ["Mr.", "z.B.", "a", "J.", "etc.", "3.5"])
def test_no_ends(word: str) -> None:
    assert not ends_sentence(word)


@pytest.mark.parametrize(
    ("word", "begins"), [("the", False), ("\u201cThe", True), ("7", True), ("あ", True)]
)
def test_begins(word: str, begins: bool) -> None:
    assert begins_sentence(word) is begins


WORDS = st.lists(st.sampled_from(["a", "b.", "C", "D.", "7", "e?", "F,"]), min_size=1, max_size=40)


@given(WORDS, st.booleans(), st.integers(0, 5_000))
def test_sentences_leave_no_hole_and_lose_no_word(
    words: list[str], closing: bool, start: int
) -> None:
    heard = said(" ".join(words), start=start)
    pcm = noise(heard[-1].end - start)
    found = settle(heard, start, pcm, start, (), closing=closing)
    edges = [start, *(s.end for s in found.sentences)]
    assert [s.start for s in found.sentences] == edges[:-1]
    assert edges == sorted(edges)
    assert found.rest_from == edges[-1]
    assert [w for s in found.sentences for w in s.words] + list(found.rest) == heard
    if closing:
        assert not found.rest
        assert found.rest_from == start + len(pcm)


def test_a_full_window_always_goes_on() -> None:
    """Also where the sentence that is settled ends in what was carried, before the audio."""
    words = said("they lost Columbia. And " + " ".join("abcdefghijklmnop"))
    pcm = noise(words[-1].end - 4 * HALF)
    start = 4 * HALF
    settled = settle(words, 0, pcm, start, (), closing=False)
    assert settled.sentences
    assert settled.decode_from == start
    found = settle_full(settled, pcm, start, (), carry=True)
    assert found.decode_from > start
    assert [w for s in found.sentences for w in s.words] + list(found.rest) == words
