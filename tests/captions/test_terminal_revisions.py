"""Revisions in the live view: in place while that can be, and nothing torn when it cannot."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.screen import Screen

from vivavoce.actors.captions.layout import rows_between, wrap
from vivavoce.actors.captions.recent import RecentLines
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.pipeline.messages import Caption, Final, Gap, GapReason, Partial, Revision

FAMILY = "👨\u200d👩\u200d👧"


@dataclass
class View:
    """The writer and the screen that it writes on."""

    columns: int = 20
    height: int = 6
    screen: Screen = field(init=False)
    size: tuple[int, int] = field(init=False)
    last: bytes = b""

    def __post_init__(self) -> None:
        self.screen = Screen(self.columns, self.height)
        self.size = (self.columns, self.height)
        self.writer = TerminalWriter(lambda: self.size, colour=True)

    def show(self, *events: Caption) -> list[str]:
        for event in events:
            self.last = self.writer.render(event, 0.0)
            self.screen.feed(self.last)
        return self.screen.lines


def partial(text: str, utterance: int) -> Partial:
    return Partial(utterance=utterance, revision=1, start=0, end=1, stable=text, tail="")


def final(text: str, utterance: int = 1) -> Final:
    return Final(utterance=utterance, start=0, end=1, text=text)


def revision(text: str, utterance: int = 1) -> Revision:
    return Revision(utterance=utterance, text=text)


def test_a_revision_takes_the_place_of_its_final_and_the_rest_stays() -> None:
    gap = Gap(start=0, end=16_000, reason=GapReason.OVERRUN)
    view = View(columns=40)
    view.show(final("One."), gap, final("Three.", 3), partial("and four", 4))
    assert view.show(revision("The first one.")) == [
        "The first one.",
        "[1.0 s of audio lost: overrun]",
        "Three.",
        "and four",
    ]
    assert b"\x1b[2;3m[1.0 s" in view.last
    assert view.show(partial("and four more", 4))[-1] == "and four more"


@pytest.mark.parametrize(
    ("before", "after"),
    [("word " * 9, "Short."), ("Short.", "word " * 9), ("", "Something."), ("Something.", " ")],
)
def test_the_number_of_rows_may_change(before: str, after: str) -> None:
    view = View()
    view.show(final("First."), final(before, 2), final("Third.", 3), partial("fourth", 4))
    alone = View()
    alone.show(final("First."), final(after, 2), final("Third.", 3), partial("fourth", 4))
    assert view.show(revision(after, 2)) == alone.screen.lines


def test_the_same_text_and_an_unknown_utterance_write_nothing() -> None:
    view = View()
    view.show(final("One."), partial("two", 2))
    for event in (revision("One. "), revision("Seven.", 7), revision("Two.", 2)):
        view.show(event)
        assert view.last == b""


def test_a_revision_can_be_revised() -> None:
    view = View()
    view.show(final("One."), final("Two.", 2), revision("One!"), revision("One and only."))
    assert view.screen.lines == ["One and only.", "Two.", ""]


def test_a_final_that_has_left_the_screen_stays() -> None:
    view = View(height=4)
    before = view.show(*(final(f"Number {n}.", n) for n in range(1, 6)))
    assert view.show(revision("The first.")) == before
    assert view.last == b""


def test_a_final_that_has_left_the_screen_in_part_stays() -> None:
    view = View(height=4)
    before = view.show(final("word " * 12), final("Last.", 2))
    assert view.show(revision("Revised.")) == before
    assert view.last == b""


def test_what_a_tall_partial_pushed_off_the_screen_is_not_there_when_it_shrinks() -> None:
    view = View(height=4)
    view.show(final("One."), final("Two.", 2), partial("word " * 11, 3), partial("word", 3))
    assert view.show(revision("First.")) == ["One.", "Two.", "word"]
    assert view.show(revision("Second.", 2)) == ["One.", "Second.", "word"]


def test_after_a_resize_only_what_came_later_is_rewritten() -> None:
    view = View()
    view.show(final("One."))
    view.size = (20, 7)
    view.show(revision("First."))
    assert view.last == b""
    view.show(final("Two.", 2))
    assert view.show(revision("First."), revision("Second.", 2)) == ["One.", "Second.", ""]


def test_a_line_whose_rows_are_not_known_is_a_border() -> None:
    view = View()
    view.show(final("One."))
    view.screen.feed(view.writer.notice(FAMILY * 4))  # the log's lines are broken by the terminal
    view.show(final("Three.", 3), revision("First."))
    assert view.last == b""
    assert view.show(revision("Third.", 3))[-2] == "Third."


def test_a_revision_steers_nothing() -> None:
    view = View()
    view.show(final("One."), revision("\x1b[2J\r\n\u202eone"))
    assert view.screen.lines == ["\ufffd[2J one", ""]


def test_a_screen_of_one_row_and_one_column_is_survived() -> None:
    for columns, height in ((1, 1), (1, 3), (20, 1)):
        view = View(columns, height)
        view.show(final("a"), partial("b", 2), revision("c"), final("d", 2), revision("e", 2))


@pytest.mark.parametrize(
    ("line", "columns", "rows"),
    [
        ("abcdef", 5, (2, 2)),
        ("漢字漢字漢", 5, (3, 3)),
        (FAMILY, 6, (1, 1)),
        (FAMILY, 5, (1, 2)),
        ("❤️" * 3, 5, (1, 2)),
        ("e\u0301" * 5, 5, (1, 1)),
    ],
)
def test_rows_between(line: str, columns: int, rows: tuple[int, int]) -> None:
    assert rows_between(line, columns) == rows


def test_lines_without_text_are_bounded() -> None:
    recent = RecentLines()
    recent.add(["One."], "One.", 20, utterance=1)
    for number in range(2, 10_000):
        recent.add([], "", 20, utterance=number)
    assert recent.rewrite(1, ["First."], 20) is None
    assert recent.rewrite(9_999, ["Last."], 20) == (0, ["Last."])


TEXTS = st.lists(
    st.sampled_from(["a", "quick", "漢字漢字", "e\u0301", "incomprehensibilities" * 2, "👍"]),
    max_size=12,
).map(" ".join)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["final", "partial", "revision", "gap"]), TEXTS, st.integers(0, 9)),
    max_size=14,
)
GAP = Gap(start=0, end=16_000, reason=GapReason.OVERRUN)


def alone(texts: list[str], columns: int, height: int) -> Screen:
    """A screen on which nothing but these lines was ever printed."""
    screen = Screen(columns, height)
    rows = [row for text in texts for row in wrap(text, columns - 1)]
    screen.feed("".join(f"{row}\r\n" for row in rows).encode())
    return screen


@given(EVENTS, st.integers(4, 30), st.integers(2, 9))
def test_exactly_the_finals_on_the_screen_are_revised(
    events: list[tuple[str, str, int]], columns: int, height: int
) -> None:
    view = View(columns, height)
    lines: list[str] = []  # what stands above the partial
    at: list[int] = []  # where in it each final stands
    open_text = ""
    for kind, text, choice in events:
        if kind == "final":
            at.append(len(lines))
            lines.append(text)
            view.show(final(text, len(at)))
            open_text = ""
        elif kind == "gap":
            lines.append("[1.0 s of audio lost: overrun]")
            view.show(GAP)
        elif kind == "partial":
            view.show(partial(text, len(at) + 1))
            open_text = text
        elif at:
            number = choice % len(at)
            top = len(view.screen.rows) - height  # the rows above it have scrolled away
            if alone(lines[: at[number]], columns, height).row >= top:
                lines[at[number]] = text
            view.show(revision(text, number + 1))
        only = View(columns, height)
        only.show(partial(open_text, 1))
        expected = alone(lines, columns, height).lines[:-1] + only.screen.lines
        assert view.screen.lines == expected
