"""Telling a program that slept from one that was busy: pure."""

import pytest
from support.waiting import a_moment

from vivavoce.actors.capture.suspension import SuspensionWatch, boot_time

BLOCK = 0.032


def listen(watch: SuspensionWatch, at: float, seconds: float, late: float) -> float:
    """Regular deliveries from ``at`` on; what is found missing."""
    found = 0.0
    for number in range(round(seconds / BLOCK)):
        found = max(found, watch.heard(at + number * BLOCK, late))
    return found


def test_a_sleep_is_found_a_second_after_deliveries_are_regular_again() -> None:
    watch = SuspensionWatch(BLOCK)
    assert listen(watch, 0, 5, 0.05) == 0
    assert listen(watch, 3_605, 0.9, 3_600.05) == 0
    assert watch.suspicious
    assert listen(watch, 3_605.9, 0.2, 3_600.05) == pytest.approx(3_600)
    assert listen(watch, 3_606.1, 60, 3_600.05) == 0
    assert not watch.suspicious


def test_what_the_sound_system_kept_is_waited_for() -> None:
    watch = SuspensionWatch(BLOCK)
    listen(watch, 0, 5, 0.05)
    for number in range(200):  # a burst of 20 s that takes 2 s
        assert watch.heard(25 + number * 0.01, 20.05 - number * 0.1) == 0
    assert listen(watch, 27, 5, 0.06) == 0


def test_what_is_lost_behind_a_burst_is_missing() -> None:
    watch = SuspensionWatch(BLOCK)
    listen(watch, 0, 5, 0.05)
    for number in range(100):
        assert watch.heard(25 + number * 0.01, 20.05 - number * 0.1) == 0
    assert listen(watch, 26, 2, 10.15) == pytest.approx(10.1, abs=0.01)


def test_a_busy_machine_a_drifting_clock_and_a_new_latency_are_no_sleep() -> None:
    watch = SuspensionWatch(BLOCK)
    late = 0.0
    for number in range(20_000):
        late += BLOCK * 0.002  # a device that is slow by 0.2 %
        busy = 0.8 if number % 100 == 50 else 0.0
        changed = 0.5 if number > 10_000 else 0.0
        assert watch.heard(number * BLOCK + busy, late + busy + changed) == 0


def test_the_clock_goes_on() -> None:
    before = boot_time()
    a_moment()
    assert boot_time() > before
