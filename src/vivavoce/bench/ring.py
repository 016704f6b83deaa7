"""The audio callback's time while a real engine decodes on all cores, and what is lost then."""

from __future__ import annotations

import asyncio
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from vivavoce.actors.capture.resample import MixDown
from vivavoce.actors.capture.wake import LoopWaker
from vivavoce.bench.child import engine_arguments, engine_title, recording
from vivavoce.bench.measure import quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.pipeline.messages import SAMPLE_RATE
from vivavoce.pipeline.ring import AudioRing

name = "ring"
description = "Time of the audio callback while an engine decodes on all cores; overruns"

_BUDGET_US = 50.0
_RING_S = 30


class _Work(StrEnum):
    """What the callback does: all of it, only the copy, or nothing (the floor of the machine)."""

    ALL = "callback"
    COPY = "callback without its wake-up"
    NOTHING = "empty callback"


@dataclass(slots=True)
class _Callbacks:
    """What the audio thread saw. ``took_us`` is the callback itself, ``late_us`` how long after
    it was due it began (the scheduler and the interpreter's lock, which a callback waits for too).
    """

    took_us: list[float] = field(default_factory=list)
    late_us: list[float] = field(default_factory=list)
    lost: int = 0


def run(options: Options) -> Result:
    """Write to a ring from a real thread, as PortAudio does: slow and fast, quiet and loaded."""
    return asyncio.run(_run(options))


async def _run(options: Options) -> Result:
    count = 16 if options.quick else 800
    figures: list[Figure] = []
    for milliseconds in (32, 2):
        figures += await _series(milliseconds, [_Work.ALL], count, "quiet", options)
    async with decoding(options) as decoded:
        for milliseconds in (32, 2):
            figures += await _series(milliseconds, list(_Work), count, "engine decoding", options)
    return Result(
        name=name,
        figures=figures,
        quick=options.quick,
        notes=[
            f"{engine_title(options)} on all cores, {decoded[0]} decodings meanwhile",
            "the wake-up is a system call; an empty callback shows what a cold core and the clock "
            "cost on this machine",
            "lateness is due time → callback begins: thread scheduling and the interpreter's lock",
        ],
    )


async def _series(
    milliseconds: int, works: list[_Work], count: int, circumstance: str, options: Options
) -> list[Figure]:
    callbacks = min(count * 32 // milliseconds, 4_000)
    seen = {work: _Callbacks() for work in works}
    turns = 2 if options.quick else 4
    options.say(f"{milliseconds} ms blocks, {circumstance}: {callbacks} callbacks of each kind")
    for _ in range(turns):
        for work in works:
            await _stream(work, callbacks // turns, milliseconds, seen[work])
    loaded = len(works) > 1
    title = f"{milliseconds} ms, {circumstance}"
    return [
        *(_timed(f"{title}: {work}", seen[work].took_us, loaded, work) for work in works),
        _timed(f"{title}: lateness", seen[_Work.ALL].late_us, loaded, None),
        Figure(
            name=f"{title}: overruns",
            value=seen[_Work.ALL].lost,
            unit="samples",
            budget=0 if loaded else None,
        ),
    ]


def _timed(title: str, times_us: list[float], loaded: bool, work: _Work | None) -> Figure:
    return Figure(
        name=f"{title}, p99",
        value=quantile(times_us, 0.99),
        unit="µs",
        budget=_BUDGET_US if loaded and work is _Work.ALL else None,
        noise=5_000.0 if work is None else 20.0,
        samples=len(times_us),
        p50=quantile(times_us, 0.5),
        p99=quantile(times_us, 0.99),
        verdict=f"max {max(times_us):.0f}",
    )


async def _stream(work: _Work, callbacks: int, milliseconds: int, seen: _Callbacks) -> None:
    """One audio thread writes; this loop consumes as capture does, woken by the ring."""
    arrived = asyncio.Event()
    waker = LoopWaker(asyncio.get_running_loop(), arrived)
    wakes = work is _Work.ALL
    ring = AudioRing(_RING_S * SAMPLE_RATE, waker.wake if wakes else None)
    samples = milliseconds * SAMPLE_RATE // 1000
    writing = asyncio.create_task(
        asyncio.to_thread(_produce, work, ring, callbacks, milliseconds / 1000, seen)
    )
    writing.add_done_callback(lambda _: arrived.set())
    while not writing.done() or len(ring):
        arrived.clear()
        if ring.read(samples) is not None or ring.take_hole() is not None:
            continue
        if ring.prepare_to_wait() and not writing.done():
            # A ring that wakes nobody is looked at from time to time.
            with suppress(TimeoutError):
                async with asyncio.timeout(None if wakes else 0.02):
                    await arrived.wait()
    await writing
    waker.close()
    seen.lost += ring.statistics().lost


def _produce(
    work: _Work, ring: AudioRing, callbacks: int, every_s: float, seen: _Callbacks
) -> None:
    """The audio thread: sleep until a block is due, write it, note the times."""
    samples = round(every_s * SAMPLE_RATE)
    # What PortAudio hands over: shape (samples, channels).
    delivered = np.random.default_rng(1).integers(-3000, 3000, (samples, 1), dtype=np.int16)
    mix_down = MixDown(1, samples)

    def callback() -> None:
        if work is not _Work.NOTHING:
            ring.write(mix_down.mix(delivered))

    due = time.perf_counter()
    for _ in range(callbacks):
        due += every_s
        time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        callback()
        ended = time.perf_counter()
        seen.took_us.append((ended - began) * 1e6)
        seen.late_us.append((began - due) * 1e6)


@asynccontextmanager
async def decoding(options: Options) -> AsyncIterator[list[int]]:
    """A real engine that decodes one final after the other until the body is done.

    Yields a list of one number: the decodings so far.
    """
    from vivavoce.actors.transcription.engine_process import EngineProcess
    from vivavoce.actors.transcription.engines.base import EngineSpec, SessionOptions
    from vivavoce.pipeline.metrics import Metrics

    _, engine_name, *model = engine_arguments(options)
    spec = EngineSpec(engine=engine_name, model=model[1] if model else "", device="cpu")
    engine = EngineProcess(spec, metrics=Metrics())
    await engine.start()
    with wave.open(str(recording(long=True))) as talk:
        pcm = talk.readframes(20 * SAMPLE_RATE)
    decoded = [0]

    async def decode_for_ever() -> None:
        while True:
            await engine.open(decoded[0], SessionOptions())
            await engine.feed(decoded[0], pcm)
            await engine.exact(decoded[0])
            await engine.close(decoded[0])
            decoded[0] += 1

    decoding = asyncio.create_task(decode_for_ever())
    try:
        yield decoded
    finally:
        decoding.cancel()
        await asyncio.wait([decoding])
        await engine.stop()
        if not decoding.cancelled() and (error := decoding.exception()) is not None:
            raise error
