"""A subscriber that does not read is named: scripted engine, virtual time."""

import asyncio
from typing import Any

import numpy as np
from support.program import SPEECH, read_wave

import vivavoce
from vivavoce.pipeline.clock import run_virtual
from vivavoce.testing import ScriptedEngine

UTTERANCE = np.concatenate(
    [
        np.frombuffer(read_wave(SPEECH / "utt-025-rms.wav"), dtype=np.int16),
        np.zeros(32_000, np.int16),
    ]
)


def pushed(**more: Any) -> vivavoce.Pipeline:
    return vivavoce.Pipeline(
        "captions",
        source=vivavoce.PushSource(),
        engine=ScriptedEngine(),
        environ={},
        **more,
    )


async def speak(pipeline: vivavoce.Pipeline, times: int) -> None:
    for _ in range(times):
        await pipeline.feed(UTTERANCE)


def found(pipeline: vivavoce.Pipeline, name: str) -> list[str]:
    return [finding.what for finding in pipeline.check() if finding.name == name]


def test_a_blocking_subscriber_that_stopped_reading_is_named_until_it_reads() -> None:
    async def scene() -> None:
        async with pushed(buffer_events=False) as pipeline:
            screen = pipeline.subscribe(1, vivavoce.Overload.BLOCK, name="screen")
            assert pipeline.check() == (), "before the first sample"
            speaking = asyncio.create_task(speak(pipeline, 8))
            await screen.receive()
            await asyncio.sleep(60)
            what = "subscriber 'screen' does not read and holds up the pipeline"
            assert found(pipeline, "stalled_subscriber") == [what]
            (advice,) = [
                one for one in pipeline.recommendations() if one.finding == "stalled_subscriber"
            ]
            assert "'screen'" in advice.text
            assert what in pipeline.report()
            asked = await pipeline.actor("monitor").ask("check")
            assert "stalled_subscriber" in [one.name for one in asked], "the monitor still works"
            before = pipeline.statistics().histograms["vivavoce_loop_lag_seconds"].count
            await asyncio.sleep(60)
            after = pipeline.statistics().histograms["vivavoce_loop_lag_seconds"].count
            assert after > before, "and ticks"
            screen.close()
            await speaking
            assert found(pipeline, "stalled_subscriber") == []

    run_virtual(scene)


def test_events_that_nobody_reads_are_named_with_what_to_do(monkeypatch: Any) -> None:
    monkeypatch.setattr("vivavoce.assembly.TO_SINKS", 2)  # minutes of speech, else

    async def scene() -> None:
        async with pushed() as pipeline:
            speaking = asyncio.create_task(speak(pipeline, 8))
            await asyncio.sleep(60)
            (what,) = found(pipeline, "stalled_subscriber")
            assert "'events'" in what
            (advice,) = [
                one for one in pipeline.recommendations() if one.finding == "stalled_subscriber"
            ]
            assert "buffer_events=False" in advice.text
            speaking.cancel()

    run_virtual(scene)


def test_a_sink_that_hangs_is_named() -> None:
    class Screen(vivavoce.Actor[vivavoce.Caption, Any]):
        name = "screen"

        async def on_message(self, message: vivavoce.Caption) -> None:
            await shown.wait()

    shown = asyncio.Event()

    async def scene() -> None:
        pipeline = pushed(buffer_events=False)
        pipeline.add_sink(Screen(capacity=1))
        async with pipeline:
            speaking = asyncio.create_task(speak(pipeline, 8))
            await asyncio.sleep(60)
            (what,) = found(pipeline, "stalled_subscriber")
            assert what == "subscriber 'screen' does not read and holds up the pipeline"
            shown.set()
            await speaking

    run_virtual(scene)


def test_a_dropping_subscriber_is_named_with_how_much_it_lost() -> None:
    async def scene() -> None:
        async with pushed() as pipeline:
            forgotten = pipeline.subscribe(2, name="forgotten")
            quick = pipeline.subscribe(name="quick")
            speaking = asyncio.create_task(speak(pipeline, 4))
            async for event in quick:
                if isinstance(event, vivavoce.Final) and forgotten.lost:
                    break
            (what,) = found(pipeline, "dropped_events")
            assert what == f"events lost by slow readers ('forgotten' {forgotten.lost})"
            (advice,) = [
                one for one in pipeline.recommendations() if one.finding == "dropped_events"
            ]
            assert "'forgotten'" in advice.text
            await speaking

    run_virtual(scene)
