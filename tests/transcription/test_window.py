"""What a window remembers of the beginning of a sentence that goes on behind it."""

import msgspec

from vivavoce.actors.transcription.engines.base import Hypothesis, HypothesisWord
from vivavoce.actors.transcription.settle import Settled
from vivavoce.actors.transcription.window import Decoded, Span, Window

WORD = 8_000


def decoded(text: str, start: int, dropped: tuple[Span, ...] = ()) -> Decoded:
    words = tuple(
        HypothesisWord(text=word, start=start + n * WORD, end=start + (n + 1) * WORD, probability=1)
        for n, word in enumerate(text.split())
    )
    end = words[-1].end
    return Decoded(
        start=start,
        end=end,
        words=words,
        hypothesis=Hypothesis(text=text, samples=end - start),
        began=0.0,
        dropped=dropped,
    )


def carried(first: Decoded, begun: int) -> Window:
    window = Window(1, 0)
    window._audio += bytes(2 * first.end)
    seam = first.words[begun].start
    window.move_on(first, Settled((), first.words, 0, seam, begun), 0.0)
    return window


def test_speech_without_words_in_the_beginning_is_told_with_the_sentence() -> None:
    lost, behind = Span(WORD, 2 * WORD), Span(5 * WORD, 6 * WORD)
    window = carried(decoded("We have lost the signal again", 0, (lost, behind)), 4)
    later = Span(window.start + 100, window.start + 200)
    whole = window.whole(decoded("Signal again. There", window.start, (later,)))
    assert " ".join(word.text for word in whole.words) == "We have lost the signal again. There"
    assert whole.dropped == (lost, later)
    assert whole.start == 0


def test_it_is_told_also_where_no_word_is_carried_and_only_up_to_the_seam() -> None:
    window = Window(1, 0)
    first = decoded("We have lost the signal", 0, (Span(0, 4 * WORD),))
    window._audio += bytes(2 * first.end)
    window.move_on(first, Settled((), first.words[3:], 0, 3 * WORD, 0), 0.0)
    whole = window.whole(decoded("The signal.", window.start))
    assert whole.dropped == (Span(0, 3 * WORD),)
    assert [word.text for word in whole.words] == ["The", "signal."]


def test_what_was_not_carried_is_not_told_again() -> None:
    window = carried(decoded("We have lost", 0, (Span(WORD, 2 * WORD),)), 2)
    rest = decoded("lost it.", window.start)
    assert window.whole(rest).dropped == (Span(WORD, 2 * WORD),)
    again = msgspec.structs.replace(rest, words=rest.words[:1])
    window.move_on(again, Settled((), again.words, window.start, window.start), 0.0)
    assert window.whole(rest).dropped == ()
