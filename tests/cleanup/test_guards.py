"""Loops and known inventions go only where the engine itself was unsure."""

import pytest

from vivavoce.actors.cleanup.guards import is_hallucination, spoken_form, unsure, without_loops
from vivavoce.actors.cleanup.known_phrases import KNOWN_HALLUCINATIONS
from vivavoce.pipeline.messages import Final, Revision

TEN = "one two three four five six seven eight nine ten"


def final(text: str = "", **figures: float) -> Final:
    return Final(utterance=1, start=0, end=16_000, text=text, **figures)


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("no no no no", "no"),
        ("No, no, no.", "no."),
        ("and then I went and then I went and then I went home", "and then I went home"),
        ("no no never  mind", "no no never  mind"),
        ("a a a b a a a b a a a b", "a b"),
        (f"{TEN} {TEN} {TEN}", TEN),
        ("", ""),
    ],
)
def test_loops_of_three_and_more_come_once(text: str, once: str) -> None:
    assert without_loops(text) == once
    assert without_loops(once) == once


def test_a_phrase_of_eleven_words_is_no_loop() -> None:
    text = " ".join(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"] * 3)
    assert without_loops(text) == text


def test_languages_without_spaces_loop_by_characters() -> None:
    assert without_loops("ありがとう" * 5, "ja") == "ありがとう"
    assert without_loops("はははは", "ja") == "はははは"
    assert without_loops("ありがとう" * 5, "en") == "ありがとう" * 5


@pytest.mark.parametrize(
    ("figures", "doubt"),
    [
        ({}, False),
        ({"confidence": 0.9, "average_log_probability": -0.2, "compression_ratio": 1.5}, False),
        ({"confidence": 0.3}, True),
        ({"average_log_probability": -1.2}, True),
        ({"confidence": 0.9, "compression_ratio": 2.5}, True),
    ],
)
def test_who_is_unsure(figures: dict[str, float], doubt: bool) -> None:
    assert unsure(final(**figures)) is doubt


def test_a_revision_is_judged_by_its_confidence() -> None:
    assert unsure(Revision(utterance=1, text="", confidence=0.2))
    assert not unsure(Revision(utterance=1, text="", confidence=0.8))


@pytest.mark.parametrize(
    ("text", "figures", "invented"),
    [
        ("Thanks for watching!", {"no_speech_probability": 0.9}, True),
        (" you", {"confidence": 0.2}, True),
        ("Vielen Dank.", {"average_log_probability": -1.0}, True),
        ("ご視聴ありがとうございました", {"no_speech_probability": 0.7}, True),
        ("Thanks for watching!", {"confidence": 0.95}, False),
        ("Thanks for watching the baby.", {"no_speech_probability": 0.9}, False),
        ("", {"no_speech_probability": 0.9}, False),
    ],
)
def test_known_inventions(text: str, figures: dict[str, float], invented: bool) -> None:
    assert is_hallucination(final(text, **figures)) is invented


def test_known_phrases_are_written_as_they_are_looked_up() -> None:
    assert {spoken_form(phrase) for phrase in KNOWN_HALLUCINATIONS} == KNOWN_HALLUCINATIONS
