"""What a phrase sounds like, in a few kilobytes: its log-mel levels, a key, and a sketch.

- The levels are a log-mel spectrogram of 32 bands every 10 ms, rounded to half a decibel.
- The key is a hash of the levels: equal for equal sounds.
- The sketch finds what sounds alike among many. It is the magnitude of the modulation spectrum of
  each band, which by the shift theorem of the Fourier transform does not depend on when the phrase
  begins (S. Sukittanon, L. Atlas, "Modulation frequency features for audio fingerprinting", ICASSP
  2002). It proposes only; :mod:`~vivavoce.actors.transcription.phrase_cache.comparison` decides.

The mel scale is that of D. O'Shaughnessy, "Speech Communication: Human and Machine", 1987.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vivavoce.pipeline.messages import SAMPLE_RATE

Levels: TypeAlias = NDArray[np.uint8]
"""Shape (frames, :data:`BANDS`): half decibels; 0 is far below the quietest 16-bit sound."""

Samples: TypeAlias = NDArray[np.int16]
"""Shape (samples,): mono, 16 kHz."""

BANDS = 32
HOP = SAMPLE_RATE // 100
"""Samples from one frame to the next: 10 ms."""

FRAME = SAMPLE_RATE // 40
"""Samples of a frame: 25 ms."""

_PIECE = 32
"""Frames at a time: matrix products this small are not spread over BLAS threads, which would wait
for each other whenever the engine keeps the cores busy."""

_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7_800.0
_LEVEL_STEP_DB = 0.5
_LEAST_POWER = 10.0  # below the rounding noise of 16-bit audio; keeps silence finite

_SKETCH_RANGE_DB = 30.0  # how far below the loudest cells the sketch looks: above usual noise
_SKETCH_BANDS = 16
_SKETCH_RATES_HZ = np.arange(16, dtype=np.float32) / 2
SKETCH = _SKETCH_BANDS * len(_SKETCH_RATES_HZ)
"""Length of a sketch."""


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """A phrase's fingerprint.

    Attributes:
        samples: length of the phrase.
        key: 16 bytes, equal for equal sounds of equal length.
        levels: the log-mel levels, read-only.
        sketch: shape (:data:`SKETCH`,), of length 1; zeros for a phrase without any contour.
    """

    samples: int
    key: bytes
    levels: Levels
    sketch: NDArray[np.float32]


def fingerprint(pcm: Samples) -> Fingerprint:
    """The fingerprint of a phrase: about a millisecond of work per second of audio."""
    from hashlib import blake2b  # brings OpenSSL along: only where phrases are kept

    levels = log_mel_levels(pcm)
    levels.flags.writeable = False
    key = blake2b(levels.tobytes(), digest_size=16, salt=len(pcm).to_bytes(16, "little"))
    return Fingerprint(len(pcm), key.digest(), levels, _sketch(decibels(levels)))


def log_mel_levels(pcm: Samples, start: int = 0) -> Levels:
    """The log-mel levels of ``pcm[start:]``; no frames where it is shorter than 25 ms."""
    frames = max(0, (len(pcm) - start - FRAME) // HOP + 1)
    if not frames:
        return np.zeros((0, BANDS), np.uint8)
    window, filters = _window_and_filters()
    heard = pcm[start:].astype(np.float32)
    framed = np.lib.stride_tricks.sliding_window_view(heard, FRAME)[::HOP][:frames]
    levels = np.empty((frames, BANDS), np.uint8)
    for first in range(0, frames, _PIECE):
        spectrum = np.fft.rfft(framed[first : first + _PIECE] * window)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ filters
        rounded = np.rint(np.log10(power + np.float32(_LEAST_POWER)) * (10.0 / _LEVEL_STEP_DB))
        levels[first : first + _PIECE] = np.minimum(rounded, 255.0)
    return levels


def decibels(levels: Levels) -> NDArray[np.float32]:
    """Levels in decibels, same shape."""
    return levels.astype(np.float32) * np.float32(_LEVEL_STEP_DB)


def _sketch(level_db: NDArray[np.float32]) -> NDArray[np.float32]:
    if not len(level_db):
        return np.zeros(SKETCH, np.float32)
    wide = level_db.reshape(len(level_db), _SKETCH_BANDS, -1).mean(axis=2)
    # Relative to the loudest, so that gain drops out; what is far below may be noise.
    contour = np.maximum(wide - (np.quantile(wide, 0.99) - np.float32(_SKETCH_RANGE_DB)), 0.0)
    seconds = np.arange(len(contour), dtype=np.float32) * np.float32(HOP / SAMPLE_RATE)
    angle = np.float32(2.0 * np.pi) * np.outer(_SKETCH_RATES_HZ, seconds)
    magnitude = np.hypot(np.cos(angle) @ contour, np.sin(angle) @ contour).ravel()
    length = float(np.linalg.norm(magnitude))
    sketch: NDArray[np.float32] = (magnitude / (length or 1.0)).astype(np.float32)
    return sketch


@cache
def band_widths() -> NDArray[np.float32]:
    """The width of each band in hertz, shape (bands,): levels are power per frequency."""
    edges = _edges()
    return ((edges[2:] - edges[:-2]) / 2.0).astype(np.float32)


@cache
def _window_and_filters() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A periodic Hann window, and triangular filters of shape (bins, bands) that average power."""
    window = np.hanning(FRAME + 1)[:-1]
    edges = _edges()
    bins = np.arange(FRAME // 2 + 1)[:, None] * (SAMPLE_RATE / FRAME)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(np.minimum(rising, falling), 0.0)
    return window.astype(np.float32), (filters / filters.sum(axis=0)).astype(np.float32)


def _edges() -> NDArray[np.float64]:
    """Where each band begins, peaks and ends in hertz: shape (bands + 2,), equal steps in mel."""
    low, high = (2595.0 * np.log10(1.0 + hertz / 700.0) for hertz in (_LOWEST_HZ, _HIGHEST_HZ))
    mel = np.linspace(low, high, BANDS + 2)
    return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
