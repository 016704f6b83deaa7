"""What a final is told of the finals before it: pure."""

from __future__ import annotations

from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.messages import SAMPLE_RATE

_TRUSTED_LOG_PROBABILITY = -0.6


class PreviousWords:
    """The last words of the finals so far, forgotten after a long silence or a doubtful final.

    A text prompt carries style and names on, and errors too: a bad final must not poison what
    follows, so it clears the memory instead of entering it.

    Args:
        count: words kept; 0: never any.
        silence_samples: silence after which they are forgotten.
    """

    def __init__(self, count: int, silence_samples: int) -> None:
        self._count = count
        self._silence = silence_samples
        self._words: list[str] = []
        self._end = 0

    def take_settings(self, count: int, silence_samples: int) -> None:
        """Keep another number of words, for another silence, from now on."""
        self._count, self._silence = count, silence_samples
        self._words = self._words[-count:] if count else []

    def before(self, start: int) -> str:
        """The words to give to a final that starts at sample ``start``."""
        if start - self._end > self._silence:
            return ""
        return " ".join(self._words)

    def add(self, text: str, end: int, average_log_probability: float) -> None:
        """A final that ends at sample ``end``."""
        if not self._count:
            return
        if average_log_probability < _TRUSTED_LOG_PROBABILITY:
            self._words = []
        else:
            self._words = [*self._words, *text.split()][-self._count :]
        self._end = end


def limits(settings: TranscriptionSettings) -> tuple[int, int]:
    """How many words are kept, and the silence in samples after which none is given."""
    return settings.previous_words, settings.previous_words_silence_ms * SAMPLE_RATE // 1_000
