"""Finals side by side in a real engine process: the same as one at a time."""

import asyncio
import threading
from typing import Any

import numpy as np
import pytest
from support import sounds
from support.program import MODEL, SPEECH, read_wave

from vivavoce.actors.transcription.engine_process import EngineProcess
from vivavoce.actors.transcription.engines.base import (
    EngineError,
    EngineSpec,
    Hypothesis,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.faster_whisper import FasterWhisperEngine
from vivavoce.actors.transcription.engines.whisper_session import WholeAudio
from vivavoce.pipeline.metrics import Metrics

pytestmark = pytest.mark.engine

ENGLISH = SessionOptions(language="en")
HUMAN = "LJ001-0004.wav"  # decoded again and again, and sampled: this model knows no human voice
CLIPS = {
    **{
        number: read_wave(path)
        for number, path in enumerate(sorted(SPEECH.glob("*.wav")))
        if path.name.startswith("utt")
    },
    **{
        100 + start: read_wave(SPEECH / "talk-2-rms.wav")[32_000 * start : 32_000 * (start + 6)]
        for start in (0, 24)
    },
}


class Running:
    def __init__(self, side_by_side: int, **more: Any) -> None:
        self.engine = EngineProcess(
            EngineSpec(
                engine="faster-whisper",
                model=str(MODEL),
                device="cpu",
                side_by_side=side_by_side,
                **more,
            ),
            metrics=Metrics(),
        )

    async def __aenter__(self) -> EngineProcess:
        await self.engine.start()
        return self.engine

    async def __aexit__(self, *_: object) -> None:
        await self.engine.stop()


async def fed(engine: EngineProcess, options: SessionOptions = ENGLISH) -> None:
    for number, pcm in CLIPS.items():
        await engine.open(number, options)
        await engine.feed(number, pcm)


def compare(alone: Hypothesis, together: Hypothesis) -> None:
    """Each row of a batch is computed by itself, so nothing differs but perhaps last digits."""
    assert together.text == alone.text
    assert [(w.text, w.start, w.end) for w in together.words] == [
        (w.text, w.start, w.end) for w in alone.words
    ]
    for one, other in zip(alone.words, together.words, strict=True):
        assert other.probability == pytest.approx(one.probability, abs=1e-4)
    for figure in ("average_log_probability", "no_speech_probability", "confidence"):
        assert getattr(together, figure) == pytest.approx(getattr(alone, figure), abs=1e-4)
    assert (together.samples, together.language) == (alone.samples, alone.language)


def test_what_is_decoded_together_goes_through_the_model_together() -> None:
    engine = FasterWhisperEngine(
        EngineSpec(
            engine="faster-whisper", model=str(MODEL), device="cpu", side_by_side=3, batch=True
        )
    )
    engine.load(lambda *_: None)
    whisper = engine._model.model
    encoder, batches = whisper._model, []

    class Spy:
        def encode(self, features: Any, **more: Any) -> Any:
            batches.append(("encode", np.asarray(features).shape[0]))
            assert more["to_cpu"], "rows on a GPU could not be taken apart"
            return encoder.encode(features, **more)

        def generate(self, encoded: Any, prompts: Any, **more: Any) -> Any:
            batches.append(("generate", len(prompts)))
            return encoder.generate(encoded, prompts, **more)

        def __getattr__(self, name: str) -> Any:
            return getattr(encoder, name)

    whisper._model = Spy()
    sessions = []
    for number in list(CLIPS)[:3]:
        sessions.append(engine.open(ENGLISH, 0))
        sessions[-1].feed(CLIPS[number])
    entered = threading.Barrier(3)
    for session in sessions:  # each takes part before the first goes ahead

        def transcribe(*a: Any, original: Any = session._transcribe, **more: Any) -> Any:
            entered.wait(20)
            return original(*a, **more)

        session._transcribe = transcribe
    everything = WholeAudio(2**40)
    threads = [
        threading.Thread(target=session.exact, args=(everything,), kwargs={"cheap": False})
        for session in sessions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert batches[:2] == [("encode", 3), ("generate", 3)]


@pytest.fixture(scope="module")
def alone() -> dict[int, Hypothesis]:
    """The finals of all clips, one at a time."""

    async def decode() -> dict[int, Hypothesis]:
        async with Running(1) as engine:
            await fed(engine)
            return {number: await engine.exact(number) for number in CLIPS}

    return asyncio.run(decode())


@pytest.mark.parametrize("batch", [True, False])
async def test_finals_at_the_same_time_equal_those_one_at_a_time(
    alone: dict[int, Hypothesis], batch: bool
) -> None:
    async with Running(4, batch=batch) as engine:
        await fed(engine)
        finals = await asyncio.gather(*(engine.exact(number) for number in CLIPS))
        for number, together in zip(CLIPS, finals, strict=True):
            compare(alone[number], together)
        # A cancelled one leaves its batch, the others go on; what is cheap has its own calls.
        asking = [asyncio.create_task(engine.exact(number)) for number in CLIPS]
        cheap = asyncio.create_task(engine.exact(min(CLIPS), cheap=True))
        await asyncio.sleep(0.05)
        for cancelled in (0, 2, 5):
            asking[cancelled].cancel()
        async with asyncio.timeout(60):
            finals = await asyncio.gather(*asking, return_exceptions=True)
            assert (await cheap).text
        for place, (number, together) in enumerate(zip(CLIPS, finals, strict=True)):
            if place in (0, 2, 5):
                assert isinstance(together, asyncio.CancelledError)
            else:
                compare(alone[number], together)
        # One that fails at once, and one that is over at once, do not keep the others waiting.
        await engine.open(900, ENGLISH)
        async with asyncio.timeout(60):
            first, second, empty, missing = await asyncio.gather(
                *(engine.exact(number) for number in (*list(CLIPS)[:2], 900, 901)),
                return_exceptions=True,
            )
        for number, together in zip(CLIPS, (first, second), strict=False):
            compare(alone[number], together)
        assert empty.text == ""
        assert isinstance(missing, EngineError)


async def test_a_hard_one_in_the_batch_does_no_harm_to_the_others(
    alone: dict[int, Hypothesis],
) -> None:
    """It is decoded six times over while the others are done."""
    numbers = list(CLIPS)[:3]
    async with Running(4, batch=True) as engine:
        await fed(engine)
        await engine.open(800, ENGLISH)
        await engine.feed(800, read_wave(SPEECH / HUMAN))
        finals = await asyncio.gather(*(engine.exact(number) for number in (800, *numbers)))
        assert finals[0].text
        for number, together in zip(numbers, finals[1:], strict=True):
            compare(alone[number], together)


async def test_the_same_run_twice_samples_the_same() -> None:
    human = read_wave(SPEECH / HUMAN)
    texts = []
    for _ in range(2):
        async with Running(1, threads=1) as engine:
            texts.append([])
            for number, pcm in enumerate((human, sounds.noisy(human, 15.0), human[8_000:])):
                await engine.open(number, ENGLISH)
                await engine.feed(number, pcm)
                texts[-1].append((await engine.exact(number)).text)
    assert texts[0] == texts[1]
    assert all(texts[0])
