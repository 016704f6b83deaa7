"""The sample ledger: every captured sample is accounted for, exactly once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import msgspec


class LedgerError(Exception):
    """An actor settled samples that were never captured, or settled them twice."""


class LedgerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot, in samples: ``captured == transcribed + silence + dropped + pending``."""

    captured: int
    transcribed: int
    silence: int
    dropped: int
    pending: int

    @property
    def balanced(self) -> bool:
        """Whether the parts add up to what was captured."""
        return self.captured == self.transcribed + self.silence + self.dropped + self.pending

    def __str__(self) -> str:
        sign = "=" if self.balanced else "≠"
        return (
            f"captured {self.captured} {sign} transcribed {self.transcribed} + silence "
            f"{self.silence} + dropped {self.dropped} + pending {self.pending} samples"
        )


class Ledger:
    """Counts what became of each captured sample.

    Actors settle *intervals*, not counts, and an interval can be settled once: a sample that is
    counted twice or never cannot hide behind a total that happens to add up. Pending samples are
    measured from the intervals still open, not derived from the other counters.

    Memory is bounded by what is in flight: settled intervals merge, and everything before the first
    open sample is forgotten.
    """

    def __init__(self) -> None:
        self._captured = 0
        self._transcribed = 0
        self._silence = 0
        self._dropped = 0
        self._frontier = 0
        self._starts: list[int] = []
        self._ends: list[int] = []

    def capture(self, end: int) -> None:
        """Samples up to ``end`` (exclusive) have been captured, lost ones included.

        Raises:
            LedgerError: ``end`` lies before what was captured already.
        """
        if end < self._captured:
            raise LedgerError(f"captured went back from {self._captured} to {end}")
        self._captured = end

    def transcribe(self, start: int, end: int) -> None:
        """``[start, end)`` is covered by a final. Raises :class:`LedgerError` as `settle` does."""
        self._transcribed += self._settle(start, end)

    def silence(self, start: int, end: int) -> None:
        """``[start, end)`` holds no speech. Raises :class:`LedgerError` as `settle` does."""
        self._silence += self._settle(start, end)

    def drop(self, start: int, end: int) -> None:
        """``[start, end)`` was lost and told as a gap. Raises :class:`LedgerError`."""
        self._dropped += self._settle(start, end)

    def summary(self) -> LedgerSummary:
        """The account as it stands."""
        ends = [self._frontier, *self._ends]
        starts = [*self._starts, self._captured]
        pending = sum(start - end for end, start in zip(ends, starts, strict=True))
        return LedgerSummary(
            captured=self._captured,
            transcribed=self._transcribed,
            silence=self._silence,
            dropped=self._dropped,
            pending=pending,
        )

    def open_intervals(self) -> list[tuple[int, int]]:
        """The captured intervals that are not settled yet, in order."""
        ends = [self._frontier, *self._ends]
        starts = [*self._starts, self._captured]
        return [(e, s) for e, s in zip(ends, starts, strict=True) if s > e]

    def unsettled(self, start: int, end: int) -> list[tuple[int, int]]:
        """The pieces of ``[start, end)`` that were captured and are not settled yet, in order."""
        at, end = max(start, self._frontier), min(end, self._captured)
        place = bisect_right(self._ends, at)
        found = []
        while at < end:
            if place == len(self._starts):
                found.append((at, end))
                break
            if self._starts[place] > at:
                found.append((at, min(self._starts[place], end)))
            at = self._ends[place]
            place += 1
        return found

    def _settle(self, start: int, end: int) -> int:
        if end == start:
            return 0
        if not 0 <= start < end <= self._captured:
            raise LedgerError(
                f"[{start}, {end}) was settled but only [0, {self._captured}) was captured"
            )
        at = bisect_left(self._starts, start)
        before = self._ends[at - 1] if at else self._frontier
        after = self._starts[at] if at < len(self._starts) else self._captured
        if start < before or end > after:
            raise LedgerError(f"[{start}, {end}) was settled before, at least in part")
        joins_left = at > 0 and before == start
        joins_right = at < len(self._starts) and after == end
        if joins_left and joins_right:
            self._ends[at - 1] = self._ends.pop(at)
            self._starts.pop(at)
        elif joins_left:
            self._ends[at - 1] = end
        elif joins_right:
            self._starts[at] = start
        else:
            self._starts.insert(at, start)
            self._ends.insert(at, end)
        if self._starts[0] == self._frontier:
            self._starts.pop(0)
            self._frontier = self._ends.pop(0)
        return end - start
