"""What of a text may reach a keyboard."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.injection.sanitise import Keys, clean, parts
from vivavoce.config.injection import InjectionSettings

PLAIN = InjectionSettings()
ENTER = InjectionSettings(newlines="enter")
SHIFT_ENTER = InjectionSettings(newlines="shift_enter")
CONTROL = InjectionSettings(control_characters=True, newlines="enter")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("One.\nTwo.", "One. Two."),
        ("One. \r\n\r\n Two.", "One. Two."),
        ("a\u2028b\u2029c\x85d\ve\ff", "a b c d e f"),
        ("tab\there", "tab here"),
        ("\x1b[31mred\x1b[0m \x9b2J", "[31mred[0m 2J"),
        ("\x1b]0;title\x07", "]0;title"),
        ("be\x08\x7f\x00ll", "bell"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("lone \ud800 \udfff", "lone \ufffd \ufffd"),
        ("\ufeff\ufffe\ufffftext\U0001ffff", "text"),
        ("$(reboot) `id` 'a' \"b\" \\n", "$(reboot) `id` 'a' \"b\" \\n"),
        ("سلام\u200f! 👨\u200d👩\u200d👧 🏳️", "سلام\u200f! 👨\u200d👩\u200d👧 🏳️"),
    ],
)
def test_only_text_is_left(text: str, cleaned: str):
    assert clean(text, PLAIN) == cleaned


def test_line_breaks_are_kept_where_they_are_typed():
    assert clean("a\r\nb\rc", ENTER) == "a\nb\nc"
    assert list(parts("a\nb", ENTER, has_keys=True)) == [("a", 1), (Keys("enter"), 1), ("b", 1)]
    assert list(parts("a\nb", SHIFT_ENTER, has_keys=True))[1] == (Keys("shift+enter"), 1)
    assert list(parts("a\nb", ENTER, has_keys=False)) == [("a\nb", 3)]


def test_control_characters_are_keys():
    assert clean("a\tb\x1bc\x01\x00", CONTROL) == "a\tb\x1bc\x01"
    typed = [part for part, _ in parts("a\tb\x1bc\x01", CONTROL, has_keys=True)]
    assert typed == ["a", Keys("tab"), "b", Keys("escape"), "c", Keys("ctrl+a")]


@given(st.text(st.characters(exclude_categories=())), st.sampled_from([PLAIN, ENTER, SHIFT_ENTER]))
def test_nothing_that_controls_is_left(text: str, settings: InjectionSettings):
    cleaned = clean(text, settings)
    cleaned.encode()
    controls = {c for c in cleaned if unicodedata.category(c) == "Cc"}
    assert controls <= ({"\n"} if settings is not PLAIN else set())
    assert clean(cleaned, settings) == cleaned
    found = list(parts(cleaned, settings, has_keys=True))
    assert sum(length for _, length in found) == len(cleaned)
    assert "".join(p for p, _ in found if isinstance(p, str)) == cleaned.replace("\n", "")
