"""Settings that earlier releases had, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

from vivavoce.config.yaml_lines import Path

_LENGTH = "transcription.longest_window_ms says how much of it is decoded at once"

GONE: Mapping[Path, str] = {
    ("transcription", "window_ms"): (
        f"finals are sentences now, and long speech is cut where one ends; delete it, {_LENGTH}"
    ),
    ("transcription", "previous_words"): (
        "what is decoded at once holds the sentences before; delete it"
    ),
    ("transcription", "previous_words_silence_ms"): (
        "what is decoded at once holds the sentences before; delete it"
    ),
    ("transcription", "speculative_finals"): (
        "a pause may always start a final; delete it, transcription.final_cpu_share says what "
        "that may cost"
    ),
    ("transcription", "phrase_cache"): (
        "sentences are decoded together, which do not come again as a phrase does; delete it"
    ),
    ("vad", "max_utterance_ms"): (
        f"finals are sentences now, and long speech is cut where one ends; delete it, {_LENGTH}"
    ),
    ("vad", "cut_search_ms"): (
        "finals are sentences now, and long speech is cut where one ends; delete it"
    ),
}
"""By path: what is said behind `… is gone:`."""
