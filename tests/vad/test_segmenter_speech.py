"""No speech goes the way of silence, and no utterance is made of silence alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.actors.vad.segmenter import Frame, Segmenter
from vivavoce.config.schema import VadSettings
from vivavoce.pipeline.messages import EndReason, SpeechEnded

FRAME = 512
MS = 16
MARKS = {"s": (0.9, -20.0), "m": (0.4, -30.0), ".": (0.0, -80.0)}
"""Speech, murmur (enough to go on with speech, not to begin it), silence."""


def segment(pattern: str, vad: VadSettings, hole_after: int = 10**9) -> list:
    segmenter = Segmenter(vad)
    decisions: list = []
    shift = 0
    for number, mark in enumerate(pattern):
        if number == hole_after:
            decisions += segmenter.interrupt(number * FRAME, EndReason.GAP)
            shift = 1_000
        probability, level = MARKS[mark]
        pcm = np.zeros(FRAME, dtype=np.int16)
        decisions += segmenter.push(Frame(shift + number * FRAME, pcm, probability, level))
    decisions += segmenter.interrupt(shift + len(pattern) * FRAME, EndReason.END_OF_STREAM)
    return decisions


def ends(decisions: list) -> list[SpeechEnded]:
    return [decision for decision in decisions if isinstance(decision, SpeechEnded)]


vad_settings = st.builds(
    VadSettings,
    min_speech_ms=st.sampled_from([0, 32, 96, 160]),
    pre_roll_ms=st.sampled_from([0, 100, 320]),
    hangover_ms=st.sampled_from([0, 50, 160, 320]),
    pause_ms=st.sampled_from([64, 256, 320]),
    end_silence_ms=st.sampled_from([320, 640]),
)
stretches = st.lists(
    st.tuples(st.integers(1, 70), st.sampled_from("sm.")), min_size=1, max_size=12
).map(lambda parts: "".join(mark * count for count, mark in parts))


@pytest.mark.thorough
@given(vad_settings, stretches)
@settings(max_examples=300, deadline=None)
def test_speech_is_in_an_utterance_and_every_utterance_has_speech(vad, pattern) -> None:
    found = ends(segment(pattern, vad))
    shortest = max(1, -(-vad.min_speech_ms * MS // FRAME))
    covered = [
        sum(min(u.end, at + FRAME) - max(u.start, at) for u in found
            if u.start < at + FRAME and u.end > at)
        for at in range(0, len(pattern) * FRAME, FRAME)
    ]  # fmt: skip
    run = 0
    for number, mark in enumerate(pattern):
        # A run begins with speech and goes on with speech or murmur.
        run = run + 1 if mark == "s" or (mark == "m" and run) else 0
        if run >= shortest:
            assert covered[number - run + 1 : number + 1] == [FRAME] * run
    for utterance in found:
        first, last = utterance.start // FRAME, -(-utterance.end // FRAME)
        assert set(pattern[first:last]) & {"s", "m"}
