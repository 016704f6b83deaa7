"""When the next partial is due: pure, time comes in as an argument."""

from __future__ import annotations

from vivavoce.pipeline.messages import SAMPLE_RATE

_LEAST_NEWS = SAMPLE_RATE // 10
_LARGEST_SHARE = 0.5


class PartialPolicy:
    """Spaces partials so that they leave the engine at least half of its time.

    Args:
        interval_s: the shortest time between the starts of two partials.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval = interval_s
        self._due = 0.0
        self._covered = -1

    def begin_utterance(self, now: float) -> None:
        """Speech began: its first partial comes after one interval."""
        self._due = now + self._interval
        self._covered = -1

    def due_at(self, heard: int) -> float | None:
        """When a partial over audio up to sample ``heard`` may start; None: nothing new to hear."""
        if heard - self._covered < _LEAST_NEWS:
            return None
        return self._due

    def finished(self, began: float, now: float, covered: int) -> None:
        """A partial over audio up to ``covered`` ran from ``began`` to ``now``."""
        self._covered = covered
        self._due = began + max(self._interval, (now - began) / _LARGEST_SHARE)
