"""The cleanup actor: captions in, tidy captions out."""

from __future__ import annotations

import msgspec

from vivavoce.actors.cleanup.guards import is_hallucination, unsure, without_loops
from vivavoce.actors.cleanup.replacements import make_hold_back, make_replace
from vivavoce.actors.cleanup.tidy import make_tidy
from vivavoce.config.schema import CleanupSettings
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.messages import Caption, Final, Partial, Revision


class Cleaner:
    """The rules of a profile, compiled once.

    Cleaning a stable text that grows gives a text that grows: what a partial showed as stable stays
    as it was shown.
    """

    def __init__(self, settings: CleanupSettings) -> None:
        self._settings = settings
        self._tidy = {english: make_tidy(settings, english=english) for english in (True, False)}
        self._replace = make_replace(settings.replacements)
        self._hold_back = make_hold_back(settings.replacements)

    def text(self, text: str, language: str = "") -> str:
        """A whole text, replaced and tidied. ``language`` empty: not known, taken as English."""
        return self._tidy[language in ("", "en")](self._replace(text))

    def final(self, final: Final) -> Final:
        """A final under all rules; ``words`` stay as they were recognised."""
        text = final.text
        if self._settings.hallucinations and is_hallucination(final):
            text = ""
        elif self._settings.repeated_phrases and unsure(final):
            text = without_loops(text)
        text = self.text(text, final.language)
        if text == final.text:
            return final
        return msgspec.structs.replace(final, text=text, words=final.words if text else ())

    def partial(self, partial: Partial) -> Partial:
        """A partial under the rules that look at nothing but what came before."""
        words = partial.stable.split()
        held = self._hold_back(words)
        stable = self.text(" ".join(words[: len(words) - held]))
        whole = self.text(f"{partial.stable} {partial.tail}".strip())
        if not whole.startswith(stable):
            whole = f"{stable} {partial.tail}"
        return msgspec.structs.replace(partial, stable=stable, tail=whole[len(stable) :].strip())


class CleanupActor(Actor[Caption, Caption]):
    """Cleans finals, revisions and partials; everything else passes through untouched."""

    name = "cleanup"

    def __init__(self, settings: CleanupSettings) -> None:
        super().__init__()
        self._cleaner = Cleaner(settings)

    async def on_message(self, message: Caption) -> None:
        """Clean one message and pass it on."""
        with self.context.metrics.measure("vivavoce_cleanup_seconds"):
            cleaned = self._clean(message)
        await self.emit(cleaned)

    def _clean(self, message: Caption) -> Caption:
        if isinstance(message, Final):
            return self._cleaner.final(message)
        if isinstance(message, Partial):
            return self._cleaner.partial(message)
        if isinstance(message, Revision):
            return msgspec.structs.replace(message, text=self._cleaner.text(message.text))
        return message
