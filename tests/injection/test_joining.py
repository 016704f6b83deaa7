"""How a text goes on from what was typed before it."""

import pytest

from vivavoce.actors.injection.joining import joined


@pytest.mark.parametrize(
    ("tail", "text", "expected"),
    [
        ("", "hello", "hello"),
        ("First.", "Second.", " Second."),
        ("First.", "second.", " Second."),
        ("First", ", second.", ", second."),
        ("First", ".", "."),
        ("Uses", ".NET now", " .NET now"),
        ("so (", "he said", "he said"),
        ("so (a", ")", ")"),
        ("He said “", "Hello", "Hello"),
        ('He said "', "Hello", "Hello"),
        ('He said "Hello', '"', '"'),
        ('He said "Hello."', "Then", " Then"),
        ("First.\n", "second", "Second"),
        ("First. ", "Second", "Second"),
        ("A line", "\nand more", "\nand more"),
        ("we went to", "The shop", " the shop"),
        ("we went,", "And then", " and then"),
        ("we went to", "NASA there", " NASA there"),
        ("and then", "I went", " I went"),
        ("and then", "I'm off", " I'm off"),
        ("and then", "A dog", " a dog"),
        ("on", "Monday", " Monday"),
        ("an", "iPhone", " iPhone"),
        ("First.", "iPhone", " iPhone"),
        ("and", "McDonald", " McDonald"),
        ("well…", "Maybe", " Maybe"),
        ("well…", "maybe", " maybe"),
        ("he", "'s here", "'s here"),
        ("see", "Dr. Smith", " Dr. Smith"),
        ("I met", "John", " John"),
        ("went to", "New York", " New York"),
        ("went to", "The Hague", " The Hague"),
        ("and", "The I that sees", " the I that sees"),
        ("told", "A. Smith", " A. Smith"),
        ("thinks", "It's fine", " it's fine"),
        ("perhaps", "And Peter too", " and Peter too"),
        ("self-", "Made", "Made"),
        ("…", "Perhaps", " Perhaps"),
        ("…", "Перед", " Перед"),
        ("costs $", "5", "5"),
        ("user@", "example", "example"),
        ("今日は。", "明日", "明日"),
        ("今日", "hello", " hello"),
        ("Really?", "yes", " Yes"),
        ("(Really.)", "yes", " Yes"),
        ("a", "«да»", " «да»"),
        ("да", "Нет", " Нет"),
    ],
)
def test_space_and_first_letter(tail: str, text: str, expected: str):
    assert joined(tail, text, language="en") == expected


def test_words_of_the_vocabulary_stay_as_they_are():
    assert joined("I use", "Vim daily", vocabulary=["Vim"]) == " Vim daily"
    assert joined("Done.", "vim", vocabulary=["vim"]) == " vim"
    assert joined("to", "New York", vocabulary=["New York"]) == " New York"


@pytest.mark.parametrize(
    ("language", "tail", "text", "expected"),
    [
        ("fr", "Bonjour", "!", " !"),
        ("fr", "Bonjour", ", toi", ", toi"),
        ("fr", "c'est l'", "homme", "homme"),
        ("fr", "parce qu’", "il", "il"),
        ("fr", "je crois", "Que oui", " que oui"),
        ("fr", "je vais à", "La Rochelle", " La Rochelle"),
        ("fr", "je vois", "L'homme", " l'homme"),
        ("fr-CA", "je vois", "Marie", " Marie"),
        ("es", "creo", "Que sí", " que sí"),
        ("es", "en", "Los Ángeles", " Los Ángeles"),
        ("de", "ich gehe", "Mit dir", " mit dir"),
        ("de", "und", "Die Frau", " die Frau"),
        ("de", "weil", "Ihr kommt", " Ihr kommt"),
        ("pl", "idę", "Do domu", " Do domu"),
        ("", "and", "Then", " then"),
    ],
)
def test_languages(language: str, tail: str, text: str, expected: str):
    assert joined(tail, text, language=language) == expected


def test_nouns_keep_their_capitals():
    assert joined("ich sehe das", "Haus", language="de") == " Haus"
    assert joined("ich gehe.", "heute", language="de") == " Heute"


def test_capitals_can_be_left_alone():
    assert joined("we went to", "The shop", capitals=False) == " The shop"
    assert joined("Done.", "next", capitals=False) == " next"
