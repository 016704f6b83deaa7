"""What a pipeline does on the desktop: hotkeys, the focus, typing, and the history of it all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import anyio

from vivavoce.actors.desktop.delivery import Delivery
from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.history import history_path, history_wanted
from vivavoce.actors.injection.focus import make_probe
from vivavoce.actors.trigger import TriggerActor
from vivavoce.config import Profile
from vivavoce.config.injection import InjectionSettings
from vivavoce.crew import Crew
from vivavoce.hotkeys import Hotkeys
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import Focus
from vivavoce.pipeline.supervisor import Supervisor

if TYPE_CHECKING:
    from vivavoce.actors.history.actor import HistoryActor
    from vivavoce.actors.history.keeper import AudioBook
    from vivavoce.actors.history.recorder import Recorder
    from vivavoce.actors.injection.actor import InjectionActor
    from vivavoce.actors.injection.outfit import Outfit
    from vivavoce.actors.trigger.feedback import Feedback

_CLOSING_S = 8.0

log = get_logger("injection")


class Desktop:
    """Hotkeys and feedback, focus notes, the injection and history actors of one pipeline.

    Args:
        name: of the profile, for the history.
        context: shared with the actors; what is wanted of it stands in its settings.
        keys: that a person holds; shared with the trigger.
        environ: of the session.
    """

    def __init__(
        self,
        name: Callable[[], str],
        context: ActorContext,
        keys: HeldKeys,
        environ: Mapping[str, str],
    ) -> None:
        self._name = name
        self._settings = context.settings
        self._crew: Crew | None = None
        self._context = context
        self._keys = keys
        self._environ = environ
        self._probe = make_probe(environ)
        self._reports: list[Callable[[Delivery], None]] = []
        self._injection: InjectionActor | None = None
        self._history: HistoryActor | None = None
        self._recorder: Recorder | None = None
        self._book: AudioBook | None = None
        self._feedback: Feedback | None = None
        self._hotkeys: Hotkeys | None = None

    def join(self, crew: Crew, *, live: bool) -> None:
        """Add what the profile wants to the actors of a pipeline.

        Args:
            crew: they are added here.
            live: whether somebody is there; else there is no trigger.
        """
        self._crew = crew
        profile = self._settings.profile
        if live:
            self._hotkeys = Hotkeys(
                self._settings, _trigger_of(crew), self._keys, self._context.clock, self._environ
            )
        if history_wanted(profile):
            self._keep_sound(crew, profile)
            crew.add_sink(self._make_history(profile))
        if _types(profile):
            crew.add_sink(self._make_injection())

    async def focus(self) -> Focus | None:
        """The window that has the focus; asked only where that matters to anybody."""
        profile = self._settings.profile
        if _types(profile) or profile.applications or history_wanted(profile):
            return await self._probe.focus()
        return None

    @property
    def held_texts(self) -> int:
        """Texts that wait until their window has the focus again."""
        return 0 if self._injection is None else int(self._injection.status()["held"])

    @property
    def keeps_history(self) -> bool:
        """Whether finals are kept."""
        return self._recorder is not None and history_wanted(self._settings.profile)

    @property
    def problem(self) -> str:
        """Why hotkeys are not heard, nothing can be typed, or nothing is kept, in a line.

        Empty: all is well.
        """
        if self._hotkeys is not None and self._hotkeys.problem:
            return self._hotkeys.problem
        not_kept = self._recorder.problem if self._recorder is not None else ""
        return self._why_nothing_types() or not_kept

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
        if self._hotkeys is None:
            return
        from vivavoce.actors.trigger.feedback import Feedback

        assert self._crew is not None
        self._feedback = Feedback(self._settings.of(lambda profile: profile.trigger.feedback))
        _trigger_of(self._crew).watch(self._feedback.decided)
        if why := self._why_nothing_types():
            log.warning(why)
        await self._hotkeys.run()

    async def make_ready(self, profile: Profile, supervisor: Supervisor) -> None:
        """Another profile is about to hold: add the actors that it wants, and the one before did
        not.

        Raises:
            VivavoceError: its history cannot be opened; nothing has changed.
        """
        assert self._crew is not None
        if self._history is None and history_wanted(profile):
            actor = self._make_history(profile)
            try:
                await self.open()
            except BaseException:
                self._history, self._recorder = None, None
                raise
            supervisor.add(self._crew.add_sink(actor))
        if _types(profile) and self._injection is None:
            supervisor.add(self._crew.add_sink(self._make_injection()))

    async def close(self) -> None:
        """After all actors have ended: what became of the last texts is kept, too."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSING_S):
            if self._feedback is not None:
                await self._feedback.close()
            if self._recorder is not None:
                await self._recorder.close()

    # -- inside

    def _make_injection(self) -> InjectionActor:
        from vivavoce.actors.injection.actor import InjectionActor

        self._injection = InjectionActor(
            self._make_outfit,
            report=self._delivered,
            probe=make_probe(self._environ),  # one answers one question at a time
            keys=self._keys,
            context=self._context,
        )
        return self._injection

    def _make_outfit(self, settings: InjectionSettings) -> Outfit:
        from vivavoce.actors.injection.choose import make_outfit

        persistence = self._settings.profile.persistence
        return make_outfit(settings, self._environ, persistence=persistence)

    def _delivered(self, delivery: Delivery) -> None:
        if self._recorder is not None and history_wanted(self._settings.profile):
            self._recorder.deliver(delivery)
        for report in self._reports:
            report(delivery)

    def _make_history(self, profile: Profile) -> HistoryActor:
        from vivavoce.actors.history.actor import HistoryActor
        from vivavoce.actors.history.recorder import Recorder

        path = history_path(profile.history, self._environ)
        limits = self._settings.of(lambda profile: profile.history)
        self._recorder = Recorder(path, limits, self._context.metrics)
        self._history = HistoryActor(self._recorder, self._name, self._book, self._context)
        return self._history

    def _keep_sound(self, crew: Crew, profile: Profile) -> None:
        if profile.history.audio:
            from vivavoce.actors.history.keeper import AudioBook, AudioKeeper

            self._book = AudioBook()
            crew.insert(AudioKeeper(self._book, self._context), after="vad", before=None)

    def _why_nothing_types(self) -> str:
        if not _types(self._settings.profile):
            return ""
        from vivavoce.actors.injection.choose import names_of

        _, reason = names_of(self._settings.profile.injection, self._environ)
        return f"nothing is typed: {reason}" if reason else ""


def _trigger_of(crew: Crew) -> TriggerActor:
    trigger = crew.actor("trigger")
    assert isinstance(trigger, TriggerActor)
    return trigger


def _types(profile: Profile) -> bool:
    return profile.injection.backend != "none"
