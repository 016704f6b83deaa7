"""What a pipeline does on the desktop: hotkeys, the focus, typing, and the history of it all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import anyio

from vivavoce.actors.history import history_path, history_wanted
from vivavoce.actors.injection.focus import FocusWatch, make_probe
from vivavoce.actors.trigger import TriggerActor
from vivavoce.config import Profile
from vivavoce.crew import Crew
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.delivery import Delivery
from vivavoce.pipeline.desktop import Focus
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.supervisor import Supervisor

if TYPE_CHECKING:
    from vivavoce.actors.history.recorder import Recorder
    from vivavoce.actors.injection.actor import InjectionActor
    from vivavoce.actors.trigger.feedback import Feedback
    from vivavoce.actors.trigger.keys import KeyEvent

_CLOSING_S = 8.0

log = get_logger("trigger")


class Desktop:
    """Hotkeys and feedback, focus notes, the injection and history actors of one pipeline.

    Args:
        profile: with which it begins.
        name: of the profile, for the history.
        crew: its actors are added here.
        context: shared with the actors.
        environ: of the session.
        live: whether somebody is there; else there is no trigger and nobody has the focus.
    """

    def __init__(
        self,
        profile: Profile,
        name: str,
        crew: Crew,
        context: ActorContext,
        environ: Mapping[str, str],
        *,
        live: bool,
    ) -> None:
        self._profile = profile
        self._crew = crew
        self._context = context
        self._environ = environ
        self._probe = make_probe(environ)
        self._reports: list[Callable[[Delivery], None]] = []
        self._injection: InjectionActor | None = None
        self._recorder: Recorder | None = None
        self._feedback: Feedback | None = None
        self._trigger: TriggerActor | None = None
        self._other_keys = asyncio.Event()
        self.problem = ""
        """Why hotkeys are not heard, or nothing can be typed; empty: all is well."""
        if live:
            trigger = crew.actor("trigger")
            assert isinstance(trigger, TriggerActor)
            self._trigger = trigger
            crew.insert(FocusWatch(self), after="vad", before=None)
        self._keep_history(profile, name)
        if _types(profile):
            crew.add_sink(self._make_injection())

    async def focus(self) -> Focus | None:
        """The window that has the focus; asked only where that matters to anybody."""
        profile = self._profile
        if _types(profile) or profile.applications or self._recorder is not None:
            return await self._probe.focus()
        return None

    @property
    def held_texts(self) -> int:
        """Texts that wait until their window has the focus again."""
        return 0 if self._injection is None else int(self._injection.status()["held"])

    @property
    def keeps_history(self) -> bool:
        """Whether finals are kept."""
        return self._recorder is not None

    def on_delivery(self, report: Callable[[Delivery], None]) -> None:
        """Tell ``report`` what becomes of each text."""
        self._reports.append(report)

    # -- while the pipeline runs

    async def open(self) -> None:
        """Before the actors start."""
        if self._recorder is not None:
            await self._recorder.open()

    async def run(self) -> None:
        """Hear the hotkeys, once audio is captured: that must not wait for them."""
        await self._context.stream.begun()
        if self._trigger is None:
            return
        from vivavoce.actors.trigger.feedback import Feedback

        self._feedback = Feedback(self._profile.trigger.feedback)
        self._trigger.watch(self._feedback.decided)
        if _types(self._profile):
            self._warn_if_nothing_types()
        while True:
            self._other_keys.clear()
            await self._hear_keys(self._trigger)
            await self._other_keys.wait()  # where they cannot be heard, others perhaps can

    async def take_profile(self, profile: Profile, supervisor: Supervisor) -> None:
        """Another profile holds; the actors are told by themselves."""
        before, self._profile = self._profile, profile
        if _keys(profile) != _keys(before):
            self._other_keys.set()
        if self._feedback is not None:
            self._feedback.take_settings(profile.trigger.feedback)
        if _types(profile) and self._injection is None:
            supervisor.add(self._crew.add_sink(self._make_injection()))

    async def close(self) -> None:
        """After all actors have ended: what became of the last texts is kept, too."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSING_S):
            if self._feedback is not None:
                await self._feedback.close()
            if self._recorder is not None:
                await self._recorder.close()

    # -- typing and keeping

    def _make_injection(self) -> InjectionActor:
        from vivavoce.actors.injection.actor import InjectionActor
        from vivavoce.actors.injection.choose import make_outfit

        self._injection = InjectionActor(
            self._profile,
            partial(make_outfit, environ=self._environ, persistence=self._profile.persistence),
            report=self._delivered,
            probe=make_probe(self._environ),  # one answers one question at a time
            revisions_follow=self._profile.transcription.draft is not None,
        )
        return self._injection

    def _delivered(self, delivery: Delivery) -> None:
        if self._recorder is not None:
            self._recorder.deliver(delivery)
        for report in self._reports:
            report(delivery)

    def _keep_history(self, profile: Profile, name: str) -> None:
        if not history_wanted(profile):
            return
        from vivavoce.actors.history.actor import HistoryActor
        from vivavoce.actors.history.keeper import AudioBook, AudioKeeper
        from vivavoce.actors.history.recorder import Recorder

        path = history_path(profile.history, self._environ)
        self._recorder = Recorder(path, profile.history, self._context.metrics)
        book = None
        if profile.history.audio:
            book = AudioBook()
            self._crew.insert(AudioKeeper(book), after="vad", before=None)
        self._crew.add_sink(HistoryActor(self._recorder, profile, name, book))

    def _warn_if_nothing_types(self) -> None:
        from vivavoce.actors.injection.choose import names_of

        _, reason = names_of(self._profile.injection, self._environ)
        if reason:
            self._tell(f"nothing is typed: {reason}")

    # -- hotkeys

    async def _hear_keys(self, trigger: TriggerActor) -> None:
        settings = self._profile.trigger
        if settings.hotkey is None and settings.cancel_hotkey is None:
            return
        from vivavoce.actors.trigger.hotkeys import Impossible, choose_listener
        from vivavoce.actors.trigger.listener import HotkeysUnavailable

        listener = choose_listener(settings, self._environ)
        if listener is None:
            return
        if isinstance(listener, Impossible):
            self._tell(listener.reason)
            return
        try:
            await listener.start(partial(self._on_key, trigger))
        except HotkeysUnavailable as error:
            self._tell(str(error))
            return
        try:
            await self._other_keys.wait()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSING_S):
                await listener.stop()

    def _on_key(self, trigger: TriggerActor, event: KeyEvent) -> None:
        match event.kind:
            case "press":
                trigger.press(event.at)
            case "release":
                trigger.release(event.at)
            case "cancel":
                trigger.cancel()
            case "modifier_down":
                self._context.keys.press(event.modifier)
            case "modifier_up":
                self._context.keys.release(event.modifier)
            case _:
                trigger.keys_lost(event.at)
                self._context.keys.forget()
                self._tell(event.reason)

    def _tell(self, problem: str) -> None:
        self.problem = problem
        log.warning(problem)


def _types(profile: Profile) -> bool:
    return profile.injection.backend != "none"


def _keys(profile: Profile) -> tuple[str | None, str | None, str]:
    """What a listener is made for."""
    trigger = profile.trigger
    return trigger.hotkey, trigger.cancel_hotkey, trigger.backend
