"""Entering, using and leaving a pipeline, in every order: a scripted engine, virtual time."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from support.program import SPEECH, read_wave

import vivavoce
from vivavoce.actors.transcription.engines.base import EngineError
from vivavoce.pipeline.clock import run_virtual
from vivavoce.testing import ScriptedEngine

UTTERANCE = np.concatenate(
    [
        np.frombuffer(read_wave(SPEECH / "utt-025-rms.wav"), dtype=np.int16),
        np.zeros(32_000, np.int16),
    ]
)
LONGEST_S = 25.0
"""Virtual seconds within which leaving must be over, whoever hangs."""


def pushed(engine: ScriptedEngine | None = None, **more: Any) -> vivavoce.Pipeline:
    return vivavoce.Pipeline(
        "captions",
        source=vivavoce.PushSource(),
        engine=engine or ScriptedEngine(),
        environ={},
        **more,
    )


def finals(events: list[Any]) -> list[str]:
    return [event.text for event in events if isinstance(event, vivavoce.Final)]


def now() -> float:
    return asyncio.get_running_loop().time()


async def feed_all(pipeline: vivavoce.Pipeline, times: int = 1) -> None:
    for _ in range(times):
        await pipeline.feed(UTTERANCE)
    pipeline.end()


# -- everything that can be called can be called at once


def test_the_first_line_inside_may_be_any() -> None:
    async def scene() -> None:
        pipeline = pushed(follow_profile=True)
        async with pipeline:
            assert (await pipeline.actor("transcription").ask("engine"))["restarts"] == 0
            assert pipeline.trigger.recording
            pipeline.trigger.start()
            pipeline.trigger.cancel()
            assert pipeline.trigger.mode == "voice"
            await pipeline.use_profile("meeting")
            assert pipeline.profile_name == "meeting"
            assert pipeline.check() == ()
            assert "captured" in pipeline.report()
            pipeline.force_power("listening")
            pipeline.wake()
            await pipeline.ready()
            assert pipeline.engine_ready
            await feed_all(pipeline)
            assert any(finals([event async for event in pipeline.events()]))

    run_virtual(scene)


@pytest.mark.parametrize("mode", ["manual", "toggle", "hold"])
def test_a_recording_can_be_begun_at_once(mode: str) -> None:
    async def scene() -> None:
        async with pushed(overrides=[f"trigger.mode={mode}"]) as pipeline:
            assert not pipeline.trigger.recording
            pipeline.trigger.start()
            assert pipeline.trigger.recording
            await feed_all(pipeline)
            events = [event async for event in pipeline.events()]
        assert any(finals(events))
        assert isinstance(events[0], vivavoce.RecordingStarted)

    run_virtual(scene)


def test_an_actor_can_be_asked_before_its_pipeline_is_entered() -> None:
    class Counter(vivavoce.Actor[vivavoce.Caption, vivavoce.Caption]):
        name = "counter"

        async def on_ask(self, question: Any) -> Any:
            return f"{question}!"

    async def scene() -> None:
        pipeline = pushed()
        handle = pipeline.insert(Counter(), after="cleanup")
        asking = asyncio.create_task(handle.ask("early"))
        async with pipeline:
            assert await asking == "early!"
        with pytest.raises(vivavoce.ChannelClosed, match="has ended"):
            await handle.ask("late")

    run_virtual(scene)


def test_a_profile_that_cannot_be_used_changes_nothing_and_says_so() -> None:
    async def scene() -> None:
        async with pushed(follow_profile=True) as pipeline:
            before = pipeline.profile
            with pytest.raises(vivavoce.ProfileError, match="no profile"):
                await pipeline.use_profile("nosuch")
            assert (pipeline.profile_name, pipeline.profile) == ("captions", before)
            await pipeline.use_profile("meeting")
            assert pipeline.profile_name == "meeting"
            assert pipeline.profile != before

    run_virtual(scene)


def test_ready_says_why_an_engine_cannot_be_loaded() -> None:
    async def scene() -> None:
        engine = ScriptedEngine()
        engine.cannot_load = EngineError("no such model")
        with pytest.raises(vivavoce.EngineError, match="no such model"):
            async with pushed(engine) as pipeline:
                await pipeline.ready()

    run_virtual(scene)


@pytest.mark.parametrize("stop_s", [0.0, 1.0])
def test_ready_says_so_where_the_stream_ends_before_the_engine_is_loaded(stop_s: float) -> None:
    class SlowToStop(ScriptedEngine):
        async def stop(self) -> None:
            await asyncio.sleep(stop_s)
            await super().stop()

    async def scene() -> None:
        engine = SlowToStop(load_s=10.0)
        async with pushed(engine) as pipeline:
            waiting = asyncio.create_task(pipeline.ready())
            await asyncio.sleep(0)
            pipeline.end()
            with pytest.raises(vivavoce.PipelineStateError, match="has ended"):
                await waiting
            await asyncio.sleep(60)
            assert not engine.running_now, "nobody is there to end it"
        assert len(asyncio.all_tasks()) == 1

    run_virtual(scene)


def test_ready_outlives_a_restart_of_who_loads_the_engine() -> None:
    async def scene() -> None:
        engine = ScriptedEngine(load_s=10.0)
        async with pushed(engine) as pipeline:
            await pipeline.feed(UTTERANCE)
            waiting = asyncio.create_task(pipeline.ready())
            await asyncio.sleep(1)
            nobody = vivavoce.SpeechResumed(utterance=99, at=1)
            await pipeline.actor("transcription").tell(nobody)
            await waiting
            assert pipeline.engine_ready
            restarts = pipeline.statistics().counters
            assert restarts['vivavoce_actor_restarts_total{actor="transcription"}'] > 0

    run_virtual(scene)


# -- subscriptions


def test_a_forgotten_subscriber_loses_its_own_events_and_stalls_nobody() -> None:
    async def scene() -> None:
        async with pushed() as pipeline:
            forgotten = pipeline.subscribe(2, name="forgotten")
            feeding = asyncio.create_task(feed_all(pipeline, 4))
            events = [event async for event in pipeline.events()]
            await feeding
            assert forgotten.lost == len(events) - 2
        assert len(finals(events)) >= 4

    run_virtual(scene)


def test_a_subscription_ends_with_its_block_or_when_it_is_closed() -> None:
    async def scene() -> None:
        async with pushed() as pipeline:
            with pipeline.subscribe() as first:
                assert not first.closed
            assert first.closed
            second = pipeline.subscribe(1, vivavoce.Overload.BLOCK)
            second.close()
            assert second.name not in pipeline.statistics().channels
            await feed_all(pipeline)
            assert any(finals([event async for event in pipeline.events()]))

    run_virtual(scene)


def test_subscribers_of_one_name_are_told_apart() -> None:
    pipeline = pushed()
    names = [pipeline.subscribe().name for _ in range(3)]
    assert len(set(names)) == 3


def test_a_wait_that_times_out_loses_no_event() -> None:
    async def scene() -> None:
        async with pushed() as pipeline:
            events, found = pipeline.events(), []
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(anext(events), 0.3)
            await feed_all(pipeline)
            async for event in events:
                found.append(event)  # noqa: PERF401 - what is waited for is the point
        assert any(finals(found))
        assert isinstance(found[-1], vivavoce.EndOfStream)

    run_virtual(scene)


# -- leaving


async def leaving_takes(
    pipeline: vivavoce.Pipeline, body: Callable[[vivavoce.Pipeline], Awaitable[None]]
) -> tuple[float, BaseException | None]:
    left, raised = 0.0, None
    try:
        async with pipeline:
            await body(pipeline)
            left = now()
    except Exception as error:  # noqa: BLE001 - what it is, the test says
        raised = error
    return now() - left, raised


def test_a_deaf_subscriber_does_not_hold_up_the_end() -> None:
    async def scene() -> None:
        pipeline = pushed()
        deaf = pipeline.subscribe(1, vivavoce.Overload.BLOCK, name="deaf")

        async def body(_: vivavoce.Pipeline) -> None:
            feeding = asyncio.create_task(feed_all(pipeline, 8))
            await deaf.receive()
            await asyncio.sleep(60)
            assert pipeline.statistics().channels["deaf"].waiting_s > 0
            feeding.cancel()

        took, raised = await leaving_takes(pipeline, body)
        assert raised is None
        assert took < LONGEST_S
        assert deaf.closed
        assert pipeline.statistics().ledger.pending == 0

    run_virtual(scene)


class Hanging(vivavoce.Actor[Any, Any]):
    """Never returns, from wherever it is told not to."""

    name = "stuckling"

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    async def hang(self, where: str) -> None:
        if where == self.where:
            await asyncio.Event().wait()

    async def on_message(self, message: Any) -> None:
        await self.emit(message)
        await self.hang("message")

    async def on_stop(self) -> None:
        await self.hang("stop")

    async def run(self) -> None:
        await super().run()
        await self.hang("run")


@pytest.mark.parametrize("place", ["capture", "vad", "cleanup", "sink"])
@pytest.mark.parametrize("where", ["message", "stop", "run"])
def test_an_actor_that_never_returns_is_named_and_left(where: str, place: str, caplog) -> None:
    async def scene() -> None:
        pipeline = pushed()
        if place == "sink":
            pipeline.add_sink(Hanging(where))
        else:
            pipeline.insert(Hanging(where), after=place)

        async def body(_: vivavoce.Pipeline) -> None:
            await pipeline.feed(UTTERANCE)
            await asyncio.sleep(5)

        took, raised = await leaving_takes(pipeline, body)
        assert took < LONGEST_S
        if where != "stop":
            assert isinstance(raised, vivavoce.ActorFailed)
            assert "stuckling" in str(raised)

    run_virtual(scene)
    assert "stuckling" in caplog.text


def test_an_actor_that_ends_before_the_stream_is_named() -> None:
    class Early(vivavoce.Actor[Any, Any]):
        name = "early"

        async def run(self) -> None:
            return

    async def scene() -> None:
        pipeline = pushed()
        pipeline.insert(Early(), after="cleanup")

        async def body(_: vivavoce.Pipeline) -> None:
            await feed_all(pipeline)
            await pipeline.wait()

        _, raised = await leaving_takes(pipeline, body)
        assert isinstance(raised, vivavoce.ActorFailed)
        assert "early returned from run() before" in str(raised)

    run_virtual(scene)


@pytest.mark.parametrize("hook", ["on_start", "on_message", "on_stop"])
def test_an_actor_that_raises_is_one_error_of_ours(hook: str) -> None:
    async def fails(self: Any, *_: Any) -> None:
        raise RuntimeError("no good")

    bad = type("Bad", (vivavoce.Actor,), {"name": "bad", hook: fails})

    async def scene() -> None:
        pipeline = pushed()
        pipeline.insert(bad(), after="cleanup")

        async def body(_: vivavoce.Pipeline) -> None:
            await feed_all(pipeline, 8)
            async for _event in pipeline.events():
                pass

        _, raised = await leaving_takes(pipeline, body)
        assert isinstance(raised, vivavoce.ActorFailed)
        assert "bad failed" in str(raised)
        assert "no good" in str(raised)
        assert "ExceptionGroup" not in "".join(traceback.format_exception(raised))

    run_virtual(scene)


def test_what_the_body_raises_comes_out_as_itself() -> None:
    async def scene() -> None:
        engine = ScriptedEngine()

        async def body(pipeline: vivavoce.Pipeline) -> None:
            await pipeline.ready()
            raise KeyError("mine")

        _, raised = await leaving_takes(pushed(engine), body)
        assert type(raised) is KeyError
        assert "ExceptionGroup" not in "".join(traceback.format_exception(raised))
        assert not engine.running_now

    run_virtual(scene)


def test_a_body_that_is_cancelled_ends_it_at_once() -> None:
    async def scene() -> None:
        engine = ScriptedEngine(exact_s=1_000)

        async def inside() -> None:
            async with pushed(engine) as pipeline:
                await feed_all(pipeline)
                await pipeline.wait()

        task = asyncio.create_task(inside())
        await asyncio.sleep(5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert now() < 10
        assert not engine.running_now

    run_virtual(scene)


# -- in two tasks


def test_two_tasks_start_and_close_it() -> None:
    async def scene() -> None:
        pipeline = pushed()
        await asyncio.create_task(pipeline.start())
        await asyncio.create_task(feed_all(pipeline))
        assert any(finals([event async for event in pipeline.events()]))
        await asyncio.create_task(pipeline.aclose())
        await pipeline.aclose()
        assert pipeline.statistics().ledger.pending == 0

    run_virtual(scene)


def test_closing_what_was_never_started_does_nothing_and_is_the_end() -> None:
    async def scene() -> None:
        pipeline = pushed()
        reading = asyncio.create_task(anext(pipeline.subscribe(), None))
        waiting = asyncio.create_task(pipeline.wait())
        await pipeline.aclose()
        with pytest.raises(vivavoce.PipelineStateError, match="has ended"):
            await pipeline.start()
        assert await asyncio.wait_for(reading, LONGEST_S) is None
        await asyncio.wait_for(waiting, LONGEST_S)

    run_virtual(scene)


def test_several_may_wait_for_the_same_end() -> None:
    async def scene() -> None:
        engine = ScriptedEngine(exact_s=3.0)
        pipeline = pushed(engine)
        await pipeline.start()
        await pipeline.feed(UTTERANCE)
        await asyncio.gather(*(pipeline.aclose() for _ in range(3)))
        assert not engine.running_now

    run_virtual(scene)


def test_a_failure_comes_out_of_aclose() -> None:
    async def scene() -> None:
        engine = ScriptedEngine()
        engine.cannot_load = EngineError("no such model")
        pipeline = pushed(engine)
        await pipeline.start()
        await feed_all(pipeline)
        assert finals([event async for event in pipeline.events()]) == []
        with pytest.raises(vivavoce.EngineError, match="no such model"):
            await pipeline.aclose()

    run_virtual(scene)


def test_a_start_that_is_cancelled_leaves_nothing_behind() -> None:
    class Slow(vivavoce.Actor[Any, Any]):
        name = "slow"

        async def on_start(self) -> None:
            await asyncio.sleep(1_000)

    async def scene() -> None:
        pipeline = pushed()
        pipeline.insert(Slow(), after="cleanup")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pipeline.start(), 1)
        assert len(asyncio.all_tasks()) == 1

    run_virtual(scene)


def test_what_became_of_it_can_be_read_when_the_loop_has_ended() -> None:
    async def scene() -> vivavoce.Pipeline:
        async with pushed() as pipeline:
            await feed_all(pipeline)
            await pipeline.wait()
        await asyncio.sleep(100)
        return pipeline

    pipeline = run_virtual(scene)
    statistics = pipeline.statistics()
    assert statistics.ledger.pending == 0
    assert 0 < statistics.elapsed_s < 50, "a stream that has ended takes no more time"
    assert "captured" in pipeline.report()


@pytest.mark.parametrize("mode", ["voice", "toggle", "hold"])
def test_what_is_asked_of_the_trigger_after_the_end_changes_nothing(mode: str) -> None:
    async def scene() -> None:
        async with pushed(overrides=[f"trigger.mode={mode}"]) as pipeline:
            trigger = pipeline.trigger
            pipeline.end()
            await pipeline.wait()
            for command in (trigger.stop, trigger.cancel, trigger.start, trigger.toggle):
                command()
                assert not trigger.recording
            trigger.force_mode("voice")
            assert not trigger.recording

    run_virtual(scene)


# -- used wrongly


def test_a_pipeline_lives_once() -> None:
    async def scene() -> None:
        pipeline = pushed()
        async with pipeline:
            with pytest.raises(vivavoce.PipelineStateError, match="runs already"):
                await pipeline.start()
            with pytest.raises(vivavoce.PipelineStateError, match="insert an actor"):
                pipeline.insert(vivavoce.Actor("late"), after="cleanup")
        with pytest.raises(vivavoce.PipelineStateError, match="has ended"):
            async with pipeline:
                pass

    run_virtual(scene)


def test_what_needs_a_running_pipeline_says_so() -> None:
    async def scene() -> None:
        pipeline = pushed(follow_profile=True)
        for early in (pipeline.ready, lambda: pipeline.use_profile("meeting")):
            with pytest.raises(vivavoce.PipelineStateError, match="not been entered"):
                await early()
        async with pipeline:
            pipeline.end()
            with pytest.raises(vivavoce.ChannelClosed, match="takes no more"):
                await pipeline.feed(UTTERANCE)
        for late in (pipeline.ready, lambda: pipeline.use_profile("meeting")):
            with pytest.raises(vivavoce.PipelineStateError, match="has ended"):
                await late()
        assert pipeline.profile_name == "captions"

    run_virtual(scene)


def test_a_profile_switched_while_it_starts_and_while_it_stops() -> None:
    async def scene() -> None:
        pipeline = pushed(ScriptedEngine(exact_s=3.0), follow_profile=True)
        starting = asyncio.create_task(pipeline.start())
        await asyncio.sleep(0)
        await pipeline.use_profile("meeting")
        assert pipeline.profile_name == "meeting"
        await starting
        await pipeline.feed(UTTERANCE)
        closing = asyncio.create_task(pipeline.aclose())
        await asyncio.sleep(0)
        with pytest.raises(vivavoce.PipelineStateError, match="has ended"):
            await pipeline.use_profile("captions")
        await closing
        assert pipeline.profile_name == "meeting"

    run_virtual(scene)


def test_under_trio_it_says_that_it_needs_asyncio() -> None:
    entering = pushed().__aenter__()
    with pytest.raises(vivavoce.PipelineStateError, match="asyncio"):
        entering.send(None)  # as any loop does that is not asyncio's


# -- found by a reader


async def ended(pipeline: vivavoce.Pipeline, times: int = 1) -> tuple[list[Any], Exception | None]:
    """Feed, leave, and say what came and what was raised."""
    events: list[Any] = []

    async def body(_: vivavoce.Pipeline) -> None:
        await feed_all(pipeline, times)
        events.extend([event async for event in pipeline.events()])

    _, raised = await leaving_takes(pipeline, body)
    assert raised is None or isinstance(raised, Exception)
    return events, raised


def test_who_waits_for_a_slow_engine_is_not_given_up() -> None:
    async def scene() -> None:
        overrides = [
            "transcription.max_pending=1",
            "transcription.overload_ladder=false",
            "transcription.partials=false",
        ]
        pipeline = pushed(ScriptedEngine(exact_s=40), overrides=overrides)

        async def body(_: vivavoce.Pipeline) -> None:
            feeding = asyncio.create_task(feed_all(pipeline, 12))
            await asyncio.sleep(30)
            feeding.cancel()

        _, raised = await leaving_takes(pipeline, body)
        assert raised is None
        assert pipeline.statistics().ledger.pending == 0

    run_virtual(scene)


@pytest.mark.parametrize("where", ["message", "ask"])
def test_something_cancelled_that_an_actor_awaits_is_a_failure_like_any_other(where: str) -> None:
    class Fragile(vivavoce.Actor[Any, Any]):
        name = "fragile"
        failed = False

        async def fail(self) -> None:
            self.failed = True
            gone = asyncio.get_running_loop().create_future()
            gone.cancel()
            await gone

        async def on_message(self, message: Any) -> None:
            if where == "message" and not self.failed:
                await self.fail()
            await self.emit(message)

        async def on_ask(self, question: Any) -> Any:
            await self.fail()

    async def scene() -> None:
        pipeline = pushed()
        handle = pipeline.insert(Fragile(), after="cleanup")
        if where == "ask":
            async with pipeline:
                with pytest.raises(RuntimeError, match="had been cancelled"):
                    await handle.ask("anything")
                await feed_all(pipeline)
                events = [event async for event in pipeline.events()]
        else:
            events, raised = await ended(pipeline)
            assert raised is None
        assert any(finals(events))
        assert isinstance(events[-1], vivavoce.EndOfStream)

    run_virtual(scene)


def test_an_actor_that_never_takes_anything_is_named_and_left() -> None:
    class Deaf(vivavoce.Actor[Any, Any]):
        name = "deafling"

        async def run(self) -> None:
            await asyncio.Event().wait()

    async def scene() -> None:
        pipeline = pushed()
        pipeline.add_sink(Deaf())

        async def body(_: vivavoce.Pipeline) -> None:
            await pipeline.feed(UTTERANCE)
            await asyncio.sleep(5)

        took, raised = await leaving_takes(pipeline, body)
        assert took < LONGEST_S
        assert isinstance(raised, vivavoce.ActorFailed)
        assert "deafling" in str(raised)

    run_virtual(scene)


def test_a_task_that_reads_the_events_gets_those_that_come_while_it_is_closed() -> None:
    async def scene() -> None:
        pipeline = pushed()
        await pipeline.start()

        async def read() -> list[Any]:
            return [event async for event in pipeline.events()]

        reading = asyncio.create_task(read())
        await pipeline.feed(UTTERANCE)
        await pipeline.aclose()
        assert any(finals(await reading))

    run_virtual(scene)


def test_questions_that_nobody_waits_for_any_more_leave_no_trace() -> None:
    class Busy(vivavoce.Actor[Any, Any]):
        name = "busy"

        async def on_message(self, message: Any) -> None:
            await asyncio.sleep(600)
            await self.emit(message)

        async def on_ask(self, question: Any) -> Any:
            return question

    async def scene() -> None:
        pipeline = pushed(follow_profile=True)
        handle = pipeline.insert(Busy(), after="cleanup")
        async with pipeline:
            feeding = asyncio.create_task(feed_all(pipeline))
            await asyncio.sleep(20)
            for _ in range(400):
                with pytest.raises(TimeoutError):
                    await handle.ask("still there?", timeout=0.1)
            await pipeline.use_profile("meeting")
            assert pipeline.profile_name == "meeting"
            await feeding
            await pipeline.wait()

    run_virtual(scene)


def test_who_stops_waiting_for_a_change_of_profile_leaves_it_whole() -> None:
    class Slow(vivavoce.Actor[Any, Any]):
        name = "slow"

        async def on_profile(self, profile: vivavoce.Profile) -> None:
            await asyncio.sleep(3)

    async def scene() -> None:
        pipeline = pushed(follow_profile=True)
        pipeline.add_sink(Slow())
        async with pipeline:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pipeline.use_profile("meeting"), 0.5)
            await asyncio.sleep(5)
            assert pipeline.profile_name == "meeting"
            meeting = vivavoce.load_profile("meeting", environ={}, overrides=())
            assert pipeline.profile.description == meeting.description

    run_virtual(scene)


def test_a_stop_that_fails_for_good_loses_nothing_that_was_said() -> None:
    class Bad(vivavoce.Actor[Any, Any]):
        name = "bad"

        async def on_message(self, message: Any) -> None:
            await self.emit(message)

        async def on_stop(self) -> None:
            raise vivavoce.SourceError("cannot let go")

    async def scene() -> None:
        pipeline = pushed()
        pipeline.insert(Bad(), after="capture")
        events, raised = await ended(pipeline)
        assert isinstance(raised, vivavoce.SourceError)
        assert any(finals(events))
        assert pipeline.statistics().ledger.pending == 0

    run_virtual(scene)


def test_a_failure_to_set_aside_is_one_error_of_ours() -> None:
    class Bad(vivavoce.Actor[Any, Any]):
        name = "bad"

        async def on_message(self, message: Any) -> None:
            raise ValueError("no good")

        async def on_set_aside(self, message: Any) -> None:
            raise KeyError("neither")

    async def scene() -> None:
        pipeline = pushed()
        pipeline.insert(Bad(), after="cleanup")
        _, raised = await ended(pipeline)
        assert isinstance(raised, vivavoce.ActorFailed)
        assert "setting a message aside" in str(raised)

    run_virtual(scene)


def test_a_body_that_swallows_its_cancellation_owes_none() -> None:
    async def scene() -> None:
        engine = ScriptedEngine()
        engine.cannot_load = EngineError("no such model")

        async def body(pipeline: vivavoce.Pipeline) -> None:
            await pipeline.feed(UTTERANCE)
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(100)

        _, raised = await leaving_takes(pushed(engine), body)
        assert isinstance(raised, vivavoce.EngineError)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run_virtual(scene)


def test_a_cancel_right_behind_a_stop_discards() -> None:
    async def scene() -> None:
        async with pushed(overrides=["trigger.mode=manual"]) as pipeline:
            pipeline.trigger.start()
            pipeline.trigger.stop()
            pipeline.trigger.cancel()
            await feed_all(pipeline)
            events = [event async for event in pipeline.events()]
        assert not any(finals(events))

    run_virtual(scene)
