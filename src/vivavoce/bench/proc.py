"""What a process costs, seen from outside: Linux's /proc, without a tool that disturbs it."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_MEGABYTE = 1e6
_SWITCHES = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)
_SHARE = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_NAME = re.compile(r"^Name:\s+(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ThreadCosts:
    """One thread since it began: context switches of both kinds, and nanoseconds on a CPU."""

    name: str
    switches: int
    ran_ns: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A process at a moment.

    Attributes:
        at: when, in seconds of :func:`time.monotonic`.
        cpu_s: user and system seconds since it began, of threads that have ended, too; the
            kernel tells them in ticks of 10 ms.
        threads: by thread id.
        resident_mb: memory in RAM, in MB (10⁶ bytes).
        open_files: file descriptors; 0 where they may not be counted.
    """

    at: float
    cpu_s: float
    threads: dict[int, ThreadCosts]
    resident_mb: float
    open_files: int


@dataclass(frozen=True, slots=True)
class Between:
    """What a process took between two snapshots.

    Attributes:
        cpu_percent: of one core.
        wakeups_per_s: voluntary context switches of all threads that were there: each ends with
            the thread being woken. One that was only preempted never slept.
        by_thread: the same by thread name; the main thread is ``main``.
    """

    seconds: float
    cpu_percent: float
    wakeups_per_s: float
    by_thread: dict[str, float]


def missing() -> str | None:
    """Why nothing can be read about processes here; None where it can."""
    return None if Path("/proc/self/task").is_dir() else "there is no /proc (Linux only)"


def cpu_seconds(stat: str, ticks_per_s: int) -> float:
    """User and system seconds from the text of ``/proc/PID/stat``.

    The name of the program, in brackets, may hold anything: what follows the last one counts.
    """
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / ticks_per_s


def switches(status: str) -> int:
    """Voluntary context switches from the text of ``/proc/PID/task/TID/status``."""
    return sum(int(count) for count in _SWITCHES.findall(status))


def resident_mb(status: str) -> float:
    """Resident memory in MB from the text of ``/proc/PID/status``; 0 of a process that ended."""
    found = _RESIDENT.search(status)
    return int(found[1]) * 1024 / _MEGABYTE if found else 0.0


def proportional_mb(pid: int) -> float | None:
    """Resident memory with shared pages split among those who share them; None if not told."""
    try:
        found = _SHARE.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 / _MEGABYTE if found else None


def snapshot(pid: int) -> Snapshot | None:
    """The process as it is; None when it has ended."""
    folder = Path(f"/proc/{pid}")
    try:
        stat = (folder / "stat").read_text()
        status = (folder / "status").read_text()
        threads = {int(task.name): _thread(task) for task in (folder / "task").iterdir()}
    except OSError:  # also a thread that ended between the listing and the reading
        return snapshot(pid) if _alive(pid) else None
    memory = resident_mb(status)
    if not memory:
        return None  # a zombie
    return Snapshot(
        at=time.monotonic(),
        cpu_s=cpu_seconds(stat, os.sysconf("SC_CLK_TCK")),
        threads=threads,
        resident_mb=memory,
        open_files=_open_files(folder),
    )


def window(before: Snapshot, after: Snapshot) -> Between:
    """What happened between two snapshots of the same process.

    CPU is what the scheduler counted for each thread, to the nanosecond; where the kernel does not
    tell, or a thread has ended since, it comes from the ticks.
    """
    seconds = after.at - before.at
    by_thread: Counter[str] = Counter()
    ran_ns: int | None = 0 if before.threads.keys() <= after.threads.keys() else None
    for identity, now in after.threads.items():
        then = before.threads.get(identity, ThreadCosts(now.name, 0, 0))
        by_thread[now.name] += now.switches - then.switches
        if ran_ns is not None:
            known = now.ran_ns is not None and then.ran_ns is not None
            ran_ns = ran_ns + (now.ran_ns or 0) - (then.ran_ns or 0) if known else None
    cpu_s = after.cpu_s - before.cpu_s if ran_ns is None else ran_ns / 1e9
    return Between(
        seconds=seconds,
        cpu_percent=100 * cpu_s / seconds,
        wakeups_per_s=by_thread.total() / seconds,
        by_thread={name: count / seconds for name, count in by_thread.most_common()},
    )


def descendants(pid: int) -> list[int]:
    """The processes under a process, those that have ended aside."""
    import psutil

    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return [child.pid for child in below if snapshot(child.pid) is not None]


def mean_by_thread(windows: Sequence[Between]) -> dict[str, float]:
    """Wake-ups per second by thread name over all the windows, the busiest first."""
    sums: Counter[str] = Counter()
    for one in windows:
        for name, per_s in one.by_thread.items():
            sums[name] += per_s * one.seconds  # type: ignore[assignment]
    seconds = sum(one.seconds for one in windows)
    return {name: count / seconds for name, count in sums.most_common()}


def _thread(task: Path) -> ThreadCosts:
    status = (task / "status").read_text()
    found = _NAME.search(status)
    is_main = task.name == task.parent.parent.name
    name = "main" if is_main else found[1] if found else "?"
    try:
        ran_ns = int((task / "schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        ran_ns = None
    return ThreadCosts(name, switches(status), ran_ns)


def _open_files(folder: Path) -> int:
    try:
        return sum(1 for _ in (folder / "fd").iterdir())
    except OSError:
        return 0


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
