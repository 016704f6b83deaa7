"""How late the event loop is while the engine decodes on all cores, beside an empty loop."""

from __future__ import annotations

import asyncio
import json
import sys

from vivavoce import Final, Pipeline
from vivavoce.bench.child import engine_arguments, engine_title, recording
from vivavoce.bench.measure import quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result

name = "loop"
description = "Lag of the event loop while the engine decodes on all cores"

_TICK_S = 0.005
_BUDGET_MS = 20.0
_QUICK_S = 4.0


def run(options: Options) -> Result:
    """Caption a talk at the pace of speech; a timer tells how late each of its ticks is."""
    return asyncio.run(_run(options))


async def _run(options: Options) -> Result:
    options.say("a talk at the pace of speech, and an empty loop in a process beside it")
    idle = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "vivavoce.bench.loop"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    finals, engine_cpu_s = 0, 0.0
    late: list[float] = []
    source = options.recording or recording(long=True)
    pipeline = Pipeline(overrides=[f"capture.source={source}", *_engine(options)])
    async with pipeline:
        events = pipeline.events()
        await pipeline.context.stream.begun()
        ticking = asyncio.create_task(tick(late))
        try:
            async with asyncio.timeout(_QUICK_S if options.quick else None):
                async for event in events:
                    if isinstance(event, Final):
                        finals += 1
                        engine_cpu_s = _engine_cpu_s()  # at the end its process is gone
        except TimeoutError:
            pass
        ticking.cancel()
    told, _ = await idle.communicate(b"")
    floor = json.loads(told)
    return Result(
        name=name,
        quick=options.quick,
        figures=[
            *_figures("captioning", late, budget=_BUDGET_MS),
            *_figures("empty loop in another process", floor, budget=None),
        ],
        notes=[
            f"{engine_title(options)}, profile captions, {source.name}: {finals} finals, "
            f"{engine_cpu_s:.0f} s of the engine's CPU",
            f"a timer each {_TICK_S * 1e3:g} ms; the empty loop shows what the machine adds",
        ],
    )


async def tick(late: list[float]) -> None:
    """Note, in milliseconds, how late each tick is; until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _TICK_S
        await asyncio.sleep(_TICK_S)
        late.append(max(0.0, (loop.time() - due) * 1e3))


def _engine(options: Options) -> list[str]:
    arguments = engine_arguments(options)
    names = {"--engine": "transcription.engine", "--model": "transcription.model"}
    pairs = zip(arguments[::2], arguments[1::2], strict=True)
    return [f"{names[option]}={value}" for option, value in pairs]


def _engine_cpu_s() -> float:
    import psutil

    children = psutil.Process().children()  # the engine, and the empty loop
    return sum(sum(child.cpu_times()[:2]) for child in children)


def _figures(title: str, late: list[float], *, budget: float | None) -> list[Figure]:
    return [
        Figure(
            name=f"{title}: lag, p99.9",
            value=quantile(late, 0.999),
            unit="ms",
            budget=budget,
            noise=5.0,
            samples=len(late),
            p50=quantile(late, 0.5),
            p99=quantile(late, 0.99),
        ),
        Figure(name=f"{title}: lag, longest", value=max(late), unit="ms", noise=20.0),
    ]


async def _empty() -> None:
    """Tick until standard input ends."""
    late: list[float] = []
    ticking = asyncio.create_task(tick(late))
    await asyncio.to_thread(sys.stdin.read)
    ticking.cancel()
    sys.stdout.write(json.dumps(late))


if __name__ == "__main__":
    asyncio.run(_empty())
