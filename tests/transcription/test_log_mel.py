"""The incremental spectrogram: the extractor's own numbers, each frame computed once."""

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given, settings
from hypothesis import strategies as st
from support.program import SPEECH, read_wave

from vivavoce.actors.transcription.engines.log_mel import IncrementalLogMel

EXTRACTOR = FeatureExtractor()


def speech() -> np.ndarray:
    pcm = np.frombuffer(read_wave(SPEECH / "utt-025-rms.wav"), dtype=np.int16)
    return pcm.astype(np.float32) / 32_768


@pytest.mark.thorough
@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(201, 60_000), min_size=1, max_size=8))
def test_the_same_numbers_as_the_extractor_however_the_audio_grows(lengths) -> None:
    audio = speech()
    log_mel = IncrementalLogMel(EXTRACTOR.mel_filters)
    for length in sorted(lengths):
        heard = audio[:length]
        expected = EXTRACTOR(heard)[:, :-1]
        found = log_mel.features(heard)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=2e-6)


def test_each_settled_frame_is_computed_once() -> None:
    audio = speech()
    log_mel = IncrementalLogMel(EXTRACTOR.mel_filters)
    rounds = range(4_000, len(audio), 4_000)
    for length in rounds:
        log_mel.features(audio[:length])
    # The last two or three frames reach beyond the audio and are computed again.
    assert log_mel.computed <= len(audio) // 160 + 3 * len(rounds)


def test_a_later_view_is_normalised_by_what_it_shows() -> None:
    audio = np.concatenate((speech(), speech() * 0.01)).astype(np.float32)
    log_mel = IncrementalLogMel(EXTRACTOR.mel_filters)
    start = len(audio) // 2 // 160 + 10
    late = log_mel.features(audio, from_frame=start)
    assert late.shape[1] == len(audio) // 160 - start
    expected = EXTRACTOR(audio[160 * start :])[:, :-1]
    # But for the first two frames, which hear what was before instead of a mirror image.
    np.testing.assert_allclose(late[:, 2:], expected[:, 2 : late.shape[1]], atol=2e-6)
