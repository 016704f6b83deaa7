"""Words written otherwise: replacements, vocabulary, swear words. One expression, one pass.

Whole words, any case, the longest phrase that fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from vivavoce.actors.cleanup.explanation import KEEP, Note, Step
from vivavoce.actors.cleanup.phrases import beginnings, either, word_start

# What must keep its case: me@example.com, C:\Users, foo_bar, example.com
_ADDRESS = re.compile(r"[@/\\_]|\w\.\w").search


class Words:
    """What is written for which words; where several say the same phrase, the first of them has it.

    Args:
        replacements: by phrase; taken literally, but for the case of their first letter.
        vocabulary: spellings of names and terms.
        profanity: swear words by their rule.
    """

    def __init__(
        self,
        replacements: Mapping[str, str],
        vocabulary: Iterable[str] = (),
        profanity: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self._table: dict[str, tuple[str, Callable[[str], str]]] = {}
        for phrase, text in replacements.items():
            self._enter(phrase, "replacements", partial(with_case_of, text))
        for term in vocabulary:
            self._enter(term, "vocabulary", partial(_spelt, term.strip()))
        for rule, words in (profanity or {}).items():
            for word in words:
                self._enter(word, rule, masked)
        self._substitute = re.compile(rf"(?<!\w)(?:{either(self._table)})(?!\w)", re.IGNORECASE).sub
        self.settled = make_settled(self._table)

    def _enter(self, phrase: str, rule: str, write: Callable[[str], str]) -> None:
        if phrase.strip():
            self._table.setdefault(_key(phrase), (rule, write))

    def __bool__(self) -> bool:
        return bool(self._table)

    def run(self, text: str, note: Note | None = None) -> str:
        """The text with other words in it."""
        table = self._table

        def write(match: re.Match[str]) -> str:
            found = table.get(_key(match[0]))
            if found is None:
                return match[0]
            written = found[1](match[0])
            if note is not None and written.lstrip(KEEP) != match[0]:
                note(Step(found[0], match[0], written.lstrip(KEEP)))
            return written

        return self._substitute(write, text)


def with_case_of(text: str, said: str) -> str:
    """A replacement in lower case takes the capital, or the capitals, of what it replaces."""
    if not text.islower() or not text[0].isalpha() or _ADDRESS(text):
        return text
    if said.isupper() and sum(map(str.isalpha, said)) > 1:
        return text.upper()
    if said[:1].isupper() and len(text[0].title()) == 1:
        return text[0].title() + text[1:]
    return text


def _spelt(term: str, said: str) -> str:
    return KEEP + term if term[:1].islower() else term


def masked(word: str) -> str:
    """All letters but the first as stars."""
    return word[0] + "*" * (len(word) - 1)


def make_replace(replacements: Mapping[str, str]) -> Callable[[str], str]:
    """A function that replaces words and phrases."""
    return Words(replacements).run


def make_settled(phrases: Iterable[str]) -> Callable[[str], int]:
    """A function that says how much of a growing text no later word can have replaced.

    It walks the text as :class:`Words` does and stops where a phrase of several words has begun but
    not ended: a partial must not show those words as stable, the next may change them.
    """
    table = {_key(phrase) for phrase in phrases if phrase.strip()}
    begun = beginnings(table)
    if not begun:
        return len
    walk = re.compile(
        rf"(?<!\w)(?:(?P<begun>{either(begun)})\s*\Z|(?:{either(table)})(?!\w))", re.IGNORECASE
    ).finditer

    def settled(text: str) -> int:
        replaced: list[re.Match[str]] = []
        for match in walk(text):
            if match["begun"] is None:
                replaced.append(match)
                continue
            # The whole word waits, with the quote or bracket before it; and where it is the end of
            # a phrase as well ("new york-new"), that phrase waits with it.
            at = word_start(text, match.start())
            while replaced and replaced[-1].end() > at:
                at = word_start(text, replaced.pop().start())
            return at
        return len(text)

    return settled


def _key(phrase: str) -> str:
    return " ".join(phrase.lower().split())
