"""Hours of audio through the real pipeline: does the main process's memory stay flat?"""

from __future__ import annotations

import subprocess
import time
import wave
from bisect import bisect_right

from bench.options import DeveloperOptions
from vivavoce.bench.child import Run, engine_arguments, engine_title, recording, started
from vivavoce.bench.measure import theil_sen_slope
from vivavoce.bench.results import Figure, Result
from vivavoce.pipeline.messages import SAMPLE_RATE

name = "memory"
description = "Slope of the main process's memory over hours of audio (long: see --hours)"

_SAMPLE_BYTES = 2
_CHUNK_SAMPLES = 8_000
_WARM_UP = 0.1
_POINTS = 400
_FLAT_MB_PER_HOUR = 1.0
_QUICK_HOURS = 120 / 3600


def run(options: DeveloperOptions) -> Result:
    """Repeat a talk on the standard input of ``vivavoce run`` at maximum pace and weigh it."""
    hours = _QUICK_HOURS if options.quick else options.hours
    arguments = ["run", "--source", "-", "--pace", "max", "--stats", *engine_arguments(options)]
    samples = int(hours * 3600 * SAMPLE_RATE)
    every_s = 0.1 if options.quick else 1.0
    began = time.monotonic()
    with started(arguments, sample_every_s=every_s) as (child, found):
        fed = _feed(child, samples, began, options)
    return _result(options, hours, found, fed, time.monotonic() - began)


def _feed(
    child: subprocess.Popen[bytes], samples: int, began: float, options: DeveloperOptions
) -> list[tuple[float, float]]:
    """Write the talk again and again; the pipe's backpressure sets the pace.

    Returns:
        Points (seconds since ``began``, hours of audio written until then).
    """
    assert child.stdin is not None
    with wave.open(str(recording(long=True))) as talk:
        if (talk.getframerate(), talk.getnchannels(), talk.getsampwidth()) != (SAMPLE_RATE, 1, 2):
            raise ValueError(f"the talk is not mono 16 kHz int16: {talk.getparams()}")
        pcm = talk.readframes(talk.getnframes())
    # The places where the talk is cut into chunks drift from one repetition to the next, and so do
    # the VAD's blocks: hours of the very same blocks would prove little.
    twice = memoryview(pcm + pcm)
    fed: list[tuple[float, float]] = []
    written, told = 0, 0.0
    while written < samples:
        count = min(_CHUNK_SAMPLES, samples - written)
        at = written * _SAMPLE_BYTES % len(pcm)
        child.stdin.write(twice[at : at + count * _SAMPLE_BYTES])
        written += count
        hours, now = written / SAMPLE_RATE / 3600, time.monotonic() - began
        fed.append((now, hours))
        if hours - told >= 0.1:
            told = hours
            options.say(f"{hours:.1f} h of audio after {now:.0f} s")
    child.stdin.close()
    return fed


def _result(
    options: DeveloperOptions,
    hours: float,
    found: Run,
    fed: list[tuple[float, float]],
    wall_s: float,
) -> Result:
    at, positions = [point[0] for point in fed], [point[1] for point in fed]
    heard = [(positions[max(0, bisect_right(at, t) - 1)], mb) for t, mb in found.resident_mb]
    settled = [(h, mb) for h, mb in heard if _WARM_UP * hours <= h < positions[-1]]
    settled = settled[:: max(1, len(settled) // _POINTS)] or heard
    slope = theil_sen_slope([h for h, _ in settled], [mb for _, mb in settled])
    ledger = found.ledger
    unaccounted = ledger["captured"] - sum(
        ledger[part] for part in ("transcribed", "silence", "dropped")
    )
    figures = [
        Figure(
            name="slope of resident memory",
            value=slope,
            unit="MB per hour of audio",
            noise=_FLAT_MB_PER_HOUR,
            budget=_FLAT_MB_PER_HOUR,
            samples=len(settled),
        ),
        Figure(name="resident memory, peak", value=found.peak_mb, unit="MB", budget=80.0),
        Figure(name="resident memory, end", value=settled[-1][1], unit="MB"),
        Figure(name="samples not accounted for", value=unaccounted, unit="samples", budget=0),
        Figure(name="samples dropped", value=ledger["dropped"], unit="samples", budget=0),
        Figure(name="wall time per audio second", value=wall_s / hours / 3.6, unit="ms"),
    ]
    notes = [
        f"{hours:.2f} h of audio in {wall_s:.0f} s with {engine_title(options)}",
        "ledger: " + ", ".join(f"{part} {count}" for part, count in ledger.items()),
        "MB at each tenth of the audio: " + ", ".join(f"{mb:.1f}" for mb in _tenths(heard, hours)),
        f"slope (Theil–Sen) after the first {_WARM_UP:.0%}; flat means at most "
        f"{_FLAT_MB_PER_HOUR:g} MB per hour",
    ]
    return Result(name=name, figures=figures, notes=notes, quick=options.quick)


def _tenths(heard: list[tuple[float, float]], hours: float) -> list[float]:
    """The memory at the last point of each tenth of the hours that has one."""
    last = {min(9, int(10 * position / hours)): megabytes for position, megabytes in heard}
    return [last[tenth] for tenth in sorted(last)]
