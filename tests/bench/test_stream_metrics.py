"""Latency, stability and errors of captions, on examples small enough to count by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.alignment import words_of
from bench.stream_metrics import (
    Event,
    FinalEvent,
    PartialEvent,
    ReferenceWord,
    erased,
    lost,
    measure,
)

SPOKEN = [
    ReferenceWord("The", 1.0),
    ReferenceWord("quick,", 1.5),
    ReferenceWord("brown", 2.0),
    ReferenceWord("fox.", 2.5),
]


def partial(t: float, stable: str, tail: str, utterance: int = 1) -> PartialEvent:
    return PartialEvent(t, utterance, stable, tail)


def final(
    t: float, text: str, utterance: int = 1, start: float = 0.5, end: float = 2.7
) -> FinalEvent:
    return FinalEvent(t, utterance, text, start, end, endpoint_s=0.5)


def test_a_word_is_shown_and_stable_at_the_first_partial_that_has_it_at_its_place() -> None:
    found = measure(
        [
            partial(1.2, "", "the"),
            partial(1.7, "the", "quick"),
            partial(2.2, "The quick", "brawn"),
            partial(2.6, "The quick", "brown"),
            final(3.4, "The quick brown fox."),
        ],
        SPOKEN,
    )
    latencies = [(word.first_shown, word.stable, word.final) for word in found.words]
    assert latencies == [
        pytest.approx((0.2, 0.7, 2.4)),
        pytest.approx((0.2, 0.7, 1.9)),
        pytest.approx((0.6, 1.4, 1.4)),
        pytest.approx((0.9, 0.9, 0.9)),
    ]
    assert found.endpoint_to_final == (pytest.approx(0.2),)


def test_the_same_word_elsewhere_in_the_text_does_not_count() -> None:
    words = ["the", "cat", "saw", "the", "dog"]
    spoken = [ReferenceWord(word, n) for n, word in enumerate(words, 1)]
    found = measure(
        [
            partial(2.5, "", "the cat"),
            final(5.5, "the cat saw the dog", start=0.0, end=5.2),
        ],
        spoken,
    )
    assert [word.first_shown for word in found.words] == pytest.approx([1.5, 0.5, 2.5, 1.5, 0.5])


def test_only_correctly_recognised_words_have_a_latency() -> None:
    found = measure([partial(1.9, "", "the slick"), final(3.4, "The slick brown fox")], SPOKEN)
    assert [word.spoken for word in found.words] == [1.0, 2.0, 2.5]
    assert found.errors == 1
    assert found.word_error_rate == 0.25


def test_an_equal_word_of_another_utterance_is_no_recognised_word() -> None:
    found = measure(
        [final(4.0, "quick brown", start=2.9, end=3.9), final(6.0, "fox", 2, 5.0, 5.8)], SPOKEN
    )
    assert found.words == ()
    assert found.errors == 1  # for the WER they are right, as for jiwer


def test_utterances_may_interleave_and_a_cut_one_has_several_finals() -> None:
    found = measure(
        [
            partial(1.2, "", "the"),
            partial(2.1, "", "brown", utterance=2),
            final(2.2, "The quick", end=1.6),
            partial(2.6, "brown", "fox", utterance=2),
            final(3.4, "brown fox", utterance=2, start=1.6),
        ],
        SPOKEN,
    )
    assert [word.first_shown for word in found.words] == pytest.approx([0.2, 0.7, 0.1, 0.1])
    again = measure(
        [
            partial(1.2, "", "the"),
            final(1.9, "The quick", end=1.6),
            partial(2.6, "", "brown fox"),
            final(3.4, "brown fox", start=1.6),
        ],
        SPOKEN,
    )
    assert again.unstable_words == again.erased_words == 0
    assert [word.final for word in again.words] == pytest.approx([0.9, 0.4, 1.4, 0.9])


def test_instability_counts_changes_and_erasure_all_that_follows_them() -> None:
    found = measure(
        [
            partial(1.0, "", "a cat"),  # one will be changed, two must be erased for it
            partial(2.0, "", "the cat sad"),
            partial(3.0, "", "the cat sad"),  # one, at the end
            partial(4.0, "", "the cat sat on"),  # three removed
            partial(5.0, "", "the"),
            final(6.0, "The cat sat", start=0, end=5),
        ],
        [ReferenceWord("the", 1.0), ReferenceWord("cat", 2.0), ReferenceWord("sat", 3.0)],
    )
    assert found.erased_words == 2 + 0 + 1 + 3
    assert found.unstable_words == 1 + 0 + 1 + 3
    assert found.unstable_partial_word_ratio == pytest.approx(5 / 3)
    assert found.normalised_erasure == pytest.approx(6 / 3)
    assert found.partial_words == 2 + 3 + 3 + 4 + 1
    assert found.wrong_partial_words == 1 + 1 + 1 + 1 + 0


def test_a_final_without_text_takes_all_its_partial_showed() -> None:
    found = measure([partial(1.0, "thanks", "for watching"), final(2.0, "")], SPOKEN)
    assert (found.unstable_words, found.erased_words, found.final_words) == (3, 3, 0)
    assert found.stable_corrected == 1
    assert found.word_error_rate == 1.0


def test_stable_text_is_held_to_the_letter_and_finals_may_correct_it() -> None:
    found = measure(
        [
            partial(1.0, "The quick", "brown"),
            partial(2.0, "The quack", "brown"),
            partial(3.0, "The", ""),
            partial(3.5, "The quick brawn", ""),
            final(4.0, "The quick brown fox"),
        ],
        SPOKEN,
    )
    assert found.stable_changed == 1 + 1
    assert (found.stable_words, found.stable_corrected) == (3, 1)
    assert found.stable_correction_rate == pytest.approx(1 / 3)
    grown = measure([partial(1, "The", "q"), partial(2, "The quick", ""), final(3, "x")], SPOKEN)
    assert grown.stable_changed == 0


def test_no_silence_decided_the_end_of_a_cut_utterance() -> None:
    cut = FinalEvent(3.0, 1, "The quick", 0.5, 1.6)
    assert measure([cut], SPOKEN).endpoint_to_final == ()


def test_nothing_at_all_can_be_measured() -> None:
    found = measure([], SPOKEN)
    assert found.words == ()
    assert (found.word_error_rate, found.unstable_partial_word_ratio) == (1.0, 0.0)
    assert (found.normalised_erasure, found.stable_correction_rate) == (0.0, 0.0)


texts = st.lists(st.sampled_from("abcd"), max_size=6)


@st.composite
def captions(draw: st.DrawFn) -> list[Event]:
    """An utterance as the contract wants it: stable text only grows."""
    stable: list[str] = []
    events: list[Event] = []
    for t in range(1, draw(st.integers(1, 6))):
        stable = stable + draw(st.lists(st.sampled_from("abcd"), max_size=2))
        events.append(partial(float(t), " ".join(stable), " ".join(draw(texts))))
    return [*events, final(10.0, " ".join(draw(texts)), start=0.0, end=10.0)]


@given(captions(), texts)
def test_what_holds_for_all_captions(events: list[Event], spoken: list[str]) -> None:
    found = measure(events, [ReferenceWord(word, n + 0.5) for n, word in enumerate(spoken)])
    assert found.stable_changed == 0
    assert found.unstable_words <= found.erased_words <= found.partial_words
    assert found.wrong_partial_words <= found.partial_words
    assert found.stable_corrected <= found.stable_words
    for word in found.words:
        assert word.first_shown <= word.stable <= word.final


@given(texts, texts)
def test_growth_alone_is_stable(before: list[str], growth: list[str]) -> None:
    assert lost(before, before + growth) == erased(before, before + growth) == 0


@given(texts, texts)
def test_every_changed_word_is_erased(before: list[str], after: list[str]) -> None:
    assert lost(before, after) <= erased(before, after) <= len(before)


def cut_talk(after: float = 2.0) -> list[Event]:
    """An utterance that is cut behind "quick"; its last partial shows a word behind the cut."""
    return [
        partial(1.7, "The", "quick"),
        partial(2.2, "The quick", "brown"),
        FinalEvent(2.4, 1, "The quick", 0.5, 1.75, endpoint_s=0.0),
        partial(2.8, "", "brown fox", utterance=2),
        FinalEvent(3.4, 2, "brown fox.", after, 2.7, endpoint_s=0.5),
    ]


def test_words_behind_a_cut_are_not_lost_and_were_shown_before_it() -> None:
    found = measure(cut_talk(after=1.75), SPOKEN)
    assert found.unstable_words == found.wrong_partial_words == found.stable_corrected == 0
    assert [word.first_shown for word in found.words] == [
        pytest.approx(latency) for latency in (0.7, 0.2, 0.2, 0.3)
    ]
    assert [word.stable for word in found.words][2:] == [
        pytest.approx(1.4),
        pytest.approx(0.9),
    ], "stable in its own utterance"


def test_they_are_not_lost_either_where_speech_goes_on_a_little_later() -> None:
    found = measure(cut_talk(after=2.0), SPOKEN)
    assert found.unstable_words == 0
    assert found.words[2].first_shown == pytest.approx(0.2)


SENTENCES = [ReferenceWord(word, n + 1.0) for n, word in enumerate("abcdef")]


def two_sentences(*, stable: str = "e", tail: str = "f", second: str = "C d.") -> list[Event]:
    """An open partial holds two sentences and a half, settles into two finals, and goes on."""
    return [
        partial(2.5, "a", "b"),
        partial(5.5, "a b c", "d e"),
        FinalEvent(5.8, 1, "A b.", 0.0, 2.0),
        FinalEvent(5.8, 2, second, 2.0, 4.0),
        PartialEvent(6.5, 3, stable, tail, start=4.0),
        FinalEvent(8.0, 3, "E f.", 4.0, 6.0),
    ]


def test_a_partial_may_settle_into_several_finals() -> None:
    found = measure(two_sentences(), SENTENCES)
    assert found.unstable_words == found.erased_words == found.wrong_partial_words == 0
    assert [word.first_shown for word in found.words] == [1.5, 0.5, 2.5, 1.5, 0.5, 0.5]
    assert [word.stable for word in found.words] == pytest.approx([1.5, 3.5, 2.5, 1.8, 1.5, 2.0])
    assert [word.final for word in found.words] == pytest.approx([4.8, 3.8, 2.8, 1.8, 3.0, 2.0])
    assert (found.stable_words, found.stable_corrected, found.stable_reopened) == (4, 0, 0)


def test_what_its_finals_correct_is_counted_where_it_stands() -> None:
    found = measure(two_sentences(second="Sea d."), SENTENCES)
    assert (found.stable_words, found.stable_corrected) == (4, 1)
    assert found.unstable_words == 1
    assert found.wrong_partial_words == 1


def test_words_behind_the_finals_are_still_shown() -> None:
    gone = measure(two_sentences(stable="", tail="x"), SENTENCES)
    assert gone.unstable_words == 1 + 1, "e was changed to x, and that to e"
    assert gone.stable_corrected == 0


def test_words_stay_stable_behind_the_finals() -> None:
    events = two_sentences(stable="", tail="e f")
    events[1] = partial(5.5, "a b c d e", "")
    found = measure(events, SENTENCES)
    assert (found.stable_reopened, found.stable_corrected, found.stable_words) == (1, 0, 4)
    kept = measure([*events[:4], PartialEvent(6.5, 3, "e", "f", start=4.0), events[5]], SENTENCES)
    assert (kept.stable_reopened, kept.stable_corrected, kept.stable_words) == (0, 0, 5)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["there are no survivors there are no survivors"], 1),
        (["there are no survivors there are no", "there are no"], 1),
        (["there are no there are some"], 0),
        (["no no no no no"], 0),
        (["one two three four one two three four five"], 1),
    ],
)
def test_partials_that_say_a_phrase_twice(texts: list[str], expected: int) -> None:
    events: list[Event] = [partial(n + 1.0, "", text) for n, text in enumerate(texts)]
    found = measure([*events, final(9.0, "There are no survivors.")], SPOKEN)
    assert (found.doubling_partials, found.partials) == (expected, len(texts))


def test_a_phrase_may_be_said_twice_where_it_was_and_not_over_the_end_of_a_final() -> None:
    said = [ReferenceWord(word, 1.0) for word in words_of("come with me, come with me now")]
    real = measure([partial(1, "", "come with me come with me"), final(2, "x")], said)
    assert real.doubling_partials == 0
    seam = measure(
        [final(1, "We saw the quick"), partial(2, "", "we saw the quick", 2), final(3, "x", 2)],
        SPOKEN,
    )
    assert seam.doubling_partials == 1


def test_recordings_add_up() -> None:
    one = measure(two_sentences(), SENTENCES)
    both = one + measure(cut_talk(), SPOKEN)
    assert both.reference_words == 10
    assert len(both.words) == 10
    assert both.partials == one.partials + 3
