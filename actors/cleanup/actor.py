"""The cleanup actor: captions in, tidy captions out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar

import msgspec

from vivavoce.actors.cleanup.guards import is_hallucination, unsure, without_loops
from vivavoce.actors.cleanup.replacements import make_replace, make_settled
from vivavoce.actors.cleanup.tidy import make_tidy
from vivavoce.config.schema import CleanupSettings, Profile
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.messages import Caption, Final, Partial, Revision

_Whole = TypeVar("_Whole", Final, Revision)

_MOST_RULES = 8
"""Sets of rules that are kept for utterances that may still get a final or a revision."""


class Cleaner:
    """The rules of a profile, compiled once (once for each language met).

    Cleaning a stable text that grows gives a text that grows: what a partial showed as stable stays
    as it was shown.
    """

    def __init__(self, settings: CleanupSettings) -> None:
        self._settings = settings
        self._tidy: dict[str, Callable[[str], str]] = {"": make_tidy(settings)}
        self._replace = make_replace(settings.replacements)
        self._settled = make_settled(settings.replacements)

    def text(self, text: str, language: str = "") -> str:
        """A whole text, replaced and tidied. ``language`` empty: not known, taken as English."""
        tidy = self._tidy.get(language)
        if tidy is None:
            tidy = self._tidy[language] = make_tidy(self._settings, language=language)
        return tidy(self._replace(text))

    def whole(self, caption: _Whole, language: str = "") -> _Whole:
        """A final or a revision under all rules; ``words`` stay as they were recognised."""
        text = caption.text
        if self._settings.hallucinations and is_hallucination(caption):
            text = ""
        elif self._settings.repeated_phrases and unsure(caption):
            text = without_loops(text, language)
        text = self.text(text, language)
        if text == caption.text:
            return caption
        return msgspec.structs.replace(caption, text=text, words=caption.words if text else ())

    def partial(self, partial: Partial, language: str = "") -> Partial:
        """A partial under the rules that look at nothing but what came before.

        Words at the end of ``stable`` that may be the beginning of a phrase to replace are shown in
        ``tail`` until that is known.
        """
        stable = self.text(partial.stable[: self._settled(partial.stable)], language).rstrip()
        whole = self.text(f"{partial.stable} {partial.tail}".strip(), language)
        return msgspec.structs.replace(partial, stable=stable, tail=whole[len(stable) :].strip())


class CleanupActor(Actor[Caption, Caption]):
    """Cleans finals, revisions and partials; everything else passes through untouched.

    Finals and revisions name their language; partials, and revisions that name none, are taken to
    be in the language of the final before them. An utterance keeps the language that its first
    partial was given, or else what was shown as stable could change.
    """

    name = "cleanup"

    def __init__(self, settings: CleanupSettings) -> None:
        super().__init__()
        # By the utterance from which on they hold, the last one first. An utterance that has been
        # shown keeps its rules to its end, or what was shown as stable could change.
        self._rules: deque[tuple[int, CleanupSettings, Cleaner]] = deque(maxlen=_MOST_RULES)
        self._rules.append((-1, settings, Cleaner(settings)))
        self._latest = -1
        self._language = ""
        self._open_utterance = -1
        self._open_language = ""

    async def on_profile(self, profile: Profile) -> None:
        """Other rules from the next utterance on; those of one that has begun stay."""
        begins, settings, _ = self._rules[0]
        if settings == profile.cleanup:
            return
        if begins == self._latest + 1:
            self._rules.popleft()  # it has held for nothing yet
        rules = (self._latest + 1, profile.cleanup, Cleaner(profile.cleanup))
        self._rules.appendleft(rules)

    async def on_message(self, message: Caption) -> None:
        """Clean one message and pass it on."""
        with self.context.metrics.measure("vivavoce_cleanup_seconds"):
            cleaned = self._clean(message)
        await self.emit(cleaned)

    def _clean(self, message: Caption) -> Caption:
        if not isinstance(message, Final | Partial | Revision):
            return message
        self._latest = max(self._latest, message.utterance)
        cleaner = self._cleaner_of(message.utterance)
        if isinstance(message, Final):
            self._language = message.language
            return cleaner.whole(message, message.language)
        if isinstance(message, Revision):
            return cleaner.whole(message, message.language or self._language)
        if message.utterance != self._open_utterance:
            self._open_utterance, self._open_language = message.utterance, self._language
        return cleaner.partial(message, self._open_language)

    def _cleaner_of(self, utterance: int) -> Cleaner:
        for begins, _, cleaner in self._rules:
            if utterance >= begins:
                return cleaner
        return self._rules[-1][2]
