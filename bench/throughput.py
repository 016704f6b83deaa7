"""Recordings at maximum pace, against faster-whisper's own BatchedInferencePipeline."""

from __future__ import annotations

import math
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import batched
from bench.alignment import align, word_error_rate, words_of
from bench.batched import Batched
from bench.options import DeveloperOptions
from bench.stream import model_of
from bench.stream_run import LANGUAGE, Streamed, prepared, stream
from vivavoce.bench.child import engine_title
from vivavoce.bench.results import Figure, Result

name = "throughput"
description = "Recordings at maximum pace, against faster-whisper's BatchedInferencePipeline"

BATCH_SIZES = (1, 4, 8, 16)
PROFILES = ("recordings", "captions")
"""At maximum pace they differ in nothing."""

_THEIRS = "BatchedInferencePipeline"
_SECONDS = 400.0
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Theirs:
    """The rounds with one size of batches."""

    rounds: tuple[Batched, ...]

    @property
    def batch_size(self) -> int:
        return self.rounds[0].batch_size

    @property
    def wall_s(self) -> float:
        return _median([one.wall_s for one in self.rounds])

    @property
    def cpu_s(self) -> float:
        return _median([one.cpu_s for one in self.rounds])

    @property
    def peak_mb(self) -> float:
        return max(one.peak_mb for one in self.rounds)


@dataclass(frozen=True, slots=True)
class _Ours:
    """The rounds with one profile, and runs over silence: imports, loading and ending.

    The least of these is what is subtracted: what disturbs one only makes it longer, and that must
    not be to our advantage.
    """

    rounds: tuple[Streamed, ...]
    start_ups: tuple[Streamed, ...]

    @property
    def wall_s(self) -> float:
        whole = _median([one.wall_s for one in self.rounds])
        return max(1e-3, whole - min(one.wall_s for one in self.start_ups))

    @property
    def cpu_s(self) -> float:
        whole = _median([one.cpu_s for one in self.rounds])
        return max(0.0, whole - min(one.cpu_s for one in self.start_ups))

    @property
    def peak_mb(self) -> float:
        return max(one.engine_mb + one.main_mb for one in self.rounds)

    @property
    def text(self) -> str:
        return " ".join(final.text for final in self.rounds[0].finals)


def run(options: DeveloperOptions) -> Result:
    """Transcribe a long recording with both, in turns, and compare the medians of the rounds.

    The recording is the talk, so many times in a row that it is long. Both decode with beam 5, word
    times, int8 weights, on the CPU; neither figure has imports and loading in it. Theirs runs with
    several sizes of batches, and the fastest is what ours is compared with.

    Raises:
        RecordingError: the recording or its words cannot be used, or there is no model.
        RunFailed: ``vivavoce run`` failed.
        BaselineFailed: the other one failed.
    """
    model = model_of(options)
    ours: dict[str, list[Streamed]] = {profile: [] for profile in PROFILES}
    start_ups: dict[str, list[Streamed]] = {profile: [] for profile in PROFILES}
    theirs: list[list[Batched]] = []
    with prepared(options) as talk, TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        path = Path(folder) / "long.wav"
        once = talk.duration_s + talk.lead_in_s
        times = 1 if options.quick else math.ceil(_SECONDS / once)
        _repeat(talk.path, path, times)
        for number in range(1, 2 if options.quick else _ROUNDS + 1):
            options.say(f"round {number}: {times * once:.0f} s of {talk.title}")
            theirs.append(batched.transcribe(path, model, LANGUAGE, BATCH_SIZES))
            for profile in PROFILES:
                for source, runs in (
                    (talk.lead_in, start_ups),
                    (path, ours),
                    (talk.lead_in, start_ups),
                ):
                    runs[profile].append(stream(source, options, profile=profile, pace="max"))
    return _result(
        options,
        talk.title,
        times * once,
        " ".join([talk.text] * times),
        [_Theirs(rounds) for rounds in zip(*theirs, strict=True)],
        {
            profile: _Ours(tuple(rounds), tuple(start_ups[profile]))
            for profile, rounds in ours.items()
        },
    )


def fastest(theirs: Sequence[_Theirs]) -> _Theirs:
    """The size of batches to compare with."""
    return min(theirs, key=lambda one: one.wall_s)


def _result(
    options: DeveloperOptions,
    title: str,
    seconds: float,
    text: str,
    theirs: Sequence[_Theirs],
    ours: Mapping[str, _Ours],
) -> Result:
    best = fastest(theirs)
    figures = _figures_of_theirs(best, seconds, text)
    for profile, found in ours.items():
        figures += _figures(profile, found, best, seconds, text)
    trimmed, exact = (ours[profile].text for profile in PROFILES)
    figures.append(
        Figure(
            name=f"{PROFILES[0]}: words that differ from {PROFILES[1]}",
            value=100 * _difference(exact, trimmed),
            unit="%",
            samples=len(words_of(exact)),
        )
    )
    sizes = ", ".join(f"{one.batch_size}: {seconds / one.wall_s:.1f}×" for one in theirs)
    notes = [
        f"{seconds:.0f} s of audio ({title}), {engine_title(options)}, int8 on the CPU, beam 5, "
        f"word times; medians of {len(best.rounds)} rounds in turns",
        "throughput: seconds of audio per second, without imports and loading the model (for ours: "
        "without the least of several runs over silence)",
        f"{_THEIRS} by size of batches: {sizes}; compared with its best, {best.batch_size}; "
        "num_workers and cpu_threads are its defaults",
        f"{_THEIRS} encodes windows of 30 s, each filled with as much speech as fits; "
        f"{PROFILES[0]} encodes each utterance and a margin (final_context: auto), so much of what "
        "it gains is work that it leaves out, at the price of words that differ",
        f"{PROFILES[1]}: exact finals, a whole window of 30 s for each utterance, however short: "
        f"more to encode than {_THEIRS} has",
        f"the text of {_THEIRS} is not that of faster-whisper without batches",
    ]
    return Result(name=name, figures=figures, notes=notes, quick=options.quick)


def _repeat(source: Path, target: Path, times: int) -> None:
    with wave.open(str(source)) as file, wave.open(str(target), "wb") as long:
        long.setparams(file.getparams())
        frames = file.readframes(file.getnframes())
        for _ in range(times):
            long.writeframes(frames)


def _figures_of_theirs(best: _Theirs, seconds: float, text: str) -> list[Figure]:
    return [
        Figure(
            name=f"{_THEIRS}: throughput",
            value=seconds / best.wall_s,
            unit="× real time",
            better="higher",
            samples=len(best.rounds),
        ),
        Figure(
            name=f"{_THEIRS}: CPU",
            value=best.cpu_s / seconds,
            unit="CPU s per audio second",
            samples=len(best.rounds),
        ),
        Figure(name=f"{_THEIRS}: peak memory", value=best.peak_mb, unit="MB"),
        Figure(
            name=f"{_THEIRS}: WER",
            value=100 * word_error_rate(text, best.rounds[0].text),
            unit="%",
        ),
    ]


def _figures(profile: str, ours: _Ours, best: _Theirs, seconds: float, text: str) -> list[Figure]:
    return [
        Figure(
            name=f"{profile}: throughput against it",
            value=best.wall_s / ours.wall_s,
            unit="×",
            better="higher",
            budget=1.0,
            ratio_to=_THEIRS,
            samples=len(ours.rounds),
        ),
        Figure(
            name=f"{profile}: throughput",
            value=seconds / ours.wall_s,
            unit="× real time",
            better="higher",
            samples=len(ours.rounds),
        ),
        Figure(
            name=f"{profile}: CPU",
            value=ours.cpu_s / seconds,
            unit="CPU s per audio second",
            samples=len(ours.rounds),
        ),
        Figure(
            name=f"{profile}: peak memory, engine and main process", value=ours.peak_mb, unit="MB"
        ),
        Figure(
            name=f"{profile}: peak memory against it",
            value=ours.peak_mb / best.peak_mb,
            unit="×",
            ratio_to=_THEIRS,
        ),
        Figure(name=f"{profile}: WER", value=100 * word_error_rate(text, ours.text), unit="%"),
    ]


def _difference(reference: str, other: str) -> float:
    """The edit distance of two texts in words, per word of the first."""
    words = words_of(reference)
    return align(words, words_of(other)).errors / max(1, len(words))


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
