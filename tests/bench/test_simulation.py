"""Decodings that take their time on a virtual clock: a scripted engine on a loop of its own."""

import asyncio
from typing import Any, cast

import pytest

from bench import simulation
from bench.simulation import SimulatedEngine
from vivavoce.actors.transcription.engines.base import Hypothesis, SessionOptions
from vivavoce.pipeline.clock import run_virtual
from vivavoce.testing import ScriptedEngine

SAMPLES = 16_000


def scene(play: Any, *, speed: float = 1.0, partial_s: float = 0.05) -> Any:
    """Play with a simulated engine that is loaded and has heard a second."""

    async def with_an_engine() -> Any:
        engine = SimulatedEngine(cast(Any, scripted), elsewhere, speed)
        await engine.start()
        for session in (1, 2):
            await engine.open(session, SessionOptions())
            await engine.feed(session, bytes(2 * SAMPLES))
        return await play(engine)

    scripted = ScriptedEngine(load_s=0.01, partial_s=partial_s)
    with simulation._real_loop() as elsewhere:
        return run_virtual(with_an_engine)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_decoding_takes_its_own_time() -> None:
    async def play(engine: SimulatedEngine) -> tuple[Hypothesis, float, float]:
        began = now()
        found = await engine.partial(1, SAMPLES)
        return found, now() - began, engine.cpu_s

    found, took_s, cpu_s = scene(play)
    assert found.text == "w0 w0"
    assert (found.decode_s, took_s, cpu_s) == (0.05, pytest.approx(0.05), 0.05)


def test_a_machine_that_is_busy_now_may_be_faster_then() -> None:
    async def play(engine: SimulatedEngine) -> float:
        began = now()
        await engine.partial(1, SAMPLES)
        return now() - began

    assert scene(play, speed=2.0) == pytest.approx(0.025)


def test_two_decodings_share_the_time() -> None:
    async def play(engine: SimulatedEngine) -> float:
        began = now()
        await asyncio.gather(engine.partial(1, SAMPLES), engine.partial(2, SAMPLES))
        return now() - began

    assert scene(play) == pytest.approx(0.05)


def test_of_one_that_is_given_up_the_share_that_had_passed_is_counted() -> None:
    async def play(engine: SimulatedEngine) -> float:
        decoding = asyncio.create_task(engine.partial(1, SAMPLES))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(decoding, 0.02)
        return engine.cpu_s

    assert scene(play, partial_s=0.2) == pytest.approx(0.02)
