"""What goes on behind a text that was typed fails: it is told at once, and nothing waits for it."""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import Sequence

import pytest
from support.injecting import EDITOR, Board, FixedFocus, Paper, final, focused, profile

from vivavoce.actors.injection import lending as lending_module
from vivavoce.actors.injection.actor import InjectionActor
from vivavoce.actors.injection.back_end import DONE, Content, Manner, Report
from vivavoce.actors.injection.clipboard import ClipboardPaste
from vivavoce.actors.injection.keymap import SpareKeys
from vivavoce.actors.injection.lending import Lending
from vivavoce.actors.injection.outfit import Outfit
from vivavoce.actors.injection.worker import Worker
from vivavoce.actors.transcription.focus_notes import FocusNotes
from vivavoce.config.cell import ProfileCell
from vivavoce.config.injection import InjectionSettings
from vivavoce.config.schema import LogSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.log import LogSink, use_sink
from vivavoce.pipeline.messages import Focus


@pytest.fixture
def logged() -> io.StringIO:
    stream = io.StringIO()
    use_sink(LogSink(LogSettings, stream))
    return stream


class GarbledKeys(SpareKeys):
    """The keys of an X server that answers with what nobody understands."""

    def stretches(self, text: str) -> tuple[list[str], set[str]]:
        return [text], set()

    def lend(self, needed: Sequence[str], now: float) -> float:
        return 0.0

    def give_back(self) -> None:
        raise struct.error("unpack requires a buffer of 32 bytes")


async def typed(piece: str, within_s: float) -> Report:
    return DONE


async def test_lent_keys_that_cannot_be_given_back_are_told(
    logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending_module, "_BACK_AFTER_S", 0.0)
    lending = Lending(":0", "xdotool")
    lending.keys = GarbledKeys(":0")
    assert (await lending.typed("text", typed, 1.0)).done
    async with asyncio.timeout(10):
        while not logged.getvalue():
            await asyncio.sleep(0.01)
    (line,) = logged.getvalue().splitlines()
    assert "error: injection: giving lent keys back failed" in line
    assert "unpack requires a buffer" in line
    with pytest.raises(struct.error):
        await lending.close()
    assert (
        await lending.worker.do(lambda: "the next call has a thread")
        == "the next call has a thread"
    )
    lending.worker.close()


class RestlessBoard(Board):
    """A clipboard whose tool fails in a new way, once it has been pasted from."""

    fails = False

    async def get(self) -> Content | None:
        if self.fails:
            raise UnicodeError("half a character")
        return await super().get()


def test_a_clipboard_that_cannot_be_restored_is_told(logged: io.StringIO) -> None:
    async def main() -> None:
        board = RestlessBoard("before")
        paste = ClipboardPaste(board, [Paper()], InjectionSettings(restore_clipboard_ms=500))
        assert await paste.available() is None
        assert (await paste.type("text", Manner())).done
        board.fails = True
        await asyncio.sleep(0.6)
        assert logged.getvalue() == (
            "vivavoce: error: injection: restoring the clipboard failed "
            "(error='UnicodeError: half a character')\n"
        )
        board.fails = False
        assert (await paste.type("more", Manner())).done, "the next text is pasted all the same"
        await asyncio.sleep(0.6)
        await paste.close()

    run_virtual(main)


def test_held_texts_that_cannot_be_typed_are_told_before_anything_else_is_said(
    logged: io.StringIO,
) -> None:
    async def main() -> None:
        paper, probe = Paper(), FixedFocus(Focus(window="8", application="Other"))
        paper.plan = [RuntimeError("a fault")]
        actor = InjectionActor(
            lambda settings: Outfit([paper], Board()),
            report=lambda delivery: None,
            probe=probe,
            context=ActorContext(
                settings=ProfileCell(profile({"backend": "auto", "focus_moved": "hold"}))
            ),
        )
        notes = FocusNotes()
        notes.note(10, EDITOR)
        await actor.deliver(focused(final(1, "One."), notes))
        probe.answer = EDITOR
        await asyncio.sleep(1)
        assert logged.getvalue() == (
            "vivavoce: error: injection: typing held texts failed (error='RuntimeError: a fault')\n"
        )

    run_virtual(main)


async def test_a_call_that_would_end_the_thread_does_not() -> None:
    worker = Worker()

    def ends() -> None:
        raise SystemExit(3)

    with pytest.raises(RuntimeError, match="SystemExit"):
        await worker.do(ends)
    async with asyncio.timeout(10):
        assert await worker.do(lambda: "still there") == "still there"
    worker.close()
