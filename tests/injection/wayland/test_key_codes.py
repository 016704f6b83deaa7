"""Which keys characters lie on: none that means something else to programs."""

import string

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.injection.wayland.key_codes import runs, skipping

# By number: Escape, Backspace, Tab, Enter, Ctrl, Shift, Shift, Alt; F1 and on are from 59.
MEAN_SOMETHING = {1, 14, 15, 28, 29, 42, 54, 56}
SAFE_ANYWHERE = set(string.ascii_letters + string.digits + "\n\t")


def codes(text: str, skipped: int) -> dict[str, int]:
    """As wtype gives them out."""
    return {char: skipped + 1 + number for number, char in enumerate(dict.fromkeys(text))}


@given(st.text(st.characters(blacklist_categories=["Cs"])) | st.text(string.printable, min_size=30))
def test_no_character_lies_on_a_key_that_means_something_else(text: str) -> None:
    found = list(runs(text))
    assert "".join(run.text for run in found) == text
    for run in found:
        for character, code in codes(run.text, run.skipped).items():
            assert 1 <= code < 58
            assert character in SAFE_ANYWHERE or code not in MEAN_SOMETHING
        assert len(skipping(run.skipped)) == 2 * run.skipped


def test_a_usual_sentence_is_one_run() -> None:
    for sentence in (
        "let's just keep it open.",  # its period is the 14th character: a Backspace to Chromium
        "Well, “The quick brown fox” jumps over 13 lazy dogs; doesn't it? (Yes!)",
        "Größere Äpfel, süße Früchte – und über 20 % mehr davon: wöchentlich!",
        "",
    ):
        assert len(list(runs(sentence))) <= 1


def test_different_characters_are_a_dozen_to_a_run() -> None:
    text = "".join(chr(0x4E00 + number) for number in range(120))
    assert [len(run.text) for run in runs(text)] == [12] * 10
