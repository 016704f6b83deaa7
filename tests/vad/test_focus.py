"""Where speech goes: asked for where it begins and goes on after a pause, and told in order."""

import asyncio

import numpy as np

from vivavoce.actors.transcription.focus_notes import FocusNotes
from vivavoce.actors.vad import VadActor
from vivavoce.config.schema import VadSettings
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import (
    AudioBlock,
    Focus,
    Speech,
    SpeechFocused,
    SpeechResumed,
    SpeechStarted,
)

FRAME = 512
SPOKEN, PAUSE, QUIET = 20, 20, 60  # frames: speech, a pause in it, a silence that ends it


class Loud:
    """Loud is speech."""

    def probability(self, pcm: np.ndarray) -> float:
        return 0.9 if np.abs(pcm.astype(int)).mean() > 1_000 else 0.0

    def reset(self) -> None: ...


class SlowDesktop:
    """Answers take their time; each names the window that was focused when it was asked."""

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


class Watched:
    """A running VAD that is told what is heard."""

    def __init__(self, desktop: SlowDesktop) -> None:
        self.actor = VadActor(VadSettings(gate=False), Loud, ask_focus=desktop.focus)
        self.out: Channel[Speech] = Channel(10_000)
        self.actor.send_to(self.out)
        self.at = 0

    async def __aenter__(self) -> "Watched":
        await self.actor.on_start()
        self.running = asyncio.create_task(self.actor.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.actor.inbox.close()
        await self.running
        await self.actor.on_stop()

    async def utterance(self) -> None:
        await self.hear([8_000] * SPOKEN + [0] * QUIET)

    async def hear(self, levels: list[int]) -> None:
        for level in levels:
            pcm = np.full(FRAME, level, np.int16)
            self.actor.context.ledger.capture(self.at + FRAME)
            await self.actor.inbox.send(AudioBlock(start=self.at, pcm=pcm))
            self.at += FRAME
        while len(self.actor.inbox):
            await asyncio.sleep(0)

    def told(self) -> list[str | None]:
        """The window of each utterance, and of what follows each pause in it, as transcription
        knows it in the end."""
        notes, begins = FocusNotes(), []
        for _ in range(len(self.out)):
            message = self.out.receive_nowait()
            if isinstance(message, SpeechStarted | SpeechResumed):
                at = message.start if isinstance(message, SpeechStarted) else message.at
                begins.append(at)
                notes.note(at, None)
            elif isinstance(message, SpeechFocused):
                assert message.start in begins, "told before the utterance began"
                notes.note(message.start, message.focus)
        found = [notes.before(begin + 1) for begin in begins]
        return [None if focus is None else focus.window for focus in found]


def test_each_utterance_has_the_window_in_which_it_began() -> None:
    async def scene() -> None:
        desktop = SlowDesktop(0.01)
        async with Watched(desktop) as watched:
            for window in ["first", "second", None, "fourth"]:
                desktop.window = window
                await watched.utterance()
                await asyncio.sleep(1.0)
            assert watched.told() == ["first", "second", None, "fourth"]
            assert desktop.asked == 4

    run_virtual(scene)


def test_what_follows_a_pause_goes_to_the_window_that_has_the_focus_then() -> None:
    async def scene() -> None:
        desktop = SlowDesktop(0.01)
        async with Watched(desktop) as watched:
            for window in ["first", "second", "third"]:
                desktop.window = window
                await watched.hear([8_000] * SPOKEN + [0] * PAUSE)
                await asyncio.sleep(1.0)
            assert watched.told() == ["first", "second", "third"]
            assert desktop.asked == 3

    run_virtual(scene)


def test_nothing_waits_for_a_desktop_that_thinks() -> None:
    async def scene() -> None:
        desktop = SlowDesktop(60.0)
        async with Watched(desktop) as watched:
            await watched.utterance()
            assert asyncio.get_running_loop().time() == 0.0
            assert watched.told() == [None]
        assert asyncio.get_running_loop().time() == 0.0
        assert desktop.cancelled

    run_virtual(scene)


def test_a_slow_desktop_is_asked_once_at_a_time_and_last_for_the_last() -> None:
    async def scene() -> None:
        desktop = SlowDesktop(5.0)
        async with Watched(desktop) as watched:
            for number in range(10):
                await watched.utterance()
                desktop.window = f"after {number}"
            await asyncio.sleep(20)
            assert desktop.asked == 2
            assert watched.told() == ["first", *[None] * 8, "after 9"]

    run_virtual(scene)


def test_after_a_restart_it_goes_on() -> None:
    async def scene() -> None:
        desktop = SlowDesktop(0.01)
        async with Watched(desktop) as watched:
            await watched.utterance()
            await watched.actor.on_restart(RuntimeError("a fault"))
            desktop.window = "second"
            await watched.utterance()
            await asyncio.sleep(1)
            assert watched.told()[-1] == "second"

    run_virtual(scene)
