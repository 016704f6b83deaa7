"""The real sensors, held against what this process does, and a /proc of our own."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from vivavoce.actors.monitor.sensors import ENGINE_MODULE, SystemSensors
from vivavoce.actors.transcription import engine_process

sensors = SystemSensors()


def test_cpu_time_is_that_of_this_process() -> None:
    before, began = sensors.usage(), time.process_time()
    while time.process_time() - began < 0.05:
        sum(range(1_000))
    assert sensors.usage().cpu_s - before.cpu_s >= 0.05


def test_wakeups_of_all_threads_count() -> None:
    before = sensors.usage().wakeups

    def sleep_often() -> None:
        for _ in range(50):
            time.sleep(0.001)

    thread = threading.Thread(target=sleep_often)
    thread.start()
    thread.join()
    assert sensors.usage().wakeups - before >= 50


def test_memory_files_and_threads() -> None:
    kept = bytearray(50_000_000)
    kept[::4096] = b"x" * len(kept[::4096])
    gate = threading.Event()
    threads = [threading.Thread(target=gate.wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    found, told = sensors.process(), psutil.Process()
    assert found.resident_bytes == pytest.approx(told.memory_info().rss, rel=0.05)
    assert found.resident_bytes > 50_000_000
    assert found.open_files == pytest.approx(told.num_fds(), abs=2)
    assert found.threads == pytest.approx(told.num_threads(), abs=1)
    assert found.threads >= 4
    assert found.blocks > 10_000
    gate.set()
    for thread in threads:
        thread.join()


def test_engines_and_what_they_started_count_and_no_other_child() -> None:
    assert ENGINE_MODULE == engine_process._HOST
    before = sensors.engines()
    code = (
        "import subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE);"
        "print('up', flush=True); input(); child.communicate(b'x')"
    )

    def start(argument: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", code, argument]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    with start(ENGINE_MODULE) as engine, start("another child") as other:
        for parent in (engine, other):
            assert parent.stdout is not None
            parent.stdout.readline()
        found = sensors.engines()
        assert found.processes - before.processes == 2
        assert found.resident_bytes - before.resident_bytes > 5_000_000
        for parent in (engine, other):
            parent.communicate(b"x\n")
    assert sensors.engines().processes == before.processes


def test_without_lists_of_children_psutil_searches(tmp_path: Path) -> None:
    (tmp_path / "self" / "task" / "1").mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in SystemSensors(tmp_path)._children()
        child.communicate(b"x\n")


def test_pressure_is_read_and_its_absence_is_none(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure" / "cpu").write_text("some avg10=12.34 avg60=1.00 avg300=0.10 total=1\n")
    (tmp_path / "pressure" / "memory").write_text(
        "some avg10=3.00 avg60=1 avg300=0 total=1\nfull avg10=1.50 avg60=1 avg300=0 total=1\n"
    )
    found = SystemSensors(tmp_path)
    assert found.cpu_pressure() == 12.34
    memory = found.memory()
    assert (memory.some_percent, memory.full_percent) == (3.0, 1.5)
    assert 0 < memory.available_bytes <= memory.total_bytes
    assert SystemSensors(tmp_path / "none").cpu_pressure() is None
    (tmp_path / "pressure" / "cpu").write_text("nonsense here\n")
    with pytest.raises(ValueError, match="here"):
        found.cpu_pressure()


def test_battery_and_temperature_are_there_or_none() -> None:
    battery, temperature = sensors.battery(), sensors.temperature()
    assert battery is None or 0 <= battery.percent <= 100
    assert temperature is None or -50 < temperature < 150
