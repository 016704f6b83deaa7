"""Plain lines: one for each final, for files and pipes."""

from __future__ import annotations

from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import Caption, Final, Gap, GapReason, seconds
from vivavoce.pipeline.safety import neutralise


class PlainWriter:
    """A line for each final with text, and one for each gap in which speech may be missing."""

    def render(self, event: Caption, t: float) -> bytes:
        """The line of a final or a gap; nothing else is shown."""
        if isinstance(event, Final):
            text = neutralise(event.text).strip()
            return f"{text}\n".encode() if text else b""
        if isinstance(event, Gap) and worth_a_line(event):
            return (gap_line(event) + "\n").encode()
        return b""

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
