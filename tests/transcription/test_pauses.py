"""At a pause: the final that may be wanted, the partials that are not, and what is called off."""

import asyncio

import pytest
from support.scene import Scene, expected_text, finals, only, play
from support.talk import Listener, talk

from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import Partial
from vivavoce.testing import ScriptedEngine

SECONDS_OF_ENDPOINT = 1.2


def test_the_endpoint_finds_the_final_ready() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        for _ in range(3):
            await scene.begin()
            await scene.say(2.0)
            await scene.pause()
            await asyncio.sleep(SECONDS_OF_ENDPOINT)
            ended.append(asyncio.get_running_loop().time())
            await scene.end()
            await scene.silence(1.0)

    ended: list[float] = []
    scene = Scene(ScriptedEngine(exact_s=0.4))
    said = finals(play(scene, script))
    assert [f.text for f in said] == [expected_text(f.start, f.end) for f in said]
    shown = scene.shown_at(type(said[0]))
    assert [later - earlier for earlier, later in zip(ended, shown, strict=True)] == [0.0] * 3
    assert all(final.latency.speculative for final in said)
    assert all(final.latency.queued == 0.0 for final in said)
    assert scene.counter("finals_speculative") == 3
    assert scene.counter("finals") == 3
    assert scene.counter("speculative_discarded") == 0
    assert len(scene.engine.exacts) == 3, "each was decoded once"


def test_one_that_is_not_ready_yet_goes_on_and_is_not_begun_anew() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.begin()
        await scene.say(2.0)
        await scene.pause()
        await asyncio.sleep(SECONDS_OF_ENDPOINT)
        ended.append(asyncio.get_running_loop().time())
        await scene.end()

    ended: list[float] = []
    scene = Scene(ScriptedEngine(exact_s=1.2))
    (final,) = finals(play(scene, script))
    # It began 0.6 s into the pause, 0.256 s of which were over when the pause was told.
    assert scene.shown_at(type(final))[0] - ended[0] == pytest.approx(0.6 - 0.256)
    assert scene.engine.done.count(("exact", 3 * RATE)) == 1
    assert not [call for call in scene.engine.cancelled if call[0] == "exact"]


def test_a_short_pause_decodes_nothing() -> None:
    """It lasts 0.6 s before it is likely to become the long silence."""

    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.begin()
        for _ in range(4):
            await scene.say(2.0)
            await scene.hesitate(0.3)
        await scene.say(1.0)
        await scene.end()

    scene = Scene(ScriptedEngine(), partials=False)
    (final,) = finals(play(scene, script))
    assert scene.engine.calls == [("exact", final.end)]
    assert scene.counter("speculative_discarded") == 0


@pytest.mark.parametrize(("pause_s", "ready"), [(0.5, False), (0.8, True)])
def test_when_speech_goes_on_the_decoding_is_called_off(pause_s: float, ready: bool) -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.begin()
        for _ in range(2):
            await scene.say(2.0)
            await scene.hesitate(pause_s)
        await scene.say(1.0)
        await scene.end()

    scene = Scene(ScriptedEngine(exact_s=0.3), partials=False)
    (final,) = finals(play(scene, script))
    assert (final.start, final.end) == (RATE, scene.at)
    assert not final.latency.speculative
    assert scene.counter("speculative_discarded") == (0 if ready else 2)
    assert scene.counter("finals_speculative") == 0
    second = 5 * RATE + int(pause_s * RATE)
    early = [("exact", 3 * RATE), ("exact", second)]
    assert scene.engine.cancelled == ([] if ready else early), "the engine is told to stop"
    assert scene.engine.done == [*(early if ready else []), ("exact", scene.at)]


def test_what_was_called_off_counts_with_what_it_cost() -> None:
    """It is not begun in each pause: the engine would do nothing else."""

    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.begin()
        for _ in range(20):
            await scene.say(1.0)
            await scene.hesitate(1.0)
        await scene.end()

    scene = Scene(ScriptedEngine(exact_s=5.0), partials=False)
    play(scene, script)
    begun = scene.engine.exacts_at
    assert 5 < scene.counter("speculative_discarded") < 14
    worked = 0.65 * scene.counter("speculative_discarded")
    assert worked / (begun[-1] - begun[0]) <= 0.25


def test_a_pause_has_no_partials_once_the_last_word_was_heard() -> None:
    """What comes after the last word is silence: nothing more is to be seen in it."""

    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.begin()
        await scene.say(3.0)
        # As the VAD does: a little silence behind speech is sent before the pause is told.
        scene.sound = lambda start, count: talk(start, count) * 0
        await scene.say(0.2)
        await scene.pause()
        before.append(len(scene.engine.calls))
        await asyncio.sleep(3.0)
        during.extend(scene.engine.calls[before[0] :])
        await scene.end()

    before: list[int] = []
    during: list[tuple[str, int]] = []
    scene = Scene(Listener(), sound=talk)
    events = play(scene, script)
    assert during in ([("partial", scene.at), ("exact", scene.at)], [("exact", scene.at)])
    last = only(events, Partial)[-1]
    assert last.end >= 4 * RATE - 1_600, "it heard the last word to its end"


@pytest.mark.parametrize("interval_ms", range(250, 1_600, 75))
def test_in_a_pause_the_last_word_appears_and_then_no_more_is_looked_for(interval_ms: int) -> None:
    """Wherever the last partial before the pause ended: before, in or behind the last word."""

    async def script(scene: Scene) -> None:
        await scene.silence(3.5)  # the first word begins a sentence
        await scene.begin()
        await scene.say(3.5)  # its last word ends 0.1 s earlier
        await scene.pause()
        await asyncio.sleep(5.0)
        await scene.end()

    scene = Scene(Listener(), sound=talk, partial_interval_ms=interval_ms)
    events = play(scene, script)
    (final,) = finals(events)
    last = only(events, Partial)[-1]
    assert f"{last.stable} {last.tail}".split() == final.text.split()
    heard = [samples for kind, samples in scene.engine.calls if kind == "partial"]
    assert len(heard) == len(set(heard))


def test_a_partial_is_abandoned_when_the_utterance_ends() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(2.0)
        ended.append(asyncio.get_running_loop().time())
        await asyncio.sleep(2.0)

    ended: list[float] = []
    scene = Scene(ScriptedEngine(partial_s=5.0, exact_s=0.2))
    events = play(scene, script)
    assert [kind for kind, _ in scene.engine.cancelled] == ["partial"]
    assert only(events, Partial) == []
    (final,) = finals(events)
    assert scene.shown_at(type(final))[0] - ended[0] == pytest.approx(0.2)


def test_after_an_abandoned_partial_the_next_utterance_has_partials() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(1.0)
        scene.engine.partial_s = 0.05
        await scene.silence(0.5)
        await scene.utterance(6.0)  # what the first one took is not forgotten at once

    scene = Scene(ScriptedEngine(partial_s=5.0))
    events = play(scene, script)
    assert {partial.utterance for partial in only(events, Partial)} == {2}


def test_no_partial_comes_after_the_final_of_its_utterance() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        for length in (1.3, 2.7, 0.4, 3.1):
            await scene.utterance(length)
            await scene.silence(0.2)

    scene = Scene(ScriptedEngine(partial_s=0.15, exact_s=0.6))
    done = 0
    for event in play(scene, script):
        if isinstance(event, Partial):
            assert event.utterance == done + 1
        elif event in finals([event]):
            done = event.utterance
