"""Where two recordings of one sound lie: known offsets are found again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.program import SPEECH, read_wave

from vivavoce.actors.capture.alignment import find_offset

OVERLAP = 2_400
SPOKEN = np.frombuffer(read_wave(SPEECH / "utt-002-awb.wav"), dtype=np.int16)


def noise(samples: int, seed: int = 0, loudness: float = 1_000) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, loudness, samples).astype(np.int16)


@settings(max_examples=25, deadline=None)
@given(
    start=st.integers(0, 6_000),
    length=st.integers(4_000, 12_000),
    error=st.integers(-3_000, 3_000),
    spoken=st.booleans(),
)
def test_the_offset_is_found_however_wrong_the_clock_is(start, length, error, spoken) -> None:
    sound = SPOKEN[16_000:36_000] if spoken else noise(20_000)
    old, new = sound[2_000:10_000], sound[start : start + length]
    offset = 2_000 - start
    common = min(10_000, start + length) - max(2_000, start)
    found = find_offset(old, new, expected=offset + error, overlap=OVERLAP)
    if common >= OVERLAP:
        assert found == offset
    else:
        assert found is None or common < OVERLAP


def test_quiet_noise_of_single_steps_is_enough() -> None:
    sound = noise(20_000, loudness=0.7)
    assert find_offset(sound[5_000:13_000], sound[3_000:], expected=0, overlap=OVERLAP) == 2_000


def test_recordings_that_were_resampled_differently_are_still_aligned() -> None:
    sound = SPOKEN[16_000:36_000].astype(float)
    other = (sound + np.random.default_rng(1).normal(0, 20, len(sound))).astype(np.int16)
    old = sound[5_000:13_000].astype(np.int16)
    assert find_offset(old, other[3_000:], expected=1_900, overlap=OVERLAP) == 2_000


def test_of_the_periods_of_a_hum_the_nearest_to_what_is_expected_is_taken() -> None:
    hum = (8_000 * np.sin(2 * np.pi * 50 * np.arange(20_000) / 16_000)).astype(np.int16)
    found = find_offset(hum[5_000:13_000], hum[3_000:], expected=2_100, overlap=OVERLAP)
    assert found is not None
    assert (found - 2_000) % 320 == 0
    assert abs(found - 2_100) <= 160


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (np.zeros(8_000, np.int16), np.zeros(8_000, np.int16)),
        (noise(8_000, 1), noise(8_000, 2)),
        (noise(8_000, 1), np.zeros(8_000, np.int16)),
        (noise(8_000, 1), noise(8_000, 1)[:2_000]),
    ],
    ids=["silence", "other sound", "one is silent", "too little in common"],
)
def test_nothing_is_found_where_nothing_is_alike(old, new) -> None:
    assert find_offset(old, new, expected=0, overlap=OVERLAP) is None


VOICE = np.frombuffer(read_wave(SPEECH / "utt-034-slt.wav"), dtype=np.int16)


def test_a_voice_that_is_like_itself_a_period_later_is_not_taken_for_the_same_sound() -> None:
    """While the true overlap is too short, only its own periods are there to be found."""
    misled = 0
    for at in range(8_000, len(VOICE) - 12_000, 500):
        for common in (800, 1_600, 2_300):
            old, new = VOICE[at - 8_000 : at], VOICE[at - common : at - common + 4_000]
            expected = 8_000 - common
            offset = common - 8_000
            found = find_offset(old, new, expected=-expected, overlap=OVERLAP, exact=True)
            assert found in (None, offset)
            likely = find_offset(old, new, expected=-expected, overlap=OVERLAP)
            misled += likely not in (None, offset)
    assert misled > 3, "or this would prove nothing"


def test_exactly_the_same_sound_is_found_at_once() -> None:
    for at in range(8_000, len(VOICE) - 12_000, 1_500):
        old, new = VOICE[at - 8_000 : at], VOICE[at - 3_000 : at + 1_000]
        if np.abs(new).max() > 100:
            assert find_offset(old, new, expected=0, overlap=OVERLAP, exact=True) == -5_000
