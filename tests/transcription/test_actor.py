"""The transcription actor on a virtual clock, with an engine that is scripted to be slow or to die.

The real engine is in test_engine_process.py and in the end-to-end tests; here time and faults are
under control.
"""

import asyncio
import itertools

import pytest
from support.scene import Scene, expected_text, finals, play

from vivavoce.actors.transcription.engines.base import EngineDied
from vivavoce.config.schema import SupervisorSettings
from vivavoce.pipeline.actor import ActorHandle
from vivavoce.pipeline.mailbox import Mailbox
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import (
    EndOfStream,
    Final,
    Gap,
    GapReason,
    Partial,
)
from vivavoce.pipeline.supervisor import Supervisor
from vivavoce.testing import ScriptedEngine


def test_partials_come_while_speech_goes_on_and_the_final_is_exact() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(3.0)
        await scene.silence(1.0)

    scene = Scene(ScriptedEngine())
    events = play(scene, script)
    partials = [event for event in events if isinstance(event, Partial)]
    assert len(partials) >= 4
    assert [p.revision for p in partials] == list(range(1, len(partials) + 1))
    for before, after in itertools.pairwise(partials):
        assert after.stable.startswith(before.stable)
    (final,) = finals(events)
    assert final.text == expected_text(16_000, 64_000)
    assert final.words[0].start == 16_000
    assert final.corrected == 0
    assert (final.engine, final.model) == ("scripted", "scripted")
    assert isinstance(events[-1], EndOfStream)
    assert scene.context.ledger.summary().pending == 0


def test_a_pause_starts_the_decoding_and_the_endpoint_finds_it_ready() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.begin()
        await scene.say(2.0)
        await scene.pause()
        await asyncio.sleep(0.9)
        await scene.end()
        ended_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(1)

    ended_at: list[float] = []
    scene = Scene(ScriptedEngine(), partials=False)
    (final,) = finals(play(scene, script))
    assert final.latency.speculative
    shown = next(t for t, event in scene.events if isinstance(event, Final))
    assert shown - ended_at[0] < 0.01
    assert [kind for kind, _ in scene.engine.calls] == ["exact"]


def test_a_pause_that_was_none_costs_the_user_nothing() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.begin()
        await scene.say(2.0)
        await scene.hesitate(0.5)  # the decoding has begun, and is not ready
        await scene.say(2.0)
        await scene.end()

    scene = Scene(ScriptedEngine(exact_s=0.3), partials=False)
    (final,) = finals(play(scene, script))
    assert (final.start, final.end) == (16_000, 88_000)
    assert len(final.text.split()) == 9
    assert not final.latency.speculative
    assert scene.context.metrics.counters()["vivavoce_speculative_discarded_total"] == 1


def test_never_a_queue_of_stale_partials() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(8.0)

    scene = Scene(ScriptedEngine(partial_s=1.5))
    play(scene, script)
    heard = [samples for kind, samples in scene.engine.calls if kind == "partial"]
    assert len(heard) <= 4
    assert all(after - before >= 2.5 * RATE for before, after in itertools.pairwise(heard))


@pytest.mark.parametrize("when", ["partial", "exact"])
def test_an_engine_that_dies_costs_a_delay_and_nothing_else(when: str) -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(3.0)
        await scene.silence(0.5)
        await scene.utterance(2.0)

    calm = finals(play(Scene(ScriptedEngine()), script))
    engine = ScriptedEngine()
    engine.dies_at = [when]
    scene = Scene(engine)
    disturbed = finals(play(scene, script))
    assert [f.text for f in disturbed] == [f.text for f in calm]
    assert engine.starts == 2
    assert scene.context.metrics.counters()["vivavoce_engine_restarts_total"] == 1
    assert scene.context.ledger.summary().pending == 0


def test_an_utterance_that_kills_the_engine_again_and_again_becomes_a_gap() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(2.0)
        await scene.silence(1.0)
        await scene.utterance(2.0)

    engine = ScriptedEngine()
    engine.dies_at = ["exact"] * 3
    scene = Scene(engine, partials=False)
    events = play(scene, script)
    assert [type(event) for event in events] == [Gap, Final, EndOfStream]
    assert events[0].reason is GapReason.ENGINE_FAILED
    summary = scene.context.ledger.summary()
    assert (summary.dropped, summary.transcribed, summary.pending) == (32_000, 32_000, 0)


def test_audio_that_cannot_be_decoded_is_tried_again_and_then_a_gap() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(1.0)

    for errors, kind in ((1, Final), (3, Gap)):
        engine = ScriptedEngine()
        engine.errors_at = ["exact"] * errors
        events = play(Scene(engine, partials=False), script)
        assert type(events[0]) is kind


def test_an_engine_that_keeps_dying_ends_the_run_with_one_line() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(1.0)

    engine = ScriptedEngine()
    engine.dies_at = ["exact"] * 9
    scene = Scene(engine, partials=False, max_engine_restarts=1)
    with pytest.raises(BaseExceptionGroup) as failed:
        play(scene, script)
    assert failed.group_contains(EngineDied, match="too often")


def test_too_many_waiting_utterances_hold_the_sender_up() -> None:
    async def script(scene: Scene) -> None:
        for _ in range(12):
            await scene.utterance(0.5)
        waited.append(scene.inbox.statistics().blocked_s)
        assert scene.actor._backlog.waiting <= 4

    waited: list[float] = []
    scene = Scene(ScriptedEngine(exact_s=5.0), partials=False, max_pending=2)
    scene.actor.inbox = Mailbox(4)
    assert len(finals(play(scene, script))) == 12


def test_gaps_keep_their_place_among_finals() -> None:
    async def script(scene: Scene) -> None:
        await scene.utterance(1.0)
        await scene.inbox.send(Gap(start=scene.at, end=scene.at, reason=GapReason.OVERRUN))
        await scene.utterance(1.0)

    events = play(Scene(ScriptedEngine(), partials=False), script)
    assert [type(event) for event in events] == [Final, Gap, Final, EndOfStream]


def test_the_same_speech_gives_the_same_events_at_the_same_times() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(0.7)
        await scene.utterance(3.1)
        await scene.silence(0.3)
        await scene.begin()
        await scene.say(1.2)
        await scene.pause()
        await asyncio.sleep(0.3)
        await scene.end()

    runs = []
    for _ in range(2):
        scene = Scene(ScriptedEngine())
        play(scene, script)
        runs.append(scene.events)
    assert runs[0] == runs[1]


async def test_asking_for_the_engine() -> None:
    scene = Scene(ScriptedEngine())
    supervisor = Supervisor(SupervisorSettings(), scene.context)
    supervisor.add(scene.actor)
    running = asyncio.create_task(supervisor.run())
    scene.context.stream.start()
    answer = await ActorHandle(scene.actor).ask("engine")
    assert answer["restarts"] == 0
    with pytest.raises(NotImplementedError):
        await ActorHandle(scene.actor).ask("weather")
    scene.inbox.close()
    await running
