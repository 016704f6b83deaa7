"""The languages in which the room asks for its windows, and what it makes of what was heard."""

from collections.abc import Sequence

import msgspec
import numpy as np
from support.scene import Scene, finals, play

from vivavoce.actors.transcription.engines.base import EngineInfo, Hypothesis
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import Word
from vivavoce.testing import ScriptedEngine, half_seconds


class Polyglot(ScriptedEngine):
    """Where it is not told the language, it hears the next of those that are given, then the last.

    Args:
        heard: languages and their probabilities.
        translates: its texts are English, whatever is spoken.
    """

    def __init__(self, *heard: tuple[str, float], translates: bool = False, **more: object) -> None:
        super().__init__(self._words, **more)
        self._heard = list(heard)
        self._translates = translates
        self.asked: list[str | None] = []
        """The languages of its exact decodings."""

    def _words(self, pcm: np.ndarray) -> Sequence[Word]:
        return half_seconds(pcm)

    async def start(self) -> EngineInfo:
        self.info = msgspec.structs.replace(await super().start(), multilingual=True)
        return self.info

    async def exact(
        self, session: int, end: int, *, cheap: bool = False, language: str | None = None
    ) -> Hypothesis:
        self.asked.append(language)
        found = await super().exact(session, end, cheap=cheap, language=language)
        if language is not None:
            code, probability = "", 0.0
        else:
            code, probability = self._heard.pop(0) if self._heard[1:] else self._heard[0]
        return msgspec.structs.replace(
            found,
            language="en" if self._translates else language or code,
            heard=code,
            language_probability=probability,
        )


class Forgetful(Polyglot):
    """It leaves out what is said from second 4 to 7, but not in short pieces."""

    def _words(self, pcm: np.ndarray) -> Sequence[Word]:
        words = half_seconds(pcm)
        if len(pcm) < 5 * RATE:
            return words
        return [word for word in words if not 4 * RATE <= word.start < 7 * RATE]


def said(
    engine: ScriptedEngine, *seconds: float, silence: float = 3.0, **settings: object
) -> Scene:
    scene = Scene(engine, partials=False, **settings)

    async def script(scene: Scene) -> None:
        for length in seconds:
            await scene.utterance(length)
            await scene.silence(silence)

    play(scene, script)
    return scene


def languages(scene: Scene) -> list[str]:
    return [final.language for final in finals(event for _, event in scene.events)]


def test_it_is_found_out_and_then_held() -> None:
    engine = Polyglot(("de", 0.95))
    scene = said(engine, 4, 4, 1, 1, 4)
    assert engine.asked == [None, None, "de", "de", "de"]
    assert languages(scene) == ["de"] * 5


def test_a_language_that_was_given_is_asked_for() -> None:
    engine = Polyglot(("fr", 1.0))
    assert languages(said(engine, 4, 4, language="de")) == ["de", "de"]
    assert engine.asked == ["de", "de"]


def test_what_was_not_clear_is_decoded_again() -> None:
    engine = Polyglot(("en", 0.95), ("it", 0.6), ("en", 0.95))
    scene = said(engine, 4, 4, 4)
    assert engine.asked == [None, None, "en", None]
    assert languages(scene) == ["en"] * 3


def test_after_a_long_silence_somebody_else_may_speak() -> None:
    engine = Polyglot(("en", 0.95), ("en", 0.95), ("fr", 0.99))
    scene = said(engine, 4, 4, 1, 8, silence=20.0)
    assert engine.asked == [None, None, "en", None]
    assert languages(scene) == ["en", "en", "en", "fr"]


def test_what_was_left_out_of_a_translation_is_looked_for_in_the_language_that_was_spoken() -> None:
    engine = Forgetful(("de", 0.95), translates=True)
    assert languages(said(engine, 12, task="translate")) == ["en"]
    assert engine.asked == [None, "de"]


def read_ahead(engine: Polyglot, *lengths: float, **settings: object) -> Scene:
    """Each a stretch of a recording that is read as fast as it is decoded."""
    scene = Scene(engine, partials=False, ahead=True, overload_ladder=False, **settings)

    async def script(scene: Scene) -> None:
        for length in lengths:
            await scene.utterance(length)

    play(scene, script)
    return scene


def test_of_a_recording_what_is_too_short_has_the_language_of_the_part_before() -> None:
    engine = Polyglot(("de", 0.95), ("en", 0.95), side_by_side=2)
    scene = read_ahead(engine, 6, 1, 1, 9, 1, side_by_side=2)
    assert sorted(engine.asked, key=str) == [None, None, "de", "de", "en"]
    assert languages(scene) == ["de", "de", "de", "en", "en"]


def test_of_a_recording_what_is_short_at_its_beginning_is_heard_by_itself() -> None:
    engine = Polyglot(("de", 0.8), side_by_side=2)
    assert languages(read_ahead(engine, 1, 1, 9, side_by_side=2)) == ["de"] * 3
    assert len(engine.asked) == 3


def test_where_there_is_no_language_to_find_out_short_parts_wait_for_nobody() -> None:
    engine = ScriptedEngine(side_by_side=2, exact_s=5.0)
    read_ahead(engine, 6, 1, 1, 1, side_by_side=2)
    assert engine.most_exacts == 2
    engine = Polyglot(("de", 0.8), side_by_side=2, exact_s=5.0)
    read_ahead(engine, 1, 1, 1, side_by_side=2, language="de")
    assert engine.most_exacts == 2
