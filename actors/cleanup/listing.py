"""All rules that there are for a language, and whether settings have them on."""

from __future__ import annotations

import msgspec

from vivavoce.actors.cleanup.language_rules import Rule, language_rules
from vivavoce.actors.cleanup.replacements import masked
from vivavoce.actors.cleanup.rule_names import check_rules
from vivavoce.actors.cleanup.stages import sections_on
from vivavoce.actors.cleanup.tidy import TIDY
from vivavoce.config.cleanup import CleanupSettings


class Listed(msgspec.Struct, frozen=True):
    """A rule for people: what is said for it, and what comes of that."""

    name: str
    on: bool
    say: tuple[str, ...]
    writes: str


def all_rules(settings: CleanupSettings, language: str = "") -> list[Listed]:
    """The rules in the order of the stages.

    Raises:
        ProfileError: the rule file is wrong, or ``without`` names a rule that there is not.
    """
    own = check_rules(settings)
    off = frozenset(settings.without)
    sections = sections_on(settings)
    spoken = [
        Listed(
            rule.name,
            rule.section in sections and not {rule.name, rule.section} & off,
            tuple(map(masked, rule.say)) if rule.section == "profanity" else rule.say,
            _writes(rule),
        )
        for rule in language_rules(language, own).rules
    ]
    tidy_on = (settings.whitespace, settings.punctuation, settings.sentence_case)
    single = {
        "numbers": (settings.numbers, "digits"),
        "vocabulary": (bool(settings.vocabulary), ", ".join(settings.vocabulary)),
        "replacements": (bool(settings.replacements), ", ".join(settings.replacements.values())),
        **{name: (on, "") for name, on in zip(TIDY, tidy_on, strict=True)},
    }
    return spoken + [
        Listed(name, on and not {name, name.partition(".")[0]} & off, (), writes)
        for name, (on, writes) in single.items()
    ]


def _writes(rule: Rule) -> str:
    if rule.section == "profanity":
        return "stars"
    if rule.section == "fillers":
        return "nothing"
    if rule.section == "units":
        return f"{rule.before}5{rule.write}"
    return rule.do.replace("_", " ") or rule.write
