"""Phrases from the checkout's recordings, and what can happen to a phrase on its second coming.

Audio is mono 16 kHz int16, shape (samples,). Every function returns new audio.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivavoce.bench.sound import Samples, read
from vivavoce.pipeline.messages import SAMPLE_RATE

_PRE_ROLL_S, _HANGOVER_S = 0.32, 0.16  # what the segmenter leaves around speech by default
_CROSSFADE = SAMPLE_RATE // 200


@dataclass(frozen=True, slots=True)
class Phrase:
    """A spoken sentence as the segmenter would cut it.

    ``words`` are the places of its words in samples; empty where they are not known.
    """

    name: str
    voice: str
    text: str
    pcm: Samples
    words: tuple[tuple[int, int], ...] = ()


def spoken_phrases(folder: Path, longest_s: float) -> list[Phrase]:
    """Every sentence of the recordings in ``folder`` (with their ``refs.json``) up to a length."""
    found = []
    for item in json.loads((folder / "refs.json").read_text())["items"]:
        pcm = read(folder / item["file"])
        duration = len(pcm) / SAMPLE_RATE
        sentences = item.get("sentences") or [
            {"start": _PRE_ROLL_S, "end": duration - _HANGOVER_S, "text": item["text"]}
        ]
        for number, sentence in enumerate(sentences):
            start = max(0.0, sentence["start"] - _PRE_ROLL_S)
            end = min(duration, sentence["end"] + _HANGOVER_S)
            if end - start > longest_s:
                continue
            words = tuple(
                (
                    round((word["start"] - start) * SAMPLE_RATE),
                    round((word["end"] - start) * SAMPLE_RATE),
                )
                for word in item.get("words", ())
                if word["start"] >= sentence["start"] and word["end"] <= sentence["end"]
            )
            cut = pcm[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
            voice = sentence.get("voice", item["kind"])
            found.append(Phrase(f"{item['file']}:{number}", voice, sentence["text"], cut, words))
    return found


def amplified(pcm: Samples, factor: float) -> Samples:
    """Louder or softer; clipped where it must be."""
    return _whole(pcm * np.float64(factor))


def noisy(pcm: Samples, snr_db: float, seed: int = 0) -> Samples:
    """With white noise; the ratio is to the mean power of the whole phrase."""
    heard = pcm.astype(np.float64)
    deviation = float(np.sqrt((heard**2).mean())) / 10.0 ** (snr_db / 20.0)
    return _whole(heard + np.random.default_rng(seed).normal(0.0, deviation, len(pcm)))


def later(pcm: Samples, milliseconds: float) -> Samples:
    """Beginning later after silence, or (negative) without its first part."""
    samples = round(milliseconds * SAMPLE_RATE / 1000)
    return np.concatenate([np.zeros(samples, np.int16), pcm]) if samples >= 0 else pcm[-samples:]


def trailing(pcm: Samples, milliseconds: float) -> Samples:
    """With silence after its end."""
    return np.concatenate([pcm, np.zeros(round(milliseconds * SAMPLE_RATE / 1000), np.int16)])


def stretched(pcm: Samples, factor: float) -> Samples:
    """Slower (above 1) or faster, as a tape would play it."""
    places = np.arange(round(len(pcm) * factor)) / factor
    return _whole(np.interp(places, np.arange(len(pcm)), pcm))


def replaced(pcm: Samples, start: int, end: int, other: Samples) -> Samples:
    """With ``other`` instead of ``pcm[start:end]``, as loud as that was, faded over 5 ms."""
    part = pcm[start:end].astype(np.float64)
    loudness = np.sqrt((part**2).mean() / max(1.0, float((other.astype(np.float64) ** 2).mean())))
    new = other * loudness
    fade = min(_CROSSFADE, len(new) // 2, len(part) // 2)
    rising = np.arange(fade) / max(1, fade)
    new[:fade] = new[:fade] * rising + part[:fade] * (1.0 - rising)
    if fade:
        new[-fade:] = new[-fade:] * rising[::-1] + part[-fade:] * (1.0 - rising[::-1])
    return np.concatenate([pcm[:start], _whole(new), pcm[end:]])


def _whole(values: NDArray[np.float64]) -> Samples:
    return np.clip(np.rint(values), -32_768, 32_767).astype(np.int16)
