"""What a final is told of the finals before it, through the actor."""

import pytest
from support.scene import Scene, finals, play
from support.talk import Listener, talk, words

from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.testing import ScriptedEngine

WORDS = 3


def told(scene: Scene) -> list[str]:
    return [previous for _, previous, _ in scene.engine.finals]


def last_words(text: str) -> str:
    return " ".join(text.split()[-WORDS:])


def contextual(engine: ScriptedEngine, **settings) -> Scene:
    return Scene(
        engine,
        **{
            "sound": talk,
            "partials": False,
            "speculative_finals": False,
            "previous_words": WORDS,
            "previous_words_silence_ms": 4_000,
            **settings,
        },
    )


async def conversation(scene: Scene) -> None:
    await scene.silence(1.0)
    for _ in range(6):
        await scene.utterance(2.5)
        await scene.silence(1.0)


def check(scene: Scene) -> None:
    said = finals(play(scene, conversation))
    assert len(said) == 6
    assert told(scene) == ["", *(last_words(final.text) for final in said[:-1])]


def test_the_next_final_is_told_the_last_words() -> None:
    check(contextual(Listener()))


@pytest.mark.parametrize("side_by_side", [1, 4])
def test_also_when_it_waited_for_the_one_before(side_by_side: int) -> None:
    check(contextual(Listener(final_s=5.0), side_by_side=side_by_side, overload_ladder=False))


def test_after_a_long_silence_they_are_forgotten() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(2.0)
        await scene.silence(3.9)
        await scene.utterance(2.0)
        await scene.silence(4.1)
        await scene.utterance(2.0)

    scene = contextual(Listener())
    play(scene, script)
    assert [bool(words) for words in told(scene)] == [False, True, False]


def test_by_default_nothing_is_told() -> None:
    scene = Scene(ScriptedEngine())
    play(scene, conversation)
    assert set(told(scene)) == {""}


def test_behind_a_cut_too() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(40.0)

    scene = contextual(Listener())
    said = finals(play(scene, script))
    assert len(said) >= 3
    assert " ".join(final.text for final in said) == words(0, 80)
    assert told(scene) == ["", *(last_words(final.text) for final in said[:-1])]
    assert said[0].end > 4 * RATE


def test_at_a_pause_a_final_knows_the_one_before_it() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(2.5)
        await scene.silence(0.5)
        await scene.begin()
        await scene.say(2.5)
        await scene.pause()
        await scene.silence(1.0)
        await scene.end(end=scene.start + int(2.5 * RATE))

    scene = contextual(Listener(), speculative_finals=True)
    first, _ = finals(play(scene, script))
    assert told(scene) == ["", last_words(first.text)]
