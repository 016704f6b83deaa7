"""Speech between silences: utterances of the source tree at known places of one sound."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import SPEECH
from vivavoce.bench.sound import Samples, in_a_quiet_room, read, write
from vivavoce.pipeline.messages import SAMPLE_RATE

_BESIDE = SAMPLE_RATE // 10
"""What is kept of a recording before its first word and behind its last one: its own background is
louder than the scenario's, and would wake the program before anybody speaks."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recording of one sentence; where its speech begins and ends, in samples."""

    name: str
    pcm: Samples
    onset: int
    end: int


@dataclass(frozen=True, slots=True)
class Placed:
    """An utterance in a scenario: where its speech begins and ends, in seconds."""

    name: str
    onset: float
    end: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """Audio, and the utterances in it."""

    pcm: Samples
    placed: tuple[Placed, ...]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / SAMPLE_RATE

    def first(self, count: int, tail_s: float) -> Scenario:
        """Its beginning with so many utterances, and silence of at most ``tail_s`` behind them."""
        placed = self.placed[:count]
        return Scenario(self.pcm[: round((placed[-1].end + tail_s) * SAMPLE_RATE)], placed)

    def save(self, path: Path) -> Path:
        """Write it as a WAV file."""
        return write(path, self.pcm.astype("<i2").tobytes())


def utterances() -> list[Utterance]:
    """The utterances of the source tree whose word times are known."""
    found = []
    for item in json.loads((SPEECH / "refs.json").read_bytes())["items"]:
        if item["kind"] != "utterance" or not item.get("words"):
            continue
        words = item["words"]
        pcm = read(SPEECH / item["file"])
        begins = round(words[0]["start"] * SAMPLE_RATE)
        ends = round(words[-1]["end"] * SAMPLE_RATE)
        first = max(0, begins - _BESIDE)
        found.append(
            Utterance(item["file"], pcm[first : ends + _BESIDE], begins - first, ends - first)
        )
    return found


def alternating(count: int, *, lead_s: float, pause_s: tuple[float, float], seed: int) -> Scenario:
    """``count`` utterances in turn; the pause before each is drawn between two lengths.

    So an onset falls anywhere in an audio block. The same seed gives the same samples.
    """
    choice, known = random.Random(seed), utterances()
    plan: list[Utterance | float] = [lead_s]
    for number in range(count):
        plan += [known[number % len(known)], choice.uniform(*pause_s)]
    return planned(plan, seed)


def planned(plan: Sequence[Utterance | float], seed: int) -> Scenario:
    """Utterances and silences (seconds) in a row, with faint noise under all of it."""
    pieces: list[Samples] = []
    placed: list[Placed] = []
    at = 0
    for part in plan:
        if isinstance(part, Utterance):
            placed.append(
                Placed(part.name, (at + part.onset) / SAMPLE_RATE, (at + part.end) / SAMPLE_RATE)
            )
            pieces.append(part.pcm)
        else:
            pieces.append(np.zeros(round(part * SAMPLE_RATE), dtype=np.int16))
        at += len(pieces[-1])
    return Scenario(in_a_quiet_room(np.concatenate(pieces), seed), tuple(placed))
