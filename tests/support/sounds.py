"""Sounds that nobody spoke, and speech with noise: int16 bytes at 16 kHz, always the same."""

from __future__ import annotations

import numpy as np

RATE = 16_000


def pcm(samples: np.ndarray) -> bytes:
    return np.clip(np.round(samples), -32_768, 32_767).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE))


def white(seconds: float, level: float) -> bytes:
    """``level`` is the standard deviation in steps of int16."""
    return pcm(np.random.default_rng(1).normal(size=int(seconds * RATE)) * level)


def pink(seconds: float, level: float) -> bytes:
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(2).normal(size=count))
    shaped = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), count)
    return pcm(shaped / shaped.std() * level)


def keyboard(seconds: float, level: float) -> bytes:
    """Clicks of 3 to 19 ms at random times, over a quiet room."""
    generator = np.random.default_rng(3)
    sound = generator.normal(size=int(seconds * RATE)) * 20
    at = 0.2
    while at < seconds - 0.05:
        length = int(generator.integers(40, 300))
        first = int(at * RATE)
        decay = np.exp(-np.arange(length) / (length / 4))
        loudness = level * generator.uniform(0.4, 1.0)
        sound[first : first + length] += generator.normal(size=length) * decay * loudness
        at += generator.uniform(0.06, 0.35)
    return pcm(sound)


def noisy(speech: bytes, ratio_db: float) -> bytes:
    """Speech with white noise, ``ratio_db`` below it."""
    samples = np.frombuffer(speech, dtype="<i2").astype(float)
    noise = np.random.default_rng(5).normal(size=len(samples))
    return pcm(samples + noise * samples.std() * 10 ** (-ratio_db / 20))
