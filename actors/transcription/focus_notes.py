"""Which window had the focus when an utterance began."""

from __future__ import annotations

from collections import deque

from vivavoce.pipeline.messages import Focus

_MOST_NOTES = 256


class FocusNotes:
    """Notes by the sample at which an utterance began. Bounded: the oldest go first."""

    def __init__(self) -> None:
        self._notes: deque[tuple[int, Focus | None]] = deque(maxlen=_MOST_NOTES)

    def note(self, at: int, focus: Focus | None) -> None:
        """``focus`` held when sample ``at`` was heard; None: it is not known which did.

        Later notes have later samples, or replace what was noted of the same.
        """
        for place, (earlier, _) in enumerate(self._notes):
            if earlier == at:
                self._notes[place] = (at, focus)
                return
        self._notes.append((at, focus))

    def before(self, sample: int) -> Focus | None:
        """The last note of a sample before ``sample``; None: nothing is known, or noted as such."""
        found: Focus | None = None
        for at, focus in self._notes:
            if at >= sample:
                break
            found = focus
        return found
