"""Recordings of a real pipeline: what was asked for is recognised, the rest is settled."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from support.program import MODEL, SPEECH, read_wave

from vivavoce import Final, Gap, Pipeline, PushSource
from vivavoce.pipeline.messages import GapReason, RecordingEnded, RecordingStarted

pytestmark = [pytest.mark.engine, pytest.mark.pace]

WHISPER = [
    "transcription.engine=faster-whisper",
    f"transcription.model={MODEL}",
    "transcription.device=cpu",
    "transcription.partials=false",
]
SAID = "The boys examined three of them with no result."


def boys() -> np.ndarray:
    return np.frombuffer(read_wave(SPEECH / "utt-025-rms.wav"), np.int16)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * 16_000), np.int16)


async def listen(
    script: Callable[[Pipeline], Awaitable[None]], *overrides: str
) -> tuple[list[Any], Pipeline]:
    pipeline = Pipeline(
        "captions", source=PushSource(), overrides=[*WHISPER, *overrides], environ={}
    )
    async with pipeline:
        await script(pipeline)
        pipeline.end()
        events = [event async for event in pipeline.events()]
    summary = pipeline.context.ledger.summary()
    assert (summary.balanced, summary.pending) == (True, 0)
    return events, pipeline


async def in_real_time(pipeline: Pipeline, pcm: np.ndarray) -> None:
    """A trigger's time is that of the clock, so the audio must come at its pace."""
    for at in range(0, len(pcm), 1_600):
        await pipeline.feed(pcm[at : at + 1_600])
        await asyncio.sleep(0.1)


def texts(events: list[Any]) -> list[str]:
    return [event.text for event in events if isinstance(event, Final) and event.text]


async def test_only_what_was_said_while_recording_is_recognised() -> None:
    async def script(pipeline: Pipeline) -> None:
        await pipeline.feed(boys())  # nobody asked for it
        await in_real_time(pipeline, silence(0.3))
        pipeline.trigger.start()
        assert pipeline.trigger.recording
        await pipeline.feed(boys())
        await asyncio.sleep(len(boys()) / 16_000)
        pipeline.trigger.stop()
        assert not pipeline.trigger.recording
        await in_real_time(pipeline, np.concatenate([silence(0.6), boys()]))

    events, pipeline = await listen(script, "trigger.mode=manual")
    assert texts(events) == [SAID]
    begins = [event for event in events if isinstance(event, RecordingStarted)]
    ends = [event for event in events if isinstance(event, RecordingEnded)]
    assert len(begins) == len(ends) == 1
    final = next(event for event in events if isinstance(event, Final))
    assert begins[0].start <= final.start < final.end <= ends[0].end
    assert events.index(begins[0]) < events.index(final) < events.index(ends[0])
    assert not any(isinstance(event, Gap) for event in events)
    assert pipeline.context.ledger.summary().transcribed <= len(boys()) + 16_000


async def test_what_was_cancelled_is_told_as_a_gap_and_never_recognised() -> None:
    async def script(pipeline: Pipeline) -> None:
        await in_real_time(pipeline, silence(0.3))
        pipeline.trigger.start()
        await in_real_time(pipeline, boys()[: 2 * 16_000])
        pipeline.trigger.cancel()
        await in_real_time(pipeline, silence(0.5))
        pipeline.trigger.start()
        await in_real_time(pipeline, np.concatenate([boys(), silence(0.3)]))

    events, pipeline = await listen(script, "trigger.mode=manual")
    assert texts(events) == [SAID]
    gaps = [event for event in events if isinstance(event, Gap)]
    assert [gap.reason for gap in gaps] == [GapReason.CANCELLED]
    ends = [event.cancelled for event in events if isinstance(event, RecordingEnded)]
    assert ends == [True, False]
    assert pipeline.context.ledger.summary().dropped == gaps[0].end - gaps[0].start


async def test_always_listening_can_be_muted() -> None:
    async def script(pipeline: Pipeline) -> None:
        await pipeline.feed(np.concatenate([boys(), silence(1.0)]))
        await asyncio.sleep(len(boys()) / 16_000 + 1.0)
        pipeline.trigger.stop()
        await in_real_time(pipeline, silence(0.4))
        await pipeline.feed(boys())

    events, _ = await listen(script)
    assert texts(events) == [SAID]


async def test_the_mode_changes_while_it_runs() -> None:
    async def script(pipeline: Pipeline) -> None:
        await in_real_time(pipeline, silence(0.3))
        assert pipeline.trigger.recording
        profile = pipeline.profile
        manual = msgspec.structs.replace(profile.trigger, mode="manual")
        await pipeline.reconfigure(msgspec.structs.replace(profile, trigger=manual))
        assert not pipeline.trigger.recording
        await in_real_time(pipeline, silence(0.4))
        await pipeline.feed(boys())

    events, _ = await listen(script)
    assert texts(events) == []
    assert [event.end for event in events if isinstance(event, RecordingEnded)] != []


async def test_a_cancel_of_always_listening_discards_only_what_is_being_said() -> None:
    async def script(pipeline: Pipeline) -> None:
        await pipeline.feed(np.concatenate([boys(), silence(1.0)]))
        await asyncio.sleep(len(boys()) / 16_000 + 1.0)
        await in_real_time(pipeline, boys()[: 2 * 16_000])
        pipeline.trigger.cancel()
        assert pipeline.trigger.recording, "it goes on listening"
        await in_real_time(pipeline, silence(0.5))

    events, _ = await listen(script)
    assert texts(events) == [SAID]
    final = next(event for event in events if isinstance(event, Final))
    cancelled = next(event for event in events if isinstance(event, RecordingEnded))
    gap = next(event for event in events if isinstance(event, Gap))
    assert cancelled.cancelled
    assert final.end <= cancelled.start == gap.start


async def test_a_cancel_in_the_tail_still_discards() -> None:
    async def script(pipeline: Pipeline) -> None:
        await in_real_time(pipeline, silence(0.3))
        pipeline.trigger.start()
        await in_real_time(pipeline, boys()[: 2 * 16_000])
        pipeline.trigger.stop()
        pipeline.trigger.cancel()
        await in_real_time(pipeline, silence(0.5))

    events, _ = await listen(script, "trigger.mode=manual", "trigger.tail_ms=2000")
    assert texts(events) == []
    assert [event.cancelled for event in events if isinstance(event, RecordingEnded)] == [True]
