"""The segmenter's promises, over random speech, settings and holes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.actors.vad.segmenter import Frame, Segmenter, Silence, quietest
from vivavoce.config.schema import VadSettings
from vivavoce.pipeline.messages import (
    EndReason,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

FRAME = 512
MS = 16


def speak(pattern: str, loudness: float = -20.0) -> list[Frame]:
    """Frames from a pattern: `s` is speech, `.` silence, `~` quieter speech."""
    frames = []
    for number, mark in enumerate(pattern):
        start = number * FRAME
        pcm = np.arange(start, start + FRAME, dtype=np.int64).astype(np.int16)
        level = {"s": loudness, "~": loudness - 25, ".": -80.0}[mark]
        frames.append(Frame(start, pcm, 0.0 if mark == "." else 0.9, level))
    return frames


def segment(frames: list[Frame], settings: VadSettings) -> list:
    segmenter = Segmenter(settings)
    decisions = []
    for frame in frames:
        decisions += segmenter.push(frame)
    decisions += segmenter.interrupt(frames[-1].end if frames else 0, EndReason.END_OF_STREAM)
    return decisions


def only(decisions: list, kind: type) -> list:
    return [decision for decision in decisions if isinstance(decision, kind)]


DEFAULT = VadSettings()


def test_an_utterance_has_pre_roll_and_hangover_and_ends_by_silence() -> None:
    frames = speak("." * 40 + "s" * 30 + "." * 40)
    (started,) = only(segment(frames, DEFAULT), SpeechStarted)
    (ended,) = only(segment(frames, DEFAULT), SpeechEnded)
    onset, end = 40 * FRAME, 70 * FRAME
    assert started.start == onset - DEFAULT.pre_roll_ms * MS
    assert ended.end == end + DEFAULT.hangover_ms * MS
    assert ended.reason is EndReason.SILENCE
    assert ended.at - end == DEFAULT.end_silence_ms * MS


def test_a_click_is_no_utterance() -> None:
    frames = speak("." * 20 + "ss" + "." * 40)
    decisions = segment(frames, DEFAULT)
    assert only(decisions, SpeechStarted) == []
    assert sum(s.end - s.start for s in only(decisions, Silence)) == len(frames) * FRAME


def test_pause_comes_after_its_audio_and_resuming_keeps_the_utterance() -> None:
    frames = speak("s" * 20 + "." * 12 + "s" * 10 + "." * 30)
    decisions = segment(frames, DEFAULT)
    kinds = [type(d).__name__ for d in decisions if not isinstance(d, SpeechAudio | Silence)]
    assert kinds == [
        "SpeechStarted",
        "SpeechPaused",
        "SpeechResumed",
        "SpeechPaused",
        "SpeechEnded",
    ]
    for position, decision in enumerate(decisions):
        if isinstance(decision, SpeechPaused):
            sent = [d.end for d in decisions[:position] if isinstance(d, SpeechAudio)]
            assert sent[-1] == decision.end
    (ended,) = only(decisions, SpeechEnded)
    assert only(decisions, SpeechPaused)[-1].end == ended.end


def test_long_speech_is_cut_at_its_quietest_place_without_losing_a_sample() -> None:
    settings = VadSettings(max_utterance_ms=4_000, cut_search_ms=2_000)
    pattern = "s" * 100 + "~" * 3 + "s" * 60
    decisions = segment(speak(pattern), settings)
    first, second = only(decisions, SpeechEnded)[:2]
    assert first.reason is EndReason.MAX_LENGTH
    assert 100 * FRAME <= first.end < 103 * FRAME
    assert second.start == first.end
    assert first.end - first.start <= 4_000 * MS


def test_quietest_is_the_middle_of_the_smoothed_minimum() -> None:
    frames = speak("sss~~~sss")
    assert quietest(frames) == 4 * FRAME + FRAME // 2
    with pytest.raises(ValueError, match="empty"):
        quietest([])


vad_settings = st.builds(
    VadSettings,
    min_speech_ms=st.sampled_from([32, 96, 160]),
    pre_roll_ms=st.sampled_from([0, 100, 320]),
    hangover_ms=st.sampled_from([0, 50, 160]),
    pause_ms=st.sampled_from([64, 256]),
    end_silence_ms=st.sampled_from([320, 640]),
    max_utterance_ms=st.sampled_from([2_000, 3_000]),
    cut_search_ms=st.sampled_from([0, 500, 1_500]),
)
stretches = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from(["s", ".", "~"])), min_size=1, max_size=12
)


@pytest.mark.thorough
@given(vad_settings, stretches, st.integers(1, FRAME))
@settings(max_examples=600, deadline=None)
def test_every_sample_goes_exactly_one_way(vad, parts, last) -> None:
    frames = speak("".join(mark * count for count, mark in parts))
    tail = frames[-1]
    frames[-1] = Frame(tail.start, tail.pcm[:last], tail.probability, tail.level)
    decisions = segment(frames, vad)
    total = frames[-1].end
    pieces = [(d.start, d.end) for d in only(decisions, Silence)]
    audio: dict[int, list[SpeechAudio]] = {}
    for message in only(decisions, SpeechAudio):
        audio.setdefault(message.utterance, []).append(message)
    for ended in only(decisions, SpeechEnded):
        pieces.append((ended.start, ended.end))
        heard = audio[ended.utterance]
        assert heard[0].start == ended.start
        for before, after in itertools.pairwise(heard):
            assert after.start == before.end
        joined = np.concatenate([message.pcm for message in heard])[: ended.end - ended.start]
        expected = np.arange(ended.start, ended.end, dtype=np.int64).astype(np.int16)
        np.testing.assert_array_equal(joined, expected)
        if ended.reason is not EndReason.MAX_LENGTH:
            assert heard[-1].end == ended.end
        assert ended.end - ended.start <= vad.max_utterance_ms * MS
    covered = sorted(piece for piece in pieces if piece[0] < piece[1])
    assert covered[0][0] == 0
    assert covered[-1][1] == total
    for before, after in itertools.pairwise(covered):
        assert before[1] == after[0]


@given(vad_settings, stretches)
@settings(max_examples=100, deadline=None)
def test_the_order_of_messages_is_legal(vad, parts) -> None:
    frames = speak("".join(mark * count for count, mark in parts))
    current, paused = None, False
    expected_number = 1
    for decision in segment(frames, vad):
        if isinstance(decision, SpeechStarted):
            assert current is None
            assert decision.utterance == expected_number
            current, paused = decision.utterance, False
            expected_number += 1
        elif isinstance(decision, SpeechAudio):
            assert decision.utterance == current
            assert not paused or decision.start is not None
        elif isinstance(decision, SpeechPaused):
            assert decision.utterance == current
            assert not paused
            paused = True
        elif isinstance(decision, SpeechResumed):
            assert decision.utterance == current
            assert paused
            paused = False
        elif isinstance(decision, SpeechEnded):
            assert decision.utterance == current
            current = None
    assert current is None
