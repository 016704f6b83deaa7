"""Recordings at maximum pace: parts side by side, finals in order; and no more than fit."""

import asyncio
import random

import pytest
from support.scene import Scene, expected_text, finals, play

from vivavoce.pipeline.mailbox import Mailbox
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import (
    EndOfStream,
    Final,
    Gap,
    GapReason,
    PowerChanged,
    PowerMode,
    SpeechAudio,
    SpeechEnded,
    SpeechStarted,
)
from vivavoce.testing import ScriptedEngine

AHEAD = {"ahead": True, "partials": False, "overload_ladder": False}


class Recording(Scene):
    """Speech as fast as it is taken: a second of it in one message."""

    def __init__(self, engine: ScriptedEngine, **settings) -> None:
        super().__init__(engine, **{**AHEAD, **settings})
        self.actor.inbox = Mailbox(4)
        self.most_waiting = 0

    async def hurry(self, seconds: int) -> None:
        await self.begin()
        for _ in range(seconds):
            self.context.ledger.capture(self.at + RATE)
            await self.inbox.send(
                SpeechAudio(utterance=self.number, start=self.at, pcm=self.sound(self.at, RATE))
            )
            self.at += RATE
            self.most_waiting = max(self.most_waiting, self.actor._backlog.waiting)
        await self.end()


@pytest.mark.parametrize("seed", range(4))
def test_finals_come_in_order_though_later_ones_are_ready_first(seed: int) -> None:
    lengths = list(range(1, 25))
    random.Random(seed).shuffle(lengths)
    chance = random.Random(seed + 100)
    costs = {seconds * RATE: chance.uniform(0.1, 5.0) for seconds in lengths}

    async def script(scene: Recording) -> None:
        for seconds in lengths:
            await scene.hurry(seconds)

    engine = ScriptedEngine(side_by_side=4, costs_of=costs)
    scene = Recording(engine, side_by_side=4)
    said = finals(play(scene, script))
    assert [(f.end - f.start) // RATE for f in said] == lengths
    assert [f.utterance for f in said] == list(range(1, 25))
    assert [f.text for f in said] == [expected_text(f.start, f.end) for f in said]
    assert sorted(engine.done) != engine.done, "not the order of readiness"
    assert engine.most_exacts == 4
    assert sorted(engine.done) == [("exact", final.end) for final in said]
    took = scene.events[-1][0]
    assert took < 0.5 * sum(costs.values()), "they were decoded at the same time"
    assert scene.context.ledger.summary().pending == 0


def test_one_slow_final_does_not_hold_up_the_decoding_of_others() -> None:
    async def script(scene: Recording) -> None:
        for seconds in (5, 1, 2, 3):
            await scene.hurry(seconds)

    engine = ScriptedEngine(side_by_side=4, costs_of={5 * RATE: 3.0})
    play(Recording(engine, side_by_side=4), script)
    ends = [end // RATE for _, end in engine.done]
    assert (sorted(ends), ends[-1]) == ([5, 6, 8, 11], 5)


def test_the_sender_waits_when_too_many_wait_for_their_final() -> None:
    async def script(scene: Recording) -> None:
        for _ in range(30):
            await scene.hurry(1)

    scene = Recording(ScriptedEngine(side_by_side=4, exact_s=2.0), side_by_side=4, max_pending=2)
    assert len(finals(play(scene, script))) == 30
    assert scene.most_waiting == 5, "as many as are decoded at once, and one more"


def test_an_engine_that_dies_under_several_finals_costs_a_delay_only() -> None:
    async def script(scene: Recording) -> None:
        for seconds in (2, 1, 3, 1, 2, 1):
            await scene.hurry(seconds)

    engine = ScriptedEngine(side_by_side=4)
    engine.dies_at = ["exact"] * 2
    scene = Recording(engine, side_by_side=4)
    said = finals(play(scene, script))
    assert [f.text for f in said] == [expected_text(f.start, f.end) for f in said]
    assert len(said) == 6
    assert scene.context.ledger.summary().pending == 0


def test_an_utterance_that_cannot_be_decoded_is_a_gap_in_its_place() -> None:
    async def script(scene: Recording) -> None:
        for seconds in (2, 7, 3):
            await scene.hurry(seconds)

    class Refuses(ScriptedEngine):
        async def exact(self, session, end, *, cheap=False, language=None):
            if end == 9 * RATE:
                self.errors_at.append("exact")
                self.costs_of[7 * RATE] = 0.0
            return await super().exact(session, end, cheap=cheap, language=language)

    events = play(Recording(Refuses(side_by_side=4, exact_s=1.0), side_by_side=4), script)
    assert [type(event) for event in events] == [Final, Gap, Final, EndOfStream]
    assert (events[1].start, events[1].end) == (2 * RATE, 9 * RATE)


@pytest.mark.parametrize("while_it_starts", [True, False])
def test_many_events_between_utterances_do_not_stop_the_intake(while_it_starts: bool) -> None:
    async def script(scene: Recording) -> None:
        if not while_it_starts:
            await scene.silence(2.0)
        scene.context.stream.start()
        async with asyncio.timeout(60):
            for _ in range(10):
                await scene.inbox.send(Gap(start=0, end=0, reason=GapReason.OVERRUN))
                await scene.inbox.send(PowerChanged(mode=PowerMode.LISTENING))
            await scene.hurry(1)

    scene = Recording(ScriptedEngine(), max_pending=2)
    events = play(scene, script)
    assert [type(event) for event in events] == [Gap, PowerChanged] * 10 + [Final, EndOfStream]


def test_what_is_behind_an_utterance_waits_for_its_final() -> None:
    async def script(scene: Recording) -> None:
        await scene.hurry(1)
        await scene.inbox.send(PowerChanged(mode=PowerMode.IDLE))
        await scene.hurry(2)

    engine = ScriptedEngine(side_by_side=2, costs_of={RATE: 5.0})
    events = play(Recording(engine, side_by_side=2), script)
    assert [type(event) for event in events] == [Final, PowerChanged, Final, EndOfStream]


def test_a_stream_that_ends_inside_an_utterance_is_an_error_and_not_a_hang() -> None:
    async def script(scene: Recording) -> None:
        await scene.begin()
        scene.context.ledger.capture(RATE)
        await scene.inbox.send(SpeechAudio(utterance=1, start=0, pcm=scene.sound(0, RATE)))

    with pytest.raises(BaseExceptionGroup) as failed:
        play(Recording(ScriptedEngine()), script)
    assert "ended inside speech at 0" in str(failed.value.exceptions[0])


def test_the_intake_refuses_what_belongs_to_no_stretch() -> None:
    scene = Recording(ScriptedEngine())
    scene.actor._backlog.take(SpeechStarted(utterance=1, start=0, at=0), 0.0)
    with pytest.raises(ValueError, match="not open"):
        scene.actor._backlog.take(SpeechEnded(utterance=2, start=0, end=1, at=1, reason="gap"), 0.0)
