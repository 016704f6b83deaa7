"""A Whisper session in the test's own process: contexts, context words, options, noise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import pytest
from support import sounds
from support.program import MODEL, SPEECH, read_wave

from vivavoce.actors.transcription.engines import whisper_partial, whisper_session
from vivavoce.actors.transcription.engines.base import EngineSpec, Hypothesis, SessionOptions
from vivavoce.actors.transcription.engines.faster_whisper import FasterWhisperEngine
from vivavoce.actors.transcription.engines.guards import invented
from vivavoce.actors.transcription.engines.whisper_replicas import BatchedWhisper
from vivavoce.actors.transcription.engines.whisper_session import WholeAudio

pytestmark = pytest.mark.engine

RATE = 16_000
ENGLISH = SessionOptions(language="en")
BOYS = "utt-025-rms.wav"
CLEAR = ("utt-002-awb.wav", "utt-010-slt.wav", BOYS)
HUMAN = "LJ001-0004.wav"  # this model knows no human voice: it falls back to sampling


@pytest.fixture(scope="module")
def engine() -> FasterWhisperEngine:
    loaded = FasterWhisperEngine(
        EngineSpec(engine="faster-whisper", model=str(MODEL), device="cpu", threads=2)
    )
    loaded.load(lambda *_: None)
    return loaded


def options(**changes: Any) -> SessionOptions:
    return msgspec.structs.replace(ENGLISH, **changes)


class Heard:
    """A session that was fed some audio; counts what the model was asked for."""

    def __init__(self, engine: FasterWhisperEngine, audio: str | bytes, **changes: Any) -> None:
        self.session = engine.open(options(**changes), 0)
        self.pcm = read_wave(SPEECH / audio) if isinstance(audio, str) else audio
        self.session.feed(self.pcm)
        self.everything = WholeAudio(len(self.pcm) // 2)

    def exact(self, *, cheap: bool = False) -> Hypothesis:
        return self.session.exact(self.everything, cheap=cheap)

    def partial(self, prefix: tuple[str, ...] = (), samples: int = 0) -> Hypothesis:
        request = WholeAudio(samples) if samples else self.everything
        return self.session.partial(request, prefix)


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[list[tuple[Any, ...]]]:
    """The arguments (and options) of each call of a ``BatchedWhisper`` method."""
    calls: list[tuple[Any, ...]] = []
    original = getattr(BatchedWhisper, name)

    def spy(self: Any, *arguments: Any, **more: Any) -> Any:
        calls.append((*arguments, more))
        return original(self, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(BatchedWhisper, name, spy)
        yield calls


@pytest.fixture
def frames_of_finals(engine: Any, monkeypatch: Any) -> list[int]:
    """How many frames each call of the encoder gets, in finals."""
    frames: list[int] = []
    whisper = engine._model.model
    encoder = whisper._model

    class Spy:
        def encode(self, features: Any, **more: Any) -> Any:
            frames.append(np.asarray(features).shape[2])
            return encoder.encode(features, **more)

        def __getattr__(self, name: str) -> Any:
            return getattr(encoder, name)

    monkeypatch.setattr(whisper, "_model", Spy())
    return frames


# -- contexts


def test_a_full_final_is_faster_whispers_own_to_the_last_digit(engine: Any) -> None:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(MODEL), device="cpu", compute_type="int8", cpu_threads=2)
    for name in (*CLEAR, "utt-007-kal16.wav", "LJ001-0008.wav"):
        audio = np.frombuffer(read_wave(SPEECH / name), dtype=np.int16).astype("f4") / 32_768
        segments, _ = model.transcribe(
            audio, language="en", word_timestamps=True, condition_on_previous_text=False
        )
        expected = [
            (word.word.strip(), round(word.start * RATE), round(word.end * RATE), word.probability)
            for segment in segments
            for word in segment.words
        ]
        found = Heard(engine, name).exact()
        assert [(w.text, w.start, w.end, w.probability) for w in found.words] == expected


@pytest.mark.smoke
def test_a_full_final_encodes_30_s_and_a_trimmed_one_the_audio_and_the_margin(
    engine: Any, frames_of_finals: list[int]
) -> None:
    heard = len(read_wave(SPEECH / BOYS)) // 320
    Heard(engine, BOYS).exact()
    assert frames_of_finals == [3_000]
    for margin_frames in (100, 256):
        frames_of_finals.clear()
        Heard(engine, BOYS, final_context="trimmed", context_margin=160 * margin_frames).exact()
        assert frames_of_finals == [pytest.approx(heard + margin_frames, abs=4)]
    frames_of_finals.clear()
    Heard(engine, BOYS).exact(cheap=True)
    assert max(frames_of_finals) < 1_000, "a cheap final is trimmed, whatever the profile says"


@pytest.mark.parametrize("context", ["trimmed", "auto"])
def test_a_trimmed_final_reads_as_the_full_one(engine: Any, context: str) -> None:
    for name in CLEAR:
        full = Heard(engine, name).exact()
        trimmed = Heard(engine, name, final_context=context).exact()
        assert trimmed.text == full.text


def test_an_auto_final_that_looks_bad_is_decoded_again_in_full(
    engine: Any, frames_of_finals: list[int], monkeypatch: Any
) -> None:
    exact = Heard(engine, BOYS).exact()
    frames_of_finals.clear()
    verdicts = iter([True])
    monkeypatch.setattr(whisper_session, "looks_bad", lambda *_: next(verdicts))
    found = Heard(engine, BOYS, final_context="auto").exact()
    assert [frames < 1_000 for frames in frames_of_finals] == [True, False]
    assert found.text == exact.text
    assert found.words == exact.words


def frames_of_partials(session: Any, monkeypatch: Any) -> list[int]:
    """The frames each of the session's partials encodes; it must have made one already."""
    frames: list[int] = []
    decoder = session._partials
    original = decoder._encode

    def spy(features: Any, wanted: int) -> Any:
        frames.append(wanted)
        return original(features, wanted)

    monkeypatch.setattr(decoder, "_encode", spy)
    return frames


def test_contexts_of_partials(engine: Any, monkeypatch: Any) -> None:
    texts = []
    for context, margin, expected in (
        ("trimmed", 16_000, 385 + 100),
        ("trimmed", 40_960, 385 + 256),
        ("full", 40_960, 3_000),
        ("auto", 40_960, 385 + 256),
    ):
        heard = Heard(engine, BOYS, partial_context=context, context_margin=margin)
        heard.partial()
        frames = frames_of_partials(heard.session, monkeypatch)
        texts.append(heard.partial().text)
        assert frames == [pytest.approx(expected, abs=2)]
    assert set(texts) == {Heard(engine, BOYS).exact().text}


def test_an_auto_partial_falls_back_but_not_again_and_again(engine: Any, monkeypatch: Any) -> None:
    heard = Heard(engine, read_wave(SPEECH / "talk-2-rms.wav")[: 2 * 9 * RATE])
    heard.partial(samples=RATE)
    frames = frames_of_partials(heard.session, monkeypatch)
    monkeypatch.setattr(whisper_partial, "looks_bad", lambda *_: True)
    fell_back = []
    for samples in range(RATE, 9 * RATE, RATE // 2):
        frames.clear()
        heard.partial(samples=samples)
        fell_back.append(3_000 in frames)
    # The full context looked as bad, so for 3 s trimming is not blamed.
    assert [number for number, full in enumerate(fell_back) if full] == [0, 6, 12]


def test_where_the_full_context_mends_it_its_text_is_taken(engine: Any, monkeypatch: Any) -> None:
    heard = Heard(engine, BOYS)
    expected = heard.partial().text
    frames = frames_of_partials(heard.session, monkeypatch)
    for _ in range(2):
        verdicts = iter([True, False])
        monkeypatch.setattr(whisper_partial, "looks_bad", lambda *_, v=verdicts: next(v))
        frames.clear()
        found = heard.partial(("The", "boys", "of", "nowhere"))
        assert len(frames) == 2
        assert found.text == expected, "a bad prefix is given up, too"


# -- prompts and options


@pytest.mark.parametrize("kind", ["initial_prompt", "hotwords"])
def test_context_words_reach_the_decoder(engine: Any, monkeypatch: Any, kind: str) -> None:
    words = "the quick brown fox"
    heard = Heard(engine, BOYS, **{kind: words})
    with watched(monkeypatch, "generate") as calls:
        heard.exact()
    wanted = engine._model.hf_tokenizer.encode(" " + words, add_special_tokens=False).ids
    prompt = calls[0][1][0]
    assert any(prompt[at : at + len(wanted)] == wanted for at in range(len(prompt)))
    heard.partial()
    given = heard.session._partials._prompt
    assert any(given[at : at + len(wanted)] == wanted for at in range(len(given)))


def test_without_context_words_the_prompt_is_empty(engine: Any, monkeypatch: Any) -> None:
    with watched(monkeypatch, "generate") as calls:
        Heard(engine, BOYS).exact()
    assert len(calls[0][1][0]) == 1


def test_without_fallback_nothing_is_sampled(engine: Any, monkeypatch: Any) -> None:
    for fallback in (True, False):
        with watched(monkeypatch, "generate") as calls:
            Heard(engine, HUMAN, temperature_fallback=fallback).exact()
        sampled = any(call[-1].get("sampling_temperature") for call in calls)
        assert sampled is fallback


def test_the_beam_is_that_of_the_profile_and_a_cheap_final_is_greedy(
    engine: Any, monkeypatch: Any
) -> None:
    with watched(monkeypatch, "generate") as calls:
        Heard(engine, BOYS).exact()
        Heard(engine, BOYS, beam_size=3).exact()
        cheap = Heard(engine, BOYS).exact(cheap=True)
    assert [call[-1]["beam_size"] for call in calls] == [5, 3, 1]
    assert " ".join(word.text for word in cheap.words) == cheap.text, "finals are made of words"


def test_a_session_without_a_language_names_the_models_own(engine: Any) -> None:
    heard = Heard(engine, BOYS, language=None)
    assert heard.partial().language == heard.exact().language == "en"


# -- what nobody said

NOISES: dict[str, Callable[[float], bytes]] = {
    "silence": sounds.silence,
    **{f"white {level}": (lambda s, v=level: sounds.white(s, v)) for level in (30, 1_000)},
    **{f"pink {level}": (lambda s, v=level: sounds.pink(s, v)) for level in (30, 3_000)},
    **{f"keys {level}": (lambda s, v=level: sounds.keyboard(s, v)) for level in (3_000, 20_000)},
}


@pytest.mark.parametrize(
    ("name", "seconds"),
    [(name, seconds) for name in NOISES for seconds in (3, 8)]
    + [("silence", 20), ("keys 20000", 20)],
)
def test_noise_is_no_text(engine: Any, name: str, seconds: int) -> None:
    heard = Heard(engine, NOISES[name](seconds))
    for samples in range(RATE // 2, seconds * RATE + 1, RATE * seconds // 4):
        assert heard.partial(samples=samples).text == ""
    assert heard.exact().text == ""
    assert heard.exact(cheap=True).text == ""


def test_loud_noise_does_not_hold_the_engine_up(engine: Any, monkeypatch: Any) -> None:
    """faster-whisper goes through this in steps of next to nothing: more than 200 windows."""
    with watched(monkeypatch, "encode") as calls:
        assert Heard(engine, sounds.white(20, 10_000)).exact().text == ""
    assert len(calls) < 12


def test_a_final_that_gets_nowhere_is_decoded_in_one_window(engine: Any, monkeypatch: Any) -> None:
    expected = Heard(engine, BOYS).exact().text
    monkeypatch.setattr(whisper_session, "_WINDOWS", 0)
    monkeypatch.setattr(whisper_session, "_SLOWEST_PROGRESS", 10**9)
    assert Heard(engine, BOYS).exact().text.startswith(expected)


@pytest.mark.parametrize("ratio_db", [None, 15.0])
def test_speech_is_never_taken_for_noise(engine: Any, ratio_db: float | None) -> None:
    for path in sorted(SPEECH.glob("*.wav")):
        pcm = read_wave(path)[: 2 * 14 * RATE]
        heard = Heard(engine, pcm if ratio_db is None else sounds.noisy(pcm, ratio_db))
        assert heard.exact(cheap=ratio_db is None).text, path.name


@pytest.mark.smoke
def test_the_rule_of_sparse_and_doubtful_words() -> None:
    def verdict(text: str, seconds: float, log_probability: float, *words: float) -> bool:
        return invented(
            text,
            seconds=seconds,
            no_speech_probability=0.0,
            average_log_probability=log_probability,
            word_probabilities=words,
        )

    assert verdict("Th,", 4.0, -0.45, 0.75), "a word in four seconds, and not sure of it"
    assert not verdict("Yes.", 4.0, -0.45, 0.9), "a clear word may stand alone"
    assert not verdict("Yes.", 4.0, -0.2, 0.75)
    assert not verdict("Yes.", 1.2, -0.45, 0.75), "short as it should be"
    assert not verdict("Yes, of course.", 4.0, -0.9, 0.5, 0.6, 0.7)
    assert verdict("Th,", 4.0, -0.9), "where the words' probabilities are not known, too"
    assert not verdict("Yes.", 4.0, -0.5), "but then it takes more doubt"
    assert not verdict("Yes.", 4.0, -0.3)
    assert verdict("said at.", 0.8, -1.8, 0.3, 0.22), "improbable altogether"
    assert not verdict("said at the", 0.8, -1.8, 0.3, 0.22, 0.3)
