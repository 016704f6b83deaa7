"""Where speech without a pause is cut: at the end of a stable word. Pure.

Positions are samples at 16 kHz from the utterance's start.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vivavoce.actors.transcription.engines.base import HypothesisWord
from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm

LONGEST = 28 * SAMPLE_RATE
"""Longer than this must be cut somewhere: Whisper's window is 30 s."""

_SETTLED = SAMPLE_RATE
_SHORTEST = 2 * SAMPLE_RATE
_AROUND = SAMPLE_RATE * 3 // 20
_FRAME = SAMPLE_RATE // 50
_SENTENCE_END = (".", "?", "!")
_CLAUSE_END = (",", ";", ":")
_SENTENCE_BONUS = SAMPLE_RATE
_CLAUSE_BONUS = SAMPLE_RATE // 4


def word_boundary(words: Sequence[HypothesisWord], stable: int, heard: int) -> int | None:
    """The best place to cut: behind a sentence, else a clause, else before the longest gap.

    Args:
        words: with times.
        stable: how many leading words are stable.
        heard: length of the audio that they cover.

    Returns:
        A position between two words, or None where there is no stable word far enough from the
        ends of the audio.
    """
    best: tuple[int, int] | None = None
    for word, following in pairwise(words[: stable + 1]):
        if word.end < _SHORTEST or following.start > heard - _SETTLED:
            continue
        worth = following.start - word.end
        if word.text.endswith(_SENTENCE_END):
            worth += _SENTENCE_BONUS
        elif word.text.endswith(_CLAUSE_END):
            worth += _CLAUSE_BONUS
        # Of equal places the last: the rest of the utterance is the shorter for it.
        if best is None or worth >= best[0]:
            best = (worth, (word.end + following.start) // 2)
    return best[1] if best else None


def quietest_near(pcm: Pcm, position: int, around: int = _AROUND) -> int:
    """The middle of the quietest 20 ms within ``around`` samples of ``position``.

    Word times of a Whisper are good to about 0.1 s; the sound tells the rest.
    """
    first = max(0, position - around)
    piece = pcm[first : position + around].astype(np.float32)
    frames = len(piece) // _FRAME
    if frames < 2:
        return position
    energy = np.square(piece[: frames * _FRAME]).reshape(frames, _FRAME).sum(axis=1)
    return first + int(energy.argmin()) * _FRAME + _FRAME // 2


def quietest_of_the_end(pcm: Pcm, seconds: float = 5.0) -> int:
    """A cut where no word boundary is known: the quietest 20 ms of the last seconds."""
    half = int(seconds * SAMPLE_RATE) // 2
    return quietest_near(pcm, max(_SHORTEST, len(pcm) - half), half)
