"""Many phrases as one compiled expression. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

_OF_ADDRESSES = r"@/\\?&=#%+~:"

BEHIND = rf"(?!\w|[-'’.{_OF_ADDRESSES}]\w|=)"
"""The phrase ends as a word of its own: not in `comma-separated`, `period's`, `comma.example`."""

BEFORE = rf"(?<![\w{_OF_ADDRESSES}])(?<!\w[-'’.])"
"""The phrase begins as a word of its own: not in `uh-huh`, `/comma`, `?comma=1`."""

GAP = r"(?:\s+|-)"
"""What may stand between the words of a spoken phrase."""


def key_of(phrase: str) -> str:
    """A phrase as tables have it: lower case, single spaces, no hyphens between words."""
    return " ".join(phrase.lower().replace("-", " ").split())


def either(phrases: Iterable[str], gap: str = r"\s+") -> str:
    """An expression for any of the phrases, the longest that fits; ``gap`` joins their words.

    Of no phrases: one that fits nowhere. Phrases with the same first letter stand together, so that
    at a place where none of them begins, no more is tried than there are letters.
    """
    families: defaultdict[str, list[str]] = defaultdict(list)
    for phrase in phrases:
        families[phrase[0]].append(phrase)
    options = [
        _family(sorted(family, key=lambda phrase: (-len(phrase), phrase)), gap)
        for _, family in sorted(families.items())
    ]
    return "|".join(options) or "(?!)"


def _family(phrases: list[str], gap: str) -> str:
    first = re.escape(phrases[0][0])
    rests = [_expression(phrase[1:], gap) for phrase in phrases]
    return first + (rests[0] if len(rests) == 1 else f"(?:{'|'.join(rests)})")


def _expression(text: str, gap: str) -> str:
    return gap.join(re.escape(word) for word in text.split(" "))


def beginnings(phrases: Iterable[str]) -> set[str]:
    """What is the beginning of a phrase of several words: its first word, its first two, …"""
    return {
        " ".join(words[:count])
        for words in (phrase.split() for phrase in phrases)
        for count in range(1, len(words))
    }


def word_start(text: str, at: int) -> int:
    """Where the run of characters around ``at`` that holds no white space begins."""
    while at and not text[at - 1].isspace():
        at -= 1
    return at
