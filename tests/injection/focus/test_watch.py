"""The actor: nothing is held up by it, and its notes are true and in order."""

import asyncio

import numpy as np

from vivavoce.actors.injection.focus import FocusWatch
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.desktop import Focus
from vivavoce.pipeline.messages import (
    EndOfStream,
    EndReason,
    RecordingStarted,
    Speech,
    SpeechAudio,
    SpeechEnded,
    SpeechStarted,
)


class SlowDesktop:
    """A probe whose answers take their time; each names the window that was focused when asked."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.window: str | None = "first"
        self.asked = 0
        self.cancelled = False

    async def focus(self) -> Focus | None:
        self.asked += 1
        window = self.window
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return None if window is None else Focus(window=window, application="app")


def started(utterance: int, start: int) -> SpeechStarted:
    return SpeechStarted(utterance=utterance, start=start, at=start + 512)


class Watched:
    """A running watch between two channels."""

    def __init__(self, probe: SlowDesktop) -> None:
        self.inbox: Channel[Speech] = Channel(64)
        self.outbox: Channel[Speech] = Channel(64)
        self.context = ActorContext()
        self.actor = FocusWatch(probe)
        self.actor.attach(self.inbox, self.outbox, self.context)
        self.running = asyncio.create_task(self.actor.run())

    def noted(self, sample: int) -> str | None:
        focus = self.context.focus.before(sample)
        return focus.window if focus else None

    async def stop(self) -> None:
        self.inbox.close()
        await self.running
        await self.actor.on_stop()


def test_everything_passes_at_once_and_in_order_while_the_desktop_thinks() -> None:
    async def scene() -> None:
        probe = SlowDesktop(60.0)
        watched = Watched(probe)
        messages: list[Speech] = [
            RecordingStarted(start=0),
            started(1, 100),
            SpeechAudio(utterance=1, start=100, pcm=np.zeros(512, np.int16)),
            SpeechEnded(utterance=1, start=100, end=9_000, at=9_000, reason=EndReason.SILENCE),
            started(2, 10_000),
            EndOfStream(end=20_000),
        ]
        for message in messages:
            watched.inbox.send_nowait(message)
        loop = asyncio.get_running_loop()
        assert [await watched.outbox.receive() for _ in messages] == messages
        assert loop.time() == 0.0
        await watched.stop()
        assert loop.time() == 0.0
        assert probe.cancelled

    run_virtual(scene)


def test_each_utterance_has_the_window_in_which_it_began() -> None:
    async def scene() -> None:
        probe = SlowDesktop(0.01)
        watched = Watched(probe)
        for utterance, window in enumerate(["first", "second", None, "fourth"]):
            probe.window = window
            watched.inbox.send_nowait(started(utterance, utterance * 1_000))
            await asyncio.sleep(0.001)
            probe.window = "elsewhere"
            await asyncio.sleep(1.0)
        assert watched.noted(0) is None
        assert watched.noted(500) == "first"
        assert watched.noted(1_500) == "second"
        assert watched.noted(2_500) is None, "it is not known of the third"
        assert watched.noted(3_500) == "fourth"
        assert probe.asked == 4
        await watched.stop()

    run_virtual(scene)


def test_a_slow_desktop_is_asked_once_at_a_time_and_last_for_the_last() -> None:
    async def scene() -> None:
        probe = SlowDesktop(5.0)
        watched = Watched(probe)
        for utterance in range(10):
            watched.inbox.send_nowait(started(utterance, utterance * 1_000))
            await asyncio.sleep(0.1)
            probe.window = f"after {utterance}"
        await asyncio.sleep(20)
        assert probe.asked == 2
        assert watched.noted(500) == "first"
        assert watched.noted(8_500) is None, "nobody asked for it"
        assert watched.noted(9_500) == "after 9"
        await watched.stop()

    run_virtual(scene)


def test_after_a_restart_it_goes_on() -> None:
    async def scene() -> None:
        probe = SlowDesktop(0.01)
        watched = Watched(probe)
        watched.inbox.send_nowait(started(1, 1_000))
        await asyncio.sleep(0)
        await watched.actor.on_restart(RuntimeError("a fault"))
        watched.inbox.send_nowait(started(2, 2_000))
        await asyncio.sleep(1)
        assert watched.noted(3_000) == "first"
        await watched.stop()

    run_virtual(scene)
