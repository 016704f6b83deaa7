"""Plain lines: one for each final, for files and pipes."""

from __future__ import annotations

from collections.abc import Callable

from vivavoce.actors.captions.layout import wrap
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import Caption, Final, Gap, GapReason, seconds
from vivavoce.pipeline.safety import neutralise


class PlainWriter:
    """A line for each final with text, and one for each gap in which speech may be missing.

    Args:
        columns: tells the width of the terminal that shows them, which would break inside words;
            None for files and pipes: their lines are as long as the text.
    """

    def __init__(self, columns: Callable[[], int] | None = None) -> None:
        self._columns = columns

    def render(self, event: Caption, t: float) -> bytes:
        """The line of a final or a gap; nothing else is shown."""
        if isinstance(event, Final):
            return self._line(neutralise(event.text).strip())
        if isinstance(event, Gap) and worth_a_line(event):
            return self._line(gap_line(event))
        return b""

    def _line(self, text: str) -> bytes:
        rows = [text] if self._columns is None else wrap(text, max(1, self._columns() - 1))
        return "".join(f"{row}\n" for row in rows if row).encode()

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """Nothing: lines are complete."""
        return b""

    def abandon(self) -> bytes:
        """Nothing: lines are complete."""
        return b""


def worth_a_line(gap: Gap) -> bool:
    """Whether people should read of it: a released microphone is meant to hear nothing."""
    return gap.reason is not GapReason.CLOSED


def gap_line(gap: Gap) -> str:
    """A gap in words."""
    reason = gap.reason.value.replace("_", " ")
    return f"[{seconds(gap.end - gap.start):.1f} s of audio lost: {reason}]"
