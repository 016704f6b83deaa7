"""What the speaker cancels is never decoded to its end, and is told as a gap in its place."""

import asyncio

from support.scene import Scene, play

from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import EndReason, Final, Gap, GapReason, RecordingEnded
from vivavoce.testing import ScriptedEngine


def test_a_cancelled_utterance_becomes_a_gap_between_the_finals_around_it() -> None:
    engine = ScriptedEngine(exact_s=0.5)

    async def script(scene: Scene) -> None:
        await scene.utterance(1)
        await scene.begin()
        await scene.say(2)
        await scene.pause()  # the decoding is begun in the pause
        await asyncio.sleep(0.6)
        await scene.end(EndReason.CANCELLED)
        await scene.inbox.send(RecordingEnded(start=0, end=scene.at, cancelled=True))
        await scene.utterance(1)

    scene = Scene(engine, partials=False)
    events = play(scene, script)
    kinds = [type(event) for event in events]
    assert kinds[:4] == [Final, Gap, RecordingEnded, Final]
    gap = events[1]
    assert (gap.start, gap.end, gap.reason) == (RATE, 3 * RATE, GapReason.CANCELLED)
    assert engine.cancelled == [("exact", 3 * RATE)]
    summary = scene.context.ledger.summary()
    assert (summary.transcribed, summary.dropped, summary.pending) == (2 * RATE, 2 * RATE, 0)
    assert not engine.sessions, "every session is closed"


def test_what_was_final_before_the_cancel_stays() -> None:
    """A long recording gives finals while it goes on; a cancel discards what is not final yet."""
    engine = ScriptedEngine(exact_s=0.2)

    async def script(scene: Scene) -> None:
        await scene.begin()
        await scene.say(40)
        await scene.end(EndReason.CANCELLED)

    scene = Scene(engine)
    events = play(scene, script)
    said = [event for event in events if isinstance(event, Final)]
    gaps = [event for event in events if isinstance(event, Gap)]
    assert said
    assert len(gaps) == 1
    assert gaps[0].start == said[-1].end
    assert gaps[0].end == 40 * RATE
    assert scene.context.ledger.summary().pending == 0
