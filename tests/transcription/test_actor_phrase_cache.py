"""The phrase cache in the actor: whose texts it keeps, when it is asked, and what it tells."""

import asyncio
from typing import Any

import msgspec
import numpy as np
from support.scene import Scene, finals, only, play
from support.talk import FIRST, LAST, Listener, words

from vivavoce.actors.transcription.phrase_cache import CacheEntry
from vivavoce.config.schema import PhraseCacheSettings
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import Final, Revision
from vivavoce.testing import ScriptedEngine

CACHE = PhraseCacheSettings(enabled=True)


def jingle(number: int = 0):
    """The same second of sound at every time: a chirp in a little silence."""

    def sound(start: int, count: int) -> np.ndarray:
        at = np.arange(start, start + count) % RATE
        seconds = at / RATE
        chirp = 9_000 * np.sin(2 * np.pi * (300 + 170 * number) * seconds * (1 + 0.4 * seconds))
        return np.where((at >= FIRST) & (at < RATE - FIRST), chirp, 0).astype(np.int16)

    return sound


class Counts(ScriptedEngine):
    """Each of its finals has another text, so that one from the cache tells."""

    def hear(self, samples, cost):
        heard = super().hear(samples[:RATE], cost)
        return msgspec.structs.replace(heard, text=f"text {len(self.finals)}")


def cached(engine: ScriptedEngine, **settings: Any) -> Scene:
    given = {"phrase_cache": CACHE, "sound": jingle(), "partials": False, **settings}
    return Scene(engine, **given)


async def play_twice(scene: Scene) -> None:
    await scene.silence(1.0)
    for _ in range(2):
        await scene.utterance(2.0)
        await scene.silence(1.0)


def test_the_second_time_the_same_sound_needs_no_engine() -> None:
    scene = cached(Counts())
    first, second = finals(play(scene, play_twice))
    assert first.text == second.text == "text 1"
    assert len(scene.engine.finals) == 1
    assert scene.counter("phrase_cache_hits") == 1
    assert scene.engine.left_open == []
    # Times of words are those of the second time.
    moved = second.start - first.start
    assert [w.start + moved for w in first.words] == [w.start for w in second.words]
    assert second.latency.decode == 0.0
    shown = scene.shown_at(Final)
    assert shown[1] - shown[0] < 3.0, "and it is there at once"
    assert scene.context.ledger.summary().pending == 0


def test_another_sound_is_decoded() -> None:
    async def script(scene: Scene) -> None:
        for number in (0, 1, 0, 1):
            scene.sound = jingle(number)
            await scene.utterance(2.0)
            await scene.silence(1.0)

    scene = cached(Counts())
    assert [f.text for f in finals(play(scene, script))] == ["text 1", "text 2"] * 2
    assert len(scene.engine.finals) == 2


def test_off_by_default_and_then_who_asks_gets_nothing() -> None:
    async def script(scene: Scene) -> None:
        await play_twice(scene)
        answers.append(await scene.ask("phrase_cache"))
        answers.append(await scene.ask("clear_phrase_cache"))

    answers: list[Any] = []
    scene = Scene(Counts(), sound=jingle(), partials=False)
    first, second = finals(play(scene, script))
    assert (first.text, second.text) == ("text 1", "text 2")
    assert answers == [None, 0]


def test_it_can_be_inspected_and_cleared() -> None:
    async def script(scene: Scene) -> None:
        await play_twice(scene)
        answers.append(await scene.ask("phrase_cache"))
        answers.append(await scene.ask("clear_phrase_cache"))
        answers.append(await scene.ask("phrase_cache"))
        await scene.utterance(2.0)

    answers: list[Any] = []
    scene = cached(Counts())
    assert [f.text for f in finals(play(scene, script))] == ["text 1", "text 1", "text 2"]
    told, cleared, empty = answers
    (entry,) = told["entries"]
    assert isinstance(entry, CacheEntry)
    assert (entry.value.text, entry.samples, entry.exact_hits) == ("text 1", 2 * RATE, 1)
    statistics = told["statistics"]
    assert (statistics.exact_hits, statistics.misses, statistics.stored) == (1, 1, 1)
    assert cleared == 1
    assert (empty["entries"], empty["statistics"].entries) == ([], 0)


def test_what_was_decoded_cheaply_is_not_kept() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        for number in range(8):  # until the last rung
            scene.sound = jingle(number)
            await scene.utterance(1.0)
        await scene.silence(30.0)
        answers.append(await scene.ask("phrase_cache"))

    answers: list[Any] = []
    scene = cached(Counts(final_s=7.0, cheap_s=0.1), max_lag_ms=1_000, speculative_finals=False)
    play(scene, script)
    cheap = [cheap for _, _, cheap in scene.engine.finals]
    assert len(cheap) == 8
    assert 0 < sum(cheap) < 8
    assert answers[0]["statistics"].stored == cheap.count(False)


def test_what_depends_on_the_words_before_is_neither_kept_nor_taken() -> None:
    async def script(scene: Scene) -> None:
        for _ in range(3):
            await scene.utterance(2.0)
            await scene.silence(1.0)
        answers.append(await scene.ask("phrase_cache"))

    answers: list[Any] = []
    scene = cached(Counts(), previous_words=5)
    assert [f.text for f in finals(play(scene, script))] == ["text 1", "text 2", "text 3"]
    assert answers[0]["statistics"].stored == 1, "only the first had none before it"
    assert answers[0]["statistics"].exact_hits == 0


def test_what_the_engine_could_not_decode_is_not_kept() -> None:
    engine = Counts()
    engine.errors_at = ["final"] * 3
    scene = cached(engine)
    (final,) = finals(play(scene, play_twice))
    assert final.text == "text 4"


def test_the_end_of_speech_finds_what_was_known_at_the_pause() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        for _ in range(2):
            await scene.begin()
            await scene.say(2.0)
            await scene.pause()
            await asyncio.sleep(0.5)
            await scene.end()
            await scene.silence(1.0)

    scene = cached(Counts())
    first, second = finals(play(scene, script))
    assert first.text == second.text
    assert second.latency.speculative
    assert len(scene.engine.finals) == 1
    assert scene.counter("phrase_cache_hits") == 1


def test_of_a_draft_and_a_better_model_it_keeps_the_better_ones_texts() -> None:
    async def script(scene: Scene) -> None:
        await play_twice(scene)
        await scene.silence(2.0)
        answers.append(await scene.ask("phrase_cache"))

    class Better(Counts):
        def hear(self, samples, cost):
            heard = super().hear(samples, cost)
            return msgspec.structs.replace(heard, text=heard.text.upper())

    answers: list[Any] = []
    better = Better(model="better")
    scene = cached(Counts(), reviser=better)
    events = play(scene, script)
    assert [f.text for f in finals(events)] == ["text 1", "text 2"], "a draft is always decoded"
    assert [r.text for r in only(events, Revision)] == ["TEXT 1", "TEXT 1"]
    assert len(better.finals) == 1
    (entry,) = answers[0]["entries"]
    assert entry.value.text == "TEXT 1"


def test_partials_of_a_known_phrase_are_shown_as_of_any_other() -> None:
    def spoken(start: int, count: int) -> np.ndarray:
        at = np.arange(start, start + count) % (2 * RATE)
        said = (at % 8_000 >= FIRST) & (at % 8_000 < LAST)
        return np.where(said, 1_000 + at // 8_000, 0).astype(np.int16)

    async def script(scene: Scene) -> None:
        for _ in range(2):
            await scene.silence(2.0)
            await scene.utterance(2.0)

    scene = cached(Listener(), partials=True, sound=spoken)
    events = play(scene, script)
    assert [f.text for f in finals(events)] == [words(0, 4)] * 2
    assert scene.counter("phrase_cache_hits") == 1
    assert scene.engine.left_open == [], "the session of its partials is closed"
