"""Push-to-talk through the whole program: which audio a key gets, and when that is told."""

from __future__ import annotations

import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import xserver
from bench.wake_report import unaccounted
from vivavoce.bench import microphone
from vivavoce.bench.child import (
    Run,
    RunFailed,
    engine_arguments,
    engine_title,
    interrupt,
    recording,
    started,
)
from vivavoce.bench.measure import quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.config.trigger import TriggerSettings

name = "ptt-path"
description = "Push-to-talk in the whole program: which audio a key gets, and when it is told"

_BUDGET_MS = 20.0
_PRESSES, _QUICK_PRESSES = 100, 3
_HOLD_S = (0.2, 0.4)
_APART_S = (0.65, 0.9)
"""More than tail and pre-roll together, so that no recording takes from another."""
_PATIENCE_S = 30.0
_SETTLED_S = 1.0
_KEEP = 100_000


@dataclass(slots=True)
class _Answers:
    """Milliseconds, a value for each key.

    Attributes:
        told_start: from the press to the event on standard output.
        told_end: from the end of the tail to the event, which comes after the finals.
        begins: how far the recording's begin is from where the pre-roll of the press begins.
        ends: how far its end is from where the tail of the release ends.
        missed: keys that nothing came of.
    """

    told_start: list[float] = field(default_factory=list)
    told_end: list[float] = field(default_factory=list)
    begins: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    missed: int = 0


def run(options: Options) -> Result:
    """Hold the key again and again while somebody speaks into the microphone."""
    reason = xserver.missing() or microphone.missing()
    if reason is not None:
        return Result(name=name, figures=[], notes=[f"skipped: {reason}"], quick=options.quick)
    count = _QUICK_PRESSES if options.quick else _PRESSES
    options.say(f"{count} presses while somebody speaks")
    sent, run = _program(count, options)
    answers = _answers(sent, run, TriggerSettings())
    return Result(
        name=name,
        figures=_figures(answers, run, count),
        notes=[
            f"{engine_title(options)}, on a microphone that plays a talk all the time",
            "where a recording begins and ends is decided at the key's own time; it is told with "
            "the next block of audio",
            "the moment of a key on the stream's clock is known to a few ms: by when events of the "
            "program were read",
        ],
        quick=options.quick,
    )


def _program(count: int, options: Options) -> tuple[list[tuple[float, float]], Run]:
    arguments = ["run", "captions", "--source", "mic", *engine_arguments(options)]
    for setting in ("mode=hold", "hotkey=f9", "min_hold_ms=0"):
        arguments += ["--set", f"trigger.{setting}"]
    with wave.open(str(recording(long=True))) as talk:
        speech = talk.readframes(talk.getnframes())
    seconds = _SETTLED_S + count * (sum(_HOLD_S) + sum(_APART_S)) / 2
    times = 2 + int(seconds / (len(speech) / 32_000))
    with (
        xserver.private_display() as display,
        microphone.null_sink() as sound,
        started(arguments, environ={**display, **sound}, keep=_KEEP) as (child, run),
        microphone.playing(speech * times, sound),
    ):
        _wait_until_it_listens(display, run)
        sent = xserver.pressed("F9", count, 1, display, hold_s=_HOLD_S, apart_s=_APART_S)
        time.sleep(_SETTLED_S)
        interrupt(child)
    return sent, run


def _wait_until_it_listens(display: dict[str, str], run: Run) -> None:
    """Press until it answers: hotkeys are heard only once audio is."""
    gives_up = time.monotonic() + _PATIENCE_S
    while not any(event.get("state") == "ended" for event in run.events):
        if time.monotonic() > gives_up or run.silent:
            said = run.stderr[-1] if run.stderr else "nothing on standard error"
            raise RunFailed(f"ptt-path: no key was heard ({said})")
        xserver.pressed("F9", 1, 0, display, hold_s=(0.2, 0.2), apart_s=_APART_S)
    time.sleep(_SETTLED_S)


def _answers(sent: Sequence[tuple[float, float]], run: Run, settings: TriggerSettings) -> _Answers:
    """What came of each press: its recording is the one that begins less than a hold from it."""
    assert run.first_sample_s is not None
    zero = run.began + run.first_sample_s
    pre_roll, tail = settings.pre_roll_ms / 1e3, settings.tail_ms / 1e3
    told = {
        (event["state"], event["start"]): (run.began + read_at, event)
        for read_at, event in zip(run.read_at, run.events, strict=True)
        if event["type"] == "recording"
    }
    found = _Answers()
    for pressed, released in sent:
        due = pressed - zero - pre_roll
        start = min((start for _, start in told), key=lambda start: abs(start - due), default=0.0)
        began_at, _ = told.get(("started", start), (0.0, None))
        ended_at, ended = told.get(("ended", start), (0.0, None))
        if abs(start - due) >= _HOLD_S[0] or ended is None or not began_at:
            found.missed += 1
            continue
        found.told_start.append((began_at - pressed) * 1e3)
        found.told_end.append((ended_at - released - tail) * 1e3)
        found.begins.append(abs(start - due) * 1e3)
        found.ends.append(abs(ended["end"] - (released - zero + tail)) * 1e3)
    return found


def _figures(answers: _Answers, run: Run, count: int) -> list[Figure]:
    if not answers.begins:
        raise RunFailed("ptt-path: no key began a recording")
    return [
        Figure(
            name="keys that nothing came of",
            value=answers.missed,
            unit="keys",
            budget=0,
            samples=count,
        ),
        _spread("begin of the recording off the key and its pre-roll", answers.begins, _BUDGET_MS),
        _spread("end of the recording off the key and its tail", answers.ends, _BUDGET_MS),
        _spread("press → told on standard output", answers.told_start, None),
        _spread("end of the tail → told, after the finals of it", answers.told_end, None),
        Figure(
            name="samples not accounted for",
            value=unaccounted(run.ledger),
            unit="samples",
            budget=0,
        ),
    ]


def _spread(title: str, values: Sequence[float], budget: float | None) -> Figure:
    return Figure(
        name=f"{title}, p99",
        value=quantile(values, 0.99),
        unit="ms",
        budget=budget,
        noise=20.0,
        samples=len(values),
        p50=quantile(values, 0.5),
        p99=quantile(values, 0.99),
        verdict=f"max {max(values):.1f}",
    )
