"""Cues made from finals as they come: text, lines and times. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from vivavoce.actors.captions.cue_cuts import break_into_lines, cut_into_cues
from vivavoce.actors.captions.timed_text import Piece
from vivavoce.config.schema import SubtitleSettings
from vivavoce.pipeline.messages import SAMPLE_RATE

_MILLISECOND = SAMPLE_RATE // 1000
_FLICKER = SAMPLE_RATE // 5
"""A screen that is empty for less than this between two cues only flickers."""
_LATE = SAMPLE_RATE // 2
"""A cue may begin so long after its first word, where the one before cannot be read otherwise."""


class Cue(msgspec.Struct, frozen=True):
    """Lines of text and when they are shown, in samples; at least a millisecond."""

    start: int
    end: int
    text: str


class _Shown(msgspec.Struct, frozen=True):
    """What one cue shows."""

    pieces: list[Piece]

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def end(self) -> int:
        return self.pieces[-1].end

    @property
    def columns(self) -> int:
        return sum(piece.columns + piece.spaced for piece in self.pieces) - self.pieces[0].spaced


class CueMaker:
    """Pieces of text in, cues out, in order and never overlapping.

    A cue that is out cannot be changed. So the last one of a text stays here while what comes next
    decides how it looks: where its words are too short to be read, it is held into the silence
    behind it, or, without such a silence, shares a cue with what follows.
    """

    def __init__(self, settings: SubtitleSettings) -> None:
        self._settings = settings
        self._open: _Shown | None = None
        self._shown_until = 0

    @property
    def shown_until(self) -> int:
        """The end of the last cue that is out, in samples."""
        return self._shown_until

    def add(self, pieces: Sequence[Piece]) -> list[Cue]:
        """More text, later than all before: the cues that it decides."""
        pieces = [*(self._open.pieces if self._open else ()), *pieces]
        self._open = None
        ends = cut_into_cues(pieces, self._settings)
        shown = [_Shown(pieces[first:last]) for first, last in pairwise([0, *ends])]
        found: list[Cue] = []
        for at, cue in enumerate(shown[:-1]):
            after = shown[at + 2].start if at + 2 < len(shown) else None
            found.append(self._cue(cue, self._next_start(cue, shown[at + 1], after)))
        for cue in shown[-1:]:
            if self._wanted(cue) > cue.end:
                self._open = cue
            else:
                found.append(self._cue(cue, cue.end))
        return found

    def quiet(self, until: int) -> list[Cue]:
        """No text begins before ``until``: the cue that waits, where that is all it needs."""
        return self.flush() if self._open and self._wanted(self._open) <= until else []

    def flush(self) -> list[Cue]:
        """Nothing follows soon: the cue that waits, held as long as it needs."""
        cue, self._open = self._open, None
        return [self._cue(cue, self._wanted(cue))] if cue else []

    def _needed(self, cue: _Shown) -> int:
        """The samples that it takes to read a cue."""
        settings = self._settings
        readable = int(-(-cue.columns * SAMPLE_RATE // settings.characters_per_second))
        return max(settings.shortest_ms * _MILLISECOND, readable)

    def _wanted(self, cue: _Shown) -> int:
        """Until when a cue would be shown if nothing followed."""
        start = max(cue.start, self._shown_until)
        longest = start + self._settings.longest_ms * _MILLISECOND
        return min(max(cue.end, start + self._needed(cue)), longest)

    def _next_start(self, cue: _Shown, following: _Shown, after: int | None) -> int:
        """When the next cue begins: with its words, or a little late if it can spare the time."""
        late = min(_LATE, self._wanted(cue) - following.start)
        if after is not None:
            late = min(late, after - following.start - self._needed(following))
        return following.start + max(0, late)

    def _cue(self, cue: _Shown, limit: int) -> Cue:
        """A cue that is out: held where it needs it, but not beyond ``limit``."""
        start = max(cue.start, self._shown_until)
        end = min(self._wanted(cue), limit)
        if end < limit <= min(end + _FLICKER, start + self._settings.longest_ms * _MILLISECOND):
            end = limit
        self._shown_until = max(start + _MILLISECOND, end)
        return Cue(start, self._shown_until, self._text(cue.pieces))

    def _text(self, pieces: Sequence[Piece]) -> str:
        ends = break_into_lines(pieces, self._settings)
        return "\n".join(_line(pieces[first:last]) for first, last in pairwise([0, *ends]))


def _line(pieces: Sequence[Piece]) -> str:
    return "".join(f" {piece.text}" if piece.spaced else piece.text for piece in pieces).strip()
