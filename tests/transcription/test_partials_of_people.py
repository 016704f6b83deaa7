"""Partials of human speech with real Whisper weights."""

from typing import Any

import numpy as np
import pytest
from support.shared import shared

from vivavoce.actors.transcription.engines.base import EngineSpec, Hypothesis, SessionOptions
from vivavoce.actors.transcription.engines.faster_whisper import FasterWhisperEngine
from vivavoce.actors.transcription.engines.whisper_session import WholeAudio

pytestmark = pytest.mark.engine

RATE = 16_000


@pytest.fixture(scope="module")
def tiny() -> FasterWhisperEngine:
    spec = EngineSpec(
        engine="faster-whisper", model=str(shared("models", "whisper-tiny.en")), device="cpu"
    )
    engine = FasterWhisperEngine(spec)
    engine.load(lambda *_: None)
    return engine


def speech(name: str, start_s: float, end_s: float) -> bytes:
    from faster_whisper.audio import decode_audio

    audio = decode_audio(str(shared("speech", "human", name)), sampling_rate=RATE)
    piece = np.asarray(audio)[round(start_s * RATE) : round(end_s * RATE)]
    return np.round(piece * 32_767).astype("<i2").tobytes()


def partial(engine: Any, pcm: bytes, prefix: str) -> Hypothesis:
    session = engine.open(SessionOptions(language="en"))
    session.feed(pcm)
    found: Hypothesis = session.partial(WholeAudio(len(pcm) // 2), prefix.split(), times=False)
    return found


@pytest.mark.parametrize(
    ("name", "end_s", "said"),
    [
        ("talk-columbia-2003.flac", 2.3, "My fellow Americans."),
        ("read-speech-sdk.flac", 3.58, "The speech SDK exposes many features."),
        ("conversation-interview.flac", 2.24, "So thank you very much for coming."),
    ],
)
def test_who_has_said_no_more_than_the_prefix_is_not_heard_saying_it_again(
    tiny: FasterWhisperEngine, name: str, end_s: float, said: str
) -> None:
    assert partial(tiny, speech(name, 0.3, end_s), said).text == said
