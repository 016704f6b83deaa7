"""The segmenter's promises, over random speech, settings and holes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.actors.vad.segmenter import Frame, Segmenter, Silence
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
    frames = speak("." * 40 + "s" * 30 + "." * 60)
    (started,) = only(segment(frames, DEFAULT), SpeechStarted)
    (ended,) = only(segment(frames, DEFAULT), SpeechEnded)
    onset, end = 40 * FRAME, 70 * FRAME
    assert started.start == onset - DEFAULT.pre_roll_ms * MS
    assert ended.end == end + DEFAULT.hangover_ms * MS
    assert ended.reason is EndReason.SILENCE
    assert 0 <= ended.at - end - DEFAULT.end_silence_ms * MS < FRAME


def test_a_click_is_no_utterance() -> None:
    frames = speak("." * 20 + "ss" + "." * 40)
    decisions = segment(frames, DEFAULT)
    assert only(decisions, SpeechStarted) == []
    assert sum(s.end - s.start for s in only(decisions, Silence)) == len(frames) * FRAME


def test_a_pause_begins_where_speech_ended_and_resuming_keeps_the_utterance() -> None:
    frames = speak("s" * 20 + "." * 12 + "s" * 10 + "." * 60)
    decisions = segment(frames, DEFAULT)
    kinds = [type(d).__name__ for d in decisions if not isinstance(d, SpeechAudio | Silence)]
    assert kinds == [
        "SpeechStarted",
        "SpeechPaused",
        "SpeechResumed",
        "SpeechPaused",
        "SpeechEnded",
    ]
    first, last = only(decisions, SpeechPaused)
    assert (first.end, last.end) == (20 * FRAME, 42 * FRAME)
    assert first.at == 30 * FRAME, "the first frame by whose end the pause lasts 300 ms"
    (resumed,) = only(decisions, SpeechResumed)
    assert resumed.at == 33 * FRAME
    (ended,) = only(decisions, SpeechEnded)
    assert ended.end == 42 * FRAME + DEFAULT.hangover_ms * MS


@pytest.mark.parametrize("hangover_ms", [0, 100, 300, 480, 1_500])
def test_audio_goes_on_in_a_pause_until_the_hangover_is_over(hangover_ms: int) -> None:
    vad = VadSettings(hangover_ms=hangover_ms)
    decisions = segment(speak("s" * 20 + "." * 60), vad)
    (paused,) = only(decisions, SpeechPaused)
    assert paused.end == 20 * FRAME
    assert paused.at == 30 * FRAME, "whatever the hangover is"
    assert paused.tail_end == paused.end + hangover_ms * MS
    place = decisions.index(paused)
    sent = [d.end for d in decisions if isinstance(d, SpeechAudio)]
    before = [d.end for d in decisions[:place] if isinstance(d, SpeechAudio)]
    speech_end = 20 * FRAME
    assert before[-1] == min(paused.at, speech_end + hangover_ms * MS)
    assert sent[-1] == speech_end + hangover_ms * MS
    (ended,) = only(decisions, SpeechEnded)
    assert ended.end == sent[-1]
    assert ended.at - speech_end >= vad.end_silence_ms * MS


def test_speech_that_goes_on_behind_the_hangover_is_sent_without_a_hole() -> None:
    decisions = segment(speak("s" * 20 + "." * 30 + "s" * 10 + "." * 60), DEFAULT)
    assert len(only(decisions, SpeechEnded)) == 1
    heard = only(decisions, SpeechAudio)
    for before, after in itertools.pairwise(heard):
        assert after.start == before.end
    (resumed,) = only(decisions, SpeechResumed)
    behind = next(d for d in decisions[decisions.index(resumed) :] if isinstance(d, SpeechAudio))
    assert behind.start == 20 * FRAME + DEFAULT.hangover_ms * MS
    assert behind.end == resumed.at


def test_an_interrupted_pause_keeps_what_was_heard_of_its_hangover() -> None:
    (ended,) = only(segment(speak("s" * 20 + "." * 12), DEFAULT), SpeechEnded)
    assert (ended.end, ended.reason) == (32 * FRAME, EndReason.END_OF_STREAM)


def test_a_pause_as_long_as_the_end_is_told_before_it() -> None:
    vad = VadSettings(pause_ms=640, end_silence_ms=640)
    decisions = segment(speak("s" * 20 + "." * 40), vad)
    (paused,), (ended,) = only(decisions, SpeechPaused), only(decisions, SpeechEnded)
    assert paused.at == ended.at
    assert decisions.index(paused) < decisions.index(ended)


def test_speech_is_never_cut_however_long_it_is() -> None:
    minutes = 3 * 60_000 // 32
    decisions = segment(speak("s" * minutes + "." * 60), DEFAULT)
    (ended,) = only(decisions, SpeechEnded)
    assert (ended.start, ended.reason) == (0, EndReason.SILENCE)


vad_settings = st.builds(
    VadSettings,
    min_speech_ms=st.sampled_from([32, 96, 160]),
    pre_roll_ms=st.sampled_from([0, 100, 320]),
    hangover_ms=st.sampled_from([0, 50, 160, 320]),
    pause_ms=st.sampled_from([64, 256, 320]),
    end_silence_ms=st.sampled_from([320, 640]),
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
        joined = np.concatenate([message.pcm for message in heard])
        expected = np.arange(ended.start, ended.end, dtype=np.int64).astype(np.int16)
        np.testing.assert_array_equal(joined, expected)
        assert heard[-1].end == ended.end
        assert ended.reason is not EndReason.MAX_LENGTH
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
    pause_end = tail_end = heard = 0
    expected_number = 1
    for decision in segment(frames, vad):
        if isinstance(decision, SpeechStarted):
            assert current is None
            assert decision.utterance == expected_number
            current, paused = decision.utterance, False
            expected_number += 1
        elif isinstance(decision, SpeechAudio):
            assert decision.utterance == current
            heard = decision.end
            assert not paused or heard <= tail_end
        elif isinstance(decision, SpeechPaused):
            assert decision.utterance == current
            assert not paused
            paused, pause_end, tail_end = True, decision.end, decision.tail_end
            assert pause_end <= heard
            assert decision.at - pause_end >= vad.pause_ms * MS
        elif isinstance(decision, SpeechResumed):
            assert decision.utterance == current
            assert paused
            paused = False
        elif isinstance(decision, SpeechEnded):
            assert decision.utterance == current
            current = None
    assert current is None
