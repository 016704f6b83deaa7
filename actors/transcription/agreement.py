"""LocalAgreement-2: which words of a growing hypothesis will stay.

A word is stable when two consecutive hypotheses agree on it and on everything before it (Liu,
Niehues and Waibel, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial
Hypothesis Selection", 2020, section 3.2; Macháček, Dabre and Bojar, "Turning Whisper into Real-Time
Transcription System", 2023, section 3). Case and punctuation do not count. What was stable once
stays word for word, whatever later hypotheses say.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher


class LocalAgreement:
    """The stable words of an open window, and its tail.

    Args:
        stable: words that are stable from the beginning.
        previous: the hypothesis before the first.
    """

    def __init__(self, stable: Sequence[str] = (), previous: Sequence[str] = ()) -> None:
        self._stable = list(stable)
        self._previous = list(previous)

    @property
    def stable(self) -> tuple[str, ...]:
        """The words that no later partial changes."""
        return tuple(self._stable)

    def update(self, text: str, settled: int = 0, certain: int | None = None) -> tuple[str, str]:
        """Take the next hypothesis.

        Args:
            text: the whole hypothesis; words are separated by white space.
            settled: how many leading words the engine itself calls settled.
            certain: how many leading words may be shown; the others are held back, and neither
                shown nor made stable. None: all.

        Returns:
            The stable text and the tail; a space belongs between them where both are non-empty.
        """
        words = text.split()[:certain]
        before, after = self._behind(self._previous), self._behind(words)
        agreed = max(agreeing(self._previous[before:], words[after:]), settled - after)
        self._stable += words[after : after + max(0, agreed)]
        self._previous = words
        return " ".join(self._stable), " ".join(words[after + max(0, agreed) :])

    def _behind(self, words: Sequence[str]) -> int:
        """How many leading words of a hypothesis say what is stable already.

        One that does not begin with the stable words may say it in more or fewer words.
        """
        if agreeing(self._stable, words) == len(self._stable):
            return len(self._stable)
        matcher = SequenceMatcher(
            None, [bare(w) for w in self._stable], [bare(w) for w in words], autojunk=False
        )
        *blocks, _ = matcher.get_matching_blocks()
        if not blocks:
            return min(len(self._stable), len(words))
        last = blocks[-1]
        unmatched = len(self._stable) - (last.a + last.size)
        return min(last.b + last.size + unmatched, len(words))


def agreeing(before: Sequence[str], after: Sequence[str]) -> int:
    """How many leading words two hypotheses share, case and punctuation aside."""
    count = 0
    for one, other in zip(before, after, strict=False):
        if one != other and bare(one) != bare(other):
            break
        count += 1
    return count


def corrected(stable: Sequence[str], final: Sequence[str]) -> int:
    """How many of the ``stable`` words read differently in the ``final``, case and dots aside."""
    matcher = SequenceMatcher(
        None, [bare(word) for word in stable], [bare(word) for word in final], autojunk=False
    )
    return len(stable) - sum(block.size for block in matcher.get_matching_blocks())


def bare(word: str) -> str:
    """A word without case and without the punctuation around it."""
    letters = [c for c in word.casefold() if not unicodedata.category(c).startswith("P")]
    return "".join(letters) or word
