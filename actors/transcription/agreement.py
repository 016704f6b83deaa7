"""LocalAgreement-2: which words of a growing hypothesis will stay.

A word is stable when two consecutive hypotheses agree on it and on everything before it (Liu,
Niehues and Waibel, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial
Hypothesis Selection", 2020, section 3.2; Macháček, Dabre and Bojar, "Turning Whisper into Real-Time
Transcription System", 2023, section 3). Case and punctuation do not count. What was stable once
stays word for word, whatever later hypotheses say.

A hypothesis that only ends sooner than the one before (the decoder missed the rest, or is not sure
of it any more) takes nothing back: the words stay in the tail until another stands in their place.
One without any word does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

SECOND_OPINION = 2_400
"""Samples (0.15 s) between the first and the last of the hypotheses that agree on a word.

What is decoded twice from nearly the same audio agrees with itself, right or wrong."""


class LocalAgreement:
    """The stable words of an open window, and its tail.

    Args:
        least_audio: how much more audio (samples) must have been heard since hypotheses began to
            agree on a word; in the product :data:`SECOND_OPINION`.
        stable: words that are stable from the beginning.
    """

    def __init__(self, least_audio: int = 0, stable: Sequence[str] = ()) -> None:
        self._least_audio = least_audio
        self._stable = list(stable)
        self._before: list[str] = []  # the last hypothesis, with what was held back of it
        self._tail: list[str] = []
        # Of each word of the tail: the audio since when all hypotheses have it; None: the last one
        # did not.
        self._since: list[int | None] = []

    @property
    def stable(self) -> tuple[str, ...]:
        """The words that no later partial changes."""
        return tuple(self._stable)

    def agreed(self, text: str) -> int:
        """How many leading words the last hypothesis has as well, shown or held back."""
        return agreeing(self._before, text.split())

    def update(
        self, text: str, settled: int = 0, certain: int | None = None, heard: int = 0
    ) -> tuple[str, str]:
        """Take the next hypothesis.

        Args:
            text: the whole hypothesis; words are separated by white space.
            settled: how many leading words the engine itself calls settled.
            certain: how many leading words may be shown; the others are held back, and neither
                shown nor made stable. None: all.
            heard: up to where (in samples, from anywhere) the hypothesis has heard.

        Returns:
            The stable text and the tail; a space belongs between them where both are non-empty.
        """
        self._before = text.split()
        words = self._before[:certain]
        after = self._behind(words)
        tail = words[after:]
        known = agreeing(self._tail, tail)
        since: list[int | None] = [heard if at is None else at for at in self._since[:known]]
        agreed = max(0, settled - after)
        while agreed < known and self._confirmed(self._since[agreed], heard):
            agreed += 1
        if words and known == len(tail):  # it only ends sooner
            tail = tail + self._tail[known:]
            since += [None] * (len(tail) - known)
        else:
            since += [heard] * (len(tail) - known)
        self._stable += tail[:agreed]
        self._tail, self._since = tail[agreed:], since[agreed:]
        return " ".join(self._stable), " ".join(self._tail)

    def _confirmed(self, since: int | None, heard: int) -> bool:
        return since is not None and heard - since >= self._least_audio

    def _behind(self, words: Sequence[str]) -> int:
        """How many leading words of a hypothesis say what is stable already.

        One that does not begin with the stable words may say it in more or fewer words: as many as
        make the fewest errors (Levenshtein); among those, the most.
        """
        same = agreeing(self._stable, words)
        stable = [bare(word) for word in self._stable[same:]]
        rest = [bare(word) for word in words[same:]]
        errors = list(range(len(rest) + 1))  # against the first 0, 1, … words of the rest
        for row, word in enumerate(stable, start=1):
            above, errors = errors, [row]
            for column, other in enumerate(rest, start=1):
                replaced = above[column - 1] + (word != other)
                errors.append(min(replaced, above[column] + 1, errors[-1] + 1))
        return same + max(range(len(errors)), key=lambda column: (-errors[column], column))


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


def is_word(text: str) -> bool:
    """Whether there is anything but punctuation."""
    return any(not unicodedata.category(c).startswith("P") for c in text)
