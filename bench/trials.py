"""What became of each utterance of a scenario, and how it differs from an undisturbed run. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.alignment import align, words_of
from bench.scenario import Placed
from vivavoce.bench.sound import Samples
from vivavoce.pipeline.messages import SAMPLE_RATE

Event = dict[str, Any]

_BEFORE_S = 0.2
"""The mode so long before the first word is the one that the utterance wakes it from."""
_ALIKE_S = 0.25
_MARGIN_S = 0.3
_PIECE = 400


@dataclass(frozen=True, slots=True)
class Trial:
    """One utterance as it was heard; latencies in seconds, None where there was no such event.

    Attributes:
        text: of its finals together; empty when nothing was heard.
        start, end: of these finals, on the stream's clock.
        mode: the power mode just before its speech began.
        active: from the begin of speech to `active`.
        partial: from the begin of speech to the first partial.
        final: from the end of speech to the last of its finals.
    """

    text: str
    start: float
    end: float
    mode: str
    active: float | None
    partial: float | None
    final: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Against the undisturbed run of the same audio.

    Attributes:
        lost: words of the undisturbed run that are not there.
        unlike: utterances with another text, to the letter.
        later: how much later each final came, in seconds.
    """

    lost: int
    unlike: int
    later: tuple[float, ...]


def trials(events: Sequence[Event], placed: Sequence[Placed], shift: float = 0.0) -> list[Trial]:
    """Each of ``placed``, with the finals whose audio overlaps its speech.

    Args:
        events: of ``--format jsonl``.
        shift: at which second of the stream the scenario begins.
    """
    return [_trial(events, one.onset + shift, one.end + shift) for one in placed]


def _trial(events: Sequence[Event], onset: float, end: float) -> Trial:
    finals = [
        event
        for event in events
        if event["type"] == "final"
        and event["text"]
        and event["start"] < end
        and event["end"] > onset
    ]
    mine = {event["utterance"] for event in finals}
    mode = "active"
    active: float | None = None
    for event in events:
        if event["type"] != "power":
            continue
        if event["t"] < onset - _BEFORE_S:
            mode = event["mode"]
        elif active is None and event["mode"] == "active":
            active = event["t"] - onset
    partials = [
        event["t"] - onset
        for event in events
        if event["type"] == "partial" and event["utterance"] in mine
    ]
    return Trial(
        text=" ".join(event["text"] for event in finals),
        start=min((event["start"] for event in finals), default=0.0),
        end=max((event["end"] for event in finals), default=0.0),
        mode=mode,
        active=active if mode != "active" else None,
        partial=min(partials, default=None),
        final=max((event["t"] for event in finals), default=0.0) - end if finals else None,
    )


def lost_words(reference: str, text: str) -> int:
    """How many words of ``reference`` are not in ``text``, in order; case and punctuation aside."""
    expected = words_of(reference)
    return len(expected) - len(align(expected, words_of(text)).matches)


def difference(undisturbed: Sequence[Trial], found: Sequence[Trial]) -> Difference:
    """Compare trial by trial; ``found`` may be of the beginning of the scenario only."""
    pairs = list(zip(undisturbed[: len(found)], found, strict=True))
    return Difference(
        lost=sum(lost_words(one.text, other.text) for one, other in pairs),
        unlike=sum(one.text != other.text for one, other in pairs),
        later=tuple(
            other.final - one.final
            for one, other in pairs
            if one.final is not None and other.final is not None
        ),
    )


def altered(played: Samples, heard: Samples, placed: Sequence[Placed]) -> list[int]:
    """For each utterance, how many of its samples were not heard as they were played, in order.

    Where an utterance was heard is found by a piece of it that is in ``heard`` exactly; all the
    rest has to lie around it. 0 where nothing was lost, doubled or changed.
    """
    return [
        _altered(played[_at(one.onset - _MARGIN_S) : _at(one.end + _MARGIN_S)], heard)
        for one in placed
    ]


def _altered(wanted: Samples, heard: Samples) -> int:
    best = len(wanted)
    # A loud piece from its middle, and others where that one itself was damaged.
    for share in (0.5, 0.25, 0.75):
        at = int(share * len(wanted))
        piece = wanted[at : at + _PIECE]
        for found in np.flatnonzero(heard[: len(heard) - _PIECE] == piece[0]):
            if np.array_equal(heard[found : found + _PIECE], piece):
                there = heard[max(0, found - at) : found - at + len(wanted)]
                same = there == wanted[: len(there)]
                best = min(best, len(wanted) - int(np.count_nonzero(same)))
    return best


def _at(seconds: float) -> int:
    return max(0, round(seconds * SAMPLE_RATE))


def shift_of(expected: Sequence[float], found: Sequence[float]) -> float | None:
    """By how much times were shifted, where some may be missing and others may be too many.

    Of all differences, the one on which most pairs agree (to a quarter of a second), refined by
    their median; None where there are no times.
    """
    differences = sorted(there - here for here in expected for there in found)
    if not differences:
        return None

    def agreeing(shift: float) -> list[float]:
        return [other for other in differences if abs(other - shift) <= _ALIKE_S]

    most = max((agreeing(shift) for shift in differences), key=len)
    return statistics.median(most)
