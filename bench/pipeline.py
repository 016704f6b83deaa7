"""CPU of the main process per second of audio, stage by stage; the engine is not in it."""

from __future__ import annotations

import asyncio
import resource
import statistics
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from vivavoce.bench.child import demonstration, engine_arguments, engine_title, recording
from vivavoce.bench.measure import quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.messages import seconds
from vivavoce.pipeline.supervisor import Supervisor

name = "pipeline"
description = "CPU of the main process per second of audio, split by actor, engine excluded"

_LIVE = "everything, at real-time pace with partials"
_LIVE_ROUNDS = 2

Measured = tuple[float, float]
"""CPU seconds of this process, and seconds of audio that went through."""


def run(options: Options) -> Result:
    """Run ever longer pieces of the pipeline over a recording, in turns."""
    rounds = 1 if options.quick else 5
    source = str(recording(long=not options.quick))
    overrides = _overrides(source, options)
    stages: dict[str, Callable[[], Awaitable[Measured]]] = {
        "capture": partial(_first_actors, overrides, 1),
        "capture + vad": partial(_first_actors, overrides, 2),
        "everything": partial(_everything, overrides),
    }
    # Partials are for those who listen along: a recording that is read ahead has none.
    spoken = recording(long=False) if options.quick else demonstration()
    live = [*_overrides(str(spoken), options), "capture.pace=realtime"]
    stages[_LIVE] = partial(_everything, live)
    found: dict[str, list[float]] = {stage: [] for stage in stages}
    options.say("a round that is not counted: it pays for imports")
    asyncio.run(_measured(stages["everything"]))
    for turn in range(rounds):
        for stage, work in stages.items():
            if stage == _LIVE and turn >= _LIVE_ROUNDS:
                continue
            options.say(f"{stage}, round {turn + 1} of {rounds}")
            cpu_s, audio_s = asyncio.run(_measured(work))
            found[stage].append(1000 * cpu_s / audio_s)
    return Result(
        name=name,
        figures=_figures(found),
        quick=options.quick,
        notes=[
            f"a recording at maximum pace, {engine_title(options)} in its own process; "
            "10 ms per second of audio are 1 % of a core",
            "what an actor takes alone is a difference of medians",
        ],
    )


async def _measured(work: Callable[[], Awaitable[Measured]]) -> Measured:
    return await work()


def _overrides(source: str, options: Options) -> list[str]:
    import json

    _, engine, *model = engine_arguments(options)
    return [
        f"capture.source={json.dumps(source)}",
        "capture.pace=max",
        f"transcription.engine={engine}",
        *(f"transcription.model={json.dumps(name)}" for name in model[1:]),
    ]


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _first_actors(overrides: Sequence[str], count: int) -> Measured:
    """The first ``count`` actors of the real chain, and somebody who takes what they send."""
    from vivavoce.actors.capture import CaptureActor, make_source
    from vivavoce.actors.vad import VadActor
    from vivavoce.config import load_profile
    from vivavoce.pipeline.actor import BETWEEN_ACTORS, ActorContext

    profile = load_profile("captions", environ={}, overrides=overrides)
    context = ActorContext()
    chain: list[Actor[Any, Any]] = [
        CaptureActor(make_source(profile.capture, context.clock), context),
        VadActor(profile.vad, context=context),
    ]
    del chain[count:]
    supervisor = Supervisor(profile.supervisor, context)
    began = _cpu_s()
    end: Channel[Any] = Channel(BETWEEN_ACTORS, name="end")
    for actor, outlet in zip(chain, [*(next_.inbox for next_ in chain[1:]), end], strict=True):
        actor.send_to(outlet)
        supervisor.add(actor)
    running = asyncio.create_task(supervisor.run())
    async for _ in end:
        pass
    await running
    return _cpu_s() - began, seconds(context.ledger.summary().captured)


async def _everything(overrides: Sequence[str]) -> Measured:
    import vivavoce

    began = _cpu_s()
    pipeline = vivavoce.Pipeline("captions", overrides=overrides, environ={})
    async with pipeline:
        async for _ in pipeline.events():
            pass
    return _cpu_s() - began, seconds(pipeline.context.ledger.summary().captured)


def _figures(found: dict[str, list[float]]) -> list[Figure]:
    unit = "ms CPU per audio second"
    figures = [
        Figure(
            name=stage,
            value=statistics.median(values),
            unit=unit,
            samples=len(values),
            p50=quantile(values, 0.5),
            p99=quantile(values, 0.99),
        )
        for stage, values in found.items()
    ]
    median = {figure.name: figure.value for figure in figures}
    order = list(median)
    shares = {
        "vad alone": median[order[1]] - median[order[0]],
        "transcription and cleanup alone": median[order[2]] - median[order[1]],
    }
    noise = max(0.1, 0.1 * median[order[2]])
    return figures + [
        Figure(name=share, value=value, unit=unit, noise=noise, samples=len(found[order[0]]))
        for share, value in shares.items()
    ]
