"""Where two recordings of the same sound lie in relation to each other. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.pipeline.messages import Pcm

_ALIKE = 0.8
"""Least normalised correlation of two recordings of the same sound."""
_ABOUT_AS_HIGH = 0.98
"""Share of the highest peak from which on another is as good: a hum has one in each period."""
_CANDIDATES = 16


def find_offset(
    old: Pcm, new: Pcm, *, expected: int, overlap: int, exact: bool = False
) -> int | None:
    """At which index of ``new`` the first sample of ``old`` lies; negative where it lies before.

    Normalised cross-correlation (J. P. Lewis, "Fast Normalized Cross-Correlation", 1995, eq. 2, its
    means left out: microphones have none) over all offsets at which at least ``overlap`` samples of
    both lie above each other. Of several peaks about as high an exact copy wins, and then the one
    nearest to what is expected.

    Args:
        old: shape ``(n,)``, what one recording heard last.
        new: shape ``(m,)``, what the other has heard.
        expected: the offset that clocks tell.
        overlap: positive; fewer samples are no evidence.
        exact: only equal samples count. A voice is like itself one period later, so that where the
            true overlap is still shorter than ``overlap``, a false one looks good.

    Returns:
        The offset, or None where nothing is alike: silence, or other sound.
    """
    lowest, highest = overlap - len(old), len(new) - overlap
    if lowest > highest:
        return None
    scores = _scores(old, new, lowest, highest, overlap)
    best = float(scores.max())
    if best < _ALIKE:
        return None
    padded = np.pad(scores, 1, constant_values=-1.0)
    peaks = (scores >= padded[:-2]) & (scores >= padded[2:]) & (scores >= best * _ABOUT_AS_HIGH)
    offsets = np.flatnonzero(peaks) + lowest
    offsets = offsets[np.argsort(np.abs(offsets - expected), kind="stable")]
    for offset in offsets[:_CANDIDATES]:
        mine, theirs = _above_each_other(old, new, int(offset))
        if np.array_equal(mine, theirs):
            return int(offset)
    return None if exact else int(offsets[0])


def _scores(old: Pcm, new: Pcm, lowest: int, highest: int, overlap: int) -> npt.NDArray[Any]:
    """The normalised correlation at each offset from ``lowest`` to ``highest``."""
    offsets = np.arange(lowest, highest + 1)
    size = 1 << (len(old) + len(new) - 1).bit_length()
    spectrum = np.fft.rfft(new, size) * np.conj(np.fft.rfft(old, size))
    products = np.fft.irfft(spectrum, size)[offsets % size]
    begin_new, end_new = np.maximum(offsets, 0), np.minimum(offsets + len(old), len(new))
    energy_new, energy_old = _energies(new), _energies(old)
    mine = energy_old[end_new - offsets] - energy_old[begin_new - offsets]
    theirs = energy_new[end_new] - energy_new[begin_new]
    loudness = np.sqrt(mine * theirs)
    # Less than one step of the converter in every eighth sample is silence, and like anything.
    heard = np.minimum(mine, theirs) > overlap / 8
    return np.where(heard, products / np.maximum(loudness, 1.0), 0.0)


def _energies(pcm: Pcm) -> npt.NDArray[np.float64]:
    """The energy of the samples before each index: exact, they are integers."""
    return np.concatenate(([0.0], np.cumsum(np.square(pcm, dtype=np.float64))))


def _above_each_other(old: Pcm, new: Pcm, offset: int) -> tuple[Pcm, Pcm]:
    begin, end = max(offset, 0), min(offset + len(old), len(new))
    return old[begin - offset : end - offset], new[begin:end]
