"""When the next partial is due: pure, time comes in as an argument."""

from __future__ import annotations

from collections import deque

import numpy as np

from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm

_LEAST_NEWS = SAMPLE_RATE // 10
_EARLY, _LATE = 0.6, 1.25
_DIP_DB = 9.0
_LOUDEST_OF = 16
_SMOOTHING = 0.3
_THINNED = 3.0
_SOON_S = 0.6


class PartialPolicy:
    """Spaces partials so that they take no more than their share, and puts them where words end.

    The mean interval is the profile's, or longer, so that cost / interval stays within the share.
    In a dip of loudness, where a word has probably ended, a partial may come earlier; without one
    it comes later. That shows words about 10 % earlier than a fixed interval of the same cost.
    What comes early is paid for with what came late: people make dips all the time, and without
    that partials took half as much again as their share.

    Attributes:
        shortest_s, cpu_share: as below; may be changed at any time.

    Args:
        interval_s: shortest mean time between the starts of two partials.
        cpu_share: largest share of one core.
    """

    def __init__(self, interval_s: float, cpu_share: float) -> None:
        self.shortest_s = interval_s
        self.cpu_share = cpu_share
        self._cost = 0.0
        self._started = 0.0
        self._covered = -1
        self._levels: deque[float] = deque(maxlen=_LOUDEST_OF)
        self._dipped = False
        self._saved = 1.0  # intervals that partials came later than they might have, at most one

    @property
    def covered(self) -> int:
        """Up to where the last partial heard; -1 before the first."""
        return self._covered

    def begin_utterance(self, now: float) -> None:
        """Speech began: its first partial comes after one interval."""
        self._started = now
        self._covered = -1
        self._levels.clear()
        self._dipped = False

    def hear(self, level_db: float) -> None:
        """The loudness of the next block (about 32 ms), in dB of any reference."""
        self._levels.append(level_db)
        self._dipped = self._dipped or max(self._levels) - level_db > _DIP_DB

    def interval(self, *, thinned: bool = False) -> float:
        """The mean time between partials now; ``thinned``: the engine cannot keep up."""
        return max(self.shortest_s, self._cost / self.cpu_share) * (_THINNED if thinned else 1.0)

    @property
    def patience(self) -> float:
        """1 where the next partial comes soon; less, the longer it takes."""
        return min(1.0, _SOON_S / self.interval())

    def due_at(self, heard: int, *, thinned: bool = False) -> float | None:
        """When a partial over audio up to sample ``heard`` may start; None: nothing new to hear."""
        if heard - self._covered < _LEAST_NEWS:
            return None
        factor = max(_EARLY, 1.0 - self._saved) if self._dipped else _LATE
        return self._started + factor * self.interval(thinned=thinned)

    def not_shown(self, covered: int) -> None:
        """What the last partial heard behind ``covered`` was not shown: it is heard anew."""
        self._covered = min(self._covered, covered)

    def started(self, now: float, covered: int) -> None:
        """A partial over audio up to ``covered`` starts."""
        self._saved = min(1.0, self._saved + (now - self._started) / self.interval() - 1.0)
        self._started = now
        self._covered = covered
        self._dipped = False

    def cost_at_least(self, seconds: float) -> None:
        """A partial was abandoned after ``seconds``."""
        if seconds > self._cost:
            self.cost(seconds)

    def cost(self, seconds: float) -> None:
        """What a partial took of the engine; the policy follows its moving mean."""
        self._cost += _SMOOTHING * (seconds - self._cost) if self._cost else seconds


def level_db(pcm: Pcm) -> float:
    """Loudness of a block in dB (of an arbitrary reference)."""
    samples = pcm.astype(np.float32)
    return 10.0 * float(np.log10(np.dot(samples, samples) / max(1, len(samples)) + 1.0))
