"""Each memory and text optimisation on and off: which pay, and which do not."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import io
import re
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from vivavoce.actors.capture.resample import MixDown
from vivavoce.actors.capture.wake import LoopWaker
from vivavoce.actors.cleanup import Cleaner
from vivavoce.bench.measure import cpu_per_call, in_turns, paired_ratio
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.config.schema import LogSettings
from vivavoce.pipeline.log import LogSink
from vivavoce.pipeline.messages import AudioBlock, Pcm

name = "micro"
description = "Each memory and text optimisation on and off: what pays, and what does not"

_PAYS_FROM = 1.1
_BLOCK = 512
_DEVICE_BLOCK = 1_536
"""Frames of 32 ms at the 48 kHz of most sound cards."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """An optimisation and what it replaces; both return CPU seconds per operation.

    ``per`` says what an operation is, and ``used`` whether the program works that way.
    """

    title: str
    instead_of: str
    on: Callable[[], float]
    off: Callable[[], float]
    per: str
    used: bool


def run(options: Options) -> Result:
    """Measure each optimisation against what it replaces, in turns."""
    calls, rounds = (20, 2) if options.quick else (2_000, 15)
    figures: list[Figure] = []
    for comparison in _comparisons(calls):
        options.say(comparison.title)
        taken = in_turns({"on": comparison.on, "off": comparison.off}, rounds)
        figures += _figures(comparison, taken)
    return Result(
        name=name,
        figures=figures,
        quick=options.quick,
        notes=[
            f"CPU time of one thread, {rounds} rounds in turns; an optimisation pays from "
            f"{_PAYS_FROM:g}× on",
            "100 µs per block of 32 ms are 0.3 % of a core",
        ],
    )


def _figures(comparison: Comparison, taken: dict[str, list[float]]) -> list[Figure]:
    ratio = paired_ratio(taken["off"], taken["on"])
    pays = ratio >= _PAYS_FROM
    verdict = "pays" if pays else "does not pay"
    use = "used" if comparison.used else "not used"
    return [
        Figure(
            name=comparison.title,
            value=statistics.median(taken["on"]) * 1e6,
            unit=f"µs per {comparison.per}",
            samples=len(taken["on"]),
        ),
        Figure(
            name=f"{comparison.title}: gain",
            value=ratio,
            unit="×",
            better="higher",
            ratio_to=comparison.instead_of,
            samples=len(taken["on"]),
            verdict=f"{verdict}, {use}",
        ),
    ]


def _comparisons(calls: int) -> list[Comparison]:
    return [
        _recycled_blocks(calls),
        *_mix_down(calls),
        _wake_up(calls),
        _cleanup(calls),
        _struct_messages(calls),
        _deferred_logging(calls),
        _frozen_heap(max(1, calls // 200)),
    ]


def _recycled_blocks(calls: int) -> Comparison:
    """A block out of the ring: into one of a pool of arrays, or into a new one."""
    ring: Pcm = np.random.default_rng(1).integers(-3000, 3000, _BLOCK * 64, dtype=np.int16)
    pool: list[Pcm] = [np.empty(_BLOCK, dtype=np.int16) for _ in range(64)]
    waiting: list[Pcm] = []
    at = 0

    def recycled() -> None:
        nonlocal at
        block = pool.pop()
        block[:] = ring[at : at + _BLOCK]
        at = (at + _BLOCK) % len(ring)
        waiting.append(block)
        if len(waiting) == 32:  # blocks come back when the actors behind are done with them
            pool.extend(waiting)
            waiting.clear()

    def fresh() -> None:
        nonlocal at
        block = ring[at : at + _BLOCK].copy()
        at = (at + _BLOCK) % len(ring)
        waiting.append(block)
        if len(waiting) == 32:
            waiting.clear()

    return Comparison(
        "recycled blocks",
        "a fresh copy",
        partial(cpu_per_call, recycled, calls),
        partial(cpu_per_call, fresh, calls),
        "block",
        used=False,
    )


def _mix_down(calls: int) -> list[Comparison]:
    """Stereo of a sound card to mono, in the audio thread."""
    stereo: npt.NDArray[np.int16] = np.random.default_rng(2).integers(
        -3000, 3000, (_DEVICE_BLOCK, 2), dtype=np.int16
    )
    mix_down = MixDown(2, _DEVICE_BLOCK)

    def in_buffers() -> None:
        mix_down.mix(stereo)

    def new_arrays() -> None:
        ((stereo[:, 0].astype(np.int32) + stereo[:, 1]) // 2).astype(np.int16)

    def mean() -> None:
        stereo.mean(axis=1).astype(np.int16)

    on, plain, naive = (
        partial(cpu_per_call, work, calls) for work in (in_buffers, new_arrays, mean)
    )
    return [
        Comparison("mix-down in buffers", "new arrays", on, plain, "block", used=True),
        Comparison("mix-down", "mean(axis=1)", on, naive, "block", used=True),
    ]


def _wake_up(calls: int) -> Comparison:
    """What it costs the audio thread to wake a running event loop."""

    def measure(by_waker: bool) -> float:
        loop = asyncio.new_event_loop()
        arrived = asyncio.Event()
        waker = LoopWaker(loop, arrived)
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            if by_waker:
                return cpu_per_call(waker.wake, calls)
            return cpu_per_call(lambda: loop.call_soon_threadsafe(arrived.set), calls)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            waker.close()
            loop.close()

    return Comparison(
        "wake-up that keeps the lock",
        "call_soon_threadsafe",
        partial(measure, True),
        partial(measure, False),
        "wake-up",
        used=True,
    )


_SENTENCES = (
    " okay so  i think that the first thing , which we talked about yesterday,is the budget. "
    "and i'm not sure that everybody agrees ; what do you think ?  let us see what comes of it. "
    "So e.g. the second quarter was better than anybody  had expected ."
)


def substituted(text: str) -> str:
    """What the cleanup's rules do to English text, as a chain of compiled substitutions."""
    for substitute, replacement in _CHAIN:
        text = substitute(replacement, text)
    return text.strip()


_CHAIN: tuple[tuple[Callable[..., str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\s+").sub, " "),
    (re.compile(r"\s+(?=[,.!?;:]+(?:\s|\Z))").sub, ""),
    (re.compile(r"(?<=[,;])(?=[^\W\d_])").sub, " "),
    (re.compile(r"(?<![\w.'’@/\-])i(?=['’](?:m|d|ll|ve|s)\b|\s|[,.!?;:](?:\s|\Z)|\Z)").sub, "I"),
    (
        re.compile(r"(?:\A\s*|(?:(?<=[!?])|(?<=[^\W_][^\W_]\.))\s+)[^\W\d_]").sub,
        lambda match: match[0].upper(),
    ),
)


def _cleanup(calls: int) -> Comparison:
    """Tidying a text of three sentences: the compiled single pass, or one rule after the other."""
    cleaner = Cleaner(CleanupSettings())
    runs = max(1, calls // 10)
    return Comparison(
        "single-pass cleanup",
        "a chain of substitutions",
        partial(cpu_per_call, lambda: cleaner.text(_SENTENCES), runs),
        partial(cpu_per_call, lambda: substituted(_SENTENCES), runs),
        "text",
        used=True,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _DataclassBlock:
    start: int
    pcm: Pcm


def _struct_messages(calls: int) -> Comparison:
    """Make a message and read its fields, as msgspec Struct and as frozen dataclass."""
    pcm: Pcm = np.zeros(_BLOCK, dtype=np.int16)

    def struct() -> None:
        message = AudioBlock(start=512, pcm=pcm)
        message.start  # noqa: B018 - reading it is what is measured
        message.pcm  # noqa: B018

    def plain() -> None:
        message = _DataclassBlock(start=512, pcm=pcm)
        message.start  # noqa: B018
        message.pcm  # noqa: B018

    return Comparison(
        "msgspec messages",
        "a frozen dataclass",
        partial(cpu_per_call, struct, calls),
        partial(cpu_per_call, plain, calls),
        "message",
        used=True,
    )


def _deferred_logging(calls: int) -> Comparison:
    """What a warning costs the event loop's thread: put into the buffer, or rendered at once."""
    lines = min(calls, 500)

    def deferred() -> float:
        async def main() -> float:
            sink = LogSink(LogSettings, io.StringIO())
            drain = asyncio.create_task(sink.drain())
            await asyncio.sleep(0)
            began = time.thread_time()
            for number in range(lines):
                sink.put("warning", "capture", "samples lost", {"samples": number})
            taken = time.thread_time() - began
            drain.cancel()
            await asyncio.wait([drain])
            return taken / lines

        return asyncio.run(main())

    def at_once() -> float:
        sink = LogSink(LogSettings, io.StringIO())
        began = time.thread_time()
        for number in range(lines):
            sink.put("warning", "capture", "samples lost", {"samples": number})
        return (time.thread_time() - began) / lines

    return Comparison("deferred logging", "rendering at once", deferred, at_once, "line", used=True)


def _frozen_heap(calls: int) -> Comparison:
    """A full garbage collection with the objects of the imports set aside, or not."""

    def frozen() -> float:
        gc.collect()
        gc.freeze()
        try:
            return cpu_per_call(gc.collect, calls)
        finally:
            gc.unfreeze()

    def whole() -> float:
        gc.collect()
        return cpu_per_call(gc.collect, calls)

    return Comparison("gc.freeze", "collecting everything", frozen, whole, "collection", used=True)
