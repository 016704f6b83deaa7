"""Speech of spoken words with gaps between them, and an engine that hears where they are."""

import numpy as np

from vivavoce.actors.transcription.engines.base import Hypothesis, HypothesisWord
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.testing import ScriptedEngine

PERIOD = RATE // 2
FIRST, LAST = 1_000, 6_400
"""A word lasts from one to the other in its half second; there is silence around it."""

SENTENCE = 7
"""So many words are a sentence."""

_LOUDEST = 1_000
_DOUBT = 1_600  # samples by which the times of words are wrong: 0.1 s


def talk(start: int, count: int) -> np.ndarray:
    """Endless speech: each word has a level of its own."""
    at = np.arange(start, start + count, dtype=np.int64)
    within = at % PERIOD
    said = (within >= FIRST) & (within < LAST)
    return np.where(said, _LOUDEST + at // PERIOD, 0).astype(np.int16)


def word(number: int) -> str:
    """The word of the half second of that number, as it stands in its sentence."""
    first = "W" if number % SENTENCE == 0 else "w"
    return f"{first}{number}." if number % SENTENCE == SENTENCE - 1 else f"{first}{number}"


def words(first: int, last: int) -> str:
    """The text of ``[first, last)``."""
    return " ".join(word(number) for number in range(first, last))


def ends_at(number: int) -> float:
    """When the word has been said, in seconds of the stream."""
    return (number * PERIOD + LAST) / RATE


class Listener(ScriptedEngine):
    """Hears the words of :func:`talk`; half a word becomes another, improbable one.

    ``prefixes`` are the words that partials were told to be certain.
    """

    def __init__(self, **costs: float) -> None:
        super().__init__(**costs)
        self.prefixes: list[tuple[str, ...]] = []

    async def partial(self, session, end, prefix=(), *, language=None) -> Hypothesis:
        self.prefixes.append(tuple(prefix))
        hypothesis = await super().partial(session, end, prefix, language=language)
        told = tuple(hypothesis.text.split())[: len(prefix)]
        assert told == tuple(prefix), "an agreed word is not in the audio"
        return hypothesis

    def hear(self, samples: np.ndarray, cost: float) -> Hypothesis:
        edges = np.flatnonzero(np.diff(samples, prepend=0, append=0))
        heard = []
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            number = int(samples[start]) - _LOUDEST
            whole = end - start == LAST - FIRST
            wrong = _DOUBT if number % 4 < 2 else -_DOUBT
            heard.append(
                HypothesisWord(
                    text=word(number) if whole else f"half{number}",
                    start=max(0, int(start) + wrong),
                    end=min(len(samples), int(end) + wrong),
                    probability=0.9 if whole else 0.2,
                )
            )
        return Hypothesis(
            text=" ".join(one.text for one in heard),
            words=tuple(heard),
            probabilities=tuple(one.probability for one in heard),
            samples=len(samples),
            decode_s=cost,
        )
