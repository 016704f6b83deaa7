"""An adaptive energy gate: the cheap question before the dear one."""

from __future__ import annotations

import math

import numpy as np

from vivavoce.pipeline.messages import Pcm

_SILENCE_DBFS = -100.0
_FULL_SCALE_POWER = 32768.0 * 32768.0
_FALL = 0.3  # share of the way down to a quieter level, per frame
_RISE_DB = 0.05  # per frame of 32 ms: 1.6 dB a second
_LOWEST_FLOOR = -75.0
_HANGOVER_FRAMES = 10


def level_dbfs(pcm: Pcm) -> float:
    """The root-mean-square level of int16 samples, shape ``(n,)``, in dB of full scale.

    Their mean is taken off: a constant offset, as cheap sound cards have, is no sound, and with it
    in the noise floor quiet speech would not stand out.
    """
    return levels_dbfs(pcm, len(pcm))[0] if len(pcm) else _SILENCE_DBFS


def levels_dbfs(pcm: Pcm, frame: int) -> list[float]:
    """The :func:`level_dbfs` of each ``frame`` samples of ``pcm``, shape ``(n * frame,)``, int16.

    Sums of squares of a frame are whole numbers far below 2⁵³, so float64 adds them up exactly, in
    whatever order: the level of a frame does not depend on how many come with it.
    """
    audio = pcm.reshape(-1, frame).astype(np.float64)
    sums = audio.sum(axis=1)
    squares = np.einsum("ij,ij->i", audio, audio)
    powers = (squares - sums * sums / frame) / (frame * _FULL_SCALE_POWER)
    return [
        max(_SILENCE_DBFS, 10.0 * math.log10(power)) if power > 0.0 else _SILENCE_DBFS
        for power in powers.tolist()
    ]


class EnergyGate:
    """Opens for frames louder than the noise floor by a margin, and a while longer.

    The floor follows the quietest recent frames (in the spirit of R. Martin, "Noise Power Spectral
    Density Estimation Based on Optimal Smoothing and Minimum Statistics", 2001, section III):
    quickly down, slowly up, so that speech does not raise it.

    Attributes:
        margin_db: how far above the floor the gate opens.
    """

    def __init__(self, margin_db: float) -> None:
        self.margin_db = margin_db
        self._floor = _LOWEST_FLOOR
        self._open_frames = 0

    @property
    def floor_dbfs(self) -> float:
        """The noise floor as estimated now."""
        return self._floor

    def passes(self, level: float) -> bool:
        """Whether a frame of ``level`` dBFS may hold speech."""
        if level < self._floor:
            self._floor = max(_LOWEST_FLOOR, self._floor + _FALL * (level - self._floor))
        else:
            self._floor = min(level, self._floor + _RISE_DB)
        if level > self._floor + self.margin_db:
            self._open_frames = _HANGOVER_FRAMES
            return True
        if self._open_frames:
            self._open_frames -= 1
            return True
        return False
