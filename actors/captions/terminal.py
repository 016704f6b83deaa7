"""The live view: what is being said is rewritten in place, what was said scrolls up."""

from __future__ import annotations

from collections.abc import Callable

from vivavoce.actors.captions.layout import rows_on, wrap
from vivavoce.actors.captions.plain import gap_line, worth_a_line
from vivavoce.actors.captions.recent import RecentLines
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import Caption, Final, Gap, Partial, Revision
from vivavoce.pipeline.safety import neutralise

_DIM, _FAINT, _RESET = "\x1b[2m", "\x1b[2;3m", "\x1b[0m"
_CLEAR_ROW, _UP = "\x1b[2K", "\x1b[A"


class TerminalWriter:
    """Draws the open utterance below the finals and erases exactly what it drew.

    Every row is broken by this writer, one column short of the edge, so that the number of rows is
    known. After a resize the terminal has reflowed them; they are counted with the new width.

    Finals are broken in the same way, since a terminal would break inside words; a wider window
    does not join them again. Lines of the log are left to the terminal, for people copy paths from
    them. A revision replaces its final while all of that is on the screen and no resize came
    between.
    Later, nothing is printed: people have read on, and a sentence said twice would only confuse.

    Args:
        size: tells columns and rows as they are now; called at each drawing.
        colour: stable words plain and the rest dim; otherwise all plain.
    """

    def __init__(self, size: Callable[[], tuple[int, int]], *, colour: bool) -> None:
        self._size = size
        self._colour = colour
        self._open: Partial | None = None
        self._drawn: list[str] = []  # the rows of the partial on the screen
        self._recent = RecentLines()
        self._columns, self._rows = 0, 0

    def render(self, event: Caption, t: float) -> bytes:
        """What to write to show ``event``."""
        self._look()
        if isinstance(event, Partial):
            self._open = event
            return (self._erase() + self._draw()).encode()
        if isinstance(event, Final):
            if self._open is not None and self._open.utterance <= event.utterance:
                self._open = None
            return self._above(self._broken(event.text), utterance=event.utterance).encode()
        if isinstance(event, Revision):
            return self._revise(event).encode()
        if isinstance(event, Gap) and worth_a_line(event):
            return self._above(self._broken(gap_line(event)), _FAINT).encode()
        return b""

    def notice(self, text: str) -> bytes:
        """Lines of another kind (the log's) above what is being said."""
        self._look()
        lines = [neutralise(line) for line in text.splitlines()]
        return "".join(self._above([line] if line else [], _FAINT) for line in lines).encode()

    def use_colour(self, colour: bool) -> None:
        """Colour, or none, from the next drawing on."""
        self._colour = colour

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """Leave nothing half-said on the screen."""
        return self.abandon()

    def abandon(self) -> bytes:
        """Leave nothing half-said on the screen."""
        self._look()
        self._open = None
        return self._erase().encode()

    def _look(self) -> None:
        """Ask for the size of the screen; another one leaves no row where it was."""
        columns, rows = self._size()
        if (columns, rows) != (self._columns, self._rows):
            self._columns, self._rows = columns, rows
            self._recent.forget()

    def _broken(self, text: str) -> list[str]:
        """A text in rows of this terminal, one column short of the edge."""
        return wrap(neutralise(text), max(1, self._columns - 1))

    def _above(self, parts: list[str], style: str = "", utterance: int | None = None) -> str:
        """Lines for good; what is still being said goes on below them."""
        erased = self._erase()
        text = "\r\n".join(parts)
        shown = self._styled(text, style) if style else text
        self._recent.add(parts, shown, self._columns, utterance)
        return erased + (f"{shown}\r\n" if parts else "") + self._draw()

    def _revise(self, revision: Revision) -> str:
        """The final with its new text and all that stands below it, in place."""
        text = self._broken(revision.text)
        rewrite = self._recent.rewrite(revision.utterance, text, self._columns)
        if rewrite is None:
            return ""
        erased = self._erase() + (_UP + _CLEAR_ROW) * rewrite.rows
        return erased + "".join(f"{line}\r\n" for line in rewrite.lines) + self._draw()

    def _draw(self) -> str:
        """The end of the open utterance: as many rows as the screen has, but one."""
        stable, tail = "", ""
        if self._open is not None:
            stable, tail = neutralise(self._open.stable), neutralise(self._open.tail)
        most = max(1, self._rows - 1)
        self._drawn = lines = self._broken(f"{stable} {tail}")[-most:]
        # Rows that this pushes off the screen stay off it, also when the partial is erased again.
        self._recent.keep(self._rows - max(1, len(lines)))
        shown = "\r\n".join(lines)
        cut = _cut_before(shown, len("".join(tail.split())))
        return shown[:cut] + (self._styled(shown[cut:], _DIM) if cut < len(shown) else "")

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{_RESET}" if self._colour else text

    def _erase(self) -> str:
        if not self._drawn:
            return ""
        rows = sum(rows_on(line, max(1, self._columns)) for line in self._drawn)
        self._drawn = []
        # What a smaller window has pushed into the scroll-back is out of reach, and harmless there.
        rows = min(rows, max(1, self._rows))
        # Row by row: "clear below" in the top row makes tmux keep a copy in its scroll-back.
        return "\r" + (_CLEAR_ROW + _UP) * (rows - 1) + _CLEAR_ROW


def _cut_before(text: str, letters: int) -> int:
    """The index before the last ``letters`` characters of ``text``, white space not counted."""
    at = len(text)
    while at and letters:
        at -= 1
        letters -= not text[at].isspace()
    return at
