"""From process start to the first captured sample, the main process's memory, and its imports."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter

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

name = "startup"
description = "Process start to first captured sample; memory of the main process; imports"

_FIRST_SAMPLE_BUDGET_S = 0.4
_RESIDENT_BUDGET_MB = 80.0
_LISTEN_S = 1.0
_TOP = 10
_IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def run(options: Options) -> Result:
    """Start ``vivavoce run`` again and again, on a recording and on a real microphone."""
    repeats = 2 if options.quick else 10
    notes = [f"children run {engine_title(options)}; its process is not counted as memory"]
    options.say(f"{repeats} starts on a recording")
    figures = _figures("recording", [_on_recording(options) for _ in range(repeats)])
    reason = microphone.missing()
    if reason is None:
        options.say(f"{repeats} starts on a microphone")
        with microphone.null_sink() as environ:
            runs = [_on_microphone(options, environ) for _ in range(repeats)]
        figures += _figures("microphone", runs)
    else:
        notes.append(f"no start on a microphone: {reason}")
    options.say("imports")
    total, top = _imports(options)
    figures.append(Figure(name="imports of a run", value=total, unit="ms"))
    notes.append(
        "imports by package, without what they import themselves: "
        + ", ".join(f"{package} {milliseconds:.0f} ms" for package, milliseconds in top)
    )
    return Result(name=name, figures=figures, notes=notes, quick=options.quick)


def _on_recording(options: Options) -> Run:
    source = str(recording(long=False))
    return run_to_end(["run", "--source", source, "--pace", "max", *engine_arguments(options)])


def _on_microphone(options: Options, environ: dict[str, str]) -> Run:
    arguments = ["run", "--source", "mic", *engine_arguments(options)]
    with started(arguments, environ=environ) as (child, run):
        time.sleep(_LISTEN_S)
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


def _imports(options: Options) -> tuple[float, list[tuple[str, float]]]:
    """Milliseconds of all imports of a run, and those of the costliest top-level packages."""
    source = str(recording(long=False))
    arguments = ["run", "--source", source, "--pace", "max", *engine_arguments(options)]
    found = run_to_end(arguments, python=["-X", "importtime"])
    cost: Counter[str] = Counter()
    for line in found.stderr:
        if match := _IMPORT_LINE.match(line):
            cost[match[2].split(".")[0]] += int(match[1])
    return cost.total() / 1000, [(package, us / 1000) for package, us in cost.most_common(_TOP)]
