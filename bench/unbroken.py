"""Speech without a pause, made of a talk whose word times are known. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_GAP_S = 0.08
"""What stays of a pause between two words: less than any detector takes for a pause."""


def unbroken(
    pcm: bytes, words: Sequence[Mapping[str, Any]], seconds: float, sample_rate: int
) -> tuple[bytes, list[dict[str, Any]]]:
    """Take the pauses out of a talk and repeat it.

    Args:
        pcm: mono int16.
        words: each with ``word``, ``start`` and ``end`` (seconds), in order.
        seconds: how long the result is at least, if the talk has any word.
        sample_rate: samples per second of ``pcm``.

    Returns:
        The audio, and its words with their new times.
    """
    pieces: list[bytes] = []
    talk: list[dict[str, Any]] = []
    length = 0

    def keep(start_s: float, end_s: float) -> None:
        nonlocal length
        piece = pcm[2 * round(start_s * sample_rate) : 2 * round(end_s * sample_rate)]
        pieces.append(piece)
        length += len(piece) // 2

    before = None
    for word in words:
        start, end = float(word["start"]), float(word["end"])
        if before is not None:
            half = max(0.0, min(start - before, _GAP_S)) / 2
            keep(before, before + half)
            keep(start - half, start)
        began = length / sample_rate
        keep(start, end)
        talk.append({"word": word["word"], "start": began, "end": length / sample_rate})
        before = end
    once = b"".join(pieces)
    lasts = len(once) / 2 / sample_rate
    times = max(1, -int(-seconds // lasts)) if lasts else 1
    return once * times, [
        {**word, "start": word["start"] + turn * lasts, "end": word["end"] + turn * lasts}
        for turn in range(times)
        for word in talk
    ]
