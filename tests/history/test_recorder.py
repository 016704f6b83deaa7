"""The recorder's thread: nothing waits for it, and what it cannot keep is told."""

import asyncio
import io
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support import waiting

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.history import recorder as module
from vivavoce.actors.history.opening import open_for_writing
from vivavoce.actors.history.reading import Reader
from vivavoce.actors.history.recorder import Recorder
from vivavoce.config.history import HistorySettings
from vivavoce.pipeline.log import LogSink, use_sink
from vivavoce.pipeline.messages import Revision
from vivavoce.pipeline.metrics import Metrics

BEGAN = 1_777_000_000_000


@pytest.fixture
def log() -> io.StringIO:
    """What is logged; the sink is that of the test's own context."""
    return io.StringIO()


def made(path: Path, metrics: Metrics, **more) -> Recorder:
    settings = more.pop("settings", HistorySettings(keep_days=None, keep_mb=None))
    return Recorder(path, lambda: settings, metrics, now=lambda: BEGAN / 1000, **more)


def texts(path: Path) -> list[str]:
    with Reader(path) as reader:
        return [entry.text for entry in reader.every()]


def lost(metrics: Metrics) -> float:
    return metrics.counters()["vivavoce_history_lost_total"]


async def until(condition) -> None:
    await waiting.until(condition, "the writer does not do it")


async def test_a_final_is_on_disk_at_once(path: Path, row) -> None:
    metrics = Metrics()
    recorder = made(path, metrics)
    await recorder.open()
    for number in range(3):
        recorder.add(row(number, f"text {number}"))
        await until(lambda n=number: path.exists() and committed(path) == n + 1)
    await recorder.close()
    assert metrics.counters()["vivavoce_history_finals_total"] == 3
    assert lost(metrics) == 0


def committed(path: Path) -> int:
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            return connection.execute("SELECT count(*) FROM finals").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error:
        return -1


async def test_changes_are_made_in_their_order(path: Path, row) -> None:
    recorder = made(path, Metrics())
    await recorder.open()
    recorder.deliver(Delivery(utterance=1, outcome=Outcome.TYPED, back_end="wtype"))
    for number in range(1, 6):
        recorder.add(row(number, f"text {number}"))
    recorder.revise(Revision(utterance=2, text="revised"))
    recorder.retract(4, 1)
    recorder.discard(5 * 960_000, 6 * 960_000)
    await recorder.close()
    with Reader(path) as reader:
        rows = list(reader.every())
    assert [entry.text for entry in rows] == ["text 1", "revised", "text 3", "text 4"]
    assert [entry.retracted for entry in rows] == [False, False, True, False]
    assert (rows[0].outcome, rows[0].back_end) == ("typed", "wtype")
    assert {entry.session for entry in rows} == {recorder.run}


async def test_a_burst_is_kept_whole_and_nobody_waits(path: Path, row) -> None:
    metrics = Metrics()
    recorder = made(path, metrics, capacity=5_000)
    await recorder.open()
    for number in range(3_000):
        recorder.add(row(number, f"text {number}"))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await recorder.close()
    assert texts(path) == [f"text {number}" for number in range(3_000)]
    assert lost(metrics) == 0


async def test_a_lock_of_another_program_only_delays(path: Path, row, log, monkeypatch) -> None:
    monkeypatch.setattr(module, "_LOCK_S", 0.05)
    monkeypatch.setattr(module, "_RETRY_S", (0.05, 0.1))
    use_sink(LogSink(stream=log))
    metrics = Metrics()
    recorder = made(path, metrics)
    await recorder.open()
    recorder.add(row(0, "before"))
    await until(lambda: committed(path) == 1)
    holder = open_for_writing(path)
    holder.execute("BEGIN IMMEDIATE")
    for number in range(1, 4):
        recorder.add(row(number, f"held up {number}"))
    await until(lambda: "locked" in log.getvalue())
    holder.execute("ROLLBACK")
    holder.close()
    await until(lambda: committed(path) == 4)  # by itself, without another final
    await recorder.close()
    assert lost(metrics) == 0
    assert log.getvalue().count("warning") == 2
    assert "kept again" in log.getvalue()


async def test_what_a_full_disk_has_no_room_for_is_counted(
    path: Path, row, log, monkeypatch, sound
) -> None:
    """The database is given no more pages, which fails as a full disk does."""
    monkeypatch.setattr(module, "_RETRY_S", (0.02, 0.05))
    use_sink(LogSink(stream=log))
    real = module.Store

    def small(*arguments, **named):
        store = real(*arguments, **named)
        (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
        store.connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        return store

    monkeypatch.setattr(module, "Store", small)
    metrics = Metrics()
    recorder = made(path, metrics, capacity=10)
    await recorder.open()
    recorder.add(row(0, "small"))
    await until(lambda: committed(path) == 1)
    for number in range(1, 31):
        recorder.add(row(number, f"large {number}", wav=bytes(100_000)))
        await waiting.moment(0.005)
    await recorder.close()
    assert texts(path) == ["small"]
    assert lost(metrics) == 30
    assert log.getvalue().count("the disk is full") == 1
    assert "30 finals of this run are not in the history" in log.getvalue().splitlines()[-1]
    sound()


@pytest.mark.parametrize("kind", ["damaged", "folder", "newer"])
async def test_dictation_goes_on_without_a_history(path: Path, row, log, kind: str) -> None:
    path.parent.mkdir(parents=True)
    if kind == "damaged":
        path.write_bytes(b"rubbish" * 1_000)
    elif kind == "folder":
        path.mkdir()
    else:
        connection = open_for_writing(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    use_sink(LogSink(stream=log))
    metrics = Metrics()
    recorder = made(path, metrics)
    await recorder.open()
    for number in range(5):
        recorder.add(row(number, "what was said"))
        recorder.deliver(Delivery(utterance=number, outcome=Outcome.TYPED))
        await waiting.moment(0.01)
    await until(lambda: lost(metrics) == 5)
    path.rename(path.with_name("aside"))  # as the warning said
    recorder.add(row(9, "kept again"))
    await recorder.close()
    assert lost(metrics) == 5
    assert texts(path) == ["kept again"]
    assert log.getvalue().count("what is said is not kept") == 1
    told = log.getvalue().splitlines()
    assert len(told) == 3
    assert "the history is kept again" in told[1]
    assert "finals of this run are not in the history" in told[2]
    assert recorder.problem == ""
    assert "what was said" not in log.getvalue()


async def test_a_database_that_is_damaged_while_it_runs(
    path: Path, row, log, fill, monkeypatch
) -> None:
    fill(*("text " * 50 for _ in range(500)))
    real = module.Store

    def forgetful(*arguments, **named):
        store = real(*arguments, **named)
        store.connection.execute("PRAGMA cache_size = 1")  # each page is read anew
        return store

    monkeypatch.setattr(module, "Store", forgetful)
    use_sink(LogSink(stream=log))
    metrics = Metrics()
    recorder = made(path, metrics)
    await recorder.open()
    recorder.add(row(0, "before"))
    await until(lambda: committed(path) == 501)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    for number in range(1, 4):
        recorder.add(row(number, "after " * 500))
    await recorder.close()
    assert lost(metrics) == 3
    assert "damaged" in log.getvalue()


async def test_a_database_that_is_moved_away_is_begun_anew(path: Path, row, tmp_path: Path) -> None:
    metrics = Metrics()
    recorder = made(path, metrics)
    await recorder.open()
    recorder.add(row(1, "before"))
    await until(lambda: committed(path) == 1)
    aside = tmp_path / "aside"
    aside.mkdir()
    for part in list(path.parent.iterdir()):
        part.rename(aside / part.name)
    recorder.add(row(2, "after"))
    await until(lambda: path.exists() and committed(path) == 1)
    recorder.add(row(3, "and more"))
    await recorder.close()
    assert texts(path) == ["after", "and more"]
    assert texts(aside / path.name) == ["before"]
    assert lost(metrics) == 0


async def test_a_queue_that_is_full_is_told_once(path: Path, row, log, monkeypatch) -> None:
    monkeypatch.setattr(module, "_LOCK_S", 2.0)
    use_sink(LogSink(stream=log))
    holder = open_for_writing(path)
    holder.execute("BEGIN IMMEDIATE")
    metrics = Metrics()
    recorder = made(path, metrics, capacity=10)
    await recorder.open()
    for number in range(10):
        recorder.add(row(number, "text"))
    await until(recorder.waiting.empty)  # taken, and waiting for the lock
    for number in range(10, 30):
        recorder.add(row(number, "text"))
    assert lost(metrics) == 10
    assert log.getvalue().count("cannot keep up") == 1
    holder.execute("ROLLBACK")
    holder.close()
    await recorder.close()
    assert committed(path) == 20


def has_room(recorder: Recorder) -> bool:
    """Whether another sound may wait."""
    found = recorder.sounds.acquire(blocking=False)
    if found:
        recorder.sounds.release()
    return found


async def test_sounds_that_wait_are_few_and_texts_are_kept(path: Path, row, log) -> None:
    use_sink(LogSink(stream=log))
    holder = open_for_writing(path)
    holder.execute("BEGIN IMMEDIATE")
    metrics = Metrics()
    recorder = made(path, metrics)
    await recorder.open()
    for number in range(50):
        recorder.add(row(number, "text", wav=b"sound"))
    assert log.getvalue().count("sounds are not kept") == 1
    holder.execute("ROLLBACK")
    holder.close()
    await until(lambda: committed(path) == 50 and has_room(recorder))
    recorder.add(row(50, "text", wav=b"sound"))
    await recorder.close()
    with Reader(path) as reader:
        assert [row.sound for row in reader.every()] == [True] * 32 + [False] * 18 + [True]
    assert lost(metrics) == 0


async def test_the_end_is_not_held_up_by_a_disk_that_hangs(
    path: Path, row, log, monkeypatch
) -> None:
    monkeypatch.setattr(module, "_LOCK_S", 600.0)  # whoever waited for that would not end
    use_sink(LogSink(stream=log))
    holder = open_for_writing(path)
    holder.execute("BEGIN IMMEDIATE")
    metrics = Metrics()
    recorder = made(path, metrics)
    await recorder.open()
    recorder.add(row(0, "text"))
    await until(recorder.waiting.empty)
    recorder.add(row(1, "text"))
    await recorder.close(timeout_s=0.2)
    assert lost(metrics) >= 1
    assert "does not answer" in log.getvalue()
    holder.close()


async def test_retention_at_the_beginning_and_then_hourly(path: Path, row, fill) -> None:
    fill("old", "old too")
    now = BEGAN / 1000 + 86_400 + 90
    limits = HistorySettings(keep_days=1.0, keep_mb=None)
    recorder = Recorder(path, lambda: limits, Metrics(), now=lambda: now)
    await recorder.open()
    await until(lambda: committed(path) == 0)
    recorder.add(row(3, "young"))
    await until(lambda: committed(path) == 1)
    now += 7_200
    recorder.add(row(300, "younger"))
    await until(lambda: texts(path) == ["younger"])
    limits = HistorySettings(keep_days=0.9, keep_mb=None)  # by 1.0, it would stay
    now += 7_200
    recorder.add(row(1_681, "another"))  # half a minute ago
    await until(lambda: texts(path) == ["another"])
    await recorder.close()


async def test_an_idle_recorder_does_not_wake(path: Path, row) -> None:
    recorder = made(path, Metrics())
    await recorder.open()
    recorder.add(row(0, "text"))
    await until(lambda: committed(path) == 1)
    await waiting.moment(0.2)  # what follows the first row: retention
    thread = recorder._thread
    assert thread is not None
    status = Path(f"/proc/self/task/{thread.native_id}/status")
    if not status.exists():
        pytest.skip("there is no /proc")

    def switches() -> str:
        return next(line for line in status.read_text().splitlines() if line.startswith("volun"))

    before = switches()
    await waiting.moment(0.5)
    assert switches() == before
    await recorder.close()


WRITER = """
import asyncio, itertools, sys
from pathlib import Path
from vivavoce.actors.history.entry import Kept
from vivavoce.actors.history.recorder import Recorder
from vivavoce.config.history import HistorySettings
from vivavoce.pipeline.metrics import Metrics

async def main():
    recorder = Recorder(Path(sys.argv[1]), HistorySettings, Metrics())
    await recorder.open()
    for number in itertools.count():
        at = 1_900_000_000_000 + number
        recorder.add(Kept(utterance=number, run_began=at, began=at, ended=at, start=number,
                          end=number + 1, text=f"spoken {number}", wav=bytes(20_000)))
        await asyncio.sleep(0.002)
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.process
def test_a_writer_that_is_killed_leaves_all_that_it_had_committed(path: Path, sound) -> None:
    for _ in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-P", "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 60:
                break
        seen = set(texts(path))  # committed, as another process sees it
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert len(seen) > 20
        left = texts(path)
        assert seen <= set(left)
    runs: dict[str, list[int]] = {}
    with Reader(path) as reader:
        for entry in reader.every():
            runs.setdefault(entry.session, []).append(int(entry.text.split()[1]))
    assert len(runs) == 2
    assert all(numbers == list(range(len(numbers))) for numbers in runs.values())
    sound()


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_writer_that_dies_is_told_at_once_and_what_is_lost_is_counted(
    path: Path, row, log
) -> None:
    use_sink(LogSink(stream=log))
    metrics = Metrics()
    recorder = made(path, metrics)
    await recorder.open()
    recorder.add(row(0, "kept"))
    await until(lambda: committed(path) == 1)
    assert recorder.problem == ""
    with sqlite3.connect(path) as vandal:
        vandal.execute("DROP TABLE finals")
    recorder.add(row(1, "one"))
    recorder.add(row(2, "two"))
    recorder.deliver(Delivery(utterance=2, outcome=Outcome.TYPED, back_end="wtype"))
    await until(lambda: recorder.problem)
    assert lost(metrics) == 2
    recorder.add(row(3, "three"))
    assert lost(metrics) == 3
    (line,) = log.getvalue().splitlines()
    assert "error: history: what is said is not kept any more" in line
    assert "no such table" in line
    assert str(path) in line
    assert recorder.problem in line
    await recorder.close()
    assert "3 finals of this run are not in the history" in log.getvalue().splitlines()[-1]


async def test_what_waits_when_the_writer_dies_is_counted(path: Path, row, log) -> None:
    use_sink(LogSink(stream=log))
    metrics = Metrics()
    recorder = made(path, metrics)
    await recorder.open()
    for number in range(300):  # more than are written at once
        recorder.add(row(number, "half a character: \ud83d" if number == 0 else "a text"))
    await until(lambda: recorder.problem)
    await recorder.close()
    assert lost(metrics) == 300
    assert log.getvalue().count("not kept any more") == 1


async def test_a_problem_of_the_history_is_told_until_it_is_kept_again(
    path: Path, row, log, monkeypatch
) -> None:
    monkeypatch.setattr(module, "_LOCK_S", 0.05)
    monkeypatch.setattr(module, "_RETRY_S", (0.05, 0.1))
    use_sink(LogSink(stream=log))
    recorder = made(path, Metrics())
    await recorder.open()
    recorder.add(row(0, "before"))
    await until(lambda: committed(path) == 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    recorder.add(row(1, "meanwhile"))
    await until(lambda: recorder.problem)
    assert "is locked by another program" in recorder.problem
    other.execute("ROLLBACK")
    other.close()
    await until(lambda: not recorder.problem)
    await recorder.close()
    assert texts(path) == ["before", "meanwhile"]
