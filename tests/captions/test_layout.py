"""Columns of characters and rows of texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from vivavoce.actors.captions.layout import broken, clusters, rows_on, width, wrap

FAMILY = "👨\u200d👩\u200d👧"
CHARACTERS = st.sampled_from(
    [*"abcdefgh .,", "漢", "字", "é", "e\u0301", "\u0301", "👍", FAMILY, "❤️", "ا", "\u200b"]
)
TEXTS = st.lists(CHARACTERS, max_size=60).map("".join)


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("", 0), ("a 漢", 4), ("❤️", 2)]
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("the quick brown fox", 10, ["the quick", "brown fox"]),
        ("exactly ten", 11, ["exactly ten"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("  a \n b ", 10, ["a b"]),
        ("e\u0301e\u0301e\u0301", 2, ["e\u0301e\u0301", "e\u0301"]),
        ("漢", 1, ["漢"]),
        ("", 10, []),
    ],
)
def test_wrapping(text: str, columns: int, rows: list[str]) -> None:
    assert wrap(text, columns) == rows


def test_a_joined_emoji_stays_in_one_row() -> None:
    assert all(FAMILY in row for row in wrap(FAMILY * 3, 9))


@given(TEXTS, st.integers(8, 40))
def test_rows_fit_and_hold_all_of_the_text(text: str, columns: int) -> None:
    rows = wrap(text, columns)
    assert "".join("".join(rows).split()) == "".join(text.split())
    assert all(wcswidth(row) <= width(row) <= columns for row in rows)
    assert all(row == row.strip() for row in rows)


@given(TEXTS, st.integers(8, 40))
def test_a_word_is_not_broken_up_where_it_fits_into_a_row(text: str, columns: int) -> None:
    words = {word for row in wrap(text, columns) for word in row.split()}
    assert {word for word in text.split() if width(word) <= columns} <= words


@given(TEXTS, st.integers(8, 40))
def test_pieces_of_a_word_begin_with_a_character_that_has_a_width(text: str, columns: int) -> None:
    for piece in broken(f"x{text}", columns):
        assert wcswidth(piece[0]) > 0 or piece[0] in " "


@given(TEXTS)
def test_clusters_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


@pytest.mark.parametrize(
    ("line", "columns", "rows"),
    [("", 5, 1), ("abcde", 5, 1), ("abcdef", 5, 2), ("漢字漢字漢", 5, 3), ("a" * 20, 7, 3)],
)
def test_rows_of_a_reflowed_line(line: str, columns: int, rows: int) -> None:
    assert rows_on(line, columns) == rows
