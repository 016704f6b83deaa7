"""The user's replacements: whole words, any case, longest first, one pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping


def make_replace(replacements: Mapping[str, str]) -> Callable[[str], str]:
    """A function that replaces words and phrases; what it puts in is taken literally."""
    table = _table(replacements)
    if not table:
        return lambda text: text
    substitute = re.compile(rf"(?<!\w)(?:{_either(table)})(?!\w)", re.IGNORECASE).sub
    return lambda text: substitute(lambda match: table.get(_key(match[0]), match[0]), text)


def make_settled(replacements: Mapping[str, str]) -> Callable[[str], int]:
    """A function that says how much of a growing text no later word can have replaced.

    It walks the text as :func:`make_replace` does and stops where a phrase of several words has
    begun but not ended: a partial must not show those words as stable, the next may change them.
    """
    table = _table(replacements)
    begun = {
        " ".join(words[:count])
        for words in (phrase.split() for phrase in table)
        for count in range(1, len(words))
    }
    if not begun:
        return len
    walk = re.compile(
        rf"(?<!\w)(?:(?P<begun>{_either(begun)})\s*\Z|(?:{_either(table)})(?!\w))", re.IGNORECASE
    ).finditer

    def settled(text: str) -> int:
        replaced: list[re.Match[str]] = []
        for match in walk(text):
            if match["begun"] is None:
                replaced.append(match)
                continue
            # The whole word waits, with the quote or bracket before it; and where it is the end of
            # a phrase as well ("new york-new"), that phrase waits with it.
            at = _word_start(text, match.start())
            while replaced and replaced[-1].end() > at:
                at = _word_start(text, replaced.pop().start())
            return at
        return len(text)

    return settled


def _word_start(text: str, at: int) -> int:
    while at and not text[at - 1].isspace():
        at -= 1
    return at


def _table(replacements: Mapping[str, str]) -> dict[str, str]:
    return {_key(phrase): text for phrase, text in replacements.items() if phrase.strip()}


def _either(phrases: Iterable[str]) -> str:
    """An expression for any of the phrases, the longest that fits."""
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    return "|".join(
        r"\s+".join(re.escape(word) for word in phrase.split()) for phrase in longest_first
    )


def _key(phrase: str) -> str:
    return " ".join(phrase.lower().split())
