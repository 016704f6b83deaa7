"""The last minutes, and who used what in which mode."""

import pytest

from vivavoce.actors.monitor.sensors import Usage
from vivavoce.actors.monitor.windows import CounterWindow, Highest, HistogramWindow, ModeAccount
from vivavoce.pipeline.messages import PowerMode
from vivavoce.pipeline.metrics import Histogram


def test_a_bad_start_is_forgotten_after_the_window() -> None:
    histogram, window = Histogram(), HistogramWindow(span_s=300)
    for _ in range(50):
        histogram.observe(5.0)
    quantiles = []
    for second in range(0, 900, 5):
        histogram.observe(0.01)
        quantiles.append(window.recent(second, histogram.snapshot()).quantile(0.95))
    assert quantiles[0] == pytest.approx(5.0, rel=0.13)
    assert quantiles[50] == pytest.approx(5.0, rel=0.13), "250 s: still in the window"
    assert quantiles[70] == pytest.approx(0.01, rel=0.13)
    assert histogram.quantile(0.95) == pytest.approx(5.0, rel=0.13), "the whole run remembers"
    assert len(window._kept) <= 12


def test_windows_with_long_pauses_between_samples() -> None:
    histogram, window = Histogram(), HistogramWindow(span_s=300)
    histogram.observe(1.0)
    window.recent(0, histogram.snapshot())
    assert window.recent(10_000, histogram.snapshot()).count == 0
    histogram.observe(2.0)
    assert window.recent(10_001, histogram.snapshot()).count == 1


def test_growth_of_a_counter() -> None:
    window = CounterWindow(span_s=300)
    grown = [window.grown(second, 10 if second >= 100 else 0) for second in range(0, 900, 10)]
    assert grown[5] == 0
    assert grown[20] == 10
    assert grown[-1] == 0


def test_the_highest_of_the_last_minute() -> None:
    highest = Highest(span_s=60)
    assert highest.at(0) == 0.0
    values = [highest.add(second, 4.2 if second == 10 else 0.1) for second in range(120)]
    assert values[10] == values[70] == 4.2
    assert values[71] == 0.1


def usage(cpu: float, wakeups: int) -> Usage:
    return Usage(cpu_s=cpu, wakeups=wakeups, preemptions=0)


def test_each_mode_pays_for_itself() -> None:
    account = ModeAccount()
    assert account.note(0, usage(1.0, 100), PowerMode.ACTIVE) is None
    account.note(10, usage(2.0, 600), PowerMode.LISTENING)
    account.note(110, usage(2.5, 3_600), PowerMode.LISTENING)
    account.note(210, usage(3.0, 6_600), PowerMode.IDLE)
    assert account.total[PowerMode.ACTIVE].cpu_percent == pytest.approx(10.0)
    assert account.total[PowerMode.LISTENING].cpu_percent == pytest.approx(0.5)
    assert account.total[PowerMode.LISTENING].wakeups_per_s == pytest.approx(30.0)
    assert account.total[PowerMode.LISTENING].seconds == 200
    assert PowerMode.IDLE not in account.total


def test_modes_are_judged_by_what_they_did_lately() -> None:
    account = ModeAccount(recent_s=300)
    account.note(0, usage(0.0, 0), PowerMode.IDLE)
    account.note(100, usage(50.0, 0), PowerMode.IDLE)
    for second in range(200, 1_000, 100):
        account.note(second, usage(50.0 + second / 1_000, 0), PowerMode.IDLE)
    assert account.total[PowerMode.IDLE].cpu_percent > 5
    assert account.recent(PowerMode.IDLE).cpu_percent == pytest.approx(0.1, rel=0.01)


def test_time_counts_where_usage_cannot_be_read() -> None:
    account = ModeAccount()
    account.note(0, None, PowerMode.IDLE)
    used = account.note(60, None, PowerMode.IDLE)
    assert used is not None
    assert (used.seconds, used.cpu_s) == (60, 0.0)
