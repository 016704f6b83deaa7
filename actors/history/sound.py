"""Sound as it is kept: 16-bit WAV.

FLAC would take half of the room, but its encoder (PyAV) weighs 16 MB in a process that is to stay
small; WAV is written in microseconds by the standard library, and anything can play it.
"""

from __future__ import annotations

import io
import wave

import numpy as np

from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm


def to_wav(pcm: Pcm) -> bytes:
    """Samples as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.astype("<i2", copy=False).tobytes())
    return out.getvalue()


def from_wav(data: bytes) -> Pcm:
    """The samples of such a file.

    Raises:
        ValueError: it is none.
    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (
                1,
                2,
                SAMPLE_RATE,
            ):
                raise ValueError("the sound is not mono 16 kHz of 16 bits")
            return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"the sound is damaged: {error}") from error
