"""Opening the database: nobody else's eyes, nobody else's file, a clear word where it fails."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vivavoce.actors.history.errors import HistoryError, NoHistory, explained
from vivavoce.actors.history.schema import check_version, migrate

_WAL_KEPT = 4 << 20


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the file system become :class:`HistoryError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise explained(error, path) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of what is written inside, or, where it raises, none of it.

    Raises:
        sqlite3.Error: the database fails, or another program keeps it locked.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def open_for_writing(path: Path, *, patience_s: float = 5.0) -> sqlite3.Connection:
    """Open (or make) the database, in autocommit mode, brought to the newest version.

    The file is 0600 from its first moment, and SQLite gives its companions (``-wal``, ``-shm``)
    the same mode; a folder that is missing is made with 0700.

    Args:
        patience_s: how long a lock of another program is waited for.

    Raises:
        HistoryError: it cannot be opened, or is somebody else's.
    """
    with told(path):
        _make_private(path)
        connection = sqlite3.connect(path, timeout=patience_s, isolation_level=None)
        try:
            _set_up(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path, *, patience_s: float = 5.0) -> sqlite3.Connection:
    """Open the database to read it, also beside a program that writes.

    Raises:
        NoHistory: there is none.
        HistoryError: it cannot be opened, or is no history of a version known here.
    """
    if not path.exists():
        raise NoHistory(
            f"there is no history yet ({path}): it is kept where a profile says `history.enabled: "
            "true`, as `dictation` does"
        )
    with told(path):
        try:
            return _reader(path, "mode=ro", patience_s)
        except sqlite3.OperationalError:
            # In a folder that cannot be written there can be no -shm. Where there is no -wal
            # either, nobody writes, and the file can be read as it lies there.
            if os.access(path.parent, os.W_OK) or _has_log(path):
                raise
            return _reader(path, "immutable=1", patience_s)


def _reader(path: Path, how: str, patience_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?{how}", uri=True, timeout=patience_s, isolation_level=None
    )
    try:
        _check_not_empty(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_not_empty(connection: sqlite3.Connection, path: Path) -> None:
    if not check_version(connection, path):
        raise NoHistory(f"the history {path} is empty: nothing was kept yet")


def _has_log(path: Path) -> bool:
    """Whether something is in the database that is only in its log so far."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        # By name, not by descriptor: closing one drops all locks of this process on the file
        # (POSIX), also those of a connection that another part of it has open.
        found = path.stat()
    else:
        return
    if not stat.S_ISREG(found.st_mode):
        raise HistoryError(f"{path} is no file: set `history.path` to one")
    if os.name == "posix":
        if found.st_uid != os.geteuid():
            raise HistoryError(
                f"the history {path} belongs to another user: set `history.path` to a file of "
                "your own"
            )
        if stat.S_IMODE(found.st_mode) != 0o600:
            path.chmod(0o600)


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if not pages:
        # So that what is removed makes the file smaller; it is settled with the first table.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise OSError(errno.EOPNOTSUPP, "its file system cannot hold a shared log (WAL)")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
    migrate(connection, path)
