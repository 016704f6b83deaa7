"""The tables, and how an older database becomes a newer one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from vivavoce.actors.history.errors import HistoryError, damaged

APPLICATION_ID = 0x7656_6F78
"""Tells our databases from those of other programs (``PRAGMA application_id``)."""

SPAN_BITS = 10
"""Rows that share an entry in ``spans``: 1,024 whose ids differ only in the last ten bits."""

_FIRST = (
    """CREATE TABLE sessions(
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL UNIQUE,
        began INTEGER NOT NULL)""",
    # AUTOINCREMENT: the number of a row that was removed never comes to mean another text, and
    # newer rows always have greater numbers: paging by number sees each row once.
    """CREATE TABLE finals(
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session INTEGER NOT NULL,
        utterance INTEGER NOT NULL,
        began INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        text TEXT NOT NULL,
        heard TEXT NOT NULL DEFAULT '',
        profile TEXT NOT NULL DEFAULT '',
        engine TEXT NOT NULL DEFAULT '',
        model TEXT NOT NULL DEFAULT '',
        language TEXT NOT NULL DEFAULT '',
        confidence REAL NOT NULL DEFAULT 0,
        application TEXT NOT NULL DEFAULT '',
        outcome TEXT NOT NULL DEFAULT '',
        back_end TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT '',
        retracted INTEGER NOT NULL DEFAULT 0,
        UNIQUE(session, utterance))""",
    "CREATE INDEX finals_by_application ON finals(application COLLATE NOCASE)",
    # Sound is apart, or a page of the list would have to step over megabytes of it.
    "CREATE TABLE sounds(final INTEGER PRIMARY KEY, wav BLOB NOT NULL)",
    # When the rows of each span began: a period becomes a range of ids by a look at a thousandth of
    # the rows, exact whatever the clock of the machine did. An index by time would be a copy of it.
    """CREATE TABLE spans(
        span INTEGER PRIMARY KEY,
        earliest INTEGER NOT NULL,
        latest INTEGER NOT NULL)""",
    "CREATE TABLE state(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO state VALUES('stale', 0), ('tidied', 0)",
    # With the application: to look up that of each match takes as long as there are matches.
    """CREATE VIRTUAL TABLE words USING fts5(
        text,
        application,
        content='finals',
        content_rowid='id',
        tokenize='unicode61 remove_diacritics 2',
        prefix='1 2 3')""",
    f"""CREATE TRIGGER finals_added AFTER INSERT ON finals BEGIN
        INSERT INTO words(rowid, text, application) VALUES(new.id, new.text, new.application);
        INSERT INTO spans VALUES(new.id >> {SPAN_BITS}, new.began, new.began)
            ON CONFLICT(span) DO UPDATE SET
            earliest = min(earliest, new.began), latest = max(latest, new.began);
    END""",
    """CREATE TRIGGER finals_changed AFTER UPDATE OF text, application ON finals
        WHEN old.text <> new.text OR old.application <> new.application BEGIN
        INSERT INTO words(words, rowid, text, application)
            VALUES('delete', old.id, old.text, old.application);
        INSERT INTO words(rowid, text, application) VALUES(new.id, new.text, new.application);
        UPDATE state SET value = value + 1 WHERE key = 'stale';
    END""",
    """CREATE TRIGGER finals_removed AFTER DELETE ON finals BEGIN
        INSERT INTO words(words, rowid, text, application)
            VALUES('delete', old.id, old.text, old.application);
        DELETE FROM sounds WHERE final = old.id;
        UPDATE state SET value = value + 1 WHERE key = 'stale';
    END""",
)

MIGRATIONS: tuple[Sequence[str], ...] = (_FIRST,)
"""What makes version n + 1 of version n; ``PRAGMA user_version`` counts those that were done."""


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the database; 0: it is empty.

    Raises:
        HistoryError: it is another program's, or that of a newer version of this one.
        sqlite3.Error: it cannot be read.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if owner == APPLICATION_ID and version > len(MIGRATIONS):
        raise HistoryError(
            f"the history {path} is of version {version}, and this vivavoce knows up to "
            f"{len(MIGRATIONS)}: get a newer vivavoce, or set `history.path` to another file"
        )
    if (tables or version) and owner != APPLICATION_ID:
        raise HistoryError(
            f"{path} is a database of another program: set `history.path` to another file"
        )
    if version and not tables:
        raise damaged(path)
    return int(version)


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
) -> None:
    """Bring the database to the newest version: all of the way, or, where that fails, not at all.

    Args:
        connection: in autocommit mode.

    Raises:
        HistoryError: as :func:`check_version`.
        sqlite3.Error: it cannot be written.
    """
    if check_version(connection, path) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster.
        for statements in migrations[check_version(connection, path) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
