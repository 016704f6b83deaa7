"""The user's replacements: whole words, any case, longest first, one pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping


def make_replace(replacements: Mapping[str, str]) -> Callable[[str], str]:
    """A function that replaces words and phrases; what it puts in is taken literally."""
    table = {_key(phrase): text for phrase, text in replacements.items()}
    if not table:
        return lambda text: text
    phrases = sorted(table, key=len, reverse=True)
    alternatives = "|".join(
        r"\s+".join(re.escape(word) for word in phrase.split()) for phrase in phrases
    )
    substitute = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE).sub
    return lambda text: substitute(lambda match: table.get(_key(match[0]), match[0]), text)


def make_hold_back(replacements: Mapping[str, str]) -> Callable[[list[str]], int]:
    """A function that says how many words at the end of a text might begin a phrase to replace.

    A partial must not show them as stable: the next word may change them.
    """
    beginnings = {
        tuple(words[:count])
        for words in (_key(phrase).split() for phrase in replacements)
        for count in range(1, len(words))
    }
    longest = max((len(beginning) for beginning in beginnings), default=0)

    def hold_back(words: list[str]) -> int:
        for count in range(min(longest, len(words)), 0, -1):
            if tuple(word.lower() for word in words[-count:]) in beginnings:
                return count
        return 0

    return hold_back


def _key(phrase: str) -> str:
    return " ".join(phrase.lower().split())
