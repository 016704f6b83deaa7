"""The whole actor, in a real compositor: what is said ends up where it belongs."""

import asyncio
from typing import Any

import msgspec
import pytest
from support.waiting import until
from support.wayland import SwaySession

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.injection.actor import InjectionActor
from vivavoce.actors.injection.choose import make_outfit
from vivavoce.actors.injection.focus import make_probe
from vivavoce.actors.injection.tool import ToolRunner
from vivavoce.actors.injection.wayland import WaylandClipboard
from vivavoce.actors.transcription.focus_notes import FocusNotes
from vivavoce.config.cell import ProfileCell
from vivavoce.config.injection import InjectionSettings
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.mailbox import Mailbox
from vivavoce.pipeline.messages import Final, Focus

pytestmark = [pytest.mark.desktop, pytest.mark.patient]

SECOND = 16_000


class Dictation:
    """An injection actor in a session, and what it reported."""

    def __init__(self, sway: SwaySession, **injection: Any) -> None:
        holds = msgspec.convert({"injection": {"backend": "auto", **injection}}, Profile)
        self.deliveries: list[Delivery] = []
        self.context = ActorContext(settings=ProfileCell(holds))
        self.notes = FocusNotes()
        self.probe = make_probe(sway.environ)
        self._actor = InjectionActor(
            lambda settings: make_outfit(settings, sway.environ),
            report=self.deliveries.append,
            probe=self.probe,
            context=self.context,
        )
        self._inbox = self._actor.inbox = Mailbox(1_000)
        self._said = 0

    async def __aenter__(self) -> "Dictation":
        await self._actor.on_start()
        self._running = asyncio.create_task(self._actor.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._inbox.close()
        await self._running
        await self._actor.on_stop()

    def say(self, text: str) -> None:
        start = self._said * SECOND
        self._said += 1
        self._inbox.send_nowait(
            Final(
                utterance=self._said,
                start=start,
                end=start + SECOND,
                text=text,
                focus=self.notes.before(start + SECOND),
            )
        )

    async def settled(self) -> list[Outcome]:
        """What became of each utterance, when something became of all."""
        await until(
            lambda: len({each.utterance for each in self.deliveries}) == self._said,
            "not all is settled",
        )
        return [each.outcome for each in self.deliveries]


@pytest.fixture
def clipboard(tools: ToolRunner) -> WaylandClipboard:
    return WaylandClipboard(tools, InjectionSettings())


async def test_two_hundred_utterances_arrive_complete_and_in_order(sway: SwaySession) -> None:
    editor = sway.terminal()
    texts = [f"{number} ü$`" for number in range(200)]
    async with Dictation(sway) as dictation:
        for text in texts:
            dictation.say(text)
        assert await dictation.settled() == [Outcome.TYPED] * 200
    editor.wait_for(" ".join(texts))
    assert {each.back_end for each in dictation.deliveries} == {"wtype"}
    assert {each.application for each in dictation.deliveries} == {"editor"}


async def test_what_must_not_be_typed_is_not(sway: SwaySession) -> None:
    editor = sway.terminal()
    async with Dictation(sway) as dictation:
        dictation.say("one\nreboot\n\x1b[2J\x07 $(reboot) \x9b31m👍🏽")
        assert await dictation.settled() == [Outcome.TYPED]
    editor.wait_for("one reboot [2J $(reboot) 31m👍🏽")


@pytest.mark.smoke
async def test_a_window_that_lost_the_focus_gets_its_text_when_it_has_it_again(
    sway: SwaySession,
) -> None:
    editor, chat = sway.terminal("editor"), sway.terminal("chat")
    async with Dictation(sway, focus_moved="hold") as dictation:
        dictation.notes.note(0, Focus(window=editor.window, application="editor"))
        dictation.say("for the editor")  # chat has the focus by now
        assert await dictation.settled() == [Outcome.HELD]
        editor.focus()
        await asyncio.to_thread(editor.wait_for, "for the editor")
        dictation.say("and this too")
        outcomes = await dictation.settled()
        assert outcomes == [Outcome.HELD, Outcome.TYPED, Outcome.TYPED]
    editor.wait_for("for the editor and this too")
    chat.wait_for("")


async def test_where_nobody_has_the_focus_the_text_is_copied(
    sway: SwaySession, clipboard: WaylandClipboard
) -> None:
    async with Dictation(sway) as dictation:
        dictation.say("not lost")
        assert await dictation.settled() == [Outcome.COPIED]
    content = await clipboard.get()
    assert content is not None
    assert content.text == "not lost"


async def test_pasting_brings_back_what_was_copied_before(
    sway: SwaySession, clipboard: WaylandClipboard
) -> None:
    editor = sway.terminal()
    assert (await clipboard.set("precious")).done
    async with Dictation(
        sway, backend="clipboard", paste_keys="ctrl+shift+v", restore_clipboard_ms=300
    ) as dictation:
        dictation.say("pasted größe 👍🏽")
        assert await dictation.settled() == [Outcome.TYPED]
        editor.wait_for("pasted größe 👍🏽")
    content = await clipboard.get()
    assert content is not None
    assert content.text == "precious"
