"""Replacements with their case, vocabulary, swear words."""

import pytest

from vivavoce.actors.cleanup import Cleaner
from vivavoce.actors.cleanup.replacements import with_case_of
from vivavoce.config.cleanup import CleanupSettings, engine_hints
from vivavoce.pipeline.messages import Final, Partial, Word


@pytest.mark.parametrize(
    ("text", "said", "written"),
    [
        ("be right back", "brb", "be right back"),
        ("be right back", "Brb", "Be right back"),
        ("be right back", "BRB", "BE RIGHT BACK"),
        ("i", "A", "I"),
        ("Ada", "someone", "Ada"),
        ("iPhone", "Phone", "iPhone"),
        ("me@example.com", "My Mail", "me@example.com"),
        ("example.com", "Site", "example.com"),
        ("a_b", "Ab", "a_b"),
        (r"\1", "One", r"\1"),
        ("", "Gone", ""),
        ("ß", "Eszett", "ß"),
    ],
)
def test_a_replacement_takes_over_the_case(text: str, said: str, written: str) -> None:
    assert with_case_of(text, said) == written


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("i live in new york", "I live in New York"),
        ("we use POSTGRESQL and Npm", "We use PostgreSQL and npm"),
        ("npm is here", "npm is here"),
        ("renewyorker", "Renewyorker"),
    ],
)
def test_vocabulary_is_spelt_as_it_is_given(said: str, meant: str) -> None:
    terms = ["New York", "PostgreSQL", "npm", " "]
    assert Cleaner(CleanupSettings(vocabulary=terms)).text(said) == meant


def test_a_replacement_goes_before_the_vocabulary_and_both_before_the_mask() -> None:
    settings = CleanupSettings(
        vocabulary=["Shit Creek", "ADA"], replacements={"ada": "Ada"}, profanity_mask=True
    )
    assert Cleaner(settings).text("ada of shit creek, shit") == "Ada of Shit Creek, s***"


def test_the_engine_is_told_the_vocabulary() -> None:
    settings = CleanupSettings(vocabulary=["New  York", "npm", "", "npm"])
    assert engine_hints(settings) == "New York npm"
    assert engine_hints(CleanupSettings()) == ""


def test_swear_words_are_masked_wherever_they_are_shown() -> None:
    cleaner = Cleaner(CleanupSettings(profanity_mask=True))
    assert cleaner.text("Fucking hell, shit in Scunthorpe") == "F****** hell, s*** in Scunthorpe"
    assert cleaner.text("so eine Scheiße", "de") == "So eine S******"
    words = (Word(text=" shit,", start=0, end=1, probability=1.0),)
    final = cleaner.whole(Final(utterance=1, start=0, end=1, text="Shit, no.", words=words))
    assert (final.text, final.words[0].text) == ("S***, no.", " s***,")
    shown = cleaner.partial(
        Partial(utterance=1, revision=1, start=0, end=1, stable="oh shit", tail="fuck")
    )
    assert (shown.stable, shown.tail) == ("Oh s***", "f***")
