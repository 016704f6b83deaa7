"""What finals are worth against what was said, on cases small enough to count by hand."""

from dataclasses import dataclass

import pytest

from bench.human_speech import Reference, SpokenSentence, SpokenWord
from bench.normalise import normalised
from bench.scoring import Caption, Marks, Score, decidable, score, total


def spoken(*sentences: str, pauses: dict[int, float] | None = None, end: float = 0.0) -> Reference:
    """Each word lasts half a second and follows the one before, or a pause before word N."""
    words: list[SpokenWord] = []
    found: list[SpokenSentence] = []
    at = 0.0
    for sentence in sentences:
        first = len(words)
        for text in sentence.split():
            at += (pauses or {}).get(len(words), 0.0)
            words.append(SpokenWord(text, at, at + 0.5))
            at += 0.5
        found.append(SpokenSentence(words[first].start, at, first, len(words) - 1))
    return Reference(tuple(words), tuple(found), "en", end or at)


def captions(*texts: str) -> list[Caption]:
    return [Caption(0.0, 1.0, text) for text in texts]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("At nine o'clock", "at 9 o'clock."),
        ("twenty thousand dollars", "$20,000"),
        ("twenty thousand dollars", "$20000"),
        ("the colour of it", "The color of it!"),
        ("two thousand and three", "2003"),
        ("the twenty-first", "the 21st"),
        ("fifty percent", "50%"),
        ("twelve ounce", "12-ounce"),
        ("You’re not alone", "you are not alone"),
        ("Okay, so", "OK so"),
        ("Mr. Smith", "Mister Smith"),
        ("Um, yes", "yes"),
        ("one by one", "1 by 1"),
    ],
)
def test_what_sounds_the_same_is_the_same(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("nineteen", "90"), ("a colour", "a collar"), ("you are", "your"), ("two", "too")],
)
def test_what_does_not_is_not(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_other_languages_lose_case_and_punctuation_only() -> None:
    assert normalised("¿Qué tal? Zwölf, ein l'œuf", "es") == [
        "qué",
        "tal",
        "zwölf",
        "ein",
        "l",
        "œuf",
    ]


def test_errors_are_counted_over_all_words_and_recordings() -> None:
    short = score(captions("No."), spoken("Yes."))
    long = score(captions("He saw the", "read fox and dog"), spoken("He saw the red fox and dog."))
    assert (short.errors, short.words) == (1, 1)
    both = total([short, long])
    assert (both.errors, both.words) == (1 + long.errors, 1 + long.words)
    assert both.heard == 0 + 6
    assert both.share_heard == 6 / 8
    assert both.word_error_rate == (1 + long.errors) / (1 + long.words)


def test_a_number_that_is_written_otherwise_is_no_error() -> None:
    found = score(captions("It costs $20,000."), spoken("It costs twenty thousand dollars."))
    assert found.errors == 0
    assert found.inside == 0


@dataclass(frozen=True)
class Pieces:
    why: str
    reference: tuple[str, ...]
    finals: tuple[str, ...]
    inside: int


PIECES = [
    Pieces("sentences", ("A b c.", "D e f."), ("A b c.", "D e f."), 0),
    Pieces("two sentences in one final", ("A b c.", "D e f."), ("A b c. D e f.",), 0),
    Pieces("cut in the middle", ("A b c.", "D e f."), ("A b.", "C.", "D e f."), 1),
    Pieces("cut everywhere", ("A b c.",), ("A.", "B.", "C."), 2),
    Pieces("across an end", ("A b c.", "D e f."), ("A b c. D", "e f."), 1),
    Pieces("the last word is another", ("A b c.", "D e f."), ("A b sea.", "D e f."), 0),
    Pieces("the last word was not heard", ("A b c.", "D e f."), ("A b.", "D e f."), 0),
    Pieces("the recording's last word was not heard", ("A b c.",), ("A b.",), 1),
    Pieces("an invented final between", ("A b c d.",), ("A b.", "Thanks!", "c d."), 1),
    Pieces("an empty final between", ("A b c d.",), ("A b.", "", "c d."), 1),
    Pieces("nothing was heard", ("A b c d.",), (), 0),
    Pieces("a number at the end", ("It was ten past two.", "So."), ("It was 10 past 2.", "So."), 0),
]


@pytest.mark.parametrize("case", PIECES, ids=lambda case: case.why)
def test_finals_that_end_inside_a_sentence(case: Pieces) -> None:
    found = score(captions(*case.finals), spoken(*case.reference))
    assert found.inside == case.inside
    assert found.finals == sum(bool(text) for text in case.finals)


@dataclass(frozen=True)
class Ends:
    why: str
    reference: tuple[str, ...]
    heard: str
    marks: Marks


ENDS = [
    Ends("all right", ("A b c.", "D e?"), "A b c. D e?", Marks(2, 2, 2)),
    Ends("any mark ends", ("A b c.", "D e?"), "A b c! D e…", Marks(2, 2, 2)),
    Ends("one too many", ("To be free.",), "To be. Free.", Marks(1, 2, 1)),
    Ends("one missing", ("A b c.", "D e."), "A b c d e.", Marks(1, 1, 2)),
    Ends("behind a quotation mark", ('"A b."', "D e."), 'A b." D e.', Marks(2, 2, 2)),
    Ends("behind a wrong word", ("A b c.", "D e."), "A b sea. D e.", Marks(2, 2, 2)),
    Ends("behind an invented word", ("A b c.",), "A b c. Thanks.", Marks(1, 2, 1)),
    Ends("an abbreviation is none", ("So Dr. No came.",), "So Dr. No came.", Marks(1, 1, 1)),
    Ends("an initial is none", ("So J. Smith came.",), "So J. Smith came.", Marks(1, 1, 1)),
    Ends("an abbreviation at the end", ("A b, etc.", "D e."), "A b etc. D e.", Marks(2, 2, 2)),
    Ends("a decimal is none", ("It is 3.5 now.",), "It is 3.5 now.", Marks(1, 1, 1)),
    Ends("no is no abbreviation", ("Oh no.", "I see."), "Oh no. I see.", Marks(2, 2, 2)),
]


@pytest.mark.parametrize("case", ENDS, ids=lambda case: case.why)
def test_ends_of_sentences(case: Ends) -> None:
    assert score(captions(case.heard), spoken(*case.reference)).sentence_ends == case.marks


def test_commas_are_those_behind_the_same_words() -> None:
    found = score(captions("Well, my dear I, said no."), spoken("Well, my dear, I said no."))
    assert found.commas == Marks(1, 2, 2)


def test_precision_recall_and_f1() -> None:
    marks = Marks(right=3, placed=4, expected=6)
    assert (marks.precision, marks.recall, marks.f1) == (0.75, 0.5, 0.6)
    assert Marks().f1 == 1.0, "nothing to place and nothing placed"


def test_a_sentence_is_decidable_with_the_second_word_behind_it() -> None:
    assert decidable(spoken("A b.", "C d e."), 0) == 2.0


def test_or_with_a_long_silence() -> None:
    assert decidable(spoken("A b.", "C d e.", pauses={2: 4.0}), 0) == 2.5
    assert decidable(spoken("A b.", "C d e.", pauses={3: 4.0}), 0) == 3.0, "behind the first word"


def test_a_sentence_of_one_word_is_followed_by_the_one_behind_it() -> None:
    assert decidable(spoken("A b.", "Yes.", "C d e."), 0) == 2.0


def test_the_end_of_the_recording_decides() -> None:
    assert decidable(spoken("A b.", end=1.3), 0) == 1.3
    assert decidable(spoken("A b.", end=9.0), 0) == 2.5
    assert decidable(spoken("A b.", end=0.9), 0) == 1.0, "not before the sentence is over"


def test_delays_are_those_of_the_final_with_the_last_word_of_the_sentence() -> None:
    found = score(
        [Caption(0, 1, "A", 1.5), Caption(1, 2, "b.", 3.0), Caption(2, 3, "C d", 4.0)],
        spoken("A b.", "C d e.", end=2.5),
    )
    assert found.end_to_final == (2.0, 1.5)
    assert found.decidable_to_final == (1.0, 1.5)


def test_a_sentence_that_was_not_heard_has_no_delay() -> None:
    found = score([Caption(0, 1, "A b.", 2.0)], spoken("A b.", "C d e f."))
    assert len(found.end_to_final) == 1


def test_offline_finals_have_no_delay() -> None:
    assert score(captions("A b."), spoken("A b.")).end_to_final == ()


def test_more_than_two_seconds_of_speech_without_a_word() -> None:
    reference = spoken("A b c d e f.", "G h i j.")
    assert score(captions("A.", "G h i j."), reference).unheard == ((0.5, 3.0),)
    assert score(captions("A b.", "G h i j."), reference).unheard == ()
    assert score([], reference).unheard == ((0.0, 5.0),)


def test_a_pause_is_no_speech() -> None:
    reference = spoken("A b c d e.", pauses={2: 5.0})
    assert score(captions("A d e."), reference).unheard == ()


def test_a_caption_where_nobody_spoke() -> None:
    silence = Reference((), (), "", 10.0)
    assert score([], silence) == Score(nonspeech=1)
    assert score(captions("Thank you."), silence) == Score(nonspeech=1, invented=1)
    assert score(captions("", "…"), silence) == Score(nonspeech=1)


def test_a_reference_can_be_moved_and_joined() -> None:
    both = spoken("A b.", end=2.0).later(1.0).joined(spoken("C d."))
    assert [word.start for word in both.words] == [1.0, 1.5, 3.0, 3.5]
    assert [(one.first, one.last, one.end) for one in both.sentences] == [(0, 1, 2.0), (2, 3, 4.0)]
    assert both.seconds == 4.0
