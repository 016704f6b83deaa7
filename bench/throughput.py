"""Recordings at maximum pace, against faster-whisper's own BatchedInferencePipeline."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from vivavoce.bench import batched
from vivavoce.bench.alignment import word_error_rate
from vivavoce.bench.batched import Batched
from vivavoce.bench.child import engine_title
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.bench.stream import model_of
from vivavoce.bench.stream_run import LANGUAGE, Streamed, Talk, prepared, stream

name = "throughput"
description = "Recordings at maximum pace, against faster-whisper's BatchedInferencePipeline"

_TIMES = 6
_QUICK_TIMES = 1
_ROUNDS = 3
_BATCH_SIZE = 8
PROFILES = ("recordings", "captions")
"""The one that is judged, and the one whose finals are exact."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of ours without what a run over silence takes: imports, loading, ending."""

    streamed: Streamed
    wall_s: float
    cpu_s: float


def run(options: Options) -> Result:
    """Transcribe a long recording with both, in turns, and compare the medians of the rounds.

    The recording is the talk several times in a row. Both decode with beam 5, word times, int8
    weights, on the CPU; neither figure has imports and loading in it.

    Raises:
        RecordingError: the recording or its words cannot be used, or there is no model.
        RunFailed: ``vivavoce run`` failed.
        BaselineFailed: the other one failed.
    """
    model = model_of(options)
    times = _QUICK_TIMES if options.quick else _TIMES
    ours: dict[str, list[_Run]] = {profile: [] for profile in PROFILES}
    theirs: list[Batched] = []
    with prepared(options) as talk, TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        path = Path(folder) / "long.wav"
        _repeat(talk.path, path, times)
        seconds = times * (talk.duration_s + talk.lead_in_s)
        for number in range(1, 2 if options.quick else _ROUNDS + 1):
            options.say(f"round {number}: {seconds:.0f} s of {talk.title}")
            theirs.append(batched.transcribe(path, model, LANGUAGE, _BATCH_SIZE))
            for profile in PROFILES:
                ours[profile].append(_measured(path, talk, options, profile))
    text = " ".join([talk.text] * times)
    figures = [
        *_figures_of_theirs(theirs, seconds, text),
        *(
            figure
            for profile in PROFILES
            for figure in _figures(profile, ours[profile], theirs, seconds, text)
        ),
    ]
    notes = [
        f"{seconds:.0f} s of audio, {engine_title(options)}, int8 on the CPU, beam 5, word times; "
        f"medians of {len(theirs)} rounds in turns",
        "throughput: seconds of audio per second, without imports and loading the model",
        f"BatchedInferencePipeline with batches of {_BATCH_SIZE} windows of up to 30 s; its text "
        "is not that of faster-whisper without batches",
        "profile captions: finals exact, each utterance in the full window of 30 s",
    ]
    return Result(name=name, figures=figures, notes=notes, quick=options.quick)


def _repeat(source: Path, target: Path, times: int) -> None:
    with wave.open(str(source)) as file, wave.open(str(target), "wb") as long:
        long.setparams(file.getparams())
        frames = file.readframes(file.getnframes())
        for _ in range(times):
            long.writeframes(frames)


def _measured(path: Path, talk: Talk, options: Options, profile: str) -> _Run:
    start_up = stream(talk.lead_in, options, profile=profile, pace="max")
    whole = stream(path, options, profile=profile, pace="max")
    return _Run(
        whole,
        wall_s=max(1e-3, whole.wall_s - start_up.wall_s),
        cpu_s=max(0.0, whole.cpu_s - start_up.cpu_s),
    )


def _figures_of_theirs(theirs: list[Batched], seconds: float, text: str) -> list[Figure]:
    return [
        Figure(
            name="BatchedInferencePipeline: throughput",
            value=seconds / _median([one.wall_s for one in theirs]),
            unit="× real time",
            better="higher",
            samples=len(theirs),
        ),
        Figure(
            name="BatchedInferencePipeline: CPU",
            value=_median([one.cpu_s for one in theirs]) / seconds,
            unit="CPU s per audio second",
            samples=len(theirs),
        ),
        Figure(
            name="BatchedInferencePipeline: peak memory",
            value=max(one.peak_mb for one in theirs),
            unit="MB",
        ),
        Figure(
            name="BatchedInferencePipeline: WER",
            value=100 * word_error_rate(text, theirs[0].text),
            unit="%",
        ),
    ]


def _figures(
    profile: str, ours: list[_Run], theirs: list[Batched], seconds: float, text: str
) -> list[Figure]:
    wall_s = _median([one.wall_s for one in ours])
    cpu_s = _median([one.cpu_s for one in ours])
    said = " ".join(final.text for final in ours[0].streamed.finals)
    return [
        Figure(
            name=f"{profile}: throughput against it",
            value=_median([one.wall_s for one in theirs]) / wall_s,
            unit="×",
            better="higher",
            budget=1.0 if profile == PROFILES[0] else None,
            ratio_to="BatchedInferencePipeline",
            samples=len(ours),
        ),
        Figure(
            name=f"{profile}: throughput",
            value=seconds / wall_s,
            unit="× real time",
            better="higher",
            samples=len(ours),
        ),
        Figure(
            name=f"{profile}: CPU",
            value=cpu_s / seconds,
            unit="CPU s per audio second",
            samples=len(ours),
        ),
        Figure(
            name=f"{profile}: peak memory, engine and main process",
            value=max(one.streamed.engine_mb + one.streamed.main_mb for one in ours),
            unit="MB",
        ),
        Figure(name=f"{profile}: WER", value=100 * word_error_rate(text, said), unit="%"),
    ]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
