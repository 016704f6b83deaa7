"""Partials of human speech with real Whisper weights."""

from typing import Any

import numpy as np
import pytest
from support.shared import shared

from vivavoce.actors.transcription.agreement import bare
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


def partial(engine: Any, pcm: bytes, prefix: str, context: str = "auto") -> Hypothesis:
    session = engine.open(SessionOptions(language="en", partial_context=context), 0)
    session.feed(pcm)
    found: Hypothesis = session.partial(WholeAudio(len(pcm) // 2), prefix.split())
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
    found = [bare(word) for word in partial(tiny, speech(name, 0.3, end_s), said).text.split()]
    known = [bare(word) for word in said.split()]
    assert found[: len(known)] == known
    assert len(found) <= len(known) + 1, "the next word may have begun"


def test_a_full_stop_in_the_prefix_is_no_end(tiny: FasterWhisperEngine) -> None:
    """Whisper puts one wherever the audio ends; the speaker went on behind "Houston"."""
    pcm = speech("talk-columbia-2003.flac", 9.25, 15.55)
    said = "at nine o'clock this morning, Mission Control in Houston."
    assert "lost contact" in partial(tiny, pcm, said).text


def test_what_follows_the_audio_is_silence_as_the_model_knows_it(
    tiny: FasterWhisperEngine,
) -> None:
    """Behind zeros, which are a noise, it looped: "My fellow my fellow my fellow"."""
    pcm = speech("talk-columbia-2003.flac", 0.7, 1.86)
    found = partial(tiny, pcm, "", context="trimmed")
    assert [bare(word) for word in found.text.split()] == ["my", "fellow", "americans"]


def test_a_view_that_nothing_is_agreed_in_ends_all_the_same(tiny: FasterWhisperEngine) -> None:
    """Else each partial would cost more than the one before, up to half a minute of audio."""
    pcm = speech("talk-columbia-2003.flac", 32.2, 51.8)  # seven names
    session = tiny.open(SessionOptions(language="en"), 0)
    known: list[str] = []
    heard = 0
    for end in range(2 * RATE, len(pcm) // 2, 2 * RATE):
        session.feed(pcm[2 * heard : 2 * end])
        found = session.partial(WholeAudio(end), known)
        heard = end
        assert found.text.split()[: len(known)] == known, "what is settled stays"
        assert found.stable_words == 0 or end > 12 * RATE
        known = found.text.split()[: max(len(known), found.stable_words)]
    assert 10 <= len(known) < len(found.text.split())
    assert session._partials._view_frame > 400
