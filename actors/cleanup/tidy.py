"""Whitespace, spacing around punctuation, sentence case: one compiled expression, one pass.

Letters and digits are never added, removed or reordered; only their case and the spaces between
them change.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from vivavoce.config.schema import CleanupSettings

_WORD = r"[^\W\d_]+(?:['’][^\W\d_]+)*"
# A sentence begins at the start, and behind ! or ? or a full stop that ends a word of two letters
# or more: not behind "e.g." or "U.S.".
_START = rf"(?P<lead>\A\s*|(?:(?<=[!?])|(?<=[^\W_][^\W_]\.))\s+)(?P<first>{_WORD})"
_LONE_I = r"(?P<i>(?<![\w.'’@/\-])i(?=['’](?:m|d|ll|ve|s)\b|\s|[,.!?;:](?:\s|\Z)|\Z))"
_BEFORE_MARK = r"(?P<before>\s+(?=[,.!?;:]+(?:\s|\Z)))"
_AFTER_COMMA = r"(?P<after>(?<=[,;])(?=[^\W\d_]))"
_SPACE = r"(?P<space>\s+)"


def make_tidy(settings: CleanupSettings, *, english: bool = True) -> Callable[[str], str]:
    """A function that tidies a text under the rules that are on.

    Args:
        settings: ``whitespace``, ``punctuation`` and ``sentence_case`` count here.
        english: whether a lone ``i`` is the pronoun.
    """
    parts = []
    if settings.sentence_case:
        parts.append(_START)
        if english:
            parts.append(_LONE_I)
    if settings.punctuation:
        parts += [_BEFORE_MARK, _AFTER_COMMA]
    if settings.whitespace:
        parts.append(_SPACE)
    if not parts:
        return lambda text: text
    substitute = re.compile("|".join(parts)).sub
    trim = settings.whitespace

    def replace(match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind == "first":
            lead, word = match["lead"], match["first"]
            if trim:
                lead = " " if match.start() else ""
            return lead + (word[0].upper() + word[1:] if word.islower() else word)
        if kind == "i":
            return "I"
        return "" if kind == "before" else " "

    def tidy(text: str) -> str:
        return substitute(replace, text.strip() if trim else text)

    return tidy
