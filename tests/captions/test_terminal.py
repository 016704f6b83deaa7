"""The live view, on a screen that does what terminals do."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.screen import Screen

from vivavoce.actors.captions.layout import wrap
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import (
    Caption,
    Final,
    Gap,
    GapReason,
    Partial,
    PowerChanged,
    PowerMode,
)

NOTHING = LedgerSummary(captured=0, transcribed=0, silence=0, dropped=0, pending=0)


def partial(stable: str, tail: str = "", utterance: int = 1) -> Partial:
    return Partial(utterance=utterance, revision=1, start=0, end=1, stable=stable, tail=tail)


def final(text: str, utterance: int = 1) -> Final:
    return Final(utterance=utterance, start=0, end=1, text=text)


def shown(*events: Caption, columns: int = 20, height: int = 6, finish: bool = False) -> Screen:
    screen = Screen(columns, height)
    writer = TerminalWriter(lambda: (columns, height), colour=True)
    for event in events:
        screen.feed(writer.render(event, 0.0))
    if finish:
        screen.feed(writer.finish(NOTHING, 0.0))
    return screen


def test_a_partial_is_rewritten_in_place() -> None:
    assert shown(partial("", "the"), partial("the", "quick brown")).lines == ["the quick brown"]


def test_a_final_takes_the_place_of_its_partial() -> None:
    screen = shown(partial("the quick brown", "fox jumps over"), final("The quick fox."))
    assert screen.lines == ["The quick fox.", ""]


def test_a_final_is_broken_between_words() -> None:
    assert shown(final("The quick brown fox jumps over the lazy dog.")).lines == [
        "The quick brown fox",
        "jumps over the lazy",
        "dog.",
        "",
    ]
    wide = shown(final("漢字 漢字漢 漢字"), columns=12)
    assert wide.lines == ["漢字 漢字漢", "漢字", ""]
    gap = Gap(start=0, end=16_000, reason=GapReason.OVERRUN)
    assert shown(gap, columns=20).lines == ["[1.0 s of audio", "lost: overrun]", ""]


def test_a_line_of_the_log_is_left_to_the_terminal() -> None:
    writer = TerminalWriter(lambda: (20, 6), colour=False)
    line = "/a/path/that/is/longer/than/the/screen is wide"
    assert writer.notice(f"{line}\n\nend").decode() == f"{line}\r\nend\r\n"


def test_an_empty_final_leaves_nothing() -> None:
    assert shown(partial("", "you"), final("")).lines == [""]


def test_a_final_leaves_the_partial_of_the_next_utterance_in_place() -> None:
    screen = shown(partial("first"), partial("second", "one", 2), final("First."))
    assert screen.lines == ["First.", "second one"]


def test_a_gap_is_a_line_above_the_partial() -> None:
    gap = Gap(start=0, end=36_800, reason=GapReason.OVERRUN)
    screen = shown(partial("the", "quick"), gap, columns=60)
    assert screen.lines == ["[2.3 s of audio lost: overrun]", "the quick"]


def test_the_rest_is_not_shown() -> None:
    assert shown(partial("a"), PowerChanged(mode=PowerMode.IDLE)).lines == ["a"]


def test_a_long_partial_shows_its_end_and_never_scrolls() -> None:
    words = [f"word{n}" for n in range(60)]
    screen = shown(*(partial(" ".join(words[:n]), words[n]) for n in range(60)))
    assert len(screen.lines) == 5
    assert screen.lines[-1].endswith("word59")


def test_at_the_end_no_partial_is_left() -> None:
    assert shown(final("Done."), partial("left", "over", 2), finish=True).lines == ["Done.", ""]


@pytest.mark.parametrize(
    ("stable", "tail", "expected"),
    [
        ("the quick", "brown", "the quick \x1b[2mbrown\x1b[0m"),
        ("the", "", "the"),
        ("", "the", "\x1b[2mthe\x1b[0m"),
        ("a\u00a0b", "c\u00a0d", "a b \x1b[2mc d\x1b[0m"),
    ],
)
def test_only_the_tail_is_dim(stable: str, tail: str, expected: str) -> None:
    writer = TerminalWriter(lambda: (80, 24), colour=True)
    assert writer.render(partial(stable, tail), 0.0).decode() == expected


def test_without_colour_there_is_none() -> None:
    writer = TerminalWriter(lambda: (80, 24), colour=False)
    data = writer.render(partial("a", "b"), 0.0)
    data += writer.render(Gap(start=0, end=1, reason=GapReason.OVERRUN), 0.0)
    assert not re.search(rb"\x1b\[[\d;]*m", data)


WORDS = st.sampled_from(["a", "quick", "漢字漢字", "e\u0301", "incomprehensibilities" * 2, "👍"])
EVENTS = st.lists(
    st.tuples(st.booleans(), st.lists(WORDS, max_size=25), st.integers(0, 25)), max_size=8
)


@given(EVENTS, st.integers(4, 40), st.integers(2, 8))
def test_whatever_comes_only_finals_and_the_last_partial_are_on_the_screen(
    events: list[tuple[bool, list[str], int]], columns: int, height: int
) -> None:
    messages: list[Caption] = []
    finals: list[str] = []
    for is_final, words, at in events:
        text = " ".join(words)
        if is_final:
            messages.append(final(text))
            finals += [text] if text else []
        else:
            messages.append(partial(" ".join(words[:at]), " ".join(words[at:])))
    screen = shown(*messages, columns=columns, height=height, finish=True)
    alone = Screen(columns, height)
    rows = [row for text in finals for row in wrap(text, columns - 1)]
    alone.feed("".join(f"{row}\r\n" for row in rows).encode())
    assert screen.lines == alone.lines
