"""When a decoding is not to be trusted: pure rules over its text and figures.

Whisper falls back to other temperatures by the same figures (Radford et al., 2022, section 4.5).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

LOWEST_LOG_PROBABILITY = -1.0
HIGHEST_COMPRESSION = 2.4
_SILENT = 0.6
_MOST_WORDS_PER_SECOND = 10.0
_LEAST_PROBABLE = 0.25
_SPARSE_SECONDS_PER_WORD = 2.0
_FEW_WORDS = 2
_DOUBTFUL_ON_AVERAGE = -0.7
_LOOP = 3
_LONGEST_PHRASE = 8
_SAME_WORDS = 3


def compression_ratio(text: str) -> float:
    """Bytes of the text over bytes of it compressed: high where a phrase loops."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def looks_bad(text: str, average_log_probability: float) -> bool:
    """Whether the decoder was lost: improbable, looping, or repeating itself at the end."""
    return (
        average_log_probability < LOWEST_LOG_PROBABILITY
        or compression_ratio(text) > HIGHEST_COMPRESSION
        or loops(text.split())
    )


def loops(words: Sequence[str]) -> bool:
    """Whether the last words are one phrase of up to 8 words, three times in a row.

    A single word may be said three times ("no, no, no"); it loops from the fifth time on.
    """
    plain = _plain(words)
    for length in range(1, _LONGEST_PHRASE + 1):
        times = _LOOP if length > 1 else _LOOP + 2
        if _repeated(plain, length) >= length * (times - 1):
            return True
    return False


def before_repetition(words: Sequence[str]) -> int:
    """How many leading words there are before a phrase begins to come again at the end.

    Only where at least 3 words of it came again. All of them where none does.
    """
    plain = _plain(words)
    for length in range(1, len(plain)):
        again = _repeated(plain, length)
        if again >= _SAME_WORDS:
            return len(plain) - again
    return len(words)


def _plain(words: Sequence[str]) -> list[str]:
    return [word.casefold().strip(".,!?") for word in words]


def _repeated(words: Sequence[str], length: int) -> int:
    """How many words at the end say again what stands ``length`` words before them."""
    start = len(words)
    while start > length and words[start - 1] == words[start - 1 - length]:
        start -= 1
    return len(words) - start


def invented(
    text: str,
    *,
    seconds: float,
    no_speech_probability: float,
    average_log_probability: float,
    word_probabilities: Sequence[float],
) -> bool:
    """Whether a final is a hallucination on silence or noise and must not become a caption.

    Args:
        text: what was decoded.
        seconds: length of the audio.
        no_speech_probability: Whisper's own, in [0, 1].
        average_log_probability: of the tokens.
        word_probabilities: of the words where known, else empty.
    """
    words = text.split()
    if not words:
        return False
    # As faster-whisper does for each segment.
    silent = no_speech_probability > _SILENT and average_log_probability <= LOWEST_LOG_PROBABILITY
    too_fast = len(words) > 3 and len(words) / max(seconds, 0.1) > _MOST_WORDS_PER_SECOND
    if silent or too_fast:
        return True
    # Loud clicks can pass for speech, yet all that is heard in them is a doubtful word or two.
    sparse = seconds >= _SPARSE_SECONDS_PER_WORD * len(words)
    few = len(words) <= _FEW_WORDS
    if not word_probabilities:
        return sparse and average_log_probability < _DOUBTFUL_ON_AVERAGE
    best = max(word_probabilities)
    lonely = sparse and best < 0.8 and average_log_probability < -0.4
    short = few and best < 0.5 and average_log_probability < LOWEST_LOG_PROBABILITY
    return best < _LEAST_PROBABLE or lonely or short
