"""From process start to the first captured sample, the main process's memory, and its imports."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from vivavoce.bench import microphone
from vivavoce.bench.child import (
    Run,
    RunFailed,
    engine_arguments,
    engine_title,
    interrupt,
    recording,
    run_to_end,
    started,
)
from vivavoce.bench.measure import quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.bench.sound import read, write
from vivavoce.pipeline.messages import SAMPLE_RATE

name = "startup"
description = "Process start to first captured sample; memory of the main process; imports"

_FIRST_SAMPLE_BUDGET_S = 0.4
_RESIDENT_BUDGET_MB = 80.0
_SPEECH_S = 6
"""What is heard of a recording: the start is measured, and not how long it takes to the end."""

_HEARS_WITHIN_S = 60.0
_FALLS_ASLEEP = ["--set", "power.listening_after_s=0.5"]
"""Nobody speaks into the null sink: the first event is that of going to `listening`."""

_TOP = 10
_IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def run(options: Options) -> Result:
    """Start ``vivavoce run`` again and again, on a recording and on a real microphone."""
    repeats = 2 if options.quick else 10
    notes = [f"children run {engine_title(options)}; its process is not counted as memory"]
    options.say(f"{repeats} starts on a recording")
    with TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        speech = read(recording(long=False))[: _SPEECH_S * SAMPLE_RATE]
        source = write(Path(folder) / "speech.wav", speech.astype("<i2").tobytes())
        arguments = ["run", "--source", str(source), "--pace", "max", *engine_arguments(options)]
        figures = _figures("recording", [run_to_end(arguments) for _ in range(repeats)])
        options.say("imports")
        total, top = _imports(arguments)
    reason = microphone.missing()
    if reason is None:
        options.say(f"{repeats} starts on a microphone")
        with microphone.null_sink() as environ:
            runs = [_on_microphone(options, environ) for _ in range(repeats)]
        figures += _figures("microphone", runs)
    else:
        notes.append(f"no start on a microphone: {reason}")
    figures.append(Figure(name="imports of a run", value=total, unit="ms"))
    notes.append(
        "imports by package, without what they import themselves: "
        + ", ".join(f"{package} {milliseconds:.0f} ms" for package, milliseconds in top)
    )
    return Result(name=name, figures=figures, notes=notes, quick=options.quick)


def _on_microphone(options: Options, environ: dict[str, str]) -> Run:
    arguments = ["run", "--source", "mic", *_FALLS_ASLEEP, *engine_arguments(options)]
    with started(arguments, environ=environ) as (child, run):
        run.wait_for(lambda event: event["type"] == "power", _HEARS_WITHIN_S)
        interrupt(child)
    return run


def _figures(source: str, runs: list[Run]) -> list[Figure]:
    heard = [run for run in runs if run.ledger.get("captured")]
    first = [run.first_sample_s for run in heard if run.first_sample_s is not None]
    if not first:
        raise RunFailed(f"no run on the {source} captured a sample")
    peaks = [run.peak_mb for run in runs]
    return [
        Figure(
            name=f"{source}: first sample",
            value=statistics.median(first),
            unit="s",
            budget=_FIRST_SAMPLE_BUDGET_S,
            samples=len(first),
            p50=quantile(first, 0.5),
            p99=quantile(first, 0.99),
        ),
        Figure(
            name=f"{source}: resident memory, peak",
            value=statistics.median(peaks),
            unit="MB",
            budget=_RESIDENT_BUDGET_MB,
            samples=len(peaks),
            p50=quantile(peaks, 0.5),
            p99=quantile(peaks, 0.99),
        ),
    ]


def _imports(arguments: Sequence[str]) -> tuple[float, list[tuple[str, float]]]:
    """Milliseconds of all imports of a run, and those of the costliest top-level packages."""
    found = run_to_end(arguments, python=["-X", "importtime"])
    cost: Counter[str] = Counter()
    for line in found.stderr:
        if match := _IMPORT_LINE.match(line):
            cost[match[2].split(".")[0]] += int(match[1])
    return cost.total() / 1000, [(package, us / 1000) for package, us in cost.most_common(_TOP)]
