"""What Whisper is known to do when it is unsure: loop, and invent. Pure; not for partials."""

from __future__ import annotations

from vivavoce.actors.cleanup.known_phrases import KNOWN_HALLUCINATIONS
from vivavoce.pipeline.messages import Final, Revision

_LOW_LOG_PROBABILITY = -0.8
_LOW_CONFIDENCE = 0.45
_HIGH_COMPRESSION = 2.4
_NO_SPEECH = 0.6
_LONGEST_PHRASE = 10
_LOOP = 3
_UNSPACED_LANGUAGES = frozenset({"zh", "ja", "yue", "th", "lo", "my", "km"})


def unsure(caption: Final | Revision) -> bool:
    """Whether the engine itself doubts the text.

    The limits are those of Whisper's own fallback (Radford et al., "Robust Speech Recognition via
    Large-Scale Weak Supervision", 2022, section 4.5), a little stricter. Figures that an engine
    does not give are 0 and say nothing.
    """
    return (
        0.0 < caption.confidence < _LOW_CONFIDENCE
        or caption.average_log_probability < _LOW_LOG_PROBABILITY
        or caption.compression_ratio > _HIGH_COMPRESSION
    )


def without_loops(text: str, language: str = "") -> str:
    """The text with each phrase of up to ten words that comes three times or more in a row once.

    In languages that put no space between words, a phrase is 2 to 30 characters. A text without a
    loop is returned as it is.
    """
    spaced = language not in _UNSPACED_LANGUAGES
    parts = text.split() if spaced else list(text)
    shortest, longest = (1, _LONGEST_PHRASE) if spaced else (2, 3 * _LONGEST_PHRASE)
    looped = False
    while True:
        kept = _unrolled(parts, shortest, longest)
        if len(kept) == len(parts):
            break
        parts, looped = kept, True
    return (" " if spaced else "").join(parts) if looped else text


def _unrolled(parts: list[str], shortest: int, longest: int) -> list[str]:
    """``parts`` with each loop once; what is left may loop anew."""
    bare = [part.casefold().strip(".,!?;:") for part in parts]
    kept: list[str] = []
    at = 0
    while at < len(parts):
        size, times = _loop_at(bare, at, shortest, longest)
        if times:
            # The last one of the loop is kept: it carries the punctuation of the sentence's end.
            kept += parts[at + size * (times - 1) : at + size * times]
            at += size * times
        else:
            kept.append(parts[at])
            at += 1
    return kept


def _loop_at(bare: list[str], at: int, shortest: int, longest: int) -> tuple[int, int]:
    """Size and number of the repetitions that begin at ``at``; the shortest phrase that loops."""
    for size in range(shortest, min(longest, (len(bare) - at) // _LOOP) + 1):
        phrase = bare[at : at + size]
        times = 1
        while bare[at + size * times : at + size * (times + 1)] == phrase:
            times += 1
        if times >= _LOOP:
            return size, times
    return 0, 0


def is_hallucination(caption: Final | Revision) -> bool:
    """Whether the whole text is a phrase known to be invented, over audio that supports none."""
    silent = caption.no_speech_probability > _NO_SPEECH
    return (silent or unsure(caption)) and spoken_form(caption.text) in KNOWN_HALLUCINATIONS


def spoken_form(text: str) -> str:
    """Letters, digits and single spaces, lower case."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
