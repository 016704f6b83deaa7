"""Recordings are cut out of the stream to the sample, and no sample is passed on twice or lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.trigger.gate import Gate, Passed, Unwanted
from vivavoce.config.trigger import TriggerSettings
from vivavoce.pipeline.messages import (
    AudioBlock,
    Gap,
    GapReason,
    RecordingEnded,
    RecordingStarted,
)

MS = 16


def gate_of(pre_roll_ms: int, tail_ms: int, *, recording: bool) -> Gate:
    settings = TriggerSettings(pre_roll_ms=pre_roll_ms, tail_ms=tail_ms)
    return Gate(lambda: settings, recording=recording)


def block(start: int, length: int) -> AudioBlock:
    pcm = np.arange(start, start + length, dtype=np.int64).astype(np.int16)
    return AudioBlock(start=start, pcm=pcm)


def feed(gate: Gate, start_ms: int, end_ms: int, step_ms: int = 32) -> list[Passed]:
    found: list[Passed] = []
    for at in range(start_ms, end_ms, step_ms):
        found += gate.take(block(at * MS, min(step_ms, end_ms - at) * MS))
    return found


def recordings(found: list[Passed]) -> list[tuple[int, int, bool]]:
    """In milliseconds: begin, end, cancelled."""
    ends = [one for one in found if isinstance(one, RecordingEnded)]
    begins = [one for one in found if isinstance(one, RecordingStarted)]
    assert [one.start for one in begins] == [one.start for one in ends]
    return [(one.start // MS, one.end // MS, one.cancelled) for one in ends]


def test_a_recording_has_its_pre_roll_and_its_tail() -> None:
    gate = gate_of(320, 240, recording=False)
    found = feed(gate, 0, 1_000)
    gate.start(1_000 * MS)
    found += feed(gate, 1_000, 2_000)
    gate.stop(2_000 * MS)
    found += feed(gate, 2_000, 3_000)
    assert recordings(found) == [(680, 2_240, False)]
    wanted = [one for one in found if isinstance(one, AudioBlock)]
    pcm = np.concatenate([one.pcm for one in wanted])
    assert np.array_equal(pcm, np.arange(680 * MS, 2_240 * MS, dtype=np.int64).astype(np.int16))


def test_nothing_of_a_pre_roll_before_the_first_sample() -> None:
    gate = gate_of(320, 0, recording=False)
    gate.start(10 * MS)
    found = feed(gate, 0, 100)
    gate.stop(100 * MS)
    assert recordings(found + feed(gate, 100, 200)) == [(0, 100, False)]


def test_a_recording_that_begins_in_audio_still_to_come_waits_for_it() -> None:
    gate = gate_of(100, 0, recording=False)
    gate.start(500 * MS)
    assert not any(isinstance(one, AudioBlock) for one in feed(gate, 0, 384))
    found = feed(gate, 384, 1_024)
    assert [one.start // MS for one in found if isinstance(one, RecordingStarted)] == [400]


def test_a_press_in_the_tail_makes_two_recordings_that_touch() -> None:
    gate = gate_of(320, 240, recording=False)
    found = feed(gate, 0, 640)
    gate.start(640 * MS)
    found += feed(gate, 640, 1_280)
    gate.stop(1_280 * MS)
    found += feed(gate, 1_280, 1_376)
    gate.start(1_376 * MS)
    gate.stop(1_408 * MS)  # before the tail of the first is over
    found += feed(gate, 1_376, 2_400)
    assert recordings(found) == [(320, 1_376, False), (1_376, 1_648, False)]
    assert not gate.open


def test_a_stop_that_is_resumed_never_happened() -> None:
    gate = gate_of(0, 240, recording=False)
    gate.start(0)
    found = feed(gate, 0, 640)
    gate.stop(640 * MS)
    found += feed(gate, 640, 672)
    gate.resume(650 * MS)
    found += feed(gate, 672, 1_280)
    gate.stop(1_280 * MS)
    assert recordings(found + feed(gate, 1_280, 2_000)) == [(0, 1_520, False)]


def test_without_a_tail_a_resumed_recording_is_a_new_one() -> None:
    gate = gate_of(0, 0, recording=False)
    gate.start(0)
    gate.stop(64 * MS)
    found = feed(gate, 0, 128)
    gate.resume(70 * MS)
    found += feed(gate, 128, 256)
    gate.stop(256 * MS)
    assert recordings(found + feed(gate, 256, 288)) == [(0, 64, False), (128, 256, False)]


def test_a_cancelled_recording_says_so_at_once() -> None:
    gate = gate_of(320, 240, recording=False)
    gate.start(0)
    found = feed(gate, 0, 640)
    gate.cancel()
    assert recordings(found + feed(gate, 640, 672)) == [(0, 640, True)]


def test_a_cancel_before_the_first_audio_leaves_nothing() -> None:
    gate = gate_of(0, 0, recording=False)
    gate.start(640 * MS)
    gate.cancel()
    assert all(isinstance(one, Unwanted) for one in feed(gate, 0, 1_280))


def test_what_is_recorded_from_the_first_sample_is_passed_on_as_it_is() -> None:
    gate = gate_of(320, 240, recording=True)
    blocks = [block(0, 512), block(512, 512)]
    assert [one for each in blocks for one in gate.take(each)] == blocks
    assert list(gate.finish(1_024)) == []


def test_a_gap_is_passed_on_and_a_recording_goes_on_behind_it() -> None:
    gate = gate_of(320, 0, recording=False)
    found = feed(gate, 0, 320)
    gate.start(320 * MS)
    gap = Gap(start=320 * MS, end=960 * MS, reason=GapReason.DEVICE_LOST)
    found += gate.gap(gap)
    found += feed(gate, 960, 1_280)
    gate.stop(1_280 * MS)
    found += feed(gate, 1_280, 1_312)
    assert gap in found
    assert recordings(found) == [(960, 1_280, False)]


def test_a_release_inside_a_gap_ends_with_it() -> None:
    gate = gate_of(0, 100, recording=False)
    gate.start(0)
    found = feed(gate, 0, 320)
    gate.stop(400 * MS)
    found += gate.gap(Gap(start=320 * MS, end=960 * MS, reason=GapReason.DEVICE_LOST))
    assert recordings(found) == [(0, 960, False)]
    assert not gate.open


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 9_000)),
        st.tuples(st.just("gap"), st.integers(1, 3_000)),
        st.tuples(st.sampled_from(["start", "stop", "resume"]), st.integers(-2_000, 2_000)),
        st.tuples(st.just("cancel"), st.just(0)),
    ),
    max_size=60,
)


@given(OPERATIONS, st.integers(0, 400), st.integers(0, 400), st.booleans())
def test_every_sample_goes_one_way_and_recordings_alternate(
    operations: list[tuple[str, int]], pre_roll_ms: int, tail_ms: int, recording: bool
) -> None:
    gate = gate_of(pre_roll_ms, tail_ms, recording=recording)
    at, found = 0, []
    for what, number in operations:
        if what == "take":
            found += gate.take(block(at, number))
            at += number
        elif what == "gap":
            found += gate.gap(Gap(start=at, end=at + number, reason=GapReason.OVERRUN))
            at += number
        elif what == "cancel":
            gate.cancel()
        else:
            getattr(gate, what)(max(0, at + number))
    gate.stop(at)
    found += gate.take(block(at, 20_000))
    at += 20_000
    assert not gate.open  # nothing stays stuck
    found += gate.finish(at)
    covered, open_since = 0, 0 if recording else None
    for one in found:
        if isinstance(one, RecordingStarted):
            assert open_since is None
            assert one.start >= covered
            open_since = one.start
        elif isinstance(one, RecordingEnded):
            assert open_since == one.start
            assert one.end == covered
            open_since = None
        else:
            assert one.start == covered
            assert one.end > one.start
            covered = one.end
            assert isinstance(one, AudioBlock) is (open_since is not None) or isinstance(one, Gap)
    assert covered == at
