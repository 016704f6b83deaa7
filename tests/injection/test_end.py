"""The run ends while texts wait: each is told within the supervisor's grace, whatever hangs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.injecting import EDITOR, Board, FixedFocus, Paper, final, focused, profile, started

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.injection.actor import InjectionActor
from vivavoce.actors.injection.back_end import Content, Manner, Report
from vivavoce.actors.injection.outfit import Outfit
from vivavoce.actors.transcription.focus_notes import FocusNotes
from vivavoce.config.cell import ProfileCell
from vivavoce.config.schema import SupervisorSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import Focus
from vivavoce.pipeline.supervisor import Supervisor

OTHER = Focus(window="8", application="Other")
GRACE_S = 5.0
SETTLED = {Outcome.TYPED, Outcome.COPIED, Outcome.FAILED}


async def for_ever(*, resisting: bool) -> None:
    """Hang for an hour; ``resisting`` even when cancelled, as what the kernel does not let go."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + 3_600
    while (left := ends - loop.time()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            if not resisting:
                raise


class HangingPaper(Paper):
    """Hangs where it is told to: at ``type``, at ``available``, at ``close``."""

    def __init__(self, *where: str, resisting: bool = False) -> None:
        super().__init__()
        self.where = set(where)
        self._resisting = resisting

    async def _perhaps(self, here: str) -> None:
        if here in self.where:
            await for_ever(resisting=self._resisting)

    async def available(self) -> str | None:
        await self._perhaps("available")
        return None

    async def type(self, text: str, manner: Manner) -> Report:
        await self._perhaps("type")
        return await super().type(text, manner)

    async def close(self) -> None:
        await self._perhaps("close")


class HangingBoard(Board):
    """A clipboard that hangs where it is told to, or raises."""

    def __init__(self, *where: str, resisting: bool = False) -> None:
        super().__init__()
        self.where = set(where)
        self.sets = 0
        self._resisting = resisting

    async def get(self) -> Content | None:
        if "get" in self.where:
            await for_ever(resisting=self._resisting)
        return await super().get()

    async def set(self, text: str) -> Report:
        self.sets += 1
        await asyncio.sleep(0.05)  # as xclip takes
        if "set" in self.where:
            await for_ever(resisting=self._resisting)
        if "raise" in self.where:
            raise RuntimeError("a fault")
        return await super().set(text)


class HangingFocus(FixedFocus):
    """A probe that hangs when it is told to."""

    hangs = False

    async def focus(self) -> Focus | None:
        if self.hangs:
            await for_ever(resisting=False)
        return await super().focus()


class Run:
    """The injection actor under the real supervisor, cut off as a failure elsewhere would."""

    def __init__(
        self,
        paper: HangingPaper,
        board: HangingBoard,
        *,
        report: Callable[[Delivery], None] | None = None,
        revisions_follow: bool = False,
        **injection: Any,
    ) -> None:
        self.paper, self.board = paper, board
        self.probe = HangingFocus(EDITOR)
        self.deliveries: list[Delivery] = []
        holds = profile(
            {"backend": "auto", **injection},
            trigger={"mode": "hold", "hotkey": "f9"},
            transcription={"draft": "tiny"} if revisions_follow else {},
        )
        self.context = ActorContext(settings=ProfileCell(holds))
        self.notes = FocusNotes()
        self._report = report
        outfit = Outfit([paper], board, close=[paper.close])
        self.actor = InjectionActor(
            lambda settings: outfit,
            report=self._tell,
            probe=self.probe,
            context=self.context,
        )
        self.inbox = self.actor.inbox
        supervisor = Supervisor(SupervisorSettings(), self.context)
        supervisor.add(self.actor)
        self._running = asyncio.create_task(supervisor.run())

    def _tell(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self._report is not None:
            self._report(delivery)

    async def say(self, *messages: Any) -> None:
        for message in messages:
            await self.inbox.send(focused(message, self.notes))
        await asyncio.sleep(1)

    async def cut_off(self) -> dict[int, Delivery]:
        """End the run; what became of each text last."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running
        assert loop.time() - began <= GRACE_S
        # What resists goes on behind the end; that it does, changes nothing any more.
        told = len(self.deliveries)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.1)
        assert len(self.deliveries) == told
        return {delivery.utterance: delivery for delivery in self.deliveries}


async def all_kinds(run: Run) -> set[int]:
    """Have a text held for its window, several until the release, and one in the inbox."""
    run.notes.note(10, EDITOR)
    run.probe.answer = OTHER
    await run.say(final(1, "Held."), started(held=True))
    run.notes.note(2_000, OTHER)
    await run.say(final(2, "Buffered."), final(3, "Also."))
    run.inbox.send_nowait(final(4, "On its way."))
    return {1, 2, 3, 4}


HANGS = [
    (),
    ("focus",),
    ("get",),
    ("set",),
    ("raise",),
    ("close",),
    ("focus", "set"),
    ("focus", "get", "set", "close"),
]


@pytest.mark.parametrize("resisting", [False, True])
@pytest.mark.parametrize("where", HANGS, ids="+".join)
def test_each_text_that_waits_is_told_in_time(where: tuple[str, ...], resisting: bool) -> None:
    async def main() -> None:
        paper = HangingPaper(*where, resisting=resisting)
        run = Run(paper, HangingBoard(resisting=resisting), focus_moved="hold")
        waiting = await all_kinds(run)
        run.probe.hangs = "focus" in where
        run.board.where = set(where)
        told = await run.cut_off()
        assert set(told) == waiting
        if {"get", "set", "raise"}.isdisjoint(where):
            assert {each.outcome for each in told.values()} == {Outcome.COPIED}
            assert run.board.text == "Held. Buffered. Also. On its way."
        else:
            assert {each.outcome for each in told.values()} == {Outcome.FAILED}
        assert all("the run ended before" in each.reason for each in told.values())

    run_virtual(main)


@pytest.mark.parametrize("where", ["type", "available"])
def test_a_text_in_hand_and_those_behind_it(where: str) -> None:
    async def main() -> None:
        run = Run(HangingPaper(where), HangingBoard(), deliver="at_once")
        await run.say(final(1, "In hand."), final(2, "Behind it."), final(3, "Far behind."))
        told = await run.cut_off()
        assert {each.outcome for each in told.values()} == {Outcome.COPIED}
        assert set(told) == {1, 2, 3}
        assert run.board.text == "In hand. Behind it. Far behind."
        assert "part of it may be typed" in told[1].reason
        assert "the run ended before it was typed" in told[2].reason

    run_virtual(main)


def test_a_text_that_waits_for_its_revision() -> None:
    async def main() -> None:
        run = Run(HangingPaper(), HangingBoard("set"), revisions_follow=True)
        await run.say(final(1, "Rough."), final(2, "Also rough."))
        assert run.deliveries == []
        told = await run.cut_off()
        assert {each.outcome for each in told.values()} == {Outcome.FAILED}
        assert set(told) == {1, 2}

    run_virtual(main)


@pytest.mark.parametrize("resisting", [False, True])
def test_a_held_text_that_is_being_typed_when_it_ends(resisting: bool) -> None:
    async def main() -> None:
        run = Run(
            HangingPaper("type", resisting=resisting), HangingBoard("get"), focus_moved="hold"
        )
        run.notes.note(10, EDITOR)
        run.probe.answer = OTHER
        await run.say(final(1, "One."), final(2, "Two."))
        run.probe.answer = EDITOR
        await asyncio.sleep(1)  # the watch types the first, and hangs
        run.inbox.send_nowait(final(3, "Three."))
        await asyncio.sleep(0.1)  # it is taken, and waits for its turn
        told = await run.cut_off()
        assert {number: each.outcome for number, each in told.items()} == {
            1: Outcome.FAILED,
            2: Outcome.FAILED,
            3: Outcome.FAILED,
        }
        assert "part of it may be typed" in told[1].reason

    run_virtual(main)


def test_hundreds_of_texts_are_copied_in_one_go() -> None:
    async def main() -> None:
        run = Run(HangingPaper(), HangingBoard())
        await run.say(started(held=True), *(final(n, f"Text {n}.") for n in range(1, 251)))
        told = await run.cut_off()
        assert {each.outcome for each in told.values()} == {Outcome.COPIED}
        assert len(told) == 250
        assert run.board.text == " ".join(f"Text {n}." for n in range(1, 251))
        assert run.board.sets == 1

    run_virtual(main)


def test_a_back_end_that_cannot_be_closed_keeps_no_other_open() -> None:
    async def main() -> None:
        closed: list[str] = []

        class Broken(Paper):
            async def close(self) -> None:
                raise OSError("the X server went away")

        async def close() -> None:
            closed.append("the other")

        made = Outfit([Broken()], Board(), close=[Broken().close, close])
        actor = InjectionActor(
            lambda settings: made,
            report=lambda delivery: None,
            probe=FixedFocus(EDITOR),
            context=ActorContext(settings=ProfileCell(profile({"backend": "auto"}))),
        )
        await actor.deliver(final(1, "One."))
        await actor.on_stop()
        assert closed == ["the other"]

    run_virtual(main)


async def test_what_could_not_be_copied_is_in_the_history_as_failed(tmp_path: Path) -> None:
    from vivavoce.actors.history.actor import kept
    from vivavoce.actors.history.reading import Reader
    from vivavoce.actors.history.recorder import Recorder
    from vivavoce.config.history import HistorySettings

    context = ActorContext()
    recorder = Recorder(tmp_path / "history.sqlite3", HistorySettings, context.metrics)
    await recorder.open()
    run = Run(HangingPaper(), HangingBoard("raise"), report=recorder.deliver)
    texts = [final(1, "One."), final(2, "Two.")]
    for each in texts:
        recorder.add(kept(each, wall_start=1_777_000_000.0))
    for message in (started(held=True), *texts):
        await run.inbox.send(message)
    while not run.actor.status()["pending"]:
        await asyncio.sleep(0.01)
    await run.cut_off()
    await recorder.close()
    with Reader(recorder.path) as reader:
        assert [entry.outcome for entry in reader.every()] == ["failed", "failed"]
