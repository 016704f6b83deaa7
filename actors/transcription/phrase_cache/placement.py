"""A cached hypothesis put where its words are in the phrase at hand."""

from __future__ import annotations

from msgspec import structs

from vivavoce.actors.transcription.engines.base import Hypothesis, HypothesisWord


def placed(hypothesis: Hypothesis, shift: int, samples: int) -> Hypothesis:
    """The hypothesis with its words ``shift`` samples later and within ``[0, samples]``.

    Args:
        hypothesis: of the phrase that was stored.
        shift: by how much the phrase begins later now (negative: earlier), in samples.
        samples: length of the audio that it stands for now.

    Returns:
        A hypothesis that covers ``samples`` and cost no decoding.
    """

    def place(position: int) -> int:
        return min(max(position + shift, 0), samples)

    words = tuple(
        HypothesisWord(
            text=word.text,
            start=place(word.start),
            end=place(word.end),
            probability=word.probability,
        )
        for word in hypothesis.words
    )
    return structs.replace(hypothesis, words=words, samples=samples, decode_s=0.0)
