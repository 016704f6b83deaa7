"""The same recording, profile and engine latencies give the same bytes, on a virtual clock."""

import io

import pytest
from support.program import SPEECH

import vivavoce
from vivavoce.actors.captions import CaptionActor
from vivavoce.actors.captions.jsonl import JsonlWriter
from vivavoce.pipeline.clock import run_virtual
from vivavoce.testing import ScriptedEngine


def captions_of_a_run(monkeypatch, partial_s: float) -> bytes:
    async def start_scripted(settings, metrics, on_progress, side_by_side, *, background):
        engine = ScriptedEngine(partial_s=partial_s, exact_s=0.31)
        await engine.start()
        return engine

    monkeypatch.setattr("vivavoce.actors.transcription.start_selected", start_scripted)
    written = io.BytesIO()

    async def main() -> None:
        pipeline = vivavoce.Pipeline(
            "captions",
            overrides=[f"capture.source={SPEECH / 'talk-2-rms.wav'}"],  # at real-time pace
            environ={},
            buffer_events=False,
        )
        pipeline.add_sink(CaptionActor(JsonlWriter(), written))
        async with pipeline:
            await pipeline.wait()

    run_virtual(main)
    return written.getvalue()


@pytest.mark.thorough
def test_the_whole_pipeline_is_deterministic_byte_for_byte(monkeypatch) -> None:
    first = captions_of_a_run(monkeypatch, 0.05)
    assert first.count(b'"type":"partial"') > 50
    assert first.count(b'"type":"final"') >= 10
    assert b'"pending":0' in first
    assert captions_of_a_run(monkeypatch, 0.05) == first
    assert captions_of_a_run(monkeypatch, 0.9) != first  # latencies do matter
