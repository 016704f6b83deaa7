"""Spacing and case: what changes, what must not, and that it changes no more the second time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.cleanup.tidy import make_tidy
from vivavoce.config.schema import CleanupSettings

tidy = make_tidy(CleanupSettings())

PIECES = st.sampled_from(
    [
        *("a", "i", "i'm", "ok", "Hello", "iPhone", "3.14", "e.g.", "U.S.", "vs.", "don't", "ß"),
        *(
            "ŉ",
            "ǆ",
            "été",
            "дом",
            "你好",
            "x@y.org",
            "http://a.b/c,d",
            '"hi"',
            "(so",
            "_x",
            "1,000",
        ),
        *(".", ",", "!", "?", ";", ":", "...", "?!", "'", "’", "-", "\u00a0", "\t", " ", "\x1b"),
    ]
)
TEXTS = st.one_of(
    st.lists(PIECES).map(" ".join), st.lists(PIECES).map("".join), st.text(max_size=60)
)


def sequence(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  two   words\n", "Two words"),
        ("don't go , ok ?", "Don't go, ok?"),
        ("wait !really,yes", "Wait !really, yes"),
        ("one. two! three? four", "One. Two! Three? Four"),
        ('"hello there', '"Hello there'),
        ("covid19 is here", "Covid19 is here"),
        ("so i think i'm here and i", "So I think I'm here and I"),
        ("wi-fi i.e. an i-th i/o", "Wi-fi i.e. an i-th i/o"),
    ],
)
def test_texts_are_tidied(before: str, after: str) -> None:
    assert tidy(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "It is 3.14 at 10:30, 1,000 of them",
        "He saw, e.g. the U.S. army, i.e. soldiers",
        "Well ... maybe... yes",
        "See https://example.com/a,b?c=d;e or me@example.com,they know",
        "Don't say 'no', it's 2,5 % of C:drive",
        "Mr. smith vs. them etc. and so on",
        "The iPhone. iPhone is a word",
    ],
)
def test_what_is_right_stays(text: str) -> None:
    assert tidy(text) == text


@pytest.mark.parametrize("text", ["example.com is up", "me@example.com wrote", "foo_bar is a name"])
def test_names_and_addresses_get_no_capital(text: str) -> None:
    assert tidy(text) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [("pl", "Ja i ty"), ("fr", "Bonjour ! Ça va ?"), ("tr", "İyi i"), ("ka", "გამარჯობა")],
)
def test_other_languages_keep_their_rules(language: str, text: str) -> None:
    clean = make_tidy(CleanupSettings(), language=language)
    assert clean(text) == text
    assert clean(text[0].lower()[0] + text[1:]) == text


@given(TEXTS, st.sampled_from(["", "en", "fr", "tr", "pl"]))
def test_cleaning_twice_is_cleaning_once(text: str, language: str) -> None:
    clean = make_tidy(CleanupSettings(), language=language)
    assert clean(clean(text)) == clean(text)


@given(TEXTS, st.booleans(), st.booleans(), st.booleans())
def test_letters_and_digits_never_change(text: str, space: bool, marks: bool, case: bool) -> None:
    rules = CleanupSettings(whitespace=space, punctuation=marks, sentence_case=case)
    assert sequence(make_tidy(rules)(text)) == sequence(text)


@pytest.mark.parametrize(
    ("rule", "text", "kept"),
    [
        ("whitespace", " a  b", " A  b"),
        ("punctuation", "a , b,c", "A , b,c"),
        ("sentence_case", "a. i", "a. i"),
    ],
)
def test_each_rule_can_be_switched_off(rule: str, text: str, kept: str) -> None:
    rules = CleanupSettings(**{rule: False})
    assert make_tidy(rules)(text) == kept


@pytest.mark.parametrize("part", ["a,", " ", ". ", "a.", "i ", "a", "'", "1,", "i'"])
@pytest.mark.parametrize("whitespace", [True, False])
def test_time_grows_with_the_text_and_no_faster(part: str, whitespace: bool) -> None:
    clean = make_tidy(CleanupSettings(whitespace=whitespace))
    began = time.thread_time()
    clean(part * 30_000)
    assert time.thread_time() - began < 2.0  # a quadratic rule takes 10 s and more


def test_with_all_rules_off_nothing_changes() -> None:
    off = CleanupSettings(whitespace=False, punctuation=False, sentence_case=False)
    assert make_tidy(off)(" a ,b\t i. c ") == " a ,b\t i. c "
