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
