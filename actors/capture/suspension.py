"""Telling a program that slept from one that was busy: by the time and by the sound that came."""

from __future__ import annotations

import time

_PAUSE_S = 1.0
_TOLERANCE_S = 0.3
_SETTLED_S = 1.0
_PROGRESS_S = 0.05


def boot_time() -> float:
    """Seconds on a clock that goes on while the machine sleeps (or the wall clock without one)."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time()


class SuspensionWatch:
    """Finds how much sound was never captured because machine or program were suspended. Pure.

    A program that slept sees a long pause between two deliveries of its audio device. That alone
    says nothing: what the sound system kept comes in a burst afterwards. Only when deliveries are
    regular again and still less has come than time has passed, sound is missing.

    Args:
        block_s: length of a device's block in seconds.
    """

    def __init__(self, block_s: float) -> None:
        self._pause = _PAUSE_S + 2 * block_s
        self._tolerance = _TOLERANCE_S + block_s
        self._at: float | None = None
        self._late = 0.0
        self._before = 0.0
        self._least = 0.0
        self._progress_at: float | None = None

    @property
    def suspicious(self) -> bool:
        """Whether there was a pause and it is not known yet what it cost."""
        return self._progress_at is not None

    def heard(self, at: float, late: float) -> float:
        """A delivery was seen.

        Args:
            at: when it came, on a clock that goes on during sleep.
            late: that time less the length of all sound delivered so far, in seconds.

        Returns:
            Seconds of sound that are missing; 0 as long as nothing is known to be missing.
        """
        before, self._at = self._at, at
        late_before, self._late = self._late, late
        if before is not None and at - before > self._pause and not self.suspicious:
            self._before = late_before
            self._least = late
            self._progress_at = at
        if self._progress_at is None:
            return 0.0
        if late - self._before <= self._tolerance:
            self._progress_at = None
            return 0.0
        if late < self._least - _PROGRESS_S:  # what was kept is still coming
            self._least = late
            self._progress_at = at
        if at - self._progress_at < _SETTLED_S:
            return 0.0
        self._progress_at = None
        return late - self._before
