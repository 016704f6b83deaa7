"""Which words of a partial hypothesis are shown: pure.

The audio of a partial may end in the middle of a word, and the decoder makes another word of the
half that it heard. It is unsure then: its least probable token tells. On the synthetic talks this
separates cut words better than their distance from the end of the audio does (unstable words 0.15
against 0.17 at the same latency), and needs no alignment.

A doubtful word further in front reads differently in the next partial, and so does what follows it:
the decoder goes on from what it said. With real Whisper weights and human speech most words that
were taken back stood behind such a word. Where two hypotheses in a row have it, it is believed.
"""

from __future__ import annotations

from collections.abc import Sequence

_DOUBTFUL = 0.5
_TWICE = 0.3


def certain_words(
    probabilities: Sequence[float],
    last: int,
    least: float,
    *,
    stable: int = 0,
    agreed: int = 0,
    patience: float = 1.0,
) -> int:
    """How many leading words may be shown.

    Args:
        probabilities: of each word, in [0, 1].
        last: how many words at the end may be cut by the end of the audio.
        least: the probability from which on such a word is shown.
        stable: how many leading words are stable already.
        agreed: how many leading words the hypothesis before had as well.
        patience: in (0, 1]; less where the next hypothesis is far away: a doubtful word that would
            have to wait for seconds is worth more than one that is taken back now and then.

    Returns:
        The number of words up to the last one that is shown; a word behind an improbable one may
        show it to be complete.
    """
    count = len(probabilities)
    while count > max(0, len(probabilities) - last):
        probability = probabilities[count - 1]
        if probability >= patience * least or (count <= agreed and probability >= _TWICE):
            break
        count -= 1
    for place in range(max(stable, agreed), count):
        if probabilities[place] < patience * _DOUBTFUL:
            return place
    return count
