"""What Whisper is known to do when it is unsure: loop, and invent. Pure rules, for finals only."""

from __future__ import annotations

from vivavoce.actors.cleanup.known_phrases import KNOWN_HALLUCINATIONS
from vivavoce.pipeline.messages import Final

_LOW_LOG_PROBABILITY = -0.8
_LOW_CONFIDENCE = 0.45
_HIGH_COMPRESSION = 2.4
_NO_SPEECH = 0.6
_LONGEST_PHRASE = 10
_LOOP = 3


def unsure(final: Final) -> bool:
    """Whether the engine itself doubts the text.

    The limits are those of Whisper's own fallback (Radford et al., "Robust Speech Recognition via
    Large-Scale Weak Supervision", 2022, section 4.5), a little stricter. Figures that an engine
    does not give are 0 and say nothing.
    """
    return (
        final.average_log_probability < _LOW_LOG_PROBABILITY
        or final.compression_ratio > _HIGH_COMPRESSION
        or 0.0 < final.confidence < _LOW_CONFIDENCE
    )


def without_loops(text: str) -> str:
    """The text with each phrase of up to ten words that comes three times or more in a row once."""
    words = text.split()
    bare = [word.casefold().strip(".,!?;:") for word in words]
    kept: list[str] = []
    at = 0
    while at < len(words):
        size, times = _loop_at(bare, at)
        if times >= _LOOP:
            # The last one of the loop is kept: it carries the punctuation of the sentence's end.
            kept += words[at + size * (times - 1) : at + size * times]
            at += size * times
        else:
            kept.append(words[at])
            at += 1
    return " ".join(kept)


def _loop_at(bare: list[str], at: int) -> tuple[int, int]:
    """Size and number of the repetitions that begin at ``at``; the shortest phrase that loops."""
    for size in range(1, min(_LONGEST_PHRASE, (len(bare) - at) // _LOOP) + 1):
        phrase = bare[at : at + size]
        times = 1
        while bare[at + size * times : at + size * (times + 1)] == phrase:
            times += 1
        if times >= _LOOP:
            return size, times
    return 0, 0


def is_hallucination(final: Final) -> bool:
    """Whether the whole text is a phrase known to be invented, over audio that supports none."""
    doubtful = unsure(final) or final.no_speech_probability > _NO_SPEECH
    return doubtful and spoken_form(final.text) in KNOWN_HALLUCINATIONS


def spoken_form(text: str) -> str:
    """Letters, digits and single spaces, lower case."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
