"""What silence costs in each power mode: CPU, wake-ups and memory of the real program."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from vivavoce.bench import idle_report, microphone, proc
from vivavoce.bench.child import engine_arguments, interrupt, recording, started
from vivavoce.bench.floor import floor
from vivavoce.bench.idle_report import Cost
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Result
from vivavoce.bench.sound import quiet_room, read, write
from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.messages import SAMPLE_RATE, PowerMode

name = "idle"
description = "CPU, wake-ups and memory in each power mode, of a microphone and of a recording"

WINDOWS = 6
_QUICK_S = 1.5
_CALM_S = 1.0
_CALM_PERCENT = 6.0
_CALM_WITHIN_S = 60.0
_LEAST_SETTLING_S = 4.0
_LISTENER_MS = 500
"""The listener that keeps the null sink awake is served so seldom that it causes no wake-ups."""
_SPEECH_S = 60.0
_FLOOR_S = 20.0
_SOUNDS_AFTER_S = 0.5


class CannotMeasure(VivavoceError):  # noqa: N818 - what it says
    """This system does not tell what processes cost."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """How long everything takes.

    Attributes:
        seconds: of measuring each mode, in ``windows`` windows.
        settling_s: shortest time from entering a mode to the first window.
        together: all modes at once: quick, and no figure to rely on.
    """

    seconds: float
    windows: int
    settling_s: float
    together: bool

    @classmethod
    def of(cls, options: Options) -> _Plan:
        if options.quick:
            return cls(_QUICK_S, 3, 0.5, True)
        return cls(options.seconds, WINDOWS, _LEAST_SETTLING_S, False)


def run(options: Options) -> Result:
    """Let ``vivavoce run`` spend silence in each mode and watch it from outside.

    Raises:
        CannotMeasure: there is no /proc.
        RunFailed: ``vivavoce run`` failed.
    """
    reason = proc.missing()
    if reason is not None:
        raise CannotMeasure(f"cannot measure processes: {reason}")
    plan = _Plan.of(options)
    notes: list[str] = []
    with TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        silence = quiet_room(plan.seconds + _CALM_WITHIN_S + 30.0, seed=1)
        path = write(Path(folder) / "silence.wav", silence.astype("<i2").tobytes())
        tasks: list[_Task] = []
        reason = microphone.missing()
        if reason is None:
            tasks += [*_on_microphone(options, plan), *_floors(plan)]
            tasks.append(("microphone, speaking", partial(_speaking, options, plan)))
        else:
            notes.append(f"nothing on a microphone: {reason}")
        costs = _each([*tasks, *_on_recording(options, plan, path)], plan, options)
    return Result(
        name=name,
        figures=idle_report.figures(costs),
        tables=idle_report.tables(costs),
        notes=[*notes, *idle_report.notes(costs, options, plan.seconds, plan.windows)],
        quick=options.quick,
    )


_Task = tuple[str, Callable[[], Cost]]


def _each(tasks: Sequence[_Task], plan: _Plan, options: Options) -> list[Cost]:
    """Run the measurements, one after the other where their figures are to mean something."""
    if plan.together:
        options.say("; ".join(title for title, _ in tasks))
        with ThreadPoolExecutor(len(tasks)) as pool:
            return list(pool.map(lambda task: task[1](), tasks))
    costs = []
    for title, measure in tasks:
        options.say(title)
        costs.append(measure())
    return costs


def _on_microphone(options: Options, plan: _Plan) -> list[_Task]:
    def measure(mode: PowerMode) -> Cost:
        with microphone.null_sink(_LISTENER_MS) as environ:
            return _silent("microphone", "mic", mode, options, plan, environ)

    return [(f"microphone, {mode}", partial(measure, mode)) for mode in PowerMode]


def _on_recording(options: Options, plan: _Plan, silence: Path) -> list[_Task]:
    return [
        (
            f"recording of silence, {mode}",
            partial(_silent, "recording", str(silence), mode, options, plan, {}),
        )
        for mode in PowerMode
        if mode is not PowerMode.CLOSED
    ]


def _floors(plan: _Plan) -> list[_Task]:
    seconds = min(plan.seconds, _FLOOR_S)

    def measure(mode: PowerMode, block_ms: int) -> Cost:
        with (
            microphone.null_sink(_LISTENER_MS) as environ,
            floor(block_ms, os.environ | environ) as pid,
        ):
            time.sleep(plan.settling_s)
            return _cost(idle_report.FLOOR, mode, pid, replace(plan, seconds=seconds))

    return [
        (f"{idle_report.FLOOR}, {mode}", partial(measure, mode, block_ms))
        for mode, block_ms in idle_report.block_lengths().items()
    ]


def _silent(
    title: str,
    source: str,
    mode: PowerMode,
    options: Options,
    plan: _Plan,
    environ: Mapping[str, str],
) -> Cost:
    with _running(source, mode, options, environ, plan) as pid:
        return _cost(title, mode, pid, plan)


@contextmanager
def _running(
    source: str, mode: PowerMode, options: Options, environ: Mapping[str, str], plan: _Plan
) -> Iterator[int]:
    """``vivavoce run`` in a mode, once nothing happens in it any more; yields its process id."""
    arguments = ["run", "--source", source, "--set", f"power.mode={mode}"]
    arguments += engine_arguments(options)
    with started(arguments, environ=environ, sample_every_s=5.0) as (child, run):
        if mode is not PowerMode.ACTIVE:
            run.wait_for(lambda event: event.get("mode") == mode, _CALM_WITHIN_S)
        _settle(child.pid, mode, plan)
        yield child.pid
        interrupt(child)


def _settle(pid: int, mode: PowerMode, plan: _Plan) -> None:
    """Wait until the engine is loaded, or gone, and nothing works hard any more."""
    resident = mode not in (PowerMode.PARKED, PowerMode.CLOSED)
    began = time.monotonic()
    while time.monotonic() < began + _CALM_WITHIN_S:
        engines = proc.descendants(pid)
        busy = _percent([pid, *engines], min(_CALM_S, plan.settling_s))
        settled = time.monotonic() - began >= plan.settling_s
        if settled and busy < _CALM_PERCENT and bool(engines) == resident:
            return


def _percent(pids: Sequence[int], seconds: float) -> float:
    before = {pid: proc.snapshot(pid) for pid in pids}
    time.sleep(seconds)
    total = 0.0
    for pid, then in before.items():
        now = proc.snapshot(pid)
        if then is not None and now is not None:
            total += proc.window(then, now).cpu_percent
    return total


def _cost(title: str, mode: PowerMode | str, pid: int, plan: _Plan) -> Cost:
    """Watch a process through the windows, and look at its memory between them."""
    engines = proc.descendants(pid)
    before = _there(pid)
    engines_before = {engine: proc.snapshot(engine) for engine in engines}
    first, windows, resident = before, [], [before.resident_mb]
    for _ in range(plan.windows):
        time.sleep(plan.seconds / plan.windows)
        after = _there(pid)
        windows.append(proc.window(before, after))
        resident.append(after.resident_mb)
        before = after
    engine_cpu = 0.0
    for engine, then in engines_before.items():
        now = proc.snapshot(engine)
        if then is not None and now is not None:
            engine_cpu += proc.window(then, now).cpu_percent
    alive = [found for engine in proc.descendants(pid) if (found := proc.snapshot(engine))]
    return Cost(
        title=title,
        mode=str(mode),
        windows=tuple(windows),
        ticks_percent=100 * (before.cpu_s - first.cpu_s) / (before.at - first.at),
        resident_mb=statistics.median(resident),
        proportional_mb=proc.proportional_mb(pid),
        engines=len(alive),
        engine_mb=sum(found.resident_mb for found in alive),
        engine_cpu_percent=engine_cpu,
    )


def _there(pid: int) -> proc.Snapshot:
    found = proc.snapshot(pid)
    if found is None:
        raise CannotMeasure("the measured process ended")
    return found


def _speaking(options: Options, plan: _Plan) -> Cost:
    """The main process while somebody speaks: capture, VAD, cleanup, and what feeds the engine."""
    talk = read(recording(long=not options.quick))
    heard = replace(plan, seconds=min(_SPEECH_S, plan.seconds, len(talk) / SAMPLE_RATE))
    with (
        # Speech is heard as it is spoken, so the sink must render as a sound card does.
        microphone.null_sink() as environ,
        _running("mic", PowerMode.ACTIVE, options, environ, heard) as pid,
        microphone.playing(talk.tobytes(), environ),
    ):
        time.sleep(_SOUNDS_AFTER_S)
        return _cost("microphone", "speaking", pid, heard)
