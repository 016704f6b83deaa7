"""What a decoding leaves out is looked for once more; what nobody said is taken out."""

import asyncio
from collections.abc import Sequence

import numpy as np
from support.scene import Scene, audio, expected_text, finals, play

from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import Word
from vivavoce.testing import ScriptedEngine, half_seconds


class Forgetful:
    """Hears all words but those of an interval, unless what it hears is short.

    Args:
        begin, end: seconds of what it leaves out.
        ever: whether it hears them in a short piece.
        short: of so many seconds at most.
    """

    def __init__(self, begin: float, end: float, *, ever: bool = True, short: float = 5.0) -> None:
        self._short = round(short * RATE)
        self._begin, self._end = round(begin * RATE), round(end * RATE)
        self._ever = ever
        self.heard: list[int] = []

    def __call__(self, pcm: np.ndarray) -> Sequence[Word]:
        self.heard.append(len(pcm))
        words = half_seconds(pcm)
        if len(pcm) < self._short:
            return words if self._ever else ()
        return [word for word in words if not self._begin <= word.start < self._end]


def said(hears: Forgetful, seconds: float) -> Scene:
    scene = Scene(ScriptedEngine(hears), partials=False)

    async def script(scene: Scene) -> None:
        await scene.utterance(seconds)

    play(scene, script)
    return scene


def test_words_that_were_left_out_are_found_by_themselves() -> None:
    hears = Forgetful(4, 7)
    (final,) = finals(event for _, event in said(hears, 12).events)
    assert final.text == expected_text(0, 12 * RATE)
    assert final.dropped == 0
    starts = [word.start for word in final.words]
    assert starts == sorted(starts)
    assert len(hears.heard) == 2
    assert hears.heard[1] < 4 * RATE, "only what was left out is decoded again"


def test_last_words_that_were_lost_are_found() -> None:
    hears = Forgetful(10.5, 12)
    (final,) = finals(event for _, event in said(hears, 12).events)
    assert final.text == expected_text(0, 12 * RATE)


def test_speech_without_words_is_told_where_none_are_found() -> None:
    scene = said(Forgetful(4, 7, ever=False), 12)
    (final,) = finals(event for _, event in scene.events)
    assert final.text == f"{expected_text(0, 4 * RATE)} {expected_text(7 * RATE, 12 * RATE)}"
    assert 2.5 * RATE < final.dropped < 3.5 * RATE
    assert scene.counter("wordless_samples") == final.dropped
    assert scene.context.ledger.summary().pending == 0


def test_every_session_is_closed() -> None:
    scene = said(Forgetful(4, 7), 12)
    assert not scene.engine.sessions
    assert not scene.engine.left_open


def test_a_sentence_that_is_said_twice_without_any_sound_is_taken_out() -> None:
    def twice(pcm: np.ndarray) -> Sequence[Word]:
        words = half_seconds(pcm)
        again = [Word(text=w.text, start=w.end, end=w.end, probability=0.9) for w in words[-4:]]
        return [*words, *again]

    scene = Scene(ScriptedEngine(twice), sound=audio, partials=False)

    async def script(scene: Scene) -> None:
        await scene.utterance(4)

    (final,) = finals(play(scene, script))
    assert final.text == expected_text(0, 4 * RATE)


def test_a_window_without_any_word_is_told_and_not_decoded_twice() -> None:
    def nothing(pcm: np.ndarray) -> Sequence[Word]:
        heard.append(len(pcm))
        return ()

    heard: list[int] = []
    scene = Scene(ScriptedEngine(nothing), partials=False)

    async def script(scene: Scene) -> None:
        await scene.utterance(4)

    (final,) = finals(play(scene, script))
    assert final.text == ""
    assert final.dropped == 4 * RATE
    assert heard == [4 * RATE]


def test_a_decoding_that_is_called_off_while_it_mends_leaves_no_session() -> None:
    hears = Forgetful(4, 7)
    scene = Scene(ScriptedEngine(hears, exact_s=0.3), partials=False)

    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.begin()
        await scene.say(10.0)
        await scene.pause()
        await asyncio.sleep(0.8)  # it was decoded, and what is missing is looked for
        await scene.resume()
        await scene.say(2.0)
        await scene.end()

    play(scene, script)
    assert scene.counter("speculative_discarded") == 1
    assert not scene.engine.sessions
    assert not scene.engine.left_open


def test_last_words_that_were_found_with_those_before_are_not_looked_for_again() -> None:
    hears = Forgetful(6, 12, short=8.5)
    scene = Scene(ScriptedEngine(hears), partials=False)

    async def script(scene: Scene) -> None:
        await scene.begin()
        await scene.say(8)
        await scene.hesitate(1.2)  # what is left out is divided by it
        await scene.say(2)
        await scene.end()

    play(scene, script)
    (final,) = finals(event for _, event in scene.events)
    starts = [word.start for word in final.words]
    assert starts == sorted(set(starts))
    assert len(starts) == 23
    assert len(hears.heard) == 3, "in the pause, at the end, and what was left out"
