"""Files: who may read them, and what is said where they cannot be used."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vivavoce.actors.history.errors import HistoryError, NoHistory, explained
from vivavoce.actors.history.opening import open_for_writing
from vivavoce.actors.history.place import history_path, history_wanted
from vivavoce.actors.history.reading import Reader
from vivavoce.actors.history.schema import MIGRATIONS, migrate
from vivavoce.actors.history.store import Store
from vivavoce.config.history import HistorySettings
from vivavoce.config.schema import Profile


def one_line(error: BaseException) -> str:
    assert "\n" not in str(error)
    return str(error)


def test_everything_is_for_its_owner_alone(path: Path, row) -> None:
    old = os.umask(0)
    try:
        store = Store(path, "run1")
        with store.transaction():
            store.add(row(1, "text"))
        files = sorted(part.name for part in path.parent.iterdir())
        assert files == ["history.sqlite3", "history.sqlite3-shm", "history.sqlite3-wal"]
        for part in path.parent.iterdir():
            assert stat.S_IMODE(part.stat().st_mode) == 0o600, part
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        store.close()
    finally:
        os.umask(old)


def test_a_file_that_others_could_read_is_closed_to_them(fill) -> None:
    path = fill("text")
    path.chmod(0o644)
    open_for_writing(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_link_to_somebody_elses_file_is_refused(fill, tmp_path: Path) -> None:
    path = fill("text")
    os.chown(path, 65534, 65534)
    link = tmp_path / "link.sqlite3"
    link.symlink_to(path)
    with pytest.raises(HistoryError, match="belongs to another user"):
        open_for_writing(link)


def test_ones_own_link_is_followed(fill, tmp_path: Path, row) -> None:
    link = tmp_path / "link.sqlite3"
    link.symlink_to(fill("text"))
    with Reader(link) as reader:
        assert reader.count() == 1


@pytest.mark.parametrize(
    "content", [b"no database at all" * 500, b"SQLite format 3\0" + b"x" * 5000]
)
@pytest.mark.parametrize("opens", [open_for_writing, Reader])
def test_what_is_no_database_says_how_to_move_it(path: Path, content: bytes, opens) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(HistoryError, match="damaged") as failed:
        opens(path)
    command = one_line(failed.value).split("`")[1]
    subprocess.run(command, shell=True, check=True)
    open_for_writing(path).close()
    assert (path.parent / "damaged" / path.name).read_bytes() == content


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir(parents=True)
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE cookies(host TEXT)")
    other.close()
    for opens in (open_for_writing, Reader):
        with pytest.raises(HistoryError, match="another program"):
            opens(path)
    assert (
        sqlite3.connect(path).execute("SELECT * FROM sqlite_master").fetchall()[0][1] == "cookies"
    )


def test_a_newer_version_is_not_touched(fill) -> None:
    path = fill("text")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for opens in (open_for_writing, Reader):
        with pytest.raises(HistoryError, match=r"version 99.*get a newer vivavoce") as failed:
            opens(path)
        one_line(failed.value)


def test_an_older_version_is_brought_up_to_date_or_left_as_it_was(fill) -> None:
    path = fill("text")
    connection = sqlite3.connect(path, isolation_level=None)
    wrong = (*MIGRATIONS, ("ALTER TABLE finals ADD COLUMN mood TEXT", "nonsense"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path, wrong)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    right = (*MIGRATIONS, ("ALTER TABLE finals ADD COLUMN mood TEXT",))
    migrate(connection, path, right)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("SELECT text, mood FROM finals").fetchall() == [("text", None)]
    connection.close()


def test_nothing_there_is_no_failure_of_the_disk(path: Path) -> None:
    with pytest.raises(NoHistory, match=r"history\.enabled"):
        Reader(path)
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(NoHistory, match="empty"):
        Reader(path)


def test_a_lock_is_waited_for_and_then_told(fill, path: Path) -> None:
    fill("text")
    holder = open_for_writing(path)
    holder.execute("BEGIN IMMEDIATE")
    store = Store(path, "run2", patience_s=0.1)

    def write() -> None:
        with store.transaction():
            pass

    with pytest.raises(HistoryError, match="locked by another program") as failed:
        write()
    assert failed.value.passing
    holder.execute("ROLLBACK")
    write()
    store.close()
    holder.close()


def test_a_python_without_full_text_search_is_told() -> None:
    missing = sqlite3.OperationalError("no such module: fts5")
    assert "FTS5" in one_line(explained(missing, Path("x")))
    with pytest.raises(sqlite3.OperationalError, match="syntax"):
        explained(sqlite3.OperationalError("near: syntax error"), Path("x"))


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from vivavoce.actors.history.errors import HistoryError
from vivavoce.actors.history.reading import Reader
from vivavoce.actors.history.opening import open_for_writing
path = Path(sys.argv[1])
os.setgid(65534); os.setuid(65534)
with Reader(path) as reader:
    print(reader.page(1)[0].text, reader.search("text", 1)[0].entry.text)
try:
    open_for_writing(path)
except HistoryError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_cannot_be_written_can_be_read(fill, path: Path, tmp_path: Path) -> None:
    fill("text")
    assert not path.with_name(path.name + "-wal").exists()
    for folder in (path.parent, *path.parent.parents):
        if folder != Path("/tmp") and folder.is_relative_to("/tmp"):
            folder.chmod(0o755)
    os.chown(path, 65534, 65534)
    path.chmod(0o400)
    done = subprocess.run(
        [sys.executable, "-P", "-c", UNPRIVILEGED, str(path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    read, failed = done.stdout.splitlines()
    assert read == "text text"
    assert "cannot be" in failed


def test_where_it_lies() -> None:
    settings = HistorySettings()
    found = history_path(settings, {"XDG_DATA_HOME": "/data", "HOME": "/home/me"}, "linux")
    assert found == Path("/data/vivavoce/history.sqlite3")
    assert history_path(settings, {"XDG_DATA_HOME": "data", "HOME": "/home/me"}, "linux") == Path(
        "/home/me/.local/share/vivavoce/history.sqlite3"
    )
    assert "Application Support" in str(history_path(settings, {"HOME": "/Users/me"}, "darwin"))
    assert history_path(HistorySettings(path="/x/y.db"), {}) == Path("/x/y.db")
    assert history_path(HistorySettings(path="~/y.db"), {}) == Path.home() / "y.db"


def test_one_switch_turns_it_off() -> None:
    kept = HistorySettings(enabled=True, audio=True)
    assert history_wanted(Profile(history=kept))
    assert not history_wanted(Profile(history=kept, persistence=False))
    assert not history_wanted(Profile())
