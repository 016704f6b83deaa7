"""Waking up from each power mode: is every word there, and how much later?"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench import puppet, wake_report
from bench.options import DeveloperOptions
from bench.scenario import Scenario, alternating, planned, utterances
from bench.trials import altered, shift_of, trials
from bench.wake_report import Heard, Reopened
from vivavoce.bench import microphone, proc
from vivavoce.bench.child import Run, RunFailed, engine_arguments, started, watched
from vivavoce.bench.results import Result
from vivavoce.pipeline.messages import PowerMode

name = "wake"
description = "Waking up from each power mode: words and samples lost, and how much later"

_ASLEEP = (PowerMode.LISTENING, PowerMode.IDLE, PowerMode.PARKED)
_LEAD_S = 4.0
"""Silence before the first utterance, in which the engine loads."""
_PAUSE_S = (3.9, 4.7)
"""Between utterances: their end is known after 1.5 s, an engine that was not there has to load
before the final can come, and the mode has to be reached."""
_TAIL_S = 3.0
_SEED = 11
_KEEP = 1_000_000
_LOOK_EVERY_S = 0.25
_PATIENCE_S = 60.0
_HEARD_AFTER_S = 1.0
"""What was played last is heard by then."""
_OTHER_MODES = 30
_ON_MICROPHONE = 20
_CLOSED = 12


def run(options: DeveloperOptions) -> Result:
    """Play utterances between silences that are spent in each of the modes.

    Raises:
        NoSpeech: there is no source tree with utterances.
        RunFailed: ``vivavoce run`` failed.
    """
    count = 2 if options.quick else options.trials
    scenario = alternating(count, lead_s=_LEAD_S, pause_s=_PAUSE_S, seed=_SEED)
    short = scenario.first(min(count, 1 if options.quick else _ON_MICROPHONE), _TAIL_S)
    reason = microphone.missing()
    with TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        tasks = _on_recording(options, scenario, Path(folder))
        if reason is None:
            tasks += _on_microphone(options, short)
        found = _all(tasks, options)
    reopened = [one for one in found if isinstance(one, Reopened)]
    heard = [one for one in found if isinstance(one, Heard)]
    notes = [] if reason is None else [f"nothing on a microphone: {reason}"]
    return Result(
        name=name,
        figures=wake_report.figures(heard, reopened),
        tables=wake_report.tables(heard),
        notes=[*notes, *wake_report.notes(heard, reopened, options)],
        quick=options.quick,
    )


_Task = tuple[str, Callable[[], Heard | Reopened]]


def _all(tasks: Sequence[_Task], options: DeveloperOptions) -> list[Heard | Reopened]:
    """One after the other; all at once where the latencies are not to mean anything."""
    if options.quick:
        options.say("; ".join(title for title, _ in tasks))
        with ThreadPoolExecutor(len(tasks)) as pool:
            return list(pool.map(lambda task: task[1](), tasks))
    found = []
    for title, measure in tasks:
        options.say(title)
        found.append(measure())
    return found


def _settings(options: DeveloperOptions) -> list[str]:
    """int8 on the CPU and one language, so that texts do not depend on the machine."""
    fixed = ["transcription.device=cpu", "transcription.compute_type=int8"]
    return [*fixed, "transcription.language=en"] if "--model" in engine_arguments(options) else []


def _puppet_settings(options: DeveloperOptions) -> list[str]:
    _, engine, *model = engine_arguments(options)
    settings = [f"transcription.engine={engine}", *_settings(options)]
    return settings + ([f"transcription.model={json.dumps(model[1])}"] if model else [])


def _command(source: str, mode: PowerMode, options: DeveloperOptions) -> list[str]:
    arguments = ["run", "captions", "--source", source, *engine_arguments(options)]
    for setting in [f"power.mode={mode}", *_settings(options)]:
        arguments += ["--set", setting]
    return arguments


# -- a recording at the pace of speech


def _on_recording(options: DeveloperOptions, scenario: Scenario, folder: Path) -> list[_Task]:
    whole = scenario.save(folder / "all.wav")
    fewer = scenario.first(min(len(scenario.placed), _OTHER_MODES), _TAIL_S)
    beginning = fewer.save(folder / "some.wav")
    tasks: list[_Task] = []
    for mode in (PowerMode.ACTIVE, PowerMode.PARKED, PowerMode.LISTENING, PowerMode.IDLE):
        all_of_it = mode in (PowerMode.ACTIVE, PowerMode.PARKED)
        if options.quick and not all_of_it:
            continue
        path, part = (whole, scenario) if all_of_it else (beginning, fewer)
        title = f"recording, {mode}: {len(part.placed)} utterances in {part.seconds:.0f} s"
        tasks.append((title, partial(_recording, path, part, mode, options)))
    return tasks


def _recording(path: Path, scenario: Scenario, mode: PowerMode, options: DeveloperOptions) -> Heard:
    arguments = _command(str(path), mode, options)
    with started(arguments, sample_every_s=5.0, keep=_KEEP) as (child, run):
        engines = _engines_until(child)
    return Heard("recording", mode, trials(run.events, scenario.placed), run.ledger, engines)


def _engines_until(child: subprocess.Popen[bytes], ends: float = float("inf")) -> int:
    """How many engine processes there were until the child ends, or a moment has come."""
    seen: set[int] = set()
    while child.poll() is None and time.monotonic() < ends:
        seen.update(proc.descendants(child.pid))
        time.sleep(_LOOK_EVERY_S)
    return len(seen)


# -- a microphone


def _on_microphone(options: DeveloperOptions, scenario: Scenario) -> list[_Task]:
    modes = (PowerMode.ACTIVE, *((PowerMode.PARKED,) if options.quick else _ASLEEP))
    tasks: list[_Task] = [
        (
            f"microphone, {mode}: {len(scenario.placed)} utterances in {scenario.seconds:.0f} s",
            partial(_microphone, scenario, mode, options),
        )
        for mode in modes
    ]
    count = 1 if options.quick else min(options.trials, _CLOSED)
    tasks.append((f"microphone, closed: {count} utterances", partial(_closed, count, options)))
    return tasks


def _microphone(scenario: Scenario, mode: PowerMode, options: DeveloperOptions) -> Heard:
    with TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        return _taped(scenario, mode, options, Path(folder) / "tape.raw")


def _taped(scenario: Scenario, mode: PowerMode, options: DeveloperOptions, tape: Path) -> Heard:
    line = puppet.line(settings=[f"power.mode={mode}", *_puppet_settings(options)], tape=tape)
    with (
        microphone.null_sink() as environ,
        watched(line, environ=environ, sample_every_s=5.0, keep=_KEEP) as (child, run),
    ):
        if mode is not PowerMode.ACTIVE:
            run.wait_for(lambda event: event.get("mode") == mode, _PATIENCE_S)
        with microphone.playing(scenario.pcm.tobytes(), environ) as player:
            ends = time.monotonic() + scenario.seconds
            engines = _engines_until(child, ends)
            if not run.silent:
                player.wait()
        time.sleep(_HEARD_AFTER_S)
        assert child.stdin is not None
        child.stdin.close()
        run.returncode = child.wait()
    onsets = [one.onset for one in scenario.placed]
    starts = [event["start"] for event in run.events if event["type"] == "final" and event["text"]]
    shift = shift_of(onsets, starts)
    # An utterance begins with what was heard before its first word: the pre-roll, and the frames
    # that decided. Nobody knows it better than the VAD, so it is left in: the same for all modes.
    found = trials(run.events, scenario.placed, (shift or 0.0) + wake_report.PRE_ROLL_S)
    heard = np.fromfile(tape, dtype="<i2").astype(np.int16)
    damaged = altered(scenario.pcm, heard, scenario.placed)
    return Heard("microphone", mode, found, run.ledger, engines, sum(damaged))


# -- a released microphone


def _closed(count: int, options: DeveloperOptions) -> Reopened:
    """Release the microphone, wake the pipeline, speak; again and again."""
    choice = random.Random(_SEED)
    known = utterances()
    spoken = [known[number % len(known)] for number in range(count)]
    awake = {one.name: planned([1.0, one, 1.0], _SEED) for one in spoken}
    sounds = [planned([choice.uniform(1.1, 1.6), one, 1.0], _SEED) for one in spoken]
    with (
        TemporaryDirectory(prefix="vivavoce-bench-") as folder,
        microphone.null_sink() as environ,
    ):
        tape = Path(folder) / "tape.raw"
        settings = [*_puppet_settings(options), "power.listening_after_s=0.5"]
        line = puppet.line(settings=settings, tape=tape)
        with watched(line, environ=environ, sample_every_s=5.0, keep=_KEEP) as (child, run):
            # It is known to listen once it says that nobody speaks.
            run.wait_for(lambda event: event.get("mode") == "listening", _PATIENCE_S)
            expected = {name: _said(sound, run, environ) for name, sound in awake.items()}
            texts, latencies = [], []
            for sound in sounds:
                at = len(run.events)
                _tell(child, do="force", mode="closed")
                run.wait_for(lambda event: event.get("mode") == "closed", _PATIENCE_S, after=at)
                time.sleep(choice.uniform(0.6, 1.4))
                _tell(child, do="wake")
                texts.append(_said(sound, run, environ))
                latencies.append(_reopening(run.events[at:]))
            assert child.stdin is not None
            child.stdin.close()
            run.returncode = child.wait()
        heard = np.fromfile(tape, dtype="<i2").astype(np.int16)
    gaps = [event for event in run.events if event["type"] == "gap" and event["reason"] == "closed"]
    return Reopened(
        expected=[expected[one.name] for one in spoken],
        texts=texts,
        latencies=latencies,
        told_s=sum(gap["end"] - gap["start"] for gap in gaps),
        gaps=len(gaps),
        ledger=run.ledger,
        altered=sum(sum(altered(sound.pcm, heard, sound.placed)) for sound in sounds),
    )


def _said(sound: Scenario, run: Run, environ: Mapping[str, str]) -> str:
    """Play it, and return what was understood; nothing where nothing came."""
    at = len(run.events)
    with microphone.playing(sound.pcm.tobytes(), dict(environ)) as player:
        player.wait()
    try:
        final = run.wait_for(
            lambda event: event["type"] == "final" and bool(event["text"]), _PATIENCE_S, after=at
        )
    except RunFailed:
        if run.silent:
            raise
        return ""
    return str(final["text"])


def _reopening(events: Sequence[dict[str, Any]]) -> float:
    """Seconds from being woken to the first sample that was recorded again."""
    woken: float = next(event["t"] for event in events if event.get("do") == "wake")
    ends: list[float] = [event["end"] for event in events if event["type"] == "gap"]
    return max(0.0, max(ends, default=woken) - woken)


def _tell(child: subprocess.Popen[bytes], **command: str) -> None:
    assert child.stdin is not None
    child.stdin.write(json.dumps(command).encode() + b"\n")
    child.stdin.flush()
