"""The rules of a profile, compiled: texts, finals, revisions and partials in, clean ones out."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from vivavoce.actors.cleanup.explanation import Step
from vivavoce.actors.cleanup.guards import is_hallucination, unsure, without_loops
from vivavoce.actors.cleanup.rule_names import check_rules
from vivavoce.actors.cleanup.stages import Stages
from vivavoce.actors.cleanup.writing import Carried
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.pipeline.messages import Final, Partial, Revision, Word

_Whole = TypeVar("_Whole", Final, Revision)


class Cleaner:
    """The rules of a profile, compiled once (once for each language met).

    Cleaning a stable text that grows gives a text that grows: what a partial showed as stable stays
    as it was shown by later partials.

    Args:
        settings: which rules are on.
        language: the one to be expected, compiled at once; empty is English.

    Raises:
        ProfileError: the rule file is wrong, or ``without`` names a rule that there is not.
    """

    def __init__(self, settings: CleanupSettings, language: str = "") -> None:
        self.settings = settings
        self._own = check_rules(settings)
        self._stages: dict[str, Stages] = {}
        self._of(language)

    def _of(self, language: str) -> Stages:
        language = language or "en"
        stages = self._stages.get(language)
        if stages is None:
            stages = self._stages[language] = Stages(self.settings, language, self._own)
        return stages

    def text(self, text: str, language: str = "") -> str:
        """A whole text under all rules. ``language`` empty: not known, taken as English."""
        return self._of(language).run(text)[0]

    def cleaned(self, text: str, language: str = "") -> tuple[str, int]:
        """The same, and how many texts before it the speaker took back."""
        return self._of(language).run(text)

    def explain(self, text: str, language: str = "") -> list[Step]:
        """What each rule does to the text, in the order in which it is done."""
        steps: list[Step] = []
        self._of(language).run(text, steps.append)
        return steps

    def whole(self, caption: _Whole, language: str = "", carried: Carried | None = None) -> _Whole:
        """A final or a revision under all rules.

        ``carried``: what the sentence before it has switched on; then, what this one leaves on.

        ``words`` stay as they were recognised, but that swear words are masked in them, too.
        """
        text = caption.text
        if self.settings.hallucinations and is_hallucination(caption):
            text = ""
        elif self.settings.repeated_phrases and unsure(caption):
            text = without_loops(text, language)
        stages = self._of(language)
        text, retracts = stages.run(text, carried=carried)
        if retracts and isinstance(caption, Final):
            caption = msgspec.structs.replace(caption, retracts=caption.retracts + retracts)
        if text == caption.text:
            return caption
        words = self._unprofane(caption, stages) if text else ()
        return msgspec.structs.replace(caption, text=text, words=words)

    def _unprofane(self, caption: Final | Revision, stages: Stages) -> tuple[Word, ...]:
        if stages.unprofane(caption.text) == caption.text:
            return caption.words
        return tuple(
            msgspec.structs.replace(word, text=stages.unprofane(word.text))
            for word in caption.words
        )

    def partial(self, partial: Partial, language: str = "") -> Partial:
        """A partial under the rules that look at nothing but what came before.

        Words at the end of ``stable`` that may be the beginning of a phrase are shown in ``tail``
        until that is known. Numbers stay words, and edits are carried out in the final only.
        """
        stages = self._of(language)
        stable = stages.settled(partial.stable)
        whole = stages.shown(f"{partial.stable} {partial.tail}".strip())
        return msgspec.structs.replace(partial, stable=stable, tail=whole[len(stable) :].strip())
