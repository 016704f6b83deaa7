"""Speech without words, and words without speech."""

from vivavoce.actors.transcription.engines.base import HypothesisWord
from vivavoce.actors.transcription.mend import (
    around,
    continued,
    merged,
    with_context,
    without_invented_end,
    without_length,
    without_words,
)
from vivavoce.actors.transcription.window import Span
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE


def word(text: str, start: float, end: float) -> HypothesisWord:
    return HypothesisWord(
        text=text, start=round(start * RATE), end=round(end * RATE), probability=0.9
    )


def span(start: float, end: float) -> Span:
    return Span(round(start * RATE), round(end * RATE))


def test_a_run_of_words_without_length_is_taken_out() -> None:
    said = [word("we", 0.0, 0.3), word("went", 0.3, 0.6)]
    twice = [
        word(text, 0.6, 0.6 + 0.02 * (n == 1)) for n, text in enumerate(["we", "went", "home"])
    ]
    assert without_length([*said, *twice, word("home", 0.6, 1.0)]) == [
        *said,
        word("home", 0.6, 1.0),
    ]


def test_one_short_word_stays() -> None:
    said = [word("a", 0.0, 0.02), word("dog", 0.02, 0.4), word("I", 0.4, 0.4)]
    assert without_length(said) == said


def test_what_was_really_said_ten_times_stays() -> None:
    said = [word(w, n * 0.4, n * 0.4 + 0.3) for n, w in enumerate(["for", "ever"] * 10)]
    assert without_length(said) == said
    assert without_words(said, [span(0, 8.0)], tail=True) == []


def test_speech_of_more_than_two_seconds_without_words_is_missing() -> None:
    said = [word("one", 0.0, 0.5), word("two", 3.5, 4.0)]
    assert without_words(said, [span(0.0, 4.0)], tail=True) == [span(0.5, 3.5)]
    assert without_words(said, [span(0.0, 0.6), span(3.4, 4.0)], tail=True) == []  # a pause
    assert (
        without_words([word("one", 0.0, 0.5), word("two", 2.4, 3)], [span(0, 3)], tail=True) == []
    )


def test_last_words_are_missed_where_nothing_more_comes() -> None:
    said = [word("on", 0.0, 0.3), word("board", 0.3, 0.8)]
    assert without_words(said, [span(0.0, 2.2)], tail=True) == [span(0.8, 2.2)]
    assert without_words(said, [span(0.0, 2.2)], tail=False) == []
    assert without_words(said, [span(0.0, 1.3)], tail=True) == []


def test_a_last_word_that_is_too_long_has_swallowed_what_is_behind_it() -> None:
    said = [word("for", 18.4, 18.7), word("the", 18.7, 21.0)]
    assert without_words(said, [span(18.0, 21.0)], tail=True) == [span(19.3, 21.0)]
    assert without_words(said, [span(18.0, 21.0)], tail=False) == []


def test_last_words_are_looked_for_with_some_that_are_known() -> None:
    said = [word(str(n), n * 0.5, n * 0.5 + 0.4) for n in range(20)]
    assert with_context(span(10.0, 11.0), said, 0, 12 * RATE) == span(6.5, 12.0)
    assert with_context(span(10.0, 11.0), said[-3:], 8 * RATE, 12 * RATE) == span(9.0, 12.0)
    assert with_context(span(10.0, 11.0), said[-1:], 0, 12 * RATE) is None, "none is before it"
    assert with_context(span(3.0, 6.0), said, 0, 12 * RATE) is None, "words are behind it"
    assert with_context(span(3.0, 6.0), [], 0, 12 * RATE) is None


def test_what_is_said_into_the_silence_behind_the_last_word_is_taken_out() -> None:
    said = [word("of", 8.3, 8.6), word("mine.", 8.6, 8.9)]
    instead = [word("I'll", 8.9, 9.2), word("see", 9.2, 9.7)]
    invented = [word("next", 9.8, 9.8), word("time.", 9.8, 9.8), word("Have", 9.8, 10.7)]
    end = round(9.75 * RATE)
    assert without_invented_end([*said, *instead, *invented], end) == said
    assert without_invented_end([*said, *invented], end) == said
    far = [word("and", 2.0, 2.5), *instead]
    assert without_invented_end([*far, *invented], end) == far
    assert without_invented_end([*said, *instead], end) == [*said, *instead]
    late = [*said, word("so", 9.8, 10.0), word("long.", 10.0, 10.3)]  # the VAD has missed it
    assert without_invented_end(late, end) == late


def test_what_is_found_behind_the_last_word_follows_it() -> None:
    said = [word("for", 1.0, 1.3), word("the", 1.3, 3.6)]
    again = [word("for", 1.1, 1.3), word("the", 1.3, 1.4), word("long", 1.4, 2.0)]
    assert continued(said, again) == [said[0], *again[1:]]
    assert continued(said, [again[0], word("her", 1.3, 1.4), again[2]])[1].text == "her"
    assert continued(said, again[:2]) == said, "it has not more to say"
    assert continued(said, [word("the", 2.9, 3.0), again[2]]) == said, "another one"
    twice = [word("so", 4.6, 4.8), word("very", 5.0, 5.2), word("very", 5.3, 5.5)]
    more = [*twice[1:], word("good", 5.7, 6.0)]
    assert [w.text for w in continued(twice, more)] == ["so", "very", "very", "good"]
    assert continued(said, []) == said
    assert continued([], again) == []


def test_a_word_that_is_too_long_has_swallowed_others() -> None:
    said = [word("one", 0.0, 5.0), word("two", 5.0, 5.4)]
    assert without_words(said, [span(0.0, 5.4)], tail=True) == [span(0.6, 4.4)]


def test_a_long_pause_divides_what_is_missing() -> None:
    speech = [span(0.0, 2.0), span(2.5, 3.5), span(6.0, 8.0)]
    assert without_words([], speech, tail=True) == [span(0.0, 3.5), span(6.0, 8.0)]


def test_speech_without_any_word_is_missing_as_a_whole() -> None:
    assert without_words([], [span(1.0, 4.0)], tail=True) == [span(1.0, 4.0)]
    assert without_words([], [span(1.0, 2.0)], tail=True) == []
    assert without_words([], [], tail=True) == []


def test_it_is_looked_for_with_a_little_around_it_but_no_other_word() -> None:
    said = [word("one", 0.0, 0.5), word("two", 3.55, 4.0)]
    wider = around(span(0.6, 3.4), said, 0, 4 * RATE)
    assert wider == span(0.5, 3.55)


def test_what_is_found_is_put_in_its_place() -> None:
    said = [word("one", 0.0, 0.5), word("four", 3.5, 4.0)]
    found = [word("two", 1.0, 1.5), word("three", 2.0, 2.5), word("four", 3.6, 4.0)]
    joined = merged(said, found, span(0.5, 3.5))
    assert [w.text for w in joined] == ["one", "two", "three", "four"]


def test_a_word_that_seemed_too_long_is_not_found_again_inside_it() -> None:
    said = [word("Goodbye", 0.0, 1.6)]
    found = [word("Goodbye", 1.0, 1.6), word("Jim", 1.7, 2.0)]
    assert [w.text for w in merged(said, found, span(0.4, 2.2))] == ["Goodbye", "Jim"]
