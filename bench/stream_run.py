"""A recording through the real ``vivavoce run`` at the pace of speech: events, CPU, memory."""

from __future__ import annotations

import re
import resource
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.options import DeveloperOptions
from bench.stream_metrics import Event, FinalEvent, PartialEvent
from vivavoce.bench.child import engine_arguments, started

_WEIGH_EVERY_S = 0.5
_KEEP = 1_000_000
_HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Streamed:
    """One run: the events, and what it took.

    Attributes:
        cpu_s: CPU seconds (user and system) of the whole process tree, from start to end.
        main_mb: peak resident memory of the main process, in MB (10⁶ bytes).
        engine_mb: the sum of the peaks of all engine processes.
        end_s: when the run ended, in seconds since capture started.
        wall_s: from starting the process to its end.
    """

    events: tuple[Event, ...]
    cpu_s: float
    main_mb: float
    engine_mb: float
    end_s: float
    wall_s: float

    @property
    def finals(self) -> list[FinalEvent]:
        """The finals in order."""
        return [event for event in self.events if isinstance(event, FinalEvent)]


def stream(
    source: Path,
    options: DeveloperOptions,
    settings: Sequence[str] = (),
    *,
    profile: str = "captions",
    pace: str = "realtime",
) -> Streamed:
    """Run ``vivavoce run`` over a recording, at real-time pace if not told otherwise.

    It uses int8 weights on the CPU.

    The CPU seconds are what the operating system accounts to the finished child: its own and those
    of the processes that it has waited for, the engine among them.

    Raises:
        RunFailed: the run did not end with exit code 0.
    """
    arguments = ["run", profile, "--source", str(source), "--pace", pace]
    arguments += engine_arguments(options)
    for setting in settings_of(options, settings):
        arguments += ["--set", setting]
    before, began = _children_cpu_s(), time.monotonic()
    with started(arguments, sample_every_s=_WEIGH_EVERY_S, keep=_KEEP) as (child, run):
        peaks = _weigh(child)
    main_mb = peaks.main_mb or run.peak_mb
    return Streamed(
        events=tuple(events_of(run.events)),
        cpu_s=_children_cpu_s() - before,
        main_mb=main_mb,
        engine_mb=sum(peaks.engines_mb.values()),
        end_s=next((event["t"] for event in run.events if event["type"] == "end"), 0.0),
        wall_s=time.monotonic() - began,
    )


def settings_of(options: DeveloperOptions, settings: Sequence[str]) -> list[str]:
    """The settings of the profile: int8 on the CPU, the language, then what is asked for."""
    fixed = [
        "transcription.device=cpu",
        "transcription.compute_type=int8",
        f"transcription.language={options.language}",
    ]
    return [*fixed, *options.settings, *settings]


def events_of(events: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    """The partials and finals among the events of a run."""
    for event in events:
        if event["type"] == "partial":
            yield PartialEvent(
                t=event["t"],
                utterance=event["utterance"],
                stable=event["stable"],
                tail=event["tail"],
                start=event["start"],
            )
        elif event["type"] == "final":
            yield FinalEvent(
                t=event["t"],
                utterance=event["utterance"],
                text=event["text"],
                start=event["start"],
                end=event["end"],
                endpoint_s=event["latency"].get("endpoint", 0.0),
            )


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass(slots=True)
class _Peaks:
    main_mb: float = 0.0
    engines_mb: dict[int, float] = field(default_factory=dict)


def _weigh(child: subprocess.Popen[bytes]) -> _Peaks:
    """Note the high-water marks of the child and the processes under it until it ends."""
    import psutil

    peaks = _Peaks()
    try:
        process = psutil.Process(child.pid)
    except psutil.Error:
        return peaks
    while True:
        try:
            child.wait(timeout=_WEIGH_EVERY_S)
        except subprocess.TimeoutExpired:
            pass
        else:
            return peaks
        try:
            peaks.main_mb = max(peaks.main_mb, _peak_mb(process))
            for descendant in process.children(recursive=True):
                known = peaks.engines_mb.get(descendant.pid, 0.0)
                peaks.engines_mb[descendant.pid] = max(known, _peak_mb(descendant))
        except psutil.Error:
            continue


def _peak_mb(process: Any) -> float:
    """The most memory that a process ever had resident: Linux keeps a high-water mark."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        status = ""
    if mark := _HIGH_WATER.search(status):
        return int(mark[1]) * 1024 / 1e6
    return float(process.memory_info().rss) / 1e6
