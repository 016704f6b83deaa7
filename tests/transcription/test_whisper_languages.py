"""The language of a decoding, with Whisper's own weights: asked for, or found out."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.shared import shared

from vivavoce.actors.transcription.engines.base import (
    EngineError,
    EngineSpec,
    Hypothesis,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.faster_whisper import FasterWhisperEngine
from vivavoce.actors.transcription.engines.whisper_language import Language
from vivavoce.actors.transcription.engines.whisper_replicas import BatchedWhisper
from vivavoce.actors.transcription.engines.whisper_session import WhisperSession, WholeAudio

pytestmark = pytest.mark.engine

RATE = 16_000
ANY = SessionOptions(beam_size=1, temperature_fallback=False)


def loaded(model: str, **spec: Any) -> FasterWhisperEngine:
    folder = str(shared("models", model))
    engine = FasterWhisperEngine(
        EngineSpec(engine="faster-whisper", model=folder, device="cpu", threads=2, **spec)
    )
    engine.load(lambda *_: None)
    return engine


@pytest.fixture(scope="module")
def base() -> FasterWhisperEngine:
    return loaded("whisper-base")


@pytest.fixture(scope="module")
def english_only() -> FasterWhisperEngine:
    return loaded("whisper-tiny.en")


def pcm(path: Path, begin: float = 0.0, end: float = 6.0) -> bytes:
    from faster_whisper.audio import decode_audio

    audio = decode_audio(str(path))[int(begin * RATE) : int(end * RATE)]
    return bytes((audio * 32_767).astype("<i2").tobytes())


def english() -> bytes:
    return pcm(shared("speech", "real", "jfk.wav"))


def german() -> bytes:
    return pcm(shared("speech", "human", "de-simplicissimus.flac"))


def session(engine: FasterWhisperEngine, audio: bytes, **options: Any) -> WhisperSession:
    opened = engine.open(msgspec.structs.replace(ANY, **options), 0)
    opened.feed(audio)
    return opened


def exact(
    engine: FasterWhisperEngine, audio: bytes, language: str | None = None, **options: Any
) -> Hypothesis:
    request = WholeAudio(len(audio) // 2, language)
    return session(engine, audio, **options).exact(request, cheap=False)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """How often the encoder runs, and how often the language is found out."""
    counts = dict.fromkeys(("encode", "detect_language"), 0)

    def counting(name: str) -> Callable[..., Any]:
        original = getattr(BatchedWhisper, name)

        def count(self: Any, *arguments: Any, **more: Any) -> Any:
            counts[name] += 1
            return original(self, *arguments, **more)

        return count

    with monkeypatch.context() as patch:
        for name in counts:
            patch.setattr(BatchedWhisper, name, counting(name))
        yield counts


@pytest.mark.parametrize(
    ("code", "among", "right", "sure"),
    [
        (None, (), "en", 0.6),
        (None, ("de", "fr"), "de", 0.3 / 0.36),
        (None, ("fr", "es"), "fr", 0.6),
        ("fr", (), "fr", 0.0),
        ("xx", (), "en", 0.6),
        ("xx", ("yy",), "en", 0.6),
    ],
)
def test_the_most_probable_of_those_to_choose_from(
    english_only: FasterWhisperEngine,
    base: FasterWhisperEngine,
    code: str | None,
    among: tuple[str, ...],
    right: str,
    sure: float,
) -> None:
    probabilities = [("<|en|>", 0.6), ("<|de|>", 0.3), ("<|fr|>", 0.06), ("<|es|>", 0.04)]
    language = Language(base._model, code, among)
    assert language.take(probabilities) == language.code == right
    assert language.probability == pytest.approx(sure)
    assert language.heard == (right if sure else "")
    assert language.take([("<|pl|>", 1.0)]) == right, "it was decided"
    assert Language(english_only._model, code, among).code == "en"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"language": "de"}, "knows only English"),
        ({"languages": ("en", "de")}, "knows only English"),
        ({"task": "translate"}, "knows only English"),
    ],
)
def test_a_model_for_english_refuses_all_else(spec: dict[str, Any], words: str) -> None:
    with pytest.raises(EngineError, match=words) as refused:
        loaded("whisper-tiny.en", **spec)
    assert refused.value.kind == "bad_option"
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("spec", [{"language": "yue"}, {"languages": ("zh", "yue")}])
def test_a_language_that_is_younger_than_the_model_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="does not know 'yue'") as refused:
        loaded("whisper-base", **spec)
    assert refused.value.kind == "bad_option"


def test_finding_out_costs_no_encoding(base: FasterWhisperEngine, monkeypatch: Any) -> None:
    audio = german()
    with counted(monkeypatch) as told:
        given = exact(base, audio, "de")
    with counted(monkeypatch) as found_out:
        found = exact(base, audio)
    assert told["detect_language"] == 0
    assert found_out["encode"] == told["encode"]
    assert (found.text, found.words) == (given.text, given.words)
    assert (given.language, given.heard, given.language_probability) == ("de", "", 0.0)
    assert (found.language, found.heard) == ("de", "de")
    assert found.language_probability > 0.9


def test_one_decoding_is_in_one_language(base: FasterWhisperEngine, monkeypatch: Any) -> None:
    """faster-whisper would find it out anew in each of its windows."""
    audio = german() + bytes(2 * 25 * RATE) + english()
    with counted(monkeypatch) as counts:
        found = exact(base, audio)
    assert counts["encode"] > 1, "this says something only where there are several windows"
    assert (found.language, found.heard) == ("de", "de")


def test_the_session_may_know_the_language_and_the_request_knows_better(
    base: FasterWhisperEngine,
) -> None:
    assert exact(base, english(), language="de").language == "de"
    opened = session(base, english(), language="de")
    request = WholeAudio(len(english()) // 2, "en")
    assert opened.exact(request, cheap=False).language == "en"
    assert opened.partial(request, ()).language == "en"
    assert opened.partial(WholeAudio(request.end), ()).language == "de"


def test_it_is_chosen_among_the_languages_of_the_options(base: FasterWhisperEngine) -> None:
    found = exact(base, english(), languages=("de", "fr"))
    assert found.language in ("de", "fr")
    assert exact(base, english(), languages=("de", "en")).language == "en"


def test_a_translation_is_english_and_tells_what_was_heard(base: FasterWhisperEngine) -> None:
    original = exact(base, german())
    translated = exact(base, german(), task="translate")
    assert (translated.language, translated.heard) == ("en", "de")
    assert translated.text != original.text
    request = WholeAudio(len(german()) // 2)
    partial = session(base, german(), task="translate").partial(request, ())
    assert (partial.language, partial.heard) == ("en", "de")
    assert {"the", "of", "and", "a", "in"} & set(
        f"{partial.text} {translated.text}".lower().split()
    )


def test_a_partial_finds_it_out_on_its_own_encoding_until_it_is_sure(
    base: FasterWhisperEngine, monkeypatch: Any
) -> None:
    audio = german()
    opened = session(base, audio, partial_context="trimmed")
    with counted(monkeypatch) as counts:
        heard = [
            opened.partial(WholeAudio(int(seconds * RATE)), ()) for seconds in (2.5, 4.0, 5.0, 6.0)
        ]
    assert counts["encode"] == 0, "the encoder for whole windows is not needed"
    assert heard[0].heard == heard[0].language == "en", "it begins with a name; that is not kept"
    assert [one.language for one in heard[1:]] == ["de"] * 3
    assert heard[2].language_probability > 0.9 or heard[1].language_probability > 0.9
    assert heard[-1].heard == "", "it was sure before"


def test_a_partial_speaks_the_language_that_the_exact_decoding_found(
    base: FasterWhisperEngine,
) -> None:
    opened = session(base, german())
    opened.exact(WholeAudio(len(german()) // 2), cheap=False)
    short = opened.partial(WholeAudio(int(0.6 * RATE)), ())
    assert (short.language, short.heard) == ("de", "")


def test_an_exact_decoding_finds_out_for_itself_what_a_partial_misheard(
    base: FasterWhisperEngine,
) -> None:
    """The partial runs in a thread that has decoded nothing before, as the engine's lane does."""
    opened = session(base, german())
    half_a_word: list[Hypothesis] = []
    lane = threading.Thread(
        target=lambda: half_a_word.append(opened.partial(WholeAudio(RATE // 2), ()))
    )
    lane.start()
    lane.join()
    assert half_a_word[0].heard
    found = opened.exact(WholeAudio(len(german()) // 2), cheap=False)
    assert (found.language, found.heard) == ("de", "de")


def test_a_model_for_english_finds_nothing_out(
    english_only: FasterWhisperEngine, monkeypatch: Any
) -> None:
    with counted(monkeypatch) as counts:
        found = exact(english_only, english())
        partial = session(english_only, english()).partial(WholeAudio(4 * RATE), ())
    assert counts["detect_language"] == 0
    assert {found.language, partial.language} == {"en"}
    assert found.heard == partial.heard == ""


def test_in_a_batch_each_finds_its_own() -> None:
    engine = loaded("whisper-base", side_by_side=2, batch=True)
    sounds = {"en": english(), "de": german()}
    alone = {code: exact(engine, audio) for code, audio in sounds.items()}
    found: dict[str, Hypothesis] = {}
    threads = [
        threading.Thread(target=lambda c=code, a=audio: found.update({c: exact(engine, a)}))
        for code, audio in sounds.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {code: one.language for code, one in found.items()} == {"en": "en", "de": "de"}
    assert {code: one.text for code, one in found.items()} == {
        code: one.text for code, one in alone.items()
    }
