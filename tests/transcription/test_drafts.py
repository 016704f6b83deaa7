"""A draft's instant finals, and the better model's revisions behind them."""

import asyncio

import msgspec
import pytest
from support.scene import Scene, expected_text, finals, only, play

from vivavoce.actors.transcription.engines.base import EngineError
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.messages import EndOfStream, Final, Revision
from vivavoce.testing import ScriptedEngine


class Better(ScriptedEngine):
    """Hears the same words in capitals."""

    def __init__(self, **costs) -> None:
        super().__init__(**costs, model="better")

    def hear(self, samples, cost):
        heard = super().hear(samples, cost)
        words = [msgspec.structs.replace(word, text=word.text.upper()) for word in heard.words]
        return msgspec.structs.replace(heard, text=heard.text.upper(), words=tuple(words))


def drafted(better: ScriptedEngine, **settings) -> Scene:
    return Scene(ScriptedEngine(), reviser=better, **settings)


async def conversation(scene: Scene, turns: int = 6) -> None:
    await scene.silence(1.0)
    for turn in range(turns):
        await scene.utterance(1.0 + 0.5 * (turn % 3))
        await scene.silence(0.5)


def check_order(events: list) -> None:
    """Each final has one revision, behind it and in order; the end comes last."""
    said, revised = finals(events), only(events, Revision)
    numbers = [final.utterance for final in said]
    assert [revision.utterance for revision in revised] == numbers
    for final, revision in zip(said, revised, strict=True):
        assert events.index(final) < events.index(revision)
    assert isinstance(events[-1], EndOfStream)
    assert len(only(events, EndOfStream)) == 1


@pytest.mark.parametrize("final_s", [0.1, 0.8, 3.0])
def test_each_final_has_one_revision_in_order(final_s: float) -> None:
    scene = drafted(Better(exact_s=final_s))
    events = play(scene, conversation)
    check_order(events)
    said, revised = finals(events), only(events, Revision)
    assert len(said) == 6
    for final, revision in zip(said, revised, strict=True):
        assert final.text == expected_text(final.start, final.end)
        assert revision.text == final.text.upper()
        assert (final.model, revision.model) == ("scripted", "better")
        assert [w.start for w in revision.words] == [w.start for w in final.words]
    assert scene.counter("revisions") == 6
    assert scene.counter("revisions_skipped") == 0


def test_the_better_model_delays_no_final() -> None:
    def waits(scene: Scene) -> list[float]:
        play(scene, conversation)
        return scene.shown_at(Final)

    assert waits(drafted(Better(exact_s=30.0))) == waits(Scene(ScriptedEngine()))


def test_what_cannot_be_decoded_is_revised_by_its_own_text() -> None:
    better = Better()
    better.errors_at = ["exact"] * 3
    scene = drafted(better)
    events = play(scene, conversation)
    check_order(events)
    first, *others = only(events, Revision)
    said = finals(events)
    assert (first.text, first.words, first.model) == (said[0].text, said[0].words, "scripted")
    assert all(revision.model == "better" for revision in others)
    assert scene.counter("revisions") == 5


@pytest.mark.parametrize("deaths", [1, 2, 3])
def test_the_better_engine_may_die(deaths: int) -> None:
    better = Better(exact_s=1.0)
    better.dies_at = ["exact"] * deaths
    scene = drafted(better)
    events = play(scene, conversation)
    check_order(events)
    revised = only(events, Revision)
    assert [revision.model for revision in revised].count("scripted") == (deaths == 3)
    assert better.starts == 1 + deaths
    assert scene.engine.starts == 1, "the draft's engine lives on"
    assert [f.text for f in finals(events)] == [
        expected_text(f.start, f.end) for f in finals(events)
    ]


def test_a_better_engine_that_dies_too_often_is_given_up_and_captions_go_on() -> None:
    better = Better(exact_s=0.5)
    better.dies_at = ["exact"] * 100
    scene = drafted(better)
    events = play(scene, conversation)
    check_order(events)
    assert len(finals(events)) == 6
    assert {revision.model for revision in only(events, Revision)} == {"scripted"}
    assert better.starts <= 1 + TranscriptionSettings().max_engine_restarts


def test_a_better_engine_that_cannot_be_loaded_ends_the_run_before_anybody_waits_for_it() -> None:
    class Missing(Better):
        async def start(self):
            raise EngineError("there is no such model", "model_not_found")

    with pytest.raises(ExceptionGroup) as failed:
        play(drafted(Missing()), conversation)
    assert failed.group_contains(EngineError, match="no such model")


def test_in_a_hurry_a_final_is_revised_by_its_own_text() -> None:
    """The draft cannot keep up: the better engine does not take its time as well."""

    async def script(scene: Scene) -> None:
        await conversation(scene, 3)
        scene.engine.exact_s = scene.engine.cheap_s = 6.0
        await conversation(scene, 6)

    better = Better(exact_s=0.1)
    events = play(drafted(better), script)
    check_order(events)
    models = [revision.model for revision in only(events, Revision)]
    assert "better" in models
    assert "scripted" in models
    assert len(better.exacts) == models.count("better")


def test_more_than_may_wait_are_revised_by_their_own_text_in_their_place(monkeypatch) -> None:
    monkeypatch.setattr("vivavoce.actors.transcription.actor._MAX_REVISIONS", 2)

    async def script(scene: Scene) -> None:
        await conversation(scene, turns=12)

    scene = drafted(Better(exact_s=5.0))
    events = play(scene, script)
    check_order(events)
    said, revised = finals(events), only(events, Revision)
    skipped = [revision for revision in revised if revision.model == "scripted"]
    assert 3 < len(skipped) < 10
    assert scene.counter("revisions_skipped") == len(skipped)
    assert scene.counter("revisions") == 12 - len(skipped)
    texts = {final.utterance: final.text for final in said}
    assert all(revision.text == texts[revision.utterance] for revision in skipped)
    assert [revision.model for revision in revised[-2:]] == ["better"] * 2, "the newest are kept"


def test_at_the_limit_nothing_is_skipped() -> None:
    """One is being decoded, as many as the limit wait."""

    async def script(scene: Scene) -> None:
        await conversation(scene, turns=17)

    scene = drafted(Better(exact_s=100.0))
    check_order(play(scene, script))
    assert scene.counter("revisions_skipped") == 0


def test_one_more_than_the_limit_skips_one() -> None:
    async def script(scene: Scene) -> None:
        await conversation(scene, turns=18)

    scene = drafted(Better(exact_s=100.0))
    check_order(play(scene, script))
    assert scene.counter("revisions_skipped") == 1


def test_the_audio_of_a_revised_utterance_is_not_kept() -> None:
    scene = drafted(Better())
    play(scene, conversation)
    assert scene.engine.left_open == scene.reviser.left_open == []
    assert not scene.actor._reviser._waiting


def test_long_speech_is_revised_part_by_part() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(45.0)

    events = play(drafted(Better(exact_s=2.0)), script)
    check_order(events)
    assert len(finals(events)) >= 3


def test_an_empty_final_is_revised_too() -> None:
    class Deaf(ScriptedEngine):
        def hear(self, samples, cost):
            return super().hear(samples[:0], cost)

    scene = Scene(Deaf(), reviser=Better())
    events = play(scene, conversation)
    check_order(events)
    assert finals(events)[0].text == ""
    assert only(events, Revision)[0].text.startswith("W")


def test_both_engines_are_stopped() -> None:
    async def script(scene: Scene) -> None:
        await conversation(scene, 1)

    stopped: list[str] = []

    class Stops(Better):
        async def stop(self) -> None:
            stopped.append(self.model)
            await asyncio.sleep(0)

    class DraftStops(ScriptedEngine):
        async def stop(self) -> None:
            stopped.append(self.model)

    play(Scene(DraftStops(), reviser=Stops()), script)
    assert sorted(stopped) == ["better", "scripted"]
