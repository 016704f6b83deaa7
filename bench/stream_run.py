"""A recording through the real ``vivavoce run`` at the pace of speech: events, CPU, memory."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import time
import wave
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.options import DeveloperOptions
from bench.stream_metrics import Event, FinalEvent, PartialEvent, ReferenceWord
from bench.unbroken import unbroken
from vivavoce.bench.child import Run, engine_arguments, recording, started
from vivavoce.bench.sound import write
from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.messages import SAMPLE_RATE

LEAD_IN_S = 4.0
"""Silence before the recording, in which the engine loads: its start is `startup`'s matter."""

LANGUAGE = "en"

_SAMPLE_BYTES = 2
_WEIGH_EVERY_S = 0.5
_KEEP = 1_000_000
_HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class RecordingError(VivavoceError):
    """The recording, or what was spoken in it, cannot be used."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Talk:
    """A recording with its words. ``path`` has the lead-in; times of the words count from it.

    ``lead_in`` is a recording of the lead-in alone; ``duration_s`` is without the lead-in.
    """

    path: Path
    lead_in: Path
    title: str
    duration_s: float
    lead_in_s: float
    text: str
    words: tuple[ReferenceWord, ...]


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


@contextmanager
def prepared(options: DeveloperOptions) -> Iterator[Talk]:
    """The recording that the options name, with a lead-in, in a folder that goes away again.

    Raises:
        RecordingError: it is no mono 16 kHz int16 WAV, or nobody knows its words.
    """
    source = options.recording or recording(long=not options.quick)
    item = _reference(source)
    pcm, words, text = _pcm(source), item["words"], item["text"]
    if options.unbroken:
        pcm, words = _without_pauses(source, pcm, words, 60 * options.unbroken)
        text = " ".join(word["word"] for word in words)
    silence = bytes(round(LEAD_IN_S * SAMPLE_RATE) * _SAMPLE_BYTES)
    with TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        path, lead_in = Path(folder) / "talk.wav", Path(folder) / "lead-in.wav"
        write(path, silence + pcm)
        write(lead_in, silence)
        yield Talk(
            path=path,
            lead_in=lead_in,
            title=f"{source.name}{' without pauses' if options.unbroken else ''}",
            duration_s=len(pcm) / _SAMPLE_BYTES / SAMPLE_RATE,
            lead_in_s=LEAD_IN_S,
            text=text,
            words=tuple(ReferenceWord(word["word"], LEAD_IN_S + word["end"]) for word in words),
        )


def _without_pauses(
    source: Path, pcm: bytes, words: Sequence[Mapping[str, Any]], seconds: float
) -> tuple[bytes, list[dict[str, Any]]]:
    try:
        return unbroken(pcm, words, seconds, SAMPLE_RATE)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingError(
            f"cannot take the pauses out of {source}: its words need a start and an end in seconds "
            f"({error!r})"
        ) from error


def _reference(source: Path) -> dict[str, Any]:
    if not source.is_file():
        raise RecordingError(f"cannot measure {source}: there is no such file")
    refs = source.parent / "refs.json"
    try:
        items = json.loads(refs.read_bytes())["items"]
        found = next((item for item in items if item["file"] == source.name), None)
        # Look at what is needed now: nobody wants to learn of a bad file after the run.
        usable = found is None or (
            isinstance(found["text"], str)
            and bool(found["words"])
            and all(isinstance(word["word"], str) for word in found["words"])
            and all(float(word["end"]) >= 0 for word in found["words"])
        )
    except OSError as error:
        raise RecordingError(
            f"cannot measure {source}: {refs}, where its words and word times belong, cannot be "
            f"read ({error.strerror})"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RecordingError(
            f"cannot measure {source}: {refs} is no list of words and word times ({error!r})"
        ) from error
    if found is None or not usable:
        raise RecordingError(
            f"cannot measure {source}: {refs} has no text and word times for it; it needs an item "
            "with file, text, and words (each with word and end)"
        )
    return dict(found)


def _pcm(source: Path) -> bytes:
    try:
        with wave.open(str(source)) as file:
            form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            pcm = bytes(file.readframes(file.getnframes()))
    except (OSError, EOFError, wave.Error) as error:
        raise RecordingError(f"cannot measure {source}: it is no WAV file ({error})") from error
    if form != (SAMPLE_RATE, 1, _SAMPLE_BYTES):
        raise RecordingError(
            f"cannot measure {source}: it has {form[0]} Hz, {form[1]} channels and {8 * form[2]} "
            "bits; mono 16 kHz 16-bit is needed"
        )
    return pcm


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
    fixed = [
        "transcription.device=cpu",
        "transcription.compute_type=int8",
        f"transcription.language={LANGUAGE}",
    ]
    arguments = ["run", profile, "--source", str(source), "--pace", pace]
    arguments += engine_arguments(options)
    for setting in [*fixed, *settings]:
        arguments += ["--set", setting]
    before, began = _children_cpu_s(), time.monotonic()
    with started(arguments, sample_every_s=_WEIGH_EVERY_S, keep=_KEEP) as (child, run):
        peaks = _weigh(child)
    main_mb = peaks.main_mb or run.peak_mb
    return Streamed(
        events=tuple(events_of(run)),
        cpu_s=_children_cpu_s() - before,
        main_mb=main_mb,
        engine_mb=sum(peaks.engines_mb.values()),
        end_s=next((event["t"] for event in run.events if event["type"] == "end"), 0.0),
        wall_s=time.monotonic() - began,
    )


def events_of(run: Run) -> Iterator[Event]:
    """The partials and finals among the events of a run."""
    for event in run.events:
        if event["type"] == "partial":
            yield PartialEvent(event["t"], event["utterance"], event["stable"], event["tail"])
        elif event["type"] == "final":
            yield FinalEvent(
                t=event["t"],
                utterance=event["utterance"],
                text=event["text"],
                start=event["start"],
                end=event["end"],
                endpoint_s=event["latency"]["endpoint"],
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
