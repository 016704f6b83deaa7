"""The real injection actor on a real X server, and back ends that do as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.injection.actor import InjectionActor
from vivavoce.actors.injection.back_end import DONE, Content, Manner, Report, Result
from vivavoce.actors.injection.choose import make_outfit
from vivavoce.actors.injection.outfit import Outfit
from vivavoce.actors.transcription.focus_notes import FocusNotes
from vivavoce.config.cell import ProfileCell
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.messages import (
    Final,
    Focus,
    Partial,
    RecordingEnded,
    RecordingStarted,
    Revision,
)


def profile(injection: Mapping[str, Any], **more: Any) -> Profile:
    return msgspec.convert({"injection": dict(injection), **more}, Profile)


def final(utterance: int, text: str, retracts: int = 0, language: str = "en") -> Final:
    """The final of the utterance that lies at ``1000 * utterance``."""
    start = 1_000 * utterance
    return Final(
        utterance=utterance,
        start=start,
        end=start + 900,
        text=text,
        retracts=retracts,
        language=language,
    )


def partial(utterance: int, stable: str, tail: str = "") -> Partial:
    start = 1_000 * utterance
    return Partial(
        utterance=utterance, revision=1, start=start, end=start + 500, stable=stable, tail=tail
    )


def started(at: int = 0, *, held: bool = False) -> RecordingStarted:
    return RecordingStarted(start=at, held=held)


def ended(*, cancelled: bool = False) -> RecordingEnded:
    return RecordingEnded(start=0, end=10**9, cancelled=cancelled)


def revision(utterance: int, text: str) -> Revision:
    return Revision(utterance=utterance, text=text)


def focused(message: Any, notes: FocusNotes) -> Any:
    """As transcription sends it: with the window that had the focus when its speech began.

    One that has it already stays the same object: delivered again, it must be known again.
    """
    if not isinstance(message, Final | Partial):
        return message
    focus = notes.before(message.end)
    return message if focus == message.focus else msgspec.structs.replace(message, focus=focus)


class FixedFocus:
    """A probe that answers what the test says."""

    def __init__(self, focus: Focus | None = None) -> None:
        self.answer = focus

    async def focus(self) -> Focus | None:
        return self.answer


class Paper:
    """A back end that types on paper, and fails as it is told.

    Attributes:
        plan: what becomes of the next pieces: a result, or ``"hang"``; then all goes well.
    """

    pace = 1_000.0

    def __init__(self, name: str = "xdotool", *, piece: int = 20, has_keys: bool = True) -> None:
        self.name = name
        self.piece = piece
        self.has_keys = has_keys
        self.text = ""
        self.plan: list[Any] = []
        self.why: str | None = None
        self.let_go_of: list[frozenset[str]] = []
        self.calls = 0

    async def available(self) -> str | None:
        return self.why

    async def type(self, text: str, manner: Manner) -> Report:
        self.calls += 1
        what = self.plan.pop(0) if self.plan else Result.DONE
        if what == "hang":
            await asyncio.sleep(10_000)
        if isinstance(what, Exception):
            raise what
        if what is Result.DONE:
            self.text += text
            return DONE
        if what is Result.UNCERTAIN:
            self.text += text[: len(text) // 2]
        return Report(what, f"{self.name} failed")

    async def let_go(self, held: frozenset[str]) -> str:
        self.let_go_of.append(held)
        return ""

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        if keys == "backspace":
            self.text = self.text[:-times]
        else:
            self.text += f"<{keys}>" * times
        return DONE


class Board:
    """A clipboard."""

    name = "board"

    def __init__(self, text: str | None = "") -> None:
        self.text = text
        self.why: str | None = None

    async def available(self) -> str | None:
        return self.why

    async def get(self) -> Content | None:
        return Content(text=self.text)

    async def set(self, text: str) -> Report:
        if self.why:
            return Report(Result.NOTHING, self.why)
        self.text = text
        return DONE


class Rig:
    """An injection actor, what it reported, and what it is given.

    Args:
        made: its profile.
        outfit: its back ends; made for ``environ`` when not given.
        probe: what it asks for the focus.
        environ: of the session.
        report: is told what became of each text, too.
    """

    def __init__(
        self,
        made: Profile,
        *,
        probe: Any,
        outfit: Outfit | None = None,
        environ: Mapping[str, str] | None = None,
        report: Callable[[Delivery], None] | None = None,
    ) -> None:
        self.deliveries: list[Delivery] = []
        self._report = report
        self.context = ActorContext(settings=ProfileCell(made))
        self.keys = HeldKeys()
        self.notes = FocusNotes()
        self.actor = InjectionActor(
            lambda settings: outfit or make_outfit(settings, environ or {}),
            report=self._tell,
            probe=probe,
            keys=self.keys,
            context=self.context,
        )

    def _tell(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self._report is not None:
            self._report(delivery)

    async def say(self, *messages: Any) -> None:
        for message in messages:
            await self.actor.deliver(focused(message, self.notes))

    async def say_texts(self, *texts: str, first: int = 1) -> None:
        for number, text in enumerate(texts, first):
            await self.say(final(number, text))

    @property
    def outcomes(self) -> list[Outcome]:
        return [delivery.outcome for delivery in self.deliveries]

    async def stop(self) -> None:
        await self.actor.on_stop()


EDITOR = Focus(window="7", application="Editor")


class Desk:
    """A rig with paper."""

    def __init__(self, *back_ends: Paper, mode: str = "voice", **settings) -> None:
        more = {"applications": settings.pop("applications", [])}
        if settings.pop("revisions_follow", False):
            more["transcription"] = {"draft": "tiny"}
        self.papers = back_ends or (Paper(),)
        self.board = Board()
        self.probe = FixedFocus(EDITOR)
        made = profile(
            {"backend": "auto", **settings}, trigger={"mode": mode, "hotkey": "f9"}, **more
        )
        self.rig = Rig(
            made,
            probe=self.probe,
            outfit=Outfit(self.papers, self.board),
        )
        self.say = self.rig.say

    @property
    def text(self) -> str:
        return self.papers[0].text

    @property
    def outcomes(self) -> list[str]:
        return [f"{d.utterance} {d.outcome}" for d in self.rig.deliveries]


def flaky_tool(folder: Path, name: str, real: str, script: str) -> str:
    """A program called ``name`` in ``folder`` that may run the real one, as ``"$REAL" "$@"``."""
    folder.mkdir(exist_ok=True)
    tool = folder / name
    tool.write_text(f"#!/bin/sh\nREAL={real}\n{script}\n")
    tool.chmod(0o755)
    return str(folder)
