"""What leaves by itself, and what is really gone when it is purged."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from vivavoce.actors.history.opening import open_for_writing
from vivavoce.actors.history.purging import Purge, purge_now
from vivavoce.actors.history.reading import Reader
from vivavoce.actors.history.store import Store, size_of
from vivavoce.actors.history.upkeep import retention
from vivavoce.config.history import HistorySettings

BEGAN = 1_777_000_000_000
MINUTE = 60_000
DAY_S = 86_400.0


def keep_up(path: Path, now: float, **settings: float | None) -> int:
    """Run retention to its end; how many steps it took."""
    with closing(open_for_writing(path)) as connection:
        wanted = HistorySettings(**{"keep_days": None, "keep_mb": None, **settings})
        return sum(1 for _ in retention(connection, wanted, now))


def texts(path: Path) -> list[str]:
    with Reader(path) as reader:
        return [entry.text for entry in reader.every()]


def test_what_is_too_old_is_removed_with_all_that_belongs_to_it(
    fill, path: Path, sound, every_byte
) -> None:
    fill(*(f"zebra{number}" for number in range(30)), wav=b"loudsound")
    fill("younger", run="run2", first=100)
    now = (BEGAN + 20 * MINUTE) / 1000 + DAY_S
    keep_up(path, now, keep_days=1.0)
    assert texts(path) == [*(f"zebra{number}" for number in range(20, 30)), "younger"]
    with Reader(path) as reader:
        assert not reader.search("zebra3", 5)
        assert len(reader.search("zebra23", 5)) == 1
        assert reader.wav(1) is None
        assert reader.wav(25) == b"loudsound"
    assert b"zebra3" not in every_byte()
    keep_up(path, now + DAY_S, keep_days=1.0)
    assert texts(path) == []
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM spans").fetchone() == (0,)
    sound()


def test_a_large_removal_goes_step_by_step(fill, path: Path) -> None:
    fill(*("text" for _ in range(3_000)))
    assert keep_up(path, BEGAN / 1000 + 1_000 * DAY_S, keep_days=1.0) >= 3
    assert texts(path) == []


def test_nothing_is_removed_where_nothing_has_to_go(fill, path: Path) -> None:
    fill("text")
    assert keep_up(path, BEGAN / 1000, keep_days=1.0, keep_mb=1.0) == 0
    assert keep_up(path, BEGAN / 1000 + 10**9) == 0
    assert texts(path) == ["text"]


def test_where_it_is_too_large_the_oldest_sounds_go_first(fill, path: Path, sound) -> None:
    fill(*(f"text {number}" for number in range(40)), wav=bytes(100_000))
    assert path.stat().st_size > 4e6
    keep_up(path, BEGAN / 1000, keep_mb=2.0)
    assert path.stat().st_size <= 2e6
    assert len(texts(path)) == 40
    with Reader(path) as reader:
        kept = [entry.sound for entry in reader.every()]
    assert kept == sorted(kept)  # those without a sound are the older ones
    assert 10 <= sum(kept) <= 19
    sound()


@pytest.mark.thorough
def test_where_texts_alone_are_too_large_the_oldest_go(fill, path: Path, sound) -> None:
    fill(*(f"text {number} " + f"word{number} " * 60 for number in range(5_000)))
    assert path.stat().st_size > 2e6
    keep_up(path, BEGAN / 1000, keep_mb=1.0)
    assert path.stat().st_size <= 1e6
    left = [int(text.split()[1]) for text in texts(path)]
    assert left == list(range(5_000 - len(left), 5_000))
    assert len(left) > 500
    sound()


def test_a_run_that_lost_its_rows_can_go_on(path: Path, row) -> None:
    store = Store(path, "run1")
    with store.transaction():
        store.add(row(1, "old"))
    keep_up(path, BEGAN / 1000 + 1_000 * DAY_S, keep_days=1.0)
    with store.transaction():
        store.add(row(2, "new"))
    store.close()
    with Reader(path) as reader:
        assert [(e.session, e.text) for e in reader.page(5)] == [("run1", "new")]


@pytest.mark.parametrize("kept_open", [False, True])
def test_what_is_purged_is_gone_from_every_byte(
    fill, path: Path, every_byte, sound, kept_open: bool, row
) -> None:
    fill(*(f"xylophone{number} plays" for number in range(300)), wav=b"LOUDSOUND" * 100)
    writer = Store(path, "run2") if kept_open else None  # the program is running
    if writer is not None:
        with writer.transaction():
            writer.add(row(1, "xylophone again", wav=b"LOUDSOUND"))
    assert b"xylophone" in every_byte()
    assert purge_now(path, Purge(ids=(7,))) == (1, True)
    assert b"xylophone6 " not in every_byte()
    assert b"xylophone7 " in every_byte()
    with Reader(path) as reader:
        assert not reader.search('"xylophone6"', 5)
    assert purge_now(path, Purge(before=BEGAN + 20 * MINUTE))[0] == 19 + kept_open
    assert purge_now(path, Purge(everything=True)) == (280, True)
    content = every_byte()
    assert b"xylophone" not in content
    assert b"phone" not in content
    assert b"LOUDSOUND" not in content
    assert b"dictation" not in content
    if writer is not None:
        with writer.transaction():
            writer.add(row(2, "afterwards"))
        writer.close()
        assert texts(path) == ["afterwards"]
    sound()


def test_who_reads_meanwhile_keeps_the_log_and_that_is_told(fill, path: Path) -> None:
    fill("one", "two")
    with Reader(path) as reader:
        reader.connection.execute("BEGIN")
        reader.connection.execute("SELECT * FROM finals").fetchall()
        done: list[tuple[int, bool]] = []
        import vivavoce.actors.history.purging as purging

        patience, purging._PATIENCE_S = purging._PATIENCE_S, 0.2
        try:
            thread = threading.Thread(
                target=lambda: done.append(purge_now(path, Purge(everything=True)))
            )
            thread.start()
            thread.join(20)
        finally:
            purging._PATIENCE_S = patience
        assert done == [(2, False)]


def test_the_size_counts_what_is_used(fill, path: Path) -> None:
    fill("text", wav=bytes(10**6))
    with closing(open_for_writing(path)) as connection:
        before = size_of(connection)
        connection.execute("DELETE FROM finals")
        assert before - size_of(connection) > 9e5
