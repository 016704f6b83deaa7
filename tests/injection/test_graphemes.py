"""Characters that belong together, and how fast they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.injection.back_off import BackOff
from vivavoce.actors.injection.graphemes import backspaces, clusters, split
from vivavoce.actors.injection.live import correction, growth
from vivavoce.actors.injection.pacing import Pace, piece_size

FAMILY, FLAG, THUMB, ACCENT = "👨‍👩‍👧", "🇩🇪", "👍🏽", "e\u0301"


def test_what_belongs_together_stays_together():
    text = f"a{FAMILY}{FLAG}{FLAG}{THUMB}{ACCENT}b"
    assert list(clusters(text)) == ["a", FAMILY, FLAG, FLAG, THUMB, ACCENT, "b"]
    assert split(text, 1) == ["a", FAMILY, FLAG, FLAG, THUMB, ACCENT, "b"]


@given(st.text(st.sampled_from(["a", "é", "\u0301", "\u200d", "👍", "🏽", "🇩", "\ufe0f"])))
def test_nothing_is_lost_between_pieces(text: str):
    for size in (1, 3, 50):
        pieces = split(text, size)
        assert "".join(pieces) == text
        assert all(pieces)


def test_what_backspace_removes_for_sure():
    assert backspaces("hello ñ 😀") == 9
    assert backspaces(ACCENT) is None
    assert backspaces(FAMILY) is None
    assert backspaces("a\nb") is None
    assert backspaces("") == 0


@pytest.mark.parametrize(
    ("typed", "target", "plan"),
    [
        ("", "abc", (0, "abc")),
        ("ab", "abc", (0, "c")),
        ("abx", "abc", (1, "c")),
        ("abc", "", (3, "")),
        ("e", ACCENT, (1, ACCENT)),
        (ACCENT, "x", None),
    ],
)
def test_corrections(typed: str, target: str, plan: tuple[int, str] | None):
    assert correction(typed, target) == plan


def test_growth_stops_where_it_could_not_be_corrected():
    assert growth("we", "we will") == " will"
    assert growth("we", "us") == ""
    assert growth("we", "we\nwill") == ""
    assert growth("we", "we will\nnow") == " will"


def test_pace_halves_and_recovers_in_small_steps():
    pace = Pace(1_000.0)
    assert pace.rate(None) == 1_000
    assert pace.rate(50) == 50
    pace.failed()
    pace.failed()
    assert pace.rate(None) == 250
    pace.succeeded()
    assert pace.rate(None) == pytest.approx(350)
    for _ in range(20):
        pace.succeeded()
    assert pace.rate(None) == 1_000
    for _ in range(20):
        pace.failed()
    assert pace.rate(None) == 20


def test_pieces_fit_their_time():
    assert piece_size(200, 1_000, 3.0) == 200
    assert piece_size(200, 20, 3.0) == 30
    assert piece_size(200, 5, 0.05) == 1


def test_back_off_doubles_and_ends():
    back_off = BackOff()
    assert not back_off.resting(0.0)
    back_off.failed("why", 10.0, 10.1)
    assert back_off.resting(11.0)
    assert not back_off.slow
    assert not back_off.resting(11.2)
    back_off.failed("why", 12.0, 15.0)
    assert back_off.slow
    assert back_off.resting(16.9)
    assert not back_off.resting(17.1)
    for _ in range(20):
        back_off.failed("why", 20.0, 20.0)
    assert not back_off.resting(81.0)
    back_off.succeeded()
    assert not back_off.resting(20.0)
    assert not back_off.suspect
