"""Replacements are whole words, literal, longest first; partials wait for phrases to be decided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.cleanup import Cleaner
from vivavoce.actors.cleanup.replacements import make_replace, make_settled
from vivavoce.config.schema import CleanupSettings
from vivavoce.pipeline.messages import Partial

WORDS = st.sampled_from(["a", "b", "c", "d", "a,", '"a', "i", ".", ",", "x.", "b-a", "A", "..."])
PHRASES = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=4).map(" ".join)
TARGETS = st.sampled_from(["X", "x y", "", ".", ",", "a", "...", "i", r"\1"])
RULES = st.dictionaries(PHRASES, TARGETS, max_size=4)


@pytest.mark.parametrize(
    ("table", "before", "after"),
    [
        ({"viva voce": "vivavoce"}, "use viva  voce now", "use vivavoce now"),
        ({"cat": "dog"}, "cat concatenate cats cat's", "dog concatenate cats dog's"),
        ({"new york": "NY", "new york city": "NYC"}, "new york city, new york", "NYC, NY"),
        ({"x": r"\1\g<0>\n"}, "an x", r"an \1\g<0>\n"),
        ({"c++": "C++", "a.b": "dot"}, "c++ and a.b not axb", "C++ and dot not axb"),
        ({"a": "b", "b": "a"}, "a b", "b a"),
        ({" ": "x", "": "y"}, "a  b", "a  b"),
        ({}, "as it is", "as it is"),
    ],
)
def test_replacing(table: dict[str, str], before: str, after: str) -> None:
    assert make_replace(table)(before) == after


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("in new", "in "),
        ("in new york", "in "),
        ("in new york city", "in new york city"),
        ("in new hope", "in new hope"),
        ("in new, york", "in new, york"),
        ('in "new', "in "),
        ("old", "old"),
        ("new york-new", ""),
    ],
)
def test_a_phrase_that_has_begun_is_held_back(text: str, settled: str) -> None:
    table = {"new york": "NY", "new york city": "NYC", "old": "OLD"}
    assert text[: make_settled(table)(text)] == settled


def partial(stable: str, tail: str = "") -> Partial:
    return Partial(utterance=1, revision=1, start=0, end=1, stable=stable, tail=tail)


def test_overlapping_phrases_are_decided_from_the_left() -> None:
    cleaner = Cleaner(CleanupSettings(replacements={"a b": "X", "b c d": "Y"}))
    shown = [cleaner.partial(partial(text)).stable for text in ("a", "a b", "a b z")]
    assert shown == ["", "X", "X z"]


@given(st.lists(WORDS, max_size=12), RULES, st.sampled_from(["", "pl", "fr"]))
def test_cleaned_stable_text_only_grows(
    words: list[str], table: dict[str, str], language: str
) -> None:
    cleaner = Cleaner(CleanupSettings(replacements=table))
    shown = ""
    for count in range(len(words) + 1):
        message = partial(" ".join(words[:count]), " ".join(words[count:]))
        cleaned = cleaner.partial(message, language)
        assert cleaned.stable.startswith(shown)
        shown = cleaned.stable
    assert cleaner.text(" ".join(words), language).startswith(shown)


@given(st.lists(WORDS, max_size=12), st.integers(0, 12), RULES)
def test_stable_and_tail_together_are_the_cleaned_text(
    words: list[str], at: int, table: dict[str, str]
) -> None:
    cleaner = Cleaner(CleanupSettings(replacements=table))
    cleaned = cleaner.partial(partial(" ".join(words[:at]), " ".join(words[at:])))
    whole = cleaner.text(" ".join(words))
    assert f"{cleaned.stable}{cleaned.tail}".replace(" ", "") == whole.replace(" ", "")
