"""The lines above the live view that can still be rewritten. Pure: rows in, rows out."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from vivavoce.actors.captions.layout import rows_between

# Far more than a screen has rows; lines without text take none, so the screen does not bound them.
_MOST_LINES = 256


class Line(msgspec.Struct, frozen=True):
    """What was printed for one event: ``rows`` of the terminal, none where there is no text.

    ``shown`` is the text as it was broken, with its style; ``utterance`` is None where it is not a
    final's.
    """

    shown: str
    rows: int
    utterance: int | None = None


class Rewrite(NamedTuple):
    """How to change a line in place: clear so many rows upwards, then print these lines."""

    rows: int
    lines: list[str]


class RecentLines:
    """What is surely on the screen, line by line, down to the cursor.

    A line is forgotten, with all above it, when a row of it may have left the screen, and where it
    is not known how many rows it takes: terminals disagree about joined emoji.
    """

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=_MOST_LINES)

    def add(
        self, parts: Sequence[str], shown: str, columns: int, utterance: int | None = None
    ) -> None:
        """``parts`` were printed below all others, each in a row of its own or, if long, several.

        Args:
            parts: the text between line breaks, without style; none where nothing was printed.
            shown: the bytes for it, without the last line break.
            columns: of the terminal.
            utterance: of the final that it is.
        """
        ranges = [rows_between(part, columns) for part in parts]
        fewest, most = sum(low for low, _ in ranges), sum(high for _, high in ranges)
        if fewest == most:
            self._lines.append(Line(shown, most, utterance))
        else:
            self._lines.clear()

    def keep(self, rows: int) -> None:
        """Only the lowest ``rows`` are left on the screen above the live view."""
        taken = sum(line.rows for line in self._lines)
        while self._lines and taken > rows:
            taken -= self._lines.popleft().rows

    def forget(self) -> None:
        """Nothing is known about the screen any more."""
        self._lines.clear()

    def rewrite(self, utterance: int, parts: Sequence[str], columns: int) -> Rewrite | None:
        """Give the final of ``utterance`` another text, broken into ``parts``.

        Returns:
            What to do, from the row below all lines on; None where there is nothing to do, because
            the text is the same or its line cannot be reached.
        """
        below: list[Line] = []
        while self._lines:
            line = self._lines.pop()
            if line.utterance == utterance:
                break
            below.insert(0, line)
        else:
            self._lines.extend(below)
            return None
        text = "\r\n".join(parts)
        if line.shown == text:
            self._lines.extend([line, *below])
            return None
        self.add(parts, text, columns, utterance)
        self._lines.extend(below)
        rows = line.rows + sum(other.rows for other in below)
        return Rewrite(rows, [shown for shown in (text, *(one.shown for one in below)) if shown])
