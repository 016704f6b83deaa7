"""The names of all rules, and the check of those that a profile names."""

from __future__ import annotations

import difflib

from vivavoce.actors.cleanup.language_rules import (
    language_rules,
    own_rules,
    shipped_languages,
)
from vivavoce.actors.cleanup.rule_file import SECTIONS, RuleFile
from vivavoce.actors.cleanup.tidy import TIDY
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.config.errors import ProfileError

SINGLE = ("numbers", "vocabulary", "replacements")
"""Stages that are one rule."""

STAGES = (*SECTIONS, *SINGLE, "tidy")
"""The names that switch off all rules of a stage."""

_MOST_SHOWN = 12


def check_rules(settings: CleanupSettings) -> RuleFile | None:
    """Check the rule file and the rules named in ``without``; returns the file, if there is one.

    Raises:
        ProfileError: one line: the file cannot be read or is wrong, or a rule is unknown.
    """
    own = own_rules(settings.rules) if settings.rules else None
    if settings.without:
        known = rule_names(own)
        for name in settings.without:
            if name not in known:
                raise ProfileError(f"cleanup.without: there is no rule {name!r}: {_hint(name)}")
    return own


def rule_names(own: RuleFile | None = None) -> set[str]:
    """All names, of stages and of rules in any language."""
    languages = {*shipped_languages(), *(own.languages if own else ())}
    rules = (rule.name for code in languages for rule in language_rules(code, own).rules)
    return {*STAGES, *TIDY, *rules}


def _hint(name: str) -> str:
    known = rule_names()
    near = difflib.get_close_matches(name, sorted(known), n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    section = name.partition(".")[0]
    inside = sorted(each for each in known if each.startswith(f"{section}."))
    if inside:
        more = ", …" if len(inside) > _MOST_SHOWN else ""
        return f"expected one of {', '.join(inside[:_MOST_SHOWN])}{more}"
    return f"expected a stage ({', '.join(STAGES)}) or a rule as `vivavoce clean --list` shows it"
