"""Settings that earlier releases had, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vivavoce.config.errors import ProfileError
from vivavoce.config.layers import Layer, at
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
"""By section and name: what is said behind `… is gone:`."""


def without_gone(layer: Layer, told: Callable[[str], None] | None) -> Layer:
    """The layer without settings that have gone, also not in the settings of a condition.

    A profile of an earlier release still runs: what has gone is told, and does nothing.

    Raises:
        ProfileError: there is one, and nobody is ``told``.
    """
    data = layer.data
    for path in _found(data):
        line = f"{at(layer, path)} is gone: {GONE[path[-2:]]}"
        if told is None:
            raise ProfileError(line)
        told(line)
        data = _without(data, path)
    return Layer(data, layer.origins)


def _found(data: Mapping[str, Any], prefix: Path = ()) -> Iterator[Path]:
    for key, value in data.items():
        path = (*prefix, key)
        if path[-2:] in GONE:
            yield path
        elif isinstance(value, Mapping):
            yield from _found(value, path)


def _without(data: Mapping[str, Any], path: Path) -> dict[str, Any]:
    key, *inner = path
    if not inner:
        return {name: value for name, value in data.items() if name != key}
    return {**data, key: _without(data[key], tuple(inner))}
