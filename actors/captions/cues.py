"""Cues made from finals as they come: text, lines and times. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from vivavoce.actors.captions.cue_cuts import CuePlan, cut_into_cues
from vivavoce.actors.captions.timed_text import Piece
from vivavoce.config.schema import SubtitleSettings
from vivavoce.pipeline.messages import SAMPLE_RATE

_MILLISECOND = SAMPLE_RATE // 1000
_FLICKER = SAMPLE_RATE // 5
"""A screen that is empty for less than this between two cues only flickers."""


class Cue(msgspec.Struct, frozen=True):
    """Lines of text and when they are shown, in samples; at least a millisecond."""

    start: int
    end: int
    text: str


class CueMaker:
    """Pieces of text in, cues out, in order and never overlapping.

    A cue that is out cannot be changed. So the last one of a text stays here while what comes next
    decides how it looks: where its words are too short to be read, it is held into the silence
    behind it, or, without such a silence, shares a cue with what follows.
    """

    def __init__(self, settings: SubtitleSettings) -> None:
        self._settings = settings
        self._open: list[Piece] = []
        self._shown_until = 0

    @property
    def shown_until(self) -> int:
        """The end of the last cue that is out, in samples."""
        return self._shown_until

    def add(self, pieces: Sequence[Piece]) -> list[Cue]:
        """More text, later than all before: the cues that it decides."""
        pieces = [*self._open, *pieces]
        plans = cut_into_cues(pieces, self._settings)
        self._open = []
        found: list[Cue] = []
        for plan in plans:
            if plan.last < len(pieces):
                found.append(self._cue(pieces, plan, pieces[plan.last].start))
            elif self._wanted(pieces[plan.first :]) > pieces[-1].end:
                self._open = pieces[plan.first :]
            else:
                found.append(self._cue(pieces, plan, pieces[-1].end))
        return found

    def quiet(self, until: int) -> list[Cue]:
        """No text begins before ``until``: the cue that waits, where that is all it needs."""
        return self.flush() if self._open and self._wanted(self._open) <= until else []

    def flush(self) -> list[Cue]:
        """Nothing follows soon: the cue that waits, held as long as it needs."""
        pieces, self._open = self._open, []
        if not pieces:
            return []
        (plan,) = cut_into_cues(pieces, self._settings)  # it was one cue before: it still is
        return [self._cue(pieces, plan, self._wanted(pieces))]

    def _wanted(self, pieces: Sequence[Piece]) -> int:
        """Until when a cue would be shown if nothing followed."""
        settings = self._settings
        columns = sum(piece.columns + piece.spaced for piece in pieces) - pieces[0].spaced
        readable = int(-(-columns * SAMPLE_RATE // settings.characters_per_second))
        needed = max(
            pieces[-1].end - pieces[0].start, settings.shortest_ms * _MILLISECOND, readable
        )
        return pieces[0].start + min(needed, settings.longest_ms * _MILLISECOND)

    def _cue(self, pieces: Sequence[Piece], plan: CuePlan, limit: int) -> Cue:
        """The cue of a plan, held where it needs it, but not beyond ``limit``."""
        shown = pieces[plan.first : plan.last]
        wanted = self._wanted(shown)
        most = shown[0].start + self._settings.longest_ms * _MILLISECOND
        if wanted < limit <= min(wanted + _FLICKER, most):
            wanted = limit
        start = max(shown[0].start, self._shown_until)
        self._shown_until = max(start + _MILLISECOND, min(wanted, limit))
        bounds = (plan.first, *plan.breaks, plan.last)
        lines = [_line(pieces[a:b]) for a, b in pairwise(bounds)]
        return Cue(start, self._shown_until, "\n".join(lines))


def _line(pieces: Sequence[Piece]) -> str:
    return "".join(f" {piece.text}" if piece.spaced else piece.text for piece in pieces).strip()
