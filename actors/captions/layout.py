"""How text lies on a terminal: columns of characters, rows of a text. Pure."""

from __future__ import annotations

from functools import lru_cache

from wcwidth import wcswidth


@lru_cache(maxsize=4_096)
def _word_width(word: str) -> int:
    found = wcswidth(word)
    return found if found >= 0 else len(word)


def width(text: str) -> int:
    """Columns that ``text`` takes: wide characters two, combining ones none."""
    return sum(_word_width(word) for word in text.split(" ")) + text.count(" ")


def wrap(text: str, columns: int) -> list[str]:
    """Break ``text`` at spaces into rows of at most ``columns``; longer words are broken up."""
    rows: list[str] = []
    row = ""
    for word in text.split():
        joined = f"{row} {word}" if row else word
        if width(joined) <= columns:
            row = joined
            continue
        if row:
            rows.append(row)
        row = word
        while width(row) > columns:
            head = _fitting(row, columns)
            rows.append(head)
            row = row[len(head) :]
    return [*rows, row] if row else rows


def _fitting(word: str, columns: int) -> str:
    """The longest beginning of ``word`` that fits; at least one character."""
    for end in range(len(word) - 1, 1, -1):
        if width(word[:end]) <= columns:
            return word[:end]
    return word[:1]


def rows_after_resize(widths: list[int], columns: int) -> int:
    """Rows that lines of ``widths`` columns take once the terminal has reflowed them."""
    return sum(max(1, -(-line // max(1, columns))) for line in widths)
