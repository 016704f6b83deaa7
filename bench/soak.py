"""Hours of speech and silence through all power modes: do memory and CPU stay where they are?"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import puppet, soak_report
from bench.course import recorded
from bench.options import DeveloperOptions
from bench.scenario import Scenario, Utterance, planned, utterances
from bench.soak_report import Soaked
from vivavoce.bench import microphone
from vivavoce.bench.child import Run, engine_arguments, interrupt, started, watched
from vivavoce.bench.results import Result
from vivavoce.pipeline.messages import SAMPLE_RATE

name = "soak"
description = "Hours of speech and silence through all power modes: slopes of memory (long)"

_KEEP = 1_000_000
_PATIENCE_S = 120.0
_SEED = 23

_FAST = {"listening_after_s": 0.1, "idle_after_s": 0.25, "park_after_s": 0.4}
"""Thresholds in real seconds where audio comes faster than real time."""
_FAST_SILENCE_S = {"listening": 5.0, "idle": 10.0, "parked": 15.0}
"""Silence that is pushed once such a mode is reached."""
_FAST_END_S = 1.5

_SLOW = {
    "listening_after_s": 2.0,
    "idle_after_s": 5.0,
    "park_after_s": 9.0,
    "close_after_s": 24.0,
    "reopen_after_s": 6.0,
}
_SLOW_SILENCES_S = (3.5, 7.0, 13.0, 34.0)
"""Long enough for one mode more each time; the last one for `closed` and to be open again."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """How long, and how often memory is looked at.

    Attributes:
        factor: by which the times of the real-time part are shorter.
    """

    hours: float
    minutes: float
    every_s: float
    factor: float

    @classmethod
    def of(cls, options: DeveloperOptions) -> _Plan:
        if options.quick:
            return cls(hours=0.02, minutes=0.1, every_s=0.2, factor=10.0)
        return cls(options.hours, options.minutes, 2.0, 1.0)


def run(options: DeveloperOptions) -> Result:
    """Soak the pipeline in accelerated time, and the program in real time on a microphone.

    Raises:
        NoSpeech: there is no source tree with utterances.
        RunFailed: a child failed.
    """
    plan = _Plan.of(options)
    reason = microphone.missing()
    notes = [] if reason is None else [f"nothing in real time: {reason}"]
    with TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        sound = Path(folder) / "talk.raw"
        with ThreadPoolExecutor(2 if options.quick else 1) as pool:
            parts = [pool.submit(_accelerated, plan, sound, options)]
            if reason is None:
                parts.append(pool.submit(_in_real_time, plan, options))
            soaked = [part.result() for part in parts]
    if options.plot:
        options.plot.write_text(soak_report.drawn(soaked[-1], options), encoding="utf-8")
        options.say(f"plot in {options.plot}")
    return Result(
        name=name,
        figures=[figure for part in soaked for figure in soak_report.figures(part)],
        tables=[soak_report.table(part) for part in soaked],
        notes=[*notes, *soak_report.notes(soaked, options, _FAST, _SLOW)],
        quick=options.quick,
    )


# -- accelerated


def _accelerated(plan: _Plan, path: Path, options: DeveloperOptions) -> Soaked:
    """Push talk and silence into a pipeline as fast as it takes them, and let it fall asleep."""
    talks = [planned([one, 1.0, other, _FAST_END_S], _SEED) for one, other in _couples()]
    silence = planned([sum(_FAST_SILENCE_S.values())], _SEED)
    path.write_bytes(b"".join(part.pcm.tobytes() for part in [*talks, silence]))
    line = puppet.line(settings=[*_engine(options), *_power(_FAST)], pushed=True)
    hours_at: list[tuple[float, float]] = [(0.0, 0.0)]
    pushed, cycles = 0, 0
    options.say(f"accelerated: {plan.hours:g} h of audio")
    with watched(line, sample_every_s=5.0, keep=_KEEP) as (child, run):
        with recorded(child.pid, run, min(plan.every_s, 0.5)) as course:
            while pushed < plan.hours * 3600 * SAMPLE_RATE:
                pushed += _cycle(child, run, path, talks, cycles)
                cycles += 1
                hours_at.append((time.monotonic() - run.began, pushed / SAMPLE_RATE / 3600))
                if cycles % 50 == 0:
                    options.say(f"{hours_at[-1][1]:.1f} h after {hours_at[-1][0]:.0f} s")
        assert child.stdin is not None
        child.stdin.close()
        run.returncode = child.wait()
    return Soaked(
        title="accelerated",
        course=course,
        run=run,
        cycles=cycles,
        spoken=2 * cycles,
        hours_at=hours_at,
    )


def _couples() -> list[tuple[Utterance, Utterance]]:
    known = utterances()
    return list(zip(known, [*known[1:], known[0]], strict=True))


def _cycle(
    child: subprocess.Popen[bytes], run: Run, path: Path, talks: Sequence[Scenario], number: int
) -> int:
    """Talk, and silence in each of the modes; returns how many samples that were."""
    which = number % len(talks)
    start = sum(len(talk.pcm) for talk in talks[:which])
    after = len(run.events)
    pushed = _push(child, path, start, len(talks[which].pcm))
    at = sum(len(talk.pcm) for talk in talks)
    final = run.wait_for(lambda event: event["type"] == "final", _PATIENCE_S, after=after)
    modes = list(_FAST_SILENCE_S)
    for depth, seconds in enumerate(_FAST_SILENCE_S.values()):
        # A mode that lasts for so short may be passed over when the machine is busy.
        reached = partial(_is_as_deep, modes=modes[depth:], since=final["t"])
        run.wait_for(reached, _PATIENCE_S, after=after)
        count = round(seconds * SAMPLE_RATE)
        pushed += _push(child, path, at, count)
        at += count
    return pushed


def _is_as_deep(event: dict[str, Any], *, modes: Sequence[str], since: float) -> bool:
    return event.get("mode") in modes and event["t"] >= since


def _push(child: subprocess.Popen[bytes], path: Path, at: int, count: int) -> int:
    assert child.stdin is not None
    command = {"do": "push", "path": str(path), "at": at, "count": count}
    child.stdin.write(json.dumps(command).encode() + b"\n")
    child.stdin.flush()
    return count


# -- in real time


def _in_real_time(plan: _Plan, options: DeveloperOptions) -> Soaked:
    """Talk and silence of such lengths that all modes come up in turn, until the time is over."""
    thresholds = {key: value / plan.factor for key, value in _SLOW.items()}
    arguments = ["run", "captions", "--source", "mic"]
    for setting in [*_engine(options), *_power(thresholds)]:
        arguments += ["--set", setting]
    scenarios = _rounds(plan)
    seconds = 60 * plan.minutes
    options.say(f"real time: {plan.minutes:g} min on a microphone")
    spoken = cycles = 0
    with (
        microphone.null_sink() as environ,
        started(arguments, environ=environ, sample_every_s=5.0, keep=_KEEP) as (child, run),
    ):
        with recorded(child.pid, run, plan.every_s) as course:
            # It is known to listen once it says that nobody speaks.
            run.wait_for(lambda event: event.get("mode") == "listening", _PATIENCE_S)
            ends = time.monotonic() + seconds
            while time.monotonic() < ends and not run.silent:
                scenario = scenarios[cycles % len(scenarios)]
                with microphone.playing(scenario.pcm.tobytes(), environ) as player:
                    _play_to_the_end(player, run)
                spoken += len(scenario.placed)
                cycles += 1
        interrupt(child)
    return Soaked(
        title="real time", course=course, run=run, cycles=cycles, spoken=spoken, hours_at=[]
    )


def _play_to_the_end(player: subprocess.Popen[bytes], run: Run) -> None:
    """Wait for the player, unless nobody listens any more."""
    while not run.silent:
        with contextlib.suppress(subprocess.TimeoutExpired):
            player.wait(1.0)
            return


def _rounds(plan: _Plan) -> list[Scenario]:
    """Talk before each of the silences; each round with other utterances."""
    known = sorted(utterances(), key=lambda one: len(one.pcm))
    rounds = []
    for number in range(len(known)):
        parts: list[Utterance | float] = [0.2]
        for index, silence in enumerate(_SLOW_SILENCES_S):
            parts += [known[(number + index) % len(known)], silence / plan.factor + 1.5]
        rounds.append(planned(parts, _SEED + number))
    return rounds


def _engine(options: DeveloperOptions) -> list[str]:
    _, engine, *model = engine_arguments(options)
    settings = [f"transcription.engine={engine}"]
    return [*settings, f"transcription.model={json.dumps(model[1])}"] if model else settings


def _power(thresholds: dict[str, float]) -> list[str]:
    return [f"power.{key}={value:g}" for key, value in thresholds.items()]
