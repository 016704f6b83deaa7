"""The cleanup actor: captions in, tidy captions out."""

from __future__ import annotations

from collections import deque
from typing import Any

from vivavoce.actors.cleanup.cleaner import Cleaner
from vivavoce.actors.cleanup.per_application import Cleaners
from vivavoce.actors.cleanup.writing import Carried, Case
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.config.errors import ProfileError
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import (
    Caption,
    Final,
    Gap,
    Partial,
    RecordingEnded,
    RecordingStarted,
    Revision,
)

log = get_logger("cleanup")

_MOST_RULES = 8
"""Sets of rules that are kept for utterances that may still get a final or a revision."""

_MOST_UTTERANCES = 64
"""Utterances of which it is kept what application they went to."""


class CleanupActor(Actor[Caption, Caption]):
    """Cleans finals, revisions and partials; everything else passes through untouched.

    Finals and revisions name their language; partials, and revisions that name none, are taken to
    be in the language of the final before them. An utterance keeps the language that its first
    partial was given, or else what was shown as stable could change.

    What a sentence switches on (all capitals) holds for those behind it, until it is switched off
    or the stretch ends.

    An utterance is cleaned by the rules of the application whose window had the focus when it
    began; its revision by those of its final.

    Args:
        settings: the rules.
        profile: with rules for single applications; None: there are none.
        context: as for every actor.

    Raises:
        ProfileError: a rule file is wrong, or a rule that is named does not exist.
    """

    name = "cleanup"
    closing_grace_s = None

    def __init__(
        self,
        settings: CleanupSettings,
        *,
        profile: Profile | None = None,
        context: ActorContext | None = None,
    ) -> None:
        super().__init__(context=context)
        # By the utterance from which on they hold, the last one first. An utterance that has been
        # shown keeps its rules to its end, or what was shown as stable could change.
        self._rules: deque[tuple[int, Cleaners]] = deque(maxlen=_MOST_RULES)
        self._rules.append((-1, Cleaners(settings, profile)))
        self._latest = -1
        self._language = ""
        self._open_utterance = -1
        self._open_language = ""
        self._applications: dict[int, str] = {}
        self._before: dict[int, Case | None] = {}  # each sentence: for its revision
        self._carried = Carried()  # from one sentence of a stretch to the next

    async def on_profile(self, profile: Profile) -> None:
        """Other rules from the next utterance on; those of one that has begun stay."""
        begins, cleaners = self._rules[0]
        if cleaners.same(profile):
            return
        try:
            fresh = Cleaners(profile.cleanup, profile)
        except ProfileError as error:
            log.warning("the new rules are wrong, those from before stay", reason=str(error))
            return
        if begins == self._latest + 1:
            self._rules.popleft()  # it has held for nothing yet
        self._rules.appendleft((self._latest + 1, fresh))

    async def on_message(self, message: Caption) -> None:
        """Clean one message and pass it on."""
        with self.context.metrics.measure("vivavoce_cleanup_seconds"):
            cleaned = self._clean(message)
        await self.emit(cleaned)

    def _clean(self, message: Caption) -> Caption:
        if not isinstance(message, Final | Partial | Revision):
            if isinstance(message, Gap | RecordingStarted | RecordingEnded):
                self._carried = Carried()  # what follows is another stretch
            return message
        self._latest = max(self._latest, message.utterance)
        if isinstance(message, Final):
            self._language = message.language
            self._goes_to(message)
            cleaner = self._cleaner_of(message.utterance)
            self._before[message.utterance] = self._carried.case
            _keep_newest(self._before)
            cleaned = cleaner.whole(message, message.language, self._carried)
            if message.ends_stretch:
                self._carried = Carried()
            return cleaned
        if isinstance(message, Revision):
            language = message.language or self._language
            carried = Carried(self._before.get(message.utterance))
            return self._cleaner_of(message.utterance).whole(message, language, carried)
        if message.utterance != self._open_utterance:
            self._open_utterance, self._open_language = message.utterance, self._language
            self._goes_to(message)
        return self._cleaner_of(message.utterance).partial(message, self._open_language)

    def _goes_to(self, caption: Final | Partial) -> None:
        utterance, focus = caption.utterance, caption.focus
        if focus is None or not focus.application:
            self._applications.pop(utterance, None)
            return
        self._applications[utterance] = focus.application
        _keep_newest(self._applications)

    def _cleaner_of(self, utterance: int) -> Cleaner:
        application = self._applications.get(utterance, "")
        for begins, cleaners in self._rules:
            if utterance >= begins:
                return cleaners.of(application)
        return self._rules[-1][1].of(application)


def _keep_newest(of_utterances: dict[int, Any]) -> None:
    while len(of_utterances) > _MOST_UTTERANCES:
        del of_utterances[next(iter(of_utterances))]
