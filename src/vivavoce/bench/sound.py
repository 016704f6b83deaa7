"""Recordings that benchmarks play: mono 16 kHz int16, shape (samples,)."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vivavoce.pipeline.messages import SAMPLE_RATE

Samples: TypeAlias = npt.NDArray[np.int16]

_NOISE = 4.0
"""Standard deviation of the noise of a quiet room, about −78 dBFS."""


def read(path: Path) -> Samples:
    """The samples of a mono 16 kHz int16 WAV file.

    Raises:
        ValueError: it is in another form.
    """
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (SAMPLE_RATE, 1, 2):
            raise ValueError(f"{path} is not mono 16 kHz int16: {file.getparams()}")
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


def write(path: Path, pcm: bytes) -> Path:
    """Write mono 16 kHz int16 samples as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm)
    return path


def in_a_quiet_room(sound: Samples, seed: int) -> Samples:
    """The sound with faint noise under all of it; the same seed gives the same samples."""
    heard = sound + np.random.default_rng(seed).normal(0.0, _NOISE, len(sound))
    return np.clip(np.rint(heard), -32_768, 32_767).astype(np.int16)


def quiet_room(seconds: float, seed: int) -> Samples:
    """Silence, as a microphone hears it."""
    return in_a_quiet_room(np.zeros(round(seconds * SAMPLE_RATE), dtype=np.int16), seed)
