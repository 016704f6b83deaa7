"""Units as signs behind digits. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vivavoce.actors.cleanup.explanation import Note, Step
from vivavoce.actors.cleanup.language_rules import Rule
from vivavoce.actors.cleanup.phrases import BEHIND, GAP, either, key_of


class Units:
    """The unit rules of a language as one expression; only directly behind digits.

    Args:
        rules: of ``units``.
        multipliers: words between digits and unit that are part of the number ("2.5 million").
        other: phrases that are no units though they may begin with one ("percent sign").
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        multipliers: Iterable[str] = (),
        other: Iterable[str] = (),
    ) -> None:
        self._table: dict[str, Rule] = {}
        for rule in rules:
            for phrase in rule.say:
                self._table.setdefault(phrase, rule)
        phrases = {*self._table, *(phrase for phrase in other if " " in phrase)}
        self._substitute = re.compile(
            r"(?<![\w.,$€£])(?P<number>\d+(?:[.,]\d+)*)"
            rf"(?P<times>(?:\s+(?:{either(multipliers)})\b)?)(?P<gap>\s*|-)"
            rf"(?P<unit>{either(phrases, GAP)}){BEHIND}",
            re.IGNORECASE,
        ).sub

    def __bool__(self) -> bool:
        return bool(self._table)

    def run(self, text: str, note: Note | None = None) -> str:
        """The text with signs for units."""

        def write(match: re.Match[str]) -> str:
            rule = self._table.get(key_of(match["unit"]))
            if rule is None or (match["times"] and rule.write[:1].strip()):
                return match[0]  # "5 million%" is written by nobody
            written = rule.before + match["number"] + match["times"] + rule.write
            if note is not None:
                note(Step(rule.name, match[0], written))
            return written

        return self._substitute(write, text)
