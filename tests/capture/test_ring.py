import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.pipeline.ring import AudioRing


def block(start: int, count: int) -> np.ndarray:
    return np.arange(start, start + count, dtype=np.int64).astype(np.int16)


def drain(ring: AudioRing, most: int = 1 << 30) -> list:
    out = []
    while True:
        hole = ring.take_hole()
        start = ring.position
        pcm = ring.read(most)
        if hole:
            out.append(("hole", *hole[:2]))
        if pcm is not None:
            out.append(("audio", start, pcm))
        if hole is None and pcm is None:
            return out


def test_what_goes_in_comes_out_across_the_edge() -> None:
    ring = AudioRing(10)
    for start in range(0, 40, 4):
        assert ring.write(block(start, 4))
        ((_, position, pcm),) = drain(ring)
        assert position == start
        np.testing.assert_array_equal(pcm, block(start, 4))


def test_an_overrun_is_a_hole_in_its_place_and_time_goes_on() -> None:
    ring = AudioRing(8)
    assert ring.write(block(0, 6))
    assert not ring.write(block(6, 4))
    assert not ring.write(block(10, 4))
    ring.read(6)
    assert ring.write(block(14, 4))
    assert ring.take_hole() == (6, 14, True)
    assert ring.position == 14
    np.testing.assert_array_equal(ring.read(99), block(14, 4))
    assert ring.statistics().lost == 8
    assert ring.statistics().overruns == 1


def test_a_hole_at_the_very_end_is_told_when_the_producer_finishes() -> None:
    ring = AudioRing(4)
    ring.write(block(0, 4))
    ring.write(block(4, 2))
    ring.finish()
    assert [entry[0] for entry in drain(ring)] == ["audio", "hole"]
    assert ring.position == 6


def test_capacity_is_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        AudioRing(0)


def test_wake_ups_are_coalesced_and_none_is_lost() -> None:
    woken = []
    ring = AudioRing(100, lambda: woken.append(1))
    ring.write(block(0, 1))
    ring.write(block(1, 1))
    assert len(woken) == 1
    assert not ring.prepare_to_wait()  # something is there: no need to wait
    drain(ring)
    assert ring.prepare_to_wait()
    ring.write(block(2, 1))
    assert len(woken) == 2


@given(
    st.integers(1, 40),
    st.lists(st.one_of(st.tuples(st.just("write"), st.integers(1, 20)),
                       st.tuples(st.just("read"), st.integers(1, 30))), max_size=200),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_against_a_model(capacity: int, steps: list) -> None:
    ring = AudioRing(capacity)
    at, expected, got = 0, {}, {}
    holes: list[tuple[int, int]] = []

    def take(most: int) -> None:
        hole = ring.take_hole()
        if hole:
            holes.append(hole[:2])
        position = ring.position
        pcm = ring.read(most)
        if pcm is not None:
            got.update(zip(range(position, position + len(pcm)), pcm.tolist(), strict=True))

    for step, count in steps:
        if step == "write":
            samples = block(at, count)
            if ring.write(samples):
                expected.update(zip(range(at, at + count), samples.tolist(), strict=True))
            at += count
        else:
            take(count)
    ring.finish()
    for _ in range(len(steps) * 21 + 5):
        take(1_000)
    assert got == expected
    assert ring.position == at
    lost = {index for start, end in holes for index in range(start, end)}
    assert lost == set(range(at)) - set(expected)
    assert ring.statistics().lost == len(lost)


def test_two_threads_lose_nothing_that_is_not_told() -> None:
    ring = AudioRing(4_000)
    total = 2_000_000
    done = threading.Event()

    def produce() -> None:
        at = 0
        while at < total:
            count = 37 + at % 400
            ring.write(block(at, count))
            at += count
        ring.finish()
        produced.append(at)
        done.set()

    produced: list[int] = []
    thread = threading.Thread(target=produce)
    thread.start()
    received = lost = 0
    while True:
        finished = done.is_set()
        hole = ring.take_hole()
        if hole:
            lost += hole[1] - hole[0]
        start = ring.position
        pcm = ring.read(1_000)
        if pcm is not None:
            np.testing.assert_array_equal(pcm, block(start, len(pcm)))
            received += len(pcm)
        elif finished and hole is None:
            break
    thread.join()
    assert received + lost == produced[0]
    assert ring.statistics().lost == lost


def test_a_hole_of_the_driver_is_told_from_one_of_the_ring() -> None:
    ring = AudioRing(8)
    ring.write(block(0, 4))
    ring.skip(3)
    ring.write(block(7, 4))
    ring.write(block(11, 4))  # does not fit
    ring.skip(2)
    ring.read(4)
    assert ring.take_hole() == (4, 7, False)
    ring.read(4)
    ring.write(block(17, 4))
    assert ring.take_hole() == (11, 17, True)
    assert ring.position == 17


def test_a_reader_that_stands_still_costs_no_memory_and_all_is_told_afterwards() -> None:
    ring = AudioRing(1_000)
    stored = []
    for at in range(0, 40_000, 2):  # a hole before every block that fits
        ring.skip(1)
        if ring.write(block(at + 1, 1)):
            stored.append(at + 1)
    assert len(stored) < 64  # then one long hole
    ring.skip(5)
    ring.finish()
    out = drain(ring)
    heard = [start for kind, start, *_ in out if kind == "audio"]
    holes = [(start, end) for kind, start, end in out if kind == "hole"]
    assert heard == stored
    assert holes[-1] == (2 * len(stored), 40_005)
    assert ring.position == 40_005
    assert ring.statistics().lost == 40_005 - len(stored)
    assert ring.statistics().overruns == len(holes)


def test_two_threads_with_a_slow_reader_that_sleeps() -> None:
    arrived = threading.Event()
    ring = AudioRing(2_000, arrived.set)
    finished, slept = threading.Event(), threading.Event()
    produced = []

    def produce() -> None:
        at = 0
        while at < 1_000_000 or not slept.is_set():
            for count in (1, 300, 77):
                ring.write(block(at, count))
                at += count
            if at % 11 == 0:
                ring.skip(9)
                at += 9
            if at % 3 == 0:
                time.sleep(0)  # lets the reader catch up, and fall asleep
        ring.finish()
        produced.append(at)
        finished.set()
        arrived.set()

    thread = threading.Thread(target=produce)
    thread.start()
    at = lost = sleeps = 0
    while True:
        arrived.clear()
        over = finished.is_set()
        hole = ring.take_hole()
        start = ring.position
        pcm = ring.read(97 + at % 500) if hole is None else None
        if hole is not None:
            assert hole.start == at
            lost += hole.end - hole.start
            at = hole.end
        elif pcm is not None:
            assert start == at
            np.testing.assert_array_equal(pcm, block(start, len(pcm)))
            at += len(pcm)
        elif over:
            break
        elif ring.prepare_to_wait():
            sleeps += 1
            slept.set()
            assert arrived.wait(60), "a wake-up was lost"
    thread.join()
    assert at == produced[0]
    assert lost == ring.statistics().lost
    assert sleeps
