"""How text lies on a terminal: columns of characters, rows of a text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

_JOINER = "\u200d"


# wcwidth's tables are imported with the first width that somebody asks for: most runs never do.


def _character_width(character: str) -> int:
    from wcwidth import wcwidth

    return wcwidth(character)


def _text_width(text: str) -> int:
    from wcwidth import wcswidth

    return wcswidth(text)


def clusters(text: str) -> Iterator[str]:
    """What must stay in one row: a character with what is combined or joined to it."""
    begin = 0
    for at in range(1, len(text)):
        if _character_width(text[at]) > 0 and text[at - 1] != _JOINER:
            yield text[begin:at]
            begin = at
    if text:
        yield text[begin:]


@lru_cache(maxsize=4_096)
def _word_width(word: str) -> int:
    # Terminals disagree about joined emoji: a family is 2 columns in one and 8 in another.
    return max(_text_width(word), sum(max(0, _character_width(character)) for character in word))


def width(text: str) -> int:
    """The most columns that ``text`` takes on any terminal: wide characters two, combining none."""
    return sum(_word_width(word) for word in text.split(" ")) + text.count(" ")


def wrap(text: str, columns: int) -> list[str]:
    """Break ``text`` at white space into rows of at most ``columns``; longer words are broken up.

    A character that is wider than ``columns`` gets a row of its own.
    """
    rows: list[str] = []
    row, used = "", 0
    for word in text.split():
        needed = width(word)
        if row and used + 1 + needed <= columns:
            row, used = f"{row} {word}", used + 1 + needed
            continue
        if row:
            rows.append(row)
        row, used = word, needed
        if needed > columns:
            *full, row = broken(word, columns)
            rows += full
            used = width(row)
    return [*rows, row] if row else rows


def broken(word: str, columns: int) -> list[str]:
    """Break ``word`` between characters into pieces of at most ``columns``; at least one piece."""
    pieces: list[str] = []
    piece, used = "", 0
    for cluster in clusters(word):
        needed = _word_width(cluster)
        if piece and used + needed > columns:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + cluster, used + needed
    return [*pieces, piece]


def rows_on(line: str, columns: int) -> int:
    """Rows that a line takes on a terminal of ``columns`` that has reflowed it.

    A terminal breaks anywhere, but a wide character that does not fit moves to the next row whole.
    """
    return _rows((max(0, _text_width(cluster)) for cluster in clusters(line)), columns)


def rows_between(line: str, columns: int) -> tuple[int, int]:
    """The fewest and the most rows that any terminal of ``columns`` breaks a line into.

    Terminals disagree about emoji that are joined or have a variation selector: some show one
    picture, others its parts.
    """
    joined = [max(0, _text_width(cluster)) for cluster in clusters(line)]
    parts = [[max(0, _character_width(part)) for part in cluster] for cluster in clusters(line)]
    apart = [sum(widths) for widths in parts]
    fewest = _rows(map(min, joined, apart), columns)
    most = _rows(map(max, joined, apart), columns)
    return fewest, max(most, _rows(chain(*parts), columns))


def _rows(widths: Iterable[int], columns: int) -> int:
    rows, used = 1, 0
    for needed in widths:
        if used and used + needed > columns:
            rows, used = rows + 1, 0
        used += needed
    return rows
