"""From a key of a real X server to the trigger's decision in the event loop, and the floor."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bench import program, xserver
from vivavoce.bench.child import RunFailed, engine_title
from vivavoce.bench.measure import quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result, Table
from vivavoce.bench.ring import decoding

name = "ptt"
description = "Push-to-talk: a key of an X server → recording, quiet and while an engine decodes"

_BUDGET_MS = 20.0
_KEY = "F9"
_PRESSES, _QUICK_PRESSES = 300, 10
_TURNS = 3
_READY_WITHIN_S = 20.0
_OURS, _BARE = "trigger", "bare listener"
_Pairs = Sequence[tuple[float, float]]


@dataclass(slots=True)
class _Heard:
    """Milliseconds from the key to what came of it, and how often nothing did."""

    pressed: list[float] = field(default_factory=list)
    released: list[float] = field(default_factory=list)
    missed: int = 0

    def take(self, sent: _Pairs, told: Sequence[tuple[str, float]]) -> None:
        """Add the answers of a listener to the keys that were sent to it."""
        edges = [edge for pair in sent for edge in pair] + [float("inf")]
        kinds = ("press", "release")
        for number, (at, following) in enumerate(pairwise(edges)):
            wanted = kinds[number % 2]
            # Within the time to the next key: this keyboard is never faster than 25 ms.
            answers = [when for kind, when in told if kind == wanted and at <= when < following]
            if answers:
                (self.released if number % 2 else self.pressed).append((answers[0] - at) * 1e3)
            else:
                self.missed += 1


def run(options: Options) -> Result:
    """Press and release a key; listen with the trigger and with a bare listener, in turns."""
    reason = xserver.missing()
    if reason is not None:
        return Result(name=name, figures=[], notes=[f"skipped: {reason}"], quick=options.quick)
    return asyncio.run(_run(options))


async def _run(options: Options) -> Result:
    found: dict[str, dict[str, _Heard]] = {}
    with xserver.private_display() as environ:
        found["quiet"] = await _series("quiet", environ, options)
        async with decoding(options) as decoded:
            found["engine decoding"] = await _series("engine decoding", environ, options)
    return Result(
        name=name,
        figures=[figure for title, heard in found.items() for figure in _figures(title, heard)],
        tables=[_table(found)],
        notes=[
            f"{engine_title(options)} on all cores, {decoded[0]} decodings meanwhile",
            "from just before the key is sent to the X server (XTest) until the state machine has "
            "decided, in the event loop of a process of its own",
            "the bare listener is one of pynput's that only looks at the clock, in its own thread",
        ],
        quick=options.quick,
    )


async def _series(title: str, environ: Mapping[str, str], options: Options) -> dict[str, _Heard]:
    heard = {_OURS: _Heard(), _BARE: _Heard()}
    turns = 1 if options.quick else _TURNS
    count = _QUICK_PRESSES if options.quick else _PRESSES // turns
    options.say(f"{title}: {turns * count} presses, {' and '.join(heard)} in turns")
    for turn in range(turns):
        for listener, answers in heard.items():
            sent, told = await asyncio.to_thread(_turn, listener, count, turn, environ)
            answers.take(sent, told)
    return heard


def _turn(
    listener: str, count: int, seed: int, environ: Mapping[str, str]
) -> tuple[_Pairs, Sequence[tuple[str, float]]]:
    """Have a listener in a process of its own hear presses of another."""
    with subprocess.Popen(
        program("ptt", listener),
        env={**os.environ, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as hearing:
        assert hearing.stdin is not None
        assert hearing.stdout is not None
        try:
            if hearing.stdout.readline() != b"ready\n":
                raise RunFailed(f"ptt: the {listener} did not start")
            sent = xserver.pressed(_KEY, count, seed, environ)
            told, _ = hearing.communicate(b"", timeout=_READY_WITHIN_S)
        finally:
            hearing.kill()
    return sent, json.loads(told)


def _figures(title: str, heard: Mapping[str, _Heard]) -> list[Figure]:
    ours, bare = heard[_OURS], heard[_BARE]
    missed = Figure(
        name=f"{title}: keys that nothing came of",
        value=ours.missed,
        unit="keys",
        budget=0,
        samples=len(ours.pressed) + len(ours.released) + ours.missed,
    )
    found = [missed]
    for edge, mine, floor in (
        ("press → start", ours.pressed, bare.pressed),
        ("release → stop", ours.released, bare.released),
    ):
        if not mine or not floor:
            raise RunFailed(f"ptt: {title}: no key was heard")
        found += [
            _spread(f"{title}: {edge}", mine, _BUDGET_MS),
            _spread(f"{title}: {edge}, bare listener", floor, None),
            Figure(
                name=f"{title}: {edge}, median",
                value=quantile(mine, 0.5) / quantile(floor, 0.5),
                unit="×",
                ratio_to="a bare listener of pynput that only looks at the clock",
                samples=len(mine),
            ),
        ]
    return found


def _spread(title: str, values: Sequence[float], budget: float | None) -> Figure:
    return Figure(
        name=f"{title}, p99",
        value=quantile(values, 0.99),
        unit="ms",
        budget=budget,
        noise=10.0,
        samples=len(values),
        p50=quantile(values, 0.5),
        p99=quantile(values, 0.99),
        verdict=f"max {max(values):.1f}",
    )


def _table(found: Mapping[str, Mapping[str, _Heard]]) -> Table:
    rows: list[list[str | float]] = []
    for title, heard in found.items():
        for listener, answers in heard.items():
            for edge, values in (("press", answers.pressed), ("release", answers.released)):
                spread = [quantile(values, part) for part in (0.5, 0.95, 0.99, 1.0)]
                rows.append([f"{title}: {listener}, {edge}", len(values), *spread])
    columns = ["", "keys", "p50 ms", "p95 ms", "p99 ms", "max ms"]
    return Table(title="From the key to what came of it", columns=columns, rows=rows)


# -- in processes of their own


async def _hear_with_trigger() -> list[tuple[str, float]]:
    """Until standard input ends, note when the trigger had decided."""
    from vivavoce.actors.trigger.keys import KeyEvent, KeyEventKind
    from vivavoce.actors.trigger.machine import Decisions, Resume, Start, TriggerMachine
    from vivavoce.actors.trigger.pynput_keys import PynputKeys
    from vivavoce.config.hotkeys import KeyCombination
    from vivavoce.config.trigger import TriggerSettings

    # A hold of 25 ms is none by default, and its end is decided after the debounce only.
    settings = TriggerSettings(mode="hold", hotkey=_KEY, min_hold_ms=0)
    machine = TriggerMachine(lambda: settings, time.monotonic())
    noted: list[tuple[str, float]] = []

    def note(decisions: Decisions) -> None:
        at = time.monotonic()
        noted.extend(
            ("press" if isinstance(decision, Start | Resume) else "release", at)
            for decision in decisions
        )

    def on_event(event: KeyEvent) -> None:
        if event.kind is KeyEventKind.PRESS:
            note(machine.press(event.at))
        elif event.kind is KeyEventKind.RELEASE:
            note(machine.release(event.at))

    listener = PynputKeys(KeyCombination.parse(_KEY))
    await listener.start(on_event)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    await listener.stop()
    return noted


def _hear_bare() -> list[tuple[str, float]]:
    """Until standard input ends, note when pynput told of a key."""
    from pynput import keyboard

    noted: list[tuple[str, float]] = []
    listener = keyboard.Listener(
        on_press=lambda _: noted.append(("press", time.monotonic())),
        on_release=lambda _: noted.append(("release", time.monotonic())),
    )
    listener.start()
    listener.wait()
    print("ready", flush=True)
    sys.stdin.buffer.read()
    return noted


def main() -> None:
    """Be the listener that the argument names."""
    found = asyncio.run(_hear_with_trigger()) if sys.argv[1] == _OURS else _hear_bare()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
