"""The live view in a real terminal emulator that reflows: tmux, on a private socket."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.tmux import Terminal

from vivavoce.actors.captions.layout import wrap

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


def broken_up(text: str) -> list[str]:
    """How a text stands on a terminal of 40 columns."""
    return wrap(text, 39)


LONG = "one two three four five six seven eight nine ten eleven twelve thirteen"


@pytest.mark.smoke
def test_partials_are_rewritten_and_finals_stay(terminal: Terminal) -> None:
    terminal.send("=First sentence.")
    terminal.send("the quick|brown")
    terminal.send(f"{LONG}|fourteen")
    terminal.send("=Second sentence.")
    terminal.send("third|one")
    expected = ["First sentence.", "Second sentence.", "third one"]
    assert terminal.shows(lambda lines: lines == expected) == expected


@pytest.mark.parametrize(("columns", "rows"), [(22, 8), (80, 8), (13, 12), (40, 12)])
@pytest.mark.parametrize("text", [LONG, "漢字" * 30], ids=["narrow", "wide"])
def test_a_resize_leaves_no_trace_of_the_partial(
    terminal: Terminal, columns: int, rows: int, text: str
) -> None:
    terminal.send("=Before it.")
    terminal.send(f"{text}|end")
    terminal.shows(lambda lines: bool(lines) and lines[-1].endswith("end"))
    terminal.resize(columns, rows)
    pushed_off = terminal.scrolled()
    terminal.send("short|one")
    expected = [*pushed_off, "short one"] if pushed_off else ["Before it.", "short one"]
    assert terminal.shows(lambda lines: lines == expected) == expected
    terminal.send("=After it.")
    expected[-1] = "After it."
    assert terminal.shows(lambda lines: lines == expected) == expected
    # tmux pushes what a narrower window has no room for into its scroll-back, out of reach; where
    # it pushed nothing, the screen shows the finals and nothing else.
    assert expected[0] == "Before it."
    assert columns < 40 or not pushed_off


def test_a_partial_longer_than_the_screen_does_not_fill_the_scroll_back(
    terminal: Terminal,
) -> None:
    words = [f"word{n}" for n in range(120)]
    for count in range(1, 120, 7):
        terminal.send(f"{' '.join(words[:count])}|{words[count]}")
    terminal.send("=All of it.")
    assert terminal.shows(lambda lines: lines == ["All of it."]) == ["All of it."]


def test_at_the_end_the_screen_is_left_clean(terminal: Terminal) -> None:
    terminal.send("=Done.")
    terminal.send(f"{LONG}|more")
    terminal.send("")
    assert terminal.shows(lambda lines: lines == ["Done."]) == ["Done."]


def test_a_revision_takes_the_place_of_its_final(terminal: Terminal) -> None:
    terminal.send("=First sentence.")
    terminal.send("=Second sentence.")
    terminal.send("the quick|brown")
    terminal.send(f"~1 {LONG}, revised.")
    terminal.send("~2 The second sentence.")
    expected = [*broken_up(f"{LONG}, revised."), "The second sentence.", "the quick brown"]
    assert terminal.shows(lambda lines: lines == expected) == expected
    terminal.send("~1 Short.")
    terminal.send("the quick brown|fox")
    expected = ["Short.", "The second sentence.", "the quick brown fox"]
    assert terminal.shows(lambda lines: lines == expected) == expected
    # A wider window finds nothing to join.
    terminal.resize(100, 8)
    terminal.scrolled()
    assert terminal.lines() == expected


def test_a_final_that_fills_its_row_to_the_edge_is_revised_without_a_trace(
    terminal: Terminal,
) -> None:
    for text in ("x" * 39, "漢" * 20, "x" * 38 + "漢", "y" * 78):
        terminal.send(f"={text}")
        terminal.send("~1 First.")
    expected = ["First.", *broken_up("漢" * 20), *broken_up("x" * 38 + "漢"), *broken_up("y" * 78)]
    assert terminal.shows(lambda lines: lines == expected) == expected
    for number in (2, 3, 4):
        terminal.send(f"~{number} {number}")
    expected = ["First.", "2", "3", "4"]
    assert terminal.shows(lambda lines: lines == expected) == expected


def test_what_has_scrolled_away_is_not_rewritten(terminal: Terminal) -> None:
    finals = [f"Sentence {number}." for number in range(1, 13)]
    for text in finals:
        terminal.send(f"={text}")
    terminal.send("and|so")
    for number in range(1, 13):
        terminal.send(f"~{number} Revised {number}.")
    terminal.send("and so|on")
    # Eight rows, one of them the partial's: seven finals are on the screen.
    expected = [*finals[:5], *(f"Revised {number}." for number in range(6, 13)), "and so on"]
    assert terminal.shows(lambda lines: lines == expected) == expected


@pytest.mark.parametrize(("columns", "rows"), [(22, 8), (80, 8), (40, 5), (40, 12)])
def test_after_a_resize_only_what_came_later_is_rewritten(
    terminal: Terminal, columns: int, rows: int
) -> None:
    terminal.send(f"={LONG}.")
    terminal.send("the quick|brown")
    terminal.shows(lambda lines: bool(lines) and lines[-1].endswith("brown"))
    terminal.resize(columns, rows)
    terminal.scrolled()
    terminal.send("~1 Revised.")
    terminal.send("=Second.")
    terminal.send("third|one")
    terminal.send("~2 The second.")
    terminal.send("~1 Revised again.")
    terminal.send("third one|here")
    expected = [*broken_up(f"{LONG}."), "The second.", "third one here"]
    assert terminal.shows(lambda lines: lines == expected) == expected
