"""What is read from /proc: the texts, the differences, and real processes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.waiting import a_moment, wait_until

from vivavoce.bench import proc
from vivavoce.bench.proc import Between, Snapshot, ThreadCosts

needs_proc = pytest.mark.skipif(proc.missing() is not None, reason=str(proc.missing()))

STATUS = """\
Name:\tthreaded-ml
Umask:\t0022
VmHWM:\t   99999 kB
VmRSS:\t   73242 kB
Threads:\t3
voluntary_ctxt_switches:\t150
nonvoluntary_ctxt_switches:\t7
"""


def test_cpu_is_counted_in_ticks_whatever_the_program_is_called() -> None:
    fields = ["S", *["1"] * 10, "250", "50", *["9"] * 30]
    for name in ("python", "a b) S 7 7 (c", ""):
        stat = f"4711 ({name}) {' '.join(fields)}\n"
        assert proc.cpu_seconds(stat, 100) == 3.0


def test_a_wake_up_is_the_end_of_a_sleep_and_memory_is_what_is_resident_now() -> None:
    assert proc.switches(STATUS) == 150
    assert proc.resident_mb(STATUS) == pytest.approx(75.0, abs=0.01)
    assert proc.resident_mb("Name:\tgone\nState:\tZ (zombie)\n") == 0.0


def snapshot(at: float, cpu_s: float, threads: dict[int, ThreadCosts]) -> Snapshot:
    return Snapshot(at, cpu_s, threads, resident_mb=70.0, open_files=9)


def test_a_window_is_the_difference_by_thread_name() -> None:
    before = snapshot(
        10.0,
        1.0,
        {
            1: ThreadCosts("main", 100, 5_000_000),
            2: ThreadCosts("python", 10, 0),
            3: ThreadCosts("python", 20, 0),
        },
    )
    after = snapshot(
        20.0,
        1.02,
        {
            1: ThreadCosts("main", 150, 35_000_000),
            2: ThreadCosts("python", 40, 10_000_000),
            3: ThreadCosts("python", 30, 0),
            4: ThreadCosts("new", 100, 10_000_000),
        },
    )
    window = proc.window(before, after)
    assert window.seconds == 10.0
    assert window.cpu_percent == pytest.approx(0.5), "to the nanosecond, not in ticks"
    assert window.by_thread == {"new": 10.0, "main": 5.0, "python": 4.0}
    assert window.wakeups_per_s == pytest.approx(19.0)


@pytest.mark.parametrize("lost", ["thread", "schedstat"])
def test_where_the_scheduler_does_not_tell_all_the_ticks_do(lost: str) -> None:
    before = snapshot(0.0, 1.0, {1: ThreadCosts("main", 0, 0), 2: ThreadCosts("python", 5, 0)})
    threads = {1: ThreadCosts("main", 10, 1_000_000)}
    if lost == "schedstat":
        threads[2] = ThreadCosts("python", 5, None)
    after = snapshot(10.0, 1.5, threads)
    assert proc.window(before, after).cpu_percent == pytest.approx(5.0)
    assert proc.window(before, after).wakeups_per_s == pytest.approx(1.0)


def test_means_over_windows_weigh_them_by_their_length() -> None:
    windows = [
        Between(1.0, 0.0, 4.0, {"main": 4.0}),
        Between(3.0, 0.0, 9.0, {"main": 8.0, "python": 1.0}),
    ]
    assert proc.mean_by_thread(windows) == {"main": 7.0, "python": 0.75}


@contextmanager
def program(text: str) -> Iterator[int]:
    running = subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    try:
        assert running.stdout.readline() == "ready\n"
        yield running.pid
    finally:
        running.kill()
        running.communicate()


@pytest.mark.process
@needs_proc
def test_a_program_that_waits_costs_nothing_and_one_that_ticks_wakes_up() -> None:
    ready = "import sys, time; print('ready', flush=True)\n"
    with (
        program(ready + "sys.stdin.read()") as waits,
        program(ready + "while True: time.sleep(0.01)") as ticks,
        program(ready + "while True: pass") as works,
    ):
        pids = [waits, ticks, works]
        a_moment()  # the one that waits has begun to
        before = [proc.snapshot(pid) for pid in pids]

        def windows() -> list[proc.Between]:
            return [
                proc.window(one, proc.snapshot(pid)) for one, pid in zip(before, pids, strict=True)
            ]

        def have_worked() -> bool:
            _, ticked, worked = windows()
            return ticked.wakeups_per_s * ticked.seconds > 20 and worked.cpu_percent > 0

        wait_until(have_worked, "nothing happens")
        after = [proc.snapshot(pid) for pid in pids]
        waited, ticked, worked = windows()
        assert (waited.cpu_percent, waited.wakeups_per_s) == (0.0, 0.0)
        assert ticked.by_thread["main"] > 0
        assert worked.cpu_percent > ticked.cpu_percent
        assert after[0].resident_mb > 3
        assert after[0].open_files >= 3
        assert 0 < (proc.proportional_mb(waits) or 0.0) <= after[0].resident_mb + 1


@needs_proc
def test_descendants_are_those_that_live_and_a_process_that_ended_is_none() -> None:
    child = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'input()'])\n"
    with program(child + "print('ready', flush=True); p.wait(); input()") as pid:
        (below,) = proc.descendants(pid)
        assert proc.snapshot(below) is not None
    assert proc.snapshot(pid) is None
    assert proc.descendants(pid) == []
