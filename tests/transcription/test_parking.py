"""The engine comes and goes with the power mode and the profile, and no word is lost by it."""

import asyncio

import msgspec
import pytest
from support.scene import Scene, expected_text, finals, play

from vivavoce.actors.transcription.engines.base import EngineDied, EngineError
from vivavoce.config.power import ModeSettings
from vivavoce.config.schema import Profile, TranscriptionSettings
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import Partial, PowerMode, Revision
from vivavoce.pipeline.power import Power, PowerEvent
from vivavoce.testing import ScriptedEngine

PARKED = Power(mode=PowerMode.PARKED, engine=False)
AWAKE = Power(mode=PowerMode.LISTENING)


def told(scene: Scene) -> list[PowerEvent]:
    events: list[PowerEvent] = []
    scene.context.power.listen(events.append)
    return events


async def change(scene: Scene, **settings) -> None:
    transcription = msgspec.structs.replace(TranscriptionSettings(), **settings)
    await scene.actor.on_profile(Profile(transcription=transcription))


def texts(events) -> list[str]:
    return [final.text for final in finals(events)]


def test_parked_the_engine_is_gone_and_speech_brings_it_back() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(2.0)
        assert scene.engine.running_now
        await scene.actor.on_power(PARKED)
        await scene.silence(1.0)
        assert not scene.engine.running_now
        await scene.utterance(2.0)
        await scene.silence(3.0)

    scene = Scene(ScriptedEngine())
    assert texts(play(scene, script)) == [expected_text(48_000, 80_000)]
    assert scene.engine.starts == 2
    assert scene.context.ledger.summary().pending == 0


def test_a_sound_loads_the_engine_before_it_is_known_to_be_speech() -> None:
    async def script(scene: Scene) -> None:
        await scene.actor.on_power(PARKED)
        await scene.silence(1.0)
        assert scene.engine.starts == 0, "parked from the beginning: nothing was ever loaded"
        await scene.actor.on_power(AWAKE)
        await scene.silence(1.0)
        assert scene.engine.running_now
        await scene.actor.on_power(PARKED)
        await scene.silence(0.5)
        assert not scene.engine.running_now

    play(Scene(ScriptedEngine()), script)


def test_what_is_in_work_is_finished_before_the_engine_ends() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(2.0)
        await scene.actor.on_power(PARKED)
        await scene.silence(1.0)
        assert scene.engine.running_now, "the final takes three seconds"
        await scene.silence(3.0)
        assert not scene.engine.running_now

    scene = Scene(ScriptedEngine(exact_s=3.0))
    assert texts(play(scene, script)) == [expected_text(0, 32_000)]
    assert scene.engine.cancelled == []


def test_woken_while_it_is_being_parked_the_engine_starts_again() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.actor.on_power(PARKED)
        await asyncio.sleep(0.1)
        await scene.utterance(1.0)
        await scene.actor.on_power(AWAKE)
        await scene.silence(1.0)

    class SlowToEnd(ScriptedEngine):
        async def stop(self) -> None:
            await asyncio.sleep(0.4)
            await super().stop()

    scene = Scene(SlowToEnd())
    assert texts(play(scene, script)) == [expected_text(16_000, 32_000)]
    assert scene.engine.starts == 2


def test_partials_wait_for_the_engine_and_then_hear_the_newest_audio() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.actor.on_power(PARKED)
        await scene.silence(0.5)
        await scene.utterance(2.0)
        await scene.silence(1.0)

    scene = Scene(ScriptedEngine())
    events = play(scene, script)
    first = next(event for event in events if isinstance(event, Partial))
    assert first.end - 24_000 >= RATE // 2, "it took half a second to load"


def test_finals_that_are_owed_are_told_and_so_is_their_end() -> None:
    async def script(scene: Scene) -> None:
        events.extend([told(scene)])
        await scene.silence(1.0)
        await scene.utterance(1.0)
        await scene.utterance(1.0)
        await scene.silence(3.0)
        await scene.utterance(1.0)
        await scene.silence(3.0)

    events: list[list[PowerEvent]] = []
    play(Scene(ScriptedEngine(exact_s=1.0)), script)
    assert events[0] == [PowerEvent.WORK_STARTED, PowerEvent.WORK_ENDED] * 2


def test_an_actor_that_failed_behind_a_final_does_not_owe_it_for_ever() -> None:
    class FailsOnce(ScriptedEngine):
        failed = False

        async def close(self, session) -> None:
            await super().close(session)
            if not self.failed:
                self.failed = True
                raise RuntimeError("once")

    async def script(scene: Scene) -> None:
        events = told(scene)
        await scene.utterance(1.0)
        await scene.silence(2.0)
        assert scene.engine.failed
        assert events == [PowerEvent.WORK_STARTED, PowerEvent.WORK_ENDED]

    play(Scene(FailsOnce()), script)


def test_the_mode_may_space_partials_wider() -> None:
    def partials(interval_ms: int | None) -> int:
        async def script(scene: Scene) -> None:
            settings = ModeSettings(partial_interval_ms=interval_ms)
            await scene.actor.on_power(Power(settings=settings))
            await scene.silence(1.0)
            await scene.utterance(6.0)
            await scene.silence(1.0)

        return sum(isinstance(event, Partial) for event in play(Scene(ScriptedEngine()), script))

    assert partials(1_500) < partials(None) / 2


# -- another profile while it runs


def other(model: str = "other") -> ScriptedEngine:
    return ScriptedEngine(model=model)


def test_another_model_takes_over_beside_the_old_one() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(1.0)
        await scene.silence(1.0)
        await change(scene, model="other")
        await scene.silence(1.0)
        assert not scene.engine.running_now
        await scene.utterance(1.0)
        await scene.silence(1.0)

    scene = Scene(ScriptedEngine())
    scene.others["other"] = other()
    heard = finals(play(scene, script))
    assert [final.model for final in heard] == ["scripted", "other"]
    assert scene.engine.starts == scene.others["other"].starts == 1


def test_the_utterance_in_work_is_decoded_by_the_new_model() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(1.0)
        await change(scene, model="other")
        await scene.silence(4.0)

    class Stopping(ScriptedEngine):
        """Fails what it is asked when it is stopped, as the process does."""

        async def final(self, session, samples, previous="", *, cheap=False):
            work = asyncio.ensure_future(super().final(session, samples, previous, cheap=cheap))
            stopped = asyncio.ensure_future(self.stopped.wait())
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                raise EngineDied("the engine was stopped")
            return work.result()

        async def stop(self) -> None:
            self.stopped.set()
            await super().stop()

    engine = Stopping(exact_s=2.0)
    engine.stopped = asyncio.Event()
    scene = Scene(engine)
    scene.others["other"] = other()
    (final,) = finals(play(scene, script))
    assert (final.text, final.model) == (expected_text(16_000, 32_000), "other")
    assert scene.context.metrics.counter("vivavoce_engine_restarts_total").value == 0


@pytest.mark.parametrize("failure", [EngineError("no such model"), EngineDied("killed", -9)])
def test_a_model_that_cannot_be_loaded_changes_nothing(failure) -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await change(scene, model="other")
        await scene.silence(1.0)
        await scene.utterance(1.0)
        await scene.silence(1.0)

    scene = Scene(ScriptedEngine())
    scene.others["other"] = other()
    scene.others["other"].cannot_load = failure
    assert [final.model for final in finals(play(scene, script))] == ["scripted"]
    assert scene.engine.starts == 1


def test_settings_that_need_no_engine_hold_for_the_next_utterance() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(2.0)
        await scene.silence(1.0)
        await change(scene, model=scene.model, partials=False)
        await scene.utterance(2.0)
        await scene.silence(1.0)

    scene = Scene(ScriptedEngine())
    events = play(scene, script)
    assert {event.utterance for event in events if isinstance(event, Partial)} == {1}
    assert len(finals(events)) == 2
    assert scene.engine.starts == 1


def test_without_the_draft_the_better_model_is_asked_at_once() -> None:
    """As on battery: one model instead of two; who waits for revisions still gets them."""

    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(1.0)
        await scene.silence(2.0)
        await change(scene, model="better", draft=None)
        await scene.silence(2.0)
        assert not better.running_now
        await scene.utterance(1.0)
        await scene.silence(2.0)

    better = other("better")
    scene = Scene(ScriptedEngine(), reviser=better, draft="scripted")
    alone = scene.others["better"] = other("better")
    events = play(scene, script)
    assert [final.model for final in finals(events)] == ["scripted", "better"]
    revisions = [event for event in events if isinstance(event, Revision)]
    assert [revision.model for revision in revisions] == ["better", "better"]
    assert len(better.exacts) == 1
    assert len(alone.exacts) == 1, "the revision repeats its own final"


def test_speech_while_the_parked_engine_is_replaced_is_heard_by_the_other_one() -> None:
    """The old one begins to load for it, and is not finished when the other one takes over."""

    async def script(scene: Scene) -> None:
        await scene.actor.on_power(PARKED)
        await scene.silence(1.0)
        await change(scene, model="other")
        await scene.silence(0.2)
        await scene.utterance(2.0)
        await scene.silence(3.0)

    scene = Scene(ScriptedEngine())
    scene.others["other"] = other()
    events = play(scene, script)
    assert [final.model for final in finals(events)] == ["other"]
    assert scene.context.ledger.summary().pending == 0
    assert not scene.engine.running_now


def test_parked_while_both_models_load_it_still_hears_what_is_said() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(0.7)
        assert scene.engine.running_now
        assert not better.running_now
        await scene.actor.on_power(PARKED)
        await scene.silence(2.0)
        assert not scene.engine.running_now
        assert not better.running_now
        await scene.utterance(2.0)
        await scene.silence(3.0)

    better = ScriptedEngine(model="better", load_s=1.0)
    scene = Scene(ScriptedEngine(), reviser=better, draft="scripted")
    events = play(scene, script)
    assert len(finals(events)) == 1
    assert [event.model for event in events if isinstance(event, Revision)] == ["better"]


def test_parked_with_a_revision_in_work_both_models_end_after_it() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(2.0)
        await scene.silence(1.0)
        await scene.actor.on_power(PARKED)
        await scene.silence(2.0)
        assert better.running_now, "the revision takes five seconds"
        await scene.silence(5.0)
        assert not scene.engine.running_now
        assert not better.running_now

    better = ScriptedEngine(exact_s=5.0)
    play(Scene(ScriptedEngine(), reviser=better, draft="scripted"), script)


# -- death while nobody speaks


def test_an_engine_that_dies_in_silence_is_there_again_before_somebody_speaks() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(2.0)
        scene.engine.on_death(EngineDied("killed by SIGKILL", -9))
        await scene.silence(2.0)
        assert scene.engine.starts == 2
        await scene.utterance(1.0)
        await scene.silence(1.0)

    scene = Scene(ScriptedEngine())
    assert len(finals(play(scene, script))) == 1
    assert scene.engine.starts == 2
    assert scene.counter("engine_restarts") == 1


def test_a_death_of_the_engine_before_is_no_news() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(2.0)
        before = scene.engine.on_death
        before(EngineDied("killed", -9))
        await scene.silence(2.0)
        before(EngineDied("killed", -9))
        await scene.silence(2.0)

    scene = Scene(ScriptedEngine())
    play(scene, script)
    assert scene.engine.starts == 2


def test_an_engine_that_dies_too_often_ends_the_run_also_in_silence() -> None:
    async def script(scene: Scene) -> None:
        for _ in range(4):
            await scene.silence(3.0)
            scene.engine.on_death(EngineDied("killed", -9))
        await scene.silence(1.0)

    with pytest.RaisesGroup(pytest.RaisesExc(EngineDied, match="too often")):
        play(Scene(ScriptedEngine(), max_engine_restarts=3), script)


def test_a_parked_engine_is_not_started_because_it_died() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(2.0)
        await scene.actor.on_power(PARKED)
        await scene.silence(1.0)
        scene.engine.on_death(EngineDied("killed", -9))
        await scene.silence(2.0)

    scene = Scene(ScriptedEngine())
    play(scene, script)
    assert scene.engine.starts == 1
