"""The live view: what is being said is rewritten in place, what was said scrolls up."""

from __future__ import annotations

from collections.abc import Callable

from vivavoce.actors.captions.layout import rows_on, wrap
from vivavoce.actors.captions.plain import gap_line
from vivavoce.actors.captions.safety import neutralise
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import Caption, Final, Gap, Partial

_DIM, _FAINT, _RESET = "\x1b[2m", "\x1b[2;3m", "\x1b[0m"
_CLEAR_ROW, _UP = "\x1b[2K", "\x1b[A"


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
        self._open: Partial | None = None
        self._drawn: list[str] = []  # the rows of the partial on the screen

    def render(self, event: Caption, t: float) -> bytes:
        """What to write to show ``event``."""
        if isinstance(event, Partial):
            self._open = event
            return (self._erase() + self._draw()).encode()
        if isinstance(event, Final):
            if self._open is not None and self._open.utterance <= event.utterance:
                self._open = None
            return self._above(neutralise(event.text).strip()).encode()
        if isinstance(event, Gap):
            return self._above(self._styled(gap_line(event), _FAINT)).encode()
        return b""

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """Leave nothing half-said on the screen."""
        return self.abandon()

    def abandon(self) -> bytes:
        """Leave nothing half-said on the screen."""
        self._open = None
        return self._erase().encode()

    def _above(self, line: str) -> str:
        """A line for good; what is still being said goes on below it."""
        erased = self._erase()
        return erased + (f"{line}\r\n" if line else "") + self._draw()

    def _draw(self) -> str:
        """The end of the open utterance: as many rows as the screen has, but one."""
        if self._open is None:
            return ""
        stable, tail = neutralise(self._open.stable), neutralise(self._open.tail)
        columns, rows = self._size()
        lines = wrap(f"{stable} {tail}", max(1, columns - 1))[-max(1, rows - 1) :]
        self._drawn = lines
        shown = "\r\n".join(lines)
        cut = _cut_before(shown, len("".join(tail.split())))
        return shown[:cut] + (self._styled(shown[cut:], _DIM) if cut < len(shown) else "")

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{_RESET}" if self._colour else text

    def _erase(self) -> str:
        if not self._drawn:
            return ""
        columns, screen = self._size()
        rows = sum(rows_on(line, max(1, columns)) for line in self._drawn)
        self._drawn = []
        # What a smaller window has pushed into the scroll-back is out of reach, and harmless there.
        rows = min(rows, max(1, screen))
        # Row by row: "clear below" in the top row makes tmux keep a copy in its scroll-back.
        return "\r" + (_CLEAR_ROW + _UP) * (rows - 1) + _CLEAR_ROW


def _cut_before(text: str, letters: int) -> int:
    """The index before the last ``letters`` characters of ``text``, white space not counted."""
    at = len(text)
    while at and letters:
        at -= 1
        letters -= not text[at].isspace()
    return at
