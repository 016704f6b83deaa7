"""Cues: where a text is cut, how its lines lie, and how long each is shown."""

import pytest

from vivavoce.actors.captions.cues import Cue, CueMaker
from vivavoce.actors.captions.openers import Opens, opener
from vivavoce.actors.captions.sentence_ends import Ending, endings
from vivavoce.actors.captions.timed_text import timed_pieces
from vivavoce.config.schema import SubtitleSettings
from vivavoce.pipeline.messages import Final, Word

SECOND = 16_000


def spoken(text: str, start: float, end: float, language: str = "en", number: int = 1) -> Final:
    """A final without times of words."""
    return Final(
        utterance=number,
        start=int(start * SECOND),
        end=int(end * SECOND),
        text=text,
        language=language,
    )


def timed(*words: tuple[str, float, float], text: str = "") -> Final:
    found = tuple(
        Word(text=word, start=int(start * SECOND), end=int(end * SECOND), probability=1.0)
        for word, start, end in words
    )
    return Final(
        utterance=1,
        start=found[0].start,
        end=found[-1].end,
        text=text or " ".join(word for word, _, _ in words),
        words=found,
    )


def cues(*finals: Final, settings: SubtitleSettings | None = None) -> list[Cue]:
    settings = settings or SubtitleSettings()
    maker = CueMaker(settings)
    found: list[Cue] = []
    for final in finals:
        found += maker.add(timed_pieces(final, settings.line_characters))
    return found + maker.flush()


def texts(*finals: Final, settings: SubtitleSettings | None = None) -> list[str]:
    return [cue.text for cue in cues(*finals, settings=settings)]


def shown(*finals: Final, settings: SubtitleSettings | None = None) -> list[tuple[float, float]]:
    return [
        (round(cue.start / SECOND, 2), round(cue.end / SECOND, 2))
        for cue in cues(*finals, settings=settings)
    ]


# -- where it is cut


def test_a_sentence_that_fits_is_one_cue() -> None:
    assert texts(spoken("A short time later, debris was seen falling from the skies.", 0, 5)) == [
        "A short time later,\ndebris was seen falling from the skies."
    ]


def test_sentences_stand_alone_where_each_can_be_read() -> None:
    assert texts(spoken("The Columbia is lost. There are no survivors.", 0, 4)) == [
        "The Columbia is lost.",
        "There are no survivors.",
    ]


def test_a_longer_sentence_is_cut_at_its_clauses() -> None:
    text = (
        "We had everything before us, we had nothing before us, "
        "we were all going direct to heaven, we were all going direct the other way."
    )
    assert texts(spoken(text, 0, 9)) == [
        "We had everything before us,\nwe had nothing before us,",
        "we were all going direct to heaven,\nwe were all going direct the other way.",
    ]


def test_without_punctuation_it_is_cut_before_a_word_that_opens_a_clause() -> None:
    text = (
        "The period was so far like the present period that some of its noisiest authorities "
        "insisted on its being received"
    )
    assert texts(spoken(text, 0, 9))[1].startswith("that some")
    german = (
        "Der Mann hat uns gestern am Abend erzählt dass er morgen früh nach Hause fahren wollte"
    )
    assert texts(spoken(german, 0, 9, "de"))[1].startswith("dass er")


def test_without_punctuation_it_is_cut_at_a_pause() -> None:
    said = [
        (f"word{n:02}", n * 0.5 + 0.5 * (n >= 9), n * 0.5 + 0.5 * (n >= 9) + 0.4) for n in range(18)
    ]
    first, second = texts(timed(*said))
    assert (first.split()[-1], second.split()[0]) == ("word08", "word09")


def test_no_cue_is_left_with_one_lonely_word() -> None:
    text = (
        "Reduced the block books which were the immediate predecessors of the printed book indeed"
    )
    assert all(len(cue.split()) > 3 for cue in texts(spoken(text, 0, 8)))


def test_what_lasts_longer_than_a_cue_may_is_cut_though_it_would_fit() -> None:
    text = "In the end, nobody came, and we left."
    assert texts(spoken(text, 0, 12)) == ["In the end,", "nobody came,", "and we left."]
    assert shown(timed(("Aaah!", 0, 20)))[0] == (0, 7)


def test_a_colon_and_an_abbreviation() -> None:
    words = ["Dr.", "J.", "Smith", "left.", "He", "said:", "no!"]
    words += ["3.", "No...", "never", "'Yes.'", "U.S.", "troops"]
    assert endings(words, [True] * len(words)) == [
        Ending.NONE,  # Dr.
        Ending.NONE,  # J.
        Ending.NONE,
        Ending.SENTENCE,  # left.
        Ending.NONE,
        Ending.CLAUSE,  # said:
        Ending.SENTENCE,  # no!
        Ending.SENTENCE,  # 3.
        Ending.PHRASE,  # No... never
        Ending.NONE,
        Ending.SENTENCE,  # 'Yes.'
        Ending.NONE,  # U.S.
        Ending.NONE,
    ]
    assert endings([], []) == []


@pytest.mark.parametrize(
    ("word", "language", "opens"),
    [
        ("that", "en", Opens.CLAUSE),
        ("That's", "en", Opens.CLAUSE),
        ("of", "en", Opens.PHRASE),
        ("die", "en", Opens.NOTHING),
        ("qu'il", "fr", Opens.CLAUSE),
        ("d'avoir", "fr", Opens.PHRASE),
        ("(which", "en-GB", Opens.CLAUSE),
        ("that", "", Opens.NOTHING),
    ],
)
def test_openers(word: str, language: str, opens: Opens) -> None:
    assert opener(word, language) is opens


# -- how lines lie


def test_a_text_that_fits_into_a_line_has_one() -> None:
    assert texts(spoken("It was the best of times, it was the wor", 0, 4)) == [
        "It was the best of times, it was the wor"
    ]


def test_lines_and_their_length_are_settings() -> None:
    text = "one two three four five six seven eight nine ten"
    settings = SubtitleSettings(line_characters=14, lines=3)
    for cue in texts(spoken(text, 0, 20), settings=settings):
        rows = cue.split("\n")
        assert len(rows) <= 3
        assert max(map(len, rows)) <= 14
    single = SubtitleSettings(lines=1)
    assert not any("\n" in cue for cue in texts(spoken(text, 0, 20), settings=single))


def test_wide_characters_count_double_and_punctuation_begins_no_line() -> None:
    text = "今日はとても良い天気ですので、みんなで公園に行って、お弁当を食べましょう。"
    (cue,) = texts(spoken(text, 0, 7, "ja"), settings=SubtitleSettings(line_characters=42))
    assert "".join(cue.split("\n")) == text
    assert cue.count("\n") == 1
    assert all(len(row) <= 21 for row in cue.split("\n"))
    for columns in range(10, 42):
        found = texts(spoken(text, 0, 30, "ja"), settings=SubtitleSettings(line_characters=columns))
        assert not any(row[0] in "、。" for cue in found for row in cue.split("\n"))
        assert "".join("".join(found).split()) == text


def test_a_word_that_is_longer_than_a_line_is_broken_up() -> None:
    assert texts(spoken("x" * 50, 0, 5), settings=SubtitleSettings(line_characters=30)) == [
        f"{'x' * 30}\n{'x' * 20}"
    ]


# -- how long it is shown


def test_a_short_cue_is_held_into_the_silence() -> None:
    assert shown(spoken("Yes.", 1, 1.3), spoken("No, thank you.", 5, 6.5)) == [(1, 2), (5, 6.5)]
    longer = SubtitleSettings(shortest_ms=2_500)
    assert shown(spoken("Yes.", 1, 1.3), settings=longer) == [(1, 3.5)]


def test_a_cue_that_is_too_fast_is_held_until_it_can_be_read() -> None:
    text = "We had nothing before us at all then."  # 37 characters
    assert shown(spoken(text, 0, 1), spoken("Really, nothing?", 3, 4)) == [(0, 1.85), (3, 4)]
    slower = SubtitleSettings(characters_per_second=10)
    assert shown(spoken(text, 0, 1), settings=slower) == [(0, 3.7)]


def test_without_silence_the_next_cue_begins_a_little_late_if_it_can_spare_the_time() -> None:
    fast = spoken("He said nobody should ever have to run so very fast, not even once!", 0, 3.2)
    slow = spoken("Nobody ever needs to hurry like that, do they?", 3.2, 6.5, number=2)
    assert shown(fast, slow) == [(0, 3.35), (3.35, 6.5)]
    # Where it is known that the next one has no time to spare, it begins with its words.
    maker = CueMaker(SubtitleSettings())
    said = [
        spoken("He said nobody should ever have to run so very fast, not even once!", 0, 3.2),
        spoken("Nobody ever needs to hurry quite like that, do they?", 3.2, 5.8),
        spoken("Nobody at all, as far as I know.", 5.8, 8.5),
    ]
    found = maker.add([piece for final in said for piece in timed_pieces(final, 42)])
    assert [cue.start / SECOND for cue in found] == [0, 3.2, 5.8]


def test_short_sentences_without_silence_share_a_cue() -> None:
    found = cues(
        spoken("No.", 0, 0.4), spoken("Hello.", 0.4, 0.8, number=2), spoken("Sorry.", 0.8, 1.2)
    )
    assert [cue.text for cue in found] == ["No. Hello. Sorry."]


def test_an_empty_screen_does_not_flicker_between_two_cues() -> None:
    text = "We had everything before us, we had nothing before us, " * 2
    said = [(word, n * 0.4, n * 0.4 + 0.3) for n, word in enumerate(text.split())]
    (_, end), (start, _) = shown(timed(*said))
    assert end == start


# -- when each word is said


def starts(final: Final) -> list[float]:
    return [round(piece.start / SECOND, 2) for piece in timed_pieces(final, 42)]


def test_without_word_times_time_is_shared_out_by_characters() -> None:
    assert starts(spoken("aaaa bb cc dddd", 0, 12)) == [0, 4, 6, 8]


def test_text_that_was_cleaned_has_the_times_of_its_words() -> None:
    said = [("um", 0, 1), ("i", 1, 1.5), ("paid", 1.5, 2), ("twenty", 2, 3), ("five", 3, 4)]
    final = timed(*said, ("dollars", 4, 5), text="I paid $25.")
    assert starts(final) == [1, 1.5, 2]
    assert timed_pieces(final, 42)[-1].end == 5 * SECOND
    # What no word stands for has no time but what its letters need.
    final = timed(*said, ("dollars", 4, 5), text="I paid twenty five big dollars")
    assert starts(final) == [1, 1.5, 2, 3, 4, 4.06]


def test_words_in_characters_have_their_times() -> None:
    final = timed(("今日", 0, 1), ("は", 1, 3), ("雨。", 3, 4), text="今日は雨。")
    assert [piece.text for piece in timed_pieces(final, 42)] == ["今", "日", "は", "雨。"]
    assert starts(final) == [0, 0.5, 1, 3]


@pytest.mark.parametrize(
    "times",
    [
        [(9, 9), (8, 8), (1, 0), (-5, 30), (2, 2)],  # backwards, and out of the final
        [(10, 10)] * 5,  # all at its end
        [(0, 0)] * 5,
        [(2, 2), (2, 2), (2, 2), (2, 9), (9, 10)],
    ],
)
def test_times_that_are_wrong_are_put_in_order(times: list[tuple[float, float]]) -> None:
    words = tuple(
        Word(text=word, start=int(a * SECOND), end=int(b * SECOND), probability=1.0)
        for word, (a, b) in zip(["one", "two", "three", "four", "five"], times, strict=True)
    )
    final = Final(
        utterance=1, start=0, end=10 * SECOND, text="one two three four five", words=words
    )
    pieces = timed_pieces(final, 42)
    edges = [edge for piece in pieces for edge in (piece.start, piece.end)]
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= final.end
    assert all(piece.end - piece.start >= 0.05 * SECOND for piece in pieces)
