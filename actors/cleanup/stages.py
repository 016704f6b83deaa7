"""The stages of one language under one profile's settings, compiled once, run in their order.

numbers → units → spoken signs, edits and fillers → words → tidy. Numbers come first: in some
languages the name of a sign is also part of a number ("drei Komma fünf").
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TypeAlias

import msgspec

from vivavoce.actors.cleanup.explanation import KEEP, Note, changes
from vivavoce.actors.cleanup.language_rules import LanguageRules, language_rules
from vivavoce.actors.cleanup.numbers import MULTIPLIERS, Numbers
from vivavoce.actors.cleanup.phrases import word_start
from vivavoce.actors.cleanup.replacements import Words
from vivavoce.actors.cleanup.rule_file import RuleFile, base_language
from vivavoce.actors.cleanup.spoken import Spoken
from vivavoce.actors.cleanup.tidy import TIDY, spaces, tidy_steps
from vivavoce.actors.cleanup.units import Units
from vivavoce.actors.cleanup.writing import Carried
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.pipeline.log import get_logger

log = get_logger("cleanup")

LONGEST = 20_000
"""Characters of a text that are read for commands: 20 minutes of speech, a few hundredths of a
second of work. What is longer comes of a program, and must not hold up those who wait."""

Tidy: TypeAlias = list[tuple[str, Callable[[str], str]]]


class Stages:
    """All that is done to texts of one language.

    Args:
        settings: which rules are on.
        language: code; empty is not known, and taken as English.
        own: the user's rule file.
    """

    def __init__(
        self, settings: CleanupSettings, language: str = "", own: RuleFile | None = None
    ) -> None:
        off = frozenset(settings.without)
        rules = rules_that_are_on(settings, language, own)
        spoken = rules.of("punctuation", "layout", "edits", "fillers")
        lines = settings.spoken_layout
        self._tidy: Tidy = tidy_steps(settings, language=language, lines=lines)
        names = {name for name, _ in self._tidy}
        capitals = TIDY[2] in names
        numbers = settings.numbers and "numbers" not in off
        # A small number before a unit is in digits, whether or not the unit becomes a sign.
        units = language_rules(language, own).of("units") if numbers else ()
        phrases = (phrase for rule in units for phrase in rule.say)
        self._numbers = Numbers(language, phrases) if numbers else None
        self._units = Units(
            rules.of("units"),
            multipliers=MULTIPLIERS.get(base_language(language), "").split(),
            other=(phrase for rule in rules.of("punctuation") for phrase in rule.say),
        )
        replacements = {} if "replacements" in off else settings.replacements
        vocabulary = () if "vocabulary" in off else tuple(settings.vocabulary)
        own_words = (*replacements, *vocabulary)
        self._spoken = Spoken(spoken, rules, words=own_words, capitals=capitals)
        self._make_shown = partial(Spoken, words=own_words, capitals=capitals)
        self._rules = rules
        profanity = {rule.name: rule.say for rule in rules.of("profanity")}
        self._profanity = Words({}, (), profanity)
        self._words = Words(replacements, vocabulary, profanity)
        some = self._numbers or self._units or self._spoken
        self._reads = bool(some)
        self._spaces_first = TIDY[0] in names and self._reads

    @cached_property
    def _spoken_in_partials(self) -> Spoken:
        """Without edits: what is shown as stable cannot be taken back."""
        return self._make_shown(self._rules.of("punctuation", "layout", "fillers"), self._rules)

    def run(
        self, text: str, note: Note | None = None, carried: Carried | None = None
    ) -> tuple[str, int]:
        """A whole text under all rules, and how many texts before it were taken back.

        ``carried``: what the text before it has switched on; then, what this one leaves on.

        In one of more than :data:`LONGEST` characters, nothing that is said is a command.
        """
        retracts = 0
        if len(text) > LONGEST and self._reads:
            log.warning("a text is too long to be read for commands", characters=len(text))
            return self._finish(text, note), retracts
        text = self._begin(text, note)
        if self._numbers:
            text = self._numbers.run(text, note)
        if self._units:
            text = self._units.run(text, note)
        if self._spoken:
            text, retracts = self._spoken.run(text, note, carried)
        return self._finish(text, note), retracts

    def shown(self, text: str) -> str:
        """A text that may go on, under the rules that look only at what came before.

        What is beyond :data:`LONGEST` characters stays as it is.
        """
        if len(text) > LONGEST:
            at = word_start(text, LONGEST)
            beginning = self.shown(text[:at])
            return f"{beginning} {text[at:]}" if beginning else text[at:]
        text = self._begin(text)
        if self._spoken_in_partials:
            text, _ = self._spoken_in_partials.run(text)
        return self._finish(text)

    def settled(self, text: str) -> str:
        """The beginning of :meth:`shown` that no later word can change."""
        if len(text) > LONGEST:
            return self.shown(text).rstrip()
        if self._spoken:
            text = self._spoken.settled(self._begin(text))
        return self._finish(text[: self._words.settled(text)]).rstrip()

    def unprofane(self, text: str) -> str:
        """The text with nothing but its swear words masked."""
        return self._profanity.run(text) if self._profanity else text

    def _begin(self, text: str, note: Note | None = None) -> str:
        if not self._spaces_first:
            return text
        # What line breaks the engine made are white space; those that are spoken come later.
        return _noted(TIDY[0], text, spaces(text), note)

    def _finish(self, text: str, note: Note | None = None) -> str:
        if self._words:
            text = self._words.run(text, note)
        for name, step in self._tidy:
            text = _noted(name, text, step(text), note)
        return text.replace(KEEP, "")


def rules_that_are_on(
    settings: CleanupSettings, language: str, own: RuleFile | None = None
) -> LanguageRules:
    """The rules of the language but for those that the settings switch off."""
    on = sections_on(settings)
    if not on:
        return LanguageRules()
    rules = language_rules(language, own).without(settings.without)
    return msgspec.structs.replace(rules, rules=rules.of(*on))


def sections_on(settings: CleanupSettings) -> tuple[str, ...]:
    """The sections of the rule files that the settings switch on."""
    switches = {
        "punctuation": settings.spoken_punctuation,
        "layout": settings.spoken_layout,
        "edits": settings.spoken_edits,
        "fillers": settings.fillers,
        "units": settings.units,
        "profanity": settings.profanity_mask,
    }
    return tuple(section for section, on in switches.items() if on)


def _noted(name: str, before: str, after: str, note: Note | None) -> str:
    if note is not None and before != after:
        for step in changes(name, before.replace(KEEP, ""), after.replace(KEEP, "")):
            note(step)
    return after
