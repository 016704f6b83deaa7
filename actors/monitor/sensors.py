"""What can be read about this process and its machine, and what is read in production.

Every reading is cheap (microseconds, see ``vivavoce bench monitor``): no walk over the threads, and
none over the processes of the machine.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from vivavoce.pipeline.sensors import read_pressure

ENGINE_MODULE = "vivavoce.actors.transcription.engines.host"
"""An engine's process has it among its arguments."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What this process has used since it started, engine processes excluded.

    ``wakeups`` are voluntary context switches of all threads: each time one had gone to sleep and
    was woken. ``preemptions`` are the involuntary ones.
    """

    cpu_s: float
    wakeups: int
    preemptions: int


class ProcessReading(msgspec.Struct, frozen=True, kw_only=True):
    """This process now. ``blocks`` are the memory blocks that Python's objects hold."""

    resident_bytes: int
    threads: int
    open_files: int
    blocks: int
    collections: int


class EngineReading(msgspec.Struct, frozen=True, kw_only=True):
    """The engine processes and what they started, together; no other child of this process."""

    processes: int
    resident_bytes: int
    cpu_s: float


class MemoryReading(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of the machine. The stalls are percent of the last ten seconds (Linux PSI, ``some``
    and ``full``); None where the platform does not tell."""

    total_bytes: int
    available_bytes: int
    some_percent: float | None = None
    full_percent: float | None = None


class BatteryReading(msgspec.Struct, frozen=True, kw_only=True):
    """The battery's charge in percent, and whether the machine is on mains."""

    percent: float
    plugged: bool


class Sensors(Protocol):
    """Where the monitor reads from, in a thread, one method at a time. Each may raise OSError,
    ValueError or psutil.Error; the monitor notes that as unreadable and goes on."""

    def usage(self) -> Usage:
        """CPU time and context switches so far."""
        ...

    def process(self) -> ProcessReading:
        """Memory, threads, files and objects of this process."""
        ...

    def engines(self) -> EngineReading:
        """The engine processes."""
        ...

    def memory(self) -> MemoryReading:
        """Memory of the machine."""
        ...

    def cpu_pressure(self) -> float | None:
        """Percent of the last ten seconds in which something waited for a processor."""
        ...

    def battery(self) -> BatteryReading | None:
        """The battery; None where there is none."""
        ...

    def temperature(self) -> float | None:
        """The hottest reading in °C; None where there is none."""
        ...


class SystemSensors:
    """The real ones: ``getrusage``, /proc where it is there, psutil where it is not.

    Args:
        proc: where the kernel tells of processes and pressure.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def usage(self) -> Usage:
        """One system call: the kernel sums up over all threads, those that ended included."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return Usage(cpu_s=time.process_time(), wakeups=used.ru_nvcsw, preemptions=used.ru_nivcsw)

    def process(self) -> ProcessReading:
        """Memory, threads, files and objects of this process."""
        own = self._proc / "self"
        if own.is_dir():
            resident = _resident(own)
            threads, files = _entries(own / "task"), _entries(own / "fd")
        else:
            import psutil

            this = psutil.Process()
            resident, threads, files = this.memory_info().rss, this.num_threads(), this.num_fds()
        return ProcessReading(
            resident_bytes=resident,
            threads=threads,
            open_files=files,
            blocks=sys.getallocatedblocks(),
            collections=sum(generation["collections"] for generation in gc.get_stats()),
        )

    def engines(self) -> EngineReading:
        """Processes that end while they are read count for nothing."""
        processes, resident, cpu = 0, 0, 0.0
        for pid in self._engines():
            folder = self._proc / str(pid)
            try:
                bytes_, seconds = _resident(folder), _cpu(folder)
            except (FileNotFoundError, ProcessLookupError, IndexError):
                continue
            if bytes_:  # what has ended but was not waited for yet holds no memory
                processes, resident, cpu = processes + 1, resident + bytes_, cpu + seconds
        return EngineReading(processes=processes, resident_bytes=resident, cpu_s=cpu)

    def memory(self) -> MemoryReading:
        """Available memory, and stalls where the kernel tells (PSI)."""
        import psutil

        machine = psutil.virtual_memory()
        pressure = self._pressure("memory")
        return MemoryReading(
            total_bytes=machine.total,
            available_bytes=machine.available,
            some_percent=pressure.get("some"),
            full_percent=pressure.get("full"),
        )

    def cpu_pressure(self) -> float | None:
        """``some avg10`` of the processors."""
        return self._pressure("cpu").get("some")

    def battery(self) -> BatteryReading | None:
        """What psutil finds."""
        import psutil

        found = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
        if found is None:
            return None
        return BatteryReading(percent=found.percent, plugged=bool(found.power_plugged))

    def temperature(self) -> float | None:
        """The hottest of what psutil finds."""
        import psutil

        if not hasattr(psutil, "sensors_temperatures"):
            return None
        found = psutil.sensors_temperatures()
        return max((one.current for group in found.values() for one in group), default=None)

    def _pressure(self, resource_name: str) -> dict[str, float]:
        return read_pressure(self._proc / "pressure" / resource_name, "avg10")

    def _engines(self) -> list[int]:
        """Ids of the engines among this process's descendants, and of what these started."""
        children = self._children()
        found: list[int] = []
        for pid, parent in children.items():  # parents come first
            if parent in found or self._is_engine(pid):
                found.append(pid)
        return found

    def _is_engine(self, pid: int) -> bool:
        try:
            arguments = (self._proc / str(pid) / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return ENGINE_MODULE.encode() in arguments

    def _children(self) -> dict[int, int]:
        """All descendants, and the parent of each; 0 is this process.

        A thread's children are those that it started itself.
        """
        found: dict[int, int] = {}
        waiting = [0]
        while waiting:
            parent = waiting.pop(0)
            try:
                threads = list((self._proc / str(parent or "self") / "task").iterdir())
                ids = [int(pid) for one in threads for pid in _read(one / "children").split()]
            except (FileNotFoundError, ProcessLookupError):
                if not parent:
                    return self._children_by_search()
                continue
            found.update(dict.fromkeys(ids, parent))
            waiting += ids
        return found

    def _children_by_search(self) -> dict[int, int]:
        """A walk over all processes, where the kernel was built without lists of children."""
        import psutil

        found: dict[int, int] = {}
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                found[child.pid] = child.ppid()
        return found


def _entries(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        if path.parent.exists():
            raise  # the thread is there: it is the list that is not
        return ""


def _resident(folder: Path) -> int:
    """Resident bytes of the process whose folder this is."""
    return int((folder / "statm").read_text().split()[1]) * resource.getpagesize()


def _cpu(folder: Path) -> float:
    """CPU seconds of the process whose folder this is."""
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
