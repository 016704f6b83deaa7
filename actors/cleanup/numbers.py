"""Numbers in digits, by the library text2num, and units as signs behind digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from vivavoce.actors.cleanup.explanation import Note, Step, changes
from vivavoce.actors.cleanup.language_rules import Rule, base_language
from vivavoce.actors.cleanup.phrases import BEHIND, either, key_of
from vivavoce.pipeline.log import get_logger

log = get_logger("cleanup")

NUMBER_LANGUAGES = frozenset({"en", "fr", "es", "pt", "de", "it", "nl"})
"""What text2num knows."""

# What the library is not shown. "pour cent et trois" would be the number 103; and it would write
# "First, … Second, … 3rd, …".
_AS_SAID = {
    "en": r"(?:\A|(?<=[.!?]\s))(?:third|fourth|fifth|sixth)(?=,)",
    "fr": r"\bpour cent\b",
    "es": r"\bpor ciento\b",
    "pt": r"\bpor cento\b",
    "it": r"\bper cento\b",
}

_GAP = r"(?:\s+|-)"


@cache
def _library() -> Callable[[str, str], str] | None:
    """``alpha2digit`` of text2num; None, with one warning, where it is not installed."""
    try:
        from text_to_num import alpha2digit
    except ImportError:
        log.warning(
            "numbers stay words: text2num is not installed; "
            "pip install 'vivavoce[dictation]' installs it"
        )
        return None
    found: Callable[[str, str], str] = alpha2digit
    return found


class Numbers:
    """Number words become digits; a small number alone ("one of them") stays a word."""

    def __init__(self, language: str) -> None:
        code = base_language(language)
        self._code = code
        self._convert = _library() if code in NUMBER_LANGUAGES else None
        as_said = _AS_SAID.get(code)
        self._split = re.compile(f"({as_said})", re.IGNORECASE).split if as_said else None

    def __bool__(self) -> bool:
        return self._convert is not None

    def run(self, text: str, note: Note | None = None) -> str:
        """The text with digits."""
        convert = self._convert
        if convert is None or not text:
            return text
        if self._split is None:
            done = convert(text, self._code)
        else:
            parts = self._split(text)
            parts[::2] = [convert(part, self._code) if part else "" for part in parts[::2]]
            done = "".join(parts)
        if note is not None:
            for step in changes("numbers", text, done):
                note(step)
        return done


class Units:
    """The unit rules of a language as one expression; only directly behind digits."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._table: dict[str, Rule] = {}
        for rule in rules:
            for phrase in rule.say:
                self._table.setdefault(phrase, rule)
        self._substitute = re.compile(
            r"(?<![\w.,$€£])(?P<number>\d+(?:[.,]\d+)*)(?:\s*|-)"
            rf"(?P<unit>{either(self._table, _GAP)}){BEHIND}",
            re.IGNORECASE,
        ).sub

    def __bool__(self) -> bool:
        return bool(self._table)

    def run(self, text: str, note: Note | None = None) -> str:
        """The text with signs for units."""

        def write(match: re.Match[str]) -> str:
            rule = self._table.get(key_of(match["unit"]))
            if rule is None:
                return match[0]
            written = rule.before + match["number"] + rule.write
            if note is not None:
                note(Step(rule.name, match[0], written))
            return written

        return self._substitute(write, text)
