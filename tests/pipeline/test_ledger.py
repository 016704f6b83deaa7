import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.pipeline.ledger import Ledger, LedgerError


def test_every_sample_is_in_exactly_one_account() -> None:
    ledger = Ledger()
    ledger.capture(1000)
    ledger.silence(0, 300)
    ledger.drop(500, 600)
    ledger.transcribe(300, 450)
    summary = ledger.summary()
    assert summary.balanced
    assert (summary.silence, summary.dropped, summary.transcribed) == (300, 100, 150)
    assert summary.pending == 450
    assert ledger.open_intervals() == [(450, 500), (600, 1000)]


@pytest.mark.parametrize("interval", [(100, 200), (0, 101), (199, 260), (150, 160), (50, 400)])
def test_settling_twice_is_refused_and_changes_nothing(interval: tuple[int, int]) -> None:
    ledger = Ledger()
    ledger.capture(1000)
    ledger.silence(100, 200)
    before = ledger.summary()
    with pytest.raises(LedgerError, match="before"):
        ledger.transcribe(*interval)
    assert ledger.summary() == before


def test_what_was_never_captured_cannot_be_settled() -> None:
    ledger = Ledger()
    ledger.capture(10)
    with pytest.raises(LedgerError, match="captured"):
        ledger.silence(5, 11)
    with pytest.raises(LedgerError, match="back"):
        ledger.capture(9)


def test_settled_before_the_frontier_is_refused_too() -> None:
    ledger = Ledger()
    ledger.capture(100)
    ledger.silence(0, 50)
    with pytest.raises(LedgerError, match="before"):
        ledger.drop(0, 10)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.randoms())
def test_any_order_of_settling_ends_balanced_with_nothing_kept(sizes, random) -> None:
    ledger = Ledger()
    intervals, at = [], 0
    for size in sizes:
        intervals.append((at, at + size))
        at += size
    ledger.capture(at)
    random.shuffle(intervals)
    for number, interval in enumerate(intervals):
        [ledger.silence, ledger.transcribe, ledger.drop][number % 3](*interval)
        assert ledger.summary().balanced
    assert ledger.summary().pending == 0
    assert ledger.open_intervals() == []
    assert ledger._starts == []


def test_the_line_for_people_shows_the_equation() -> None:
    ledger = Ledger()
    ledger.capture(30)
    ledger.silence(0, 10)
    assert str(ledger.summary()) == (
        "captured 30 = transcribed 0 + silence 10 + dropped 0 + pending 20 samples"
    )
