"""An adaptive energy gate: the cheap question before the dear one."""

from __future__ import annotations

import math

import numpy as np

from vivavoce.pipeline.messages import Pcm

_SILENCE_DBFS = -100.0
_FALL = 0.3  # share of the way down to a quieter level, per frame
_RISE_DB = 0.05  # per frame of 32 ms: 1.6 dB a second
_LOWEST_FLOOR = -75.0
_HANGOVER_FRAMES = 10


def level_dbfs(pcm: Pcm) -> float:
    """The root-mean-square level of int16 samples, shape ``(n,)``, in dB of full scale.

    Their mean is taken off: a constant offset, as cheap sound cards have, is no sound, and with it
    in the noise floor quiet speech would not stand out.
    """
    if not len(pcm):
        return _SILENCE_DBFS
    audio = pcm.astype(np.float32)
    audio -= audio.mean()
    power = float(np.dot(audio, audio)) / len(audio)
    if power <= 0.0:
        return _SILENCE_DBFS
    return max(_SILENCE_DBFS, 10.0 * math.log10(power / (32768.0 * 32768.0)))


class EnergyGate:
    """Opens for frames louder than the noise floor by a margin, and a while longer.

    The floor follows the quietest recent frames (in the spirit of R. Martin, "Noise Power Spectral
    Density Estimation Based on Optimal Smoothing and Minimum Statistics", 2001, section III):
    quickly down, slowly up, so that speech does not raise it.

    Args:
        margin_db: how far above the floor the gate opens.
    """

    def __init__(self, margin_db: float) -> None:
        self._margin = margin_db
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
        if level > self._floor + self._margin:
            self._open_frames = _HANGOVER_FRAMES
            return True
        if self._open_frames:
            self._open_frames -= 1
            return True
        return False
