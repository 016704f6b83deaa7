"""When an exact decoding of the open window is worth its cost: pure, time comes in as an argument.

A decoding is padded to 30 s, so most of its cost is the same whatever the length: the decodings of
a window are spaced by what they are measured to cost and a share of the CPU. What must be final
does not wait for its share.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec

from vivavoce.actors.transcription.settle import begins_sentence, ends_sentence
from vivavoce.actors.transcription.window import Window
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.messages import SAMPLE_RATE

_LIKELY_THE_END_S = 0.6
"""A pause that has lasted so long will probably become the long silence."""

_NEWS = SAMPLE_RATE // 2
_SMOOTHING = 0.4
_LONGER_WINDOWS = 4.0


class Why(StrEnum):
    """What makes an exact decoding worth its cost."""

    ENDED = "ended"
    """The stretch has ended: a long silence, a released key, a gap, the end."""
    FULL = "full"
    """The window must not grow."""
    FOLLOWED = "followed"
    """As it is shown, a sentence has ended and the next one has begun."""
    PAUSED = "paused"
    """In a pause that may become the long silence; else for nothing."""


class Exact(msgspec.Struct, frozen=True):
    """The window is to be decoded exactly up to ``end``."""

    end: int
    why: Why


class ExactSpacing:
    """Spaces exact decodings by their measured cost, which it follows by its moving mean.

    Attributes:
        cpu_share: the largest share of one core that they may take.
    """

    def __init__(self, cpu_share: float) -> None:
        self.cpu_share = cpu_share
        self._cost = 0.0
        self._started = float("-inf")

    @property
    def usual(self) -> float:
        """Seconds that one takes."""
        return self._cost

    def started(self, now: float) -> None:
        """One begins."""
        self._started = now

    def cost(self, seconds: float) -> None:
        """What one took of the engine, also one that was abandoned."""
        self._cost += _SMOOTHING * (seconds - self._cost) if self._cost else seconds

    def due_at(self, *, longer_windows: bool = False) -> float:
        """When the next may begin; ``longer_windows``: the engine cannot keep up."""
        wait = self._cost / self.cpu_share
        return self._started + wait * (_LONGER_WINDOWS if longer_windows else 1.0)


def must(window: Window, settings: TranscriptionSettings) -> Exact | None:
    """The decoding that may not wait, whatever it costs; None: there is none."""
    full = window.full_at(settings.longest_window_ms * SAMPLE_RATE // 1_000)
    if full is not None:
        return Exact(full, Why.FULL)
    if window.ended is not None:
        return Exact(window.ended.end, Why.ENDED)
    return None


def may(window: Window, settings: TranscriptionSettings, due: float) -> tuple[Exact, float] | None:
    """The decoding that is worth its cost, and from when on; None: there is none.

    Args:
        window: that is open.
        settings: the profile's ``transcription`` section.
        due: when its share allows the next.
    """
    if window.heard - window.tried < _NEWS:
        return None
    if window.quiet_from is not None:
        likely = window.quiet_since + _LIKELY_THE_END_S
        return Exact(window.heard, Why.PAUSED), max(due, likely)
    if settings.partials and followed(window.shown.words):
        return Exact(window.heard, Why.FOLLOWED), due
    return None


def followed(words: Sequence[str]) -> bool:
    """Whether a sentence has ended in ``words`` and at least two words of the next are there."""
    return any(
        ends_sentence(word) and begins_sentence(following)
        for word, following in pairwise(words[:-1])
    )
