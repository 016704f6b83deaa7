"""Numbers and units: digits where the library knows the language, signs behind digits only."""

import sys

import pytest

from vivavoce.actors.cleanup import Cleaner, numbers
from vivavoce.config.cleanup import CleanupSettings

BOTH = Cleaner(CleanupSettings(numbers=True, units=True))


@pytest.mark.parametrize(
    ("language", "said", "meant"),
    [
        ("en", "twenty three apples and one of them", "23 apples and one of them"),
        ("en", "First, that. Third, the twenty third", "First, that. Third, the 23rd"),
        ("en", "three point five percent of it", "3.5% of it"),
        ("en", "it is twenty degrees celsius", "It is 20 °C"),
        ("en", "five kilometers per hour or five kilometers", "5 km/h or 5 km"),
        ("en", "that costs twenty dollars", "That costs $20"),
        ("en", "five million people and two million dollars", "5000000 people and $2000000"),
        ("", "twenty three", "23"),
        ("de", "drei Komma fünf Prozent", "3,5 %"),
        ("de", "zwanzig Euro", "20 €"),
        ("fr", "cinq pour cent et trente-deux mètres", "5 % et 32 m"),
        ("es", "veinticinco por ciento", "25 %"),
        ("it", "ventitre mele", "23 mele"),
        ("pl", "dwadzieścia jeden", "Dwadzieścia jeden"),
    ],
)
def test_numbers_and_units(language: str, said: str, meant: str) -> None:
    pytest.importorskip("text_to_num", reason="text2num is not installed (vivavoce[dictation])")
    assert BOTH.text(said, language) == meant


@pytest.mark.parametrize(
    ("language", "said", "meant"),
    [
        ("en", "It costs $5 million", "It costs $5 million"),
        ("en", "2.5 million dollars", "$2.5 million"),
        ("en", "two point five million dollars", "$2.5 million"),
        ("en", "2.5 million percent of 3 thousand people", None),
        ("en", "5 hundred and six", None),
        ("de", "2,5 Millionen Euro", "2,5 Millionen €"),
        ("de", "5 tausend", None),
        ("fr", "2,5 millions d'euros", None),
        ("fr", "3 milliards euros", "3 milliards €"),
        ("es", "5 millones", None),
        ("it", "2,5 milioni", None),
        ("pt", "5 milhões", None),
        ("nl", "5 miljoen", None),
    ],
)
def test_what_multiplies_digits_stays_a_word(language: str, said: str, meant: str | None) -> None:
    pytest.importorskip("text_to_num", reason="text2num is not installed (vivavoce[dictation])")
    assert BOTH.text(said, language) == (meant or said)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Six"),
        ("en", "The boys examined three of them"),
        ("en", "Two thirds, three quarters and one fifth"),
        ("en", "A hundred times"),
        ("en", "A hundred dollars"),
        ("en", "One second, the third option"),
        ("en", "At ten thirty"),
        ("en", "Fifty-fifty"),
        ("de", "Acht geben, hundert Mal, ein Kilo"),
        ("fr", "Neuf chats, cent fois, deux tiers"),
        ("es", "Mil gracias, tres veces"),
        ("it", "Sei tu"),
    ],
)
def test_small_and_round_numbers_alone_and_fractions_stay_words(language: str, text: str) -> None:
    assert BOTH.text(text, language) == text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("in twenty twenty four and nineteen eighty-four", "In 2024 and 1984"),
        ("in nineteen oh five", "In 1905"),
        ("at five thirty pm or five oh five p.m. or five pm", "At 5:30 pm or 5:05 p.m. or 5 pm"),
        ("call one two three four", "Call 1 2 3 4"),
        ("a hundred and twenty people", "120 people"),
        ("twenty twenty dollars", "Twenty twenty dollars"),
        ("two hundred five ten", "205 10"),
    ],
)
def test_years_times_and_rows_of_numbers(said: str, meant: str) -> None:
    pytest.importorskip("text_to_num", reason="text2num is not installed (vivavoce[dictation])")
    assert BOTH.text(said) == meant


def test_the_name_of_a_sign_is_no_unit() -> None:
    cleaner = Cleaner(CleanupSettings(units=True, spoken_punctuation=True))
    assert cleaner.text("5 percent sign and 5 percent") == "5% and 5%"
    assert cleaner.text("dollar sign HOME and 5 dollars") == "$HOME and $5"


@pytest.mark.parametrize("odd", ["\ud800", "\ud800\udfff", "e\u0301", "\0", "x" * 5_000, "㊿", "²"])
def test_what_the_library_cannot_read_is_not_shown_to_it(odd: str) -> None:
    assert BOTH.text(f"Is {odd} good") == f"Is {odd} good"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("5 percent", "5%"),
        ("5-kilometer run", "5 km run"),
        ("1,000.5 Kilograms", "1,000.5 kg"),
        ("A percent of some meters", "A percent of some meters"),
        ("$5 dollars", "$5 dollars"),
        ("Version v5 meters", "Version v5 meters"),
        ("5 percent-ish", "5 percent-ish"),
    ],
)
def test_units_stand_directly_behind_digits(text: str, meant: str) -> None:
    assert Cleaner(CleanupSettings(units=True)).text(text) == meant


def test_without_the_library_numbers_stay_words_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setitem(sys.modules, "text_to_num", None)

    class Log:
        def warning(self, event: str) -> None:
            told.append(event)

    monkeypatch.setattr(numbers, "log", Log())
    numbers._library.cache_clear()
    try:
        for _ in range(2):
            cleaner = Cleaner(CleanupSettings(numbers=True))
            assert cleaner.text("twenty three") == "Twenty three"
    finally:
        numbers._library.cache_clear()
    assert len(told) == 1
    assert "pip install 'vivavoce[dictation]'" in told[0]


def test_the_library_is_not_imported_for_captions() -> None:
    import subprocess

    probe = (
        "import sys; from vivavoce.actors.cleanup import Cleaner;"
        "from vivavoce.config.cleanup import CleanupSettings;"
        "Cleaner(CleanupSettings()).text('twenty'); print('text_to_num' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
