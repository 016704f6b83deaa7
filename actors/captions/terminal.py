"""The live view: what is being said is rewritten in place, what was said scrolls up."""

from __future__ import annotations

from collections.abc import Callable

from vivavoce.actors.captions.layout import rows_after_resize, width, wrap
from vivavoce.actors.captions.plain import gap_line
from vivavoce.actors.captions.safety import neutralise
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import Caption, Final, Gap, Partial

_DIM, _FAINT, _RESET = "\x1b[2m", "\x1b[2;3m", "\x1b[0m"
_UP, _CLEAR_DOWN = "\x1b[{}A", "\x1b[J"


class TerminalWriter:
    """Draws the open utterance below the finals and erases exactly what it drew.

    Every row is broken by this writer, one column short of the edge, so that the number of rows is
    known. After a resize the terminal has reflowed them; they are counted with the new width.

    Args:
        size: tells columns and rows as they are now; called at each drawing.
        colour: stable words plain and the rest dim; otherwise all plain.
    """

    def __init__(self, size: Callable[[], tuple[int, int]], *, colour: bool) -> None:
        self._size = size
        self._colour = colour
        self._drawn: list[int] = []  # columns of the rows of the partial on the screen

    def render(self, event: Caption, t: float) -> bytes:
        """What to write to show ``event``."""
        if isinstance(event, Partial):
            return self._partial(neutralise(event.stable), neutralise(event.tail)).encode()
        if isinstance(event, Final):
            text = neutralise(event.text)
            return (self._erase() + (text + "\r\n" if text else "")).encode()
        if isinstance(event, Gap):
            return (self._erase() + self._dim(gap_line(event), _FAINT) + "\r\n").encode()
        return b""

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """Leave nothing half-said on the screen."""
        return self._erase().encode()

    def _partial(self, stable: str, tail: str) -> str:
        columns, rows = self._size()
        columns, rows = max(2, columns), max(2, rows)
        whole = f"{stable} {tail}".strip()
        lines = wrap(whole, columns - 1)[-(rows - 1) :]
        erase = self._erase()
        self._drawn = [width(line) for line in lines]
        shown = "\r\n".join(lines)
        # What of the stable text is still on the screen, counted without the line breaks.
        unstable = len(tail.replace(" ", ""))
        cut = _cut_before(shown, unstable)
        return erase + shown[:cut] + (self._dim(shown[cut:], _DIM) if cut < len(shown) else "")

    def _dim(self, text: str, style: str) -> str:
        return f"{style}{text}{_RESET}" if self._colour else text

    def _erase(self) -> str:
        if not self._drawn:
            return ""
        columns, _ = self._size()
        rows = rows_after_resize(self._drawn, columns)
        self._drawn = []
        up = _UP.format(rows - 1) if rows > 1 else ""
        return f"\r{up}{_CLEAR_DOWN}"


def _cut_before(text: str, letters: int) -> int:
    """The index before the last ``letters`` characters of ``text``, white space not counted."""
    at = len(text)
    while at and letters:
        at -= 1
        letters -= not text[at].isspace()
    return at
