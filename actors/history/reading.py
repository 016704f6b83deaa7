"""Reading the history: pages by key, never by offset, so that the last costs no more than the
first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from vivavoce.actors.history.entry import Entry
from vivavoce.actors.history.errors import HistoryError
from vivavoce.actors.history.opening import open_for_reading, told
from vivavoce.actors.history.query import column_expression
from vivavoce.actors.history.schema import SPAN_BITS

_NEWEST = (1 << 63) - 1
_BATCH = 500

_COLUMNS = """
finals.id, coalesce(sessions.run, ''), coalesce(sessions.began, finals.began), finals.utterance,
finals.began, finals.ended, finals.start, finals."end", finals.text, finals.heard, finals.profile,
finals.engine, finals.model, finals.language, finals.confidence, finals.application, finals.outcome,
finals.back_end, finals.reason, finals.retracted,
EXISTS (SELECT 1 FROM sounds WHERE sounds.final = finals.id)
"""
_SESSIONS = "LEFT JOIN sessions ON sessions.id = finals.session"


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are wanted: those that began in ``[since, until)`` (ms of UTC since 1970; None:
    no limit), spoken into ``application`` (any case), in the run that begins with ``session``."""

    since: int | None = None
    until: int | None = None
    application: str | None = None
    session: str | None = None


EVERYTHING = Filter()


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was found; in ``marked``, what was searched for stands between U+0002 and
    U+0003."""

    entry: Entry
    marked: str


class Reader:
    """The history, being read: also by another process than the one that writes it.

    Args:
        path: the database.

    Raises:
        NoHistory: there is none.
        HistoryError: it cannot be read. Every method raises the same where the database fails.
    """

    def __init__(self, path: Path, *, patience_s: float = 5.0) -> None:
        self.path = path
        self.connection = open_for_reading(path, patience_s=patience_s)

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.connection.close()

    def page(
        self, limit: int, *, before: int | None = None, wanted: Filter = EVERYTHING
    ) -> list[Entry]:
        """Up to ``limit`` rows, newest first; ``before``: only those with lesser numbers."""
        with told(self.path):
            statement, values = page_query(self.connection, limit, before, wanted)
            return [_entry(row) for row in self.connection.execute(statement, values)]

    def search(
        self,
        expression: str,
        limit: int,
        *,
        before: int | None = None,
        wanted: Filter = EVERYTHING,
    ) -> list[Hit]:
        """Rows whose text matches, newest first.

        Args:
            expression: a query of FTS5; :func:`vivavoce.actors.history.query.match_expression`
                makes one that is always right.

        Raises:
            HistoryError: the expression is wrong.
        """
        if not expression.strip():
            return []
        with told(self.path):
            statement, values = search_query(self.connection, expression, limit, before, wanted)
            try:
                rows = self.connection.execute(statement, values).fetchall()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_ERROR":
                    raise
                raise HistoryError(
                    f"FTS5 does not understand the query ({error}): see "
                    "https://sqlite.org/fts5.html, or leave out --fts"
                ) from error
        return [Hit(entry=_entry(row[:-1]), marked=row[-1]) for row in rows]

    def get(self, number: int) -> Entry | None:
        """The row with that number; None: it is not there (any more)."""
        statement = f"SELECT {_COLUMNS} FROM finals {_SESSIONS} WHERE finals.id = ?"  # noqa: S608
        with told(self.path):
            row = self.connection.execute(statement, (number,)).fetchone()
        return None if row is None else _entry(row)

    def newest(self) -> Entry | None:
        """The last row that the speaker did not take back."""
        statement = (
            f"SELECT {_COLUMNS} FROM finals {_SESSIONS} WHERE NOT retracted "  # noqa: S608
            "ORDER BY finals.id DESC LIMIT 1"
        )
        with told(self.path):
            row = self.connection.execute(statement).fetchone()
        return None if row is None else _entry(row)

    def wav(self, number: int) -> bytes | None:
        """The sound of a row, as a WAV file; None: it is not kept."""
        with told(self.path):
            row = self.connection.execute(
                "SELECT wav FROM sounds WHERE final = ?", (number,)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def every(self, wanted: Filter = EVERYTHING) -> Iterator[Entry]:
        """All rows, oldest first, in bounded memory, while others go on writing.

        Each batch is a transaction of its own: one for all would keep the log (WAL) from being
        emptied as long as it takes.
        """
        after = 0
        while True:
            with told(self.path):
                statement, values = _batch_query(self.connection, after, wanted)
                rows = self.connection.execute(statement, values).fetchall()
            yield from map(_entry, rows)
            if len(rows) < _BATCH:
                return
            after = rows[-1][0]

    def count(self) -> int:
        """How many rows there are. Looks at all of them."""
        with told(self.path):
            (found,) = self.connection.execute("SELECT count(*) FROM finals").fetchone()
        return int(found)


def page_query(
    connection: sqlite3.Connection, limit: int, before: int | None, wanted: Filter
) -> tuple[str, list[Any]]:
    """The statement of :meth:`Reader.page`, and its values."""
    low, high = id_range(connection, wanted)
    where, values = _conditions("finals.id", low, min(high, before or high), wanted)
    statement = (
        f"SELECT {_COLUMNS} FROM finals {_SESSIONS} "  # noqa: S608 - nothing but our own names
        f"WHERE {where} ORDER BY finals.id DESC LIMIT ?"
    )
    return statement, [*values, limit]


def search_query(
    connection: sqlite3.Connection,
    expression: str,
    limit: int,
    before: int | None,
    wanted: Filter,
) -> tuple[str, list[Any]]:
    """The statement of :meth:`Reader.search`, and its values.

    Ordered by number, not by rank: the index is in that order already, so that it is read only as
    far as the page goes. To rank, every match must be looked at: hundreds of thousands of a common
    word. And who looks for what was said looks for the last time first.
    """
    low, high = id_range(connection, wanted)
    where, values = _conditions("words.rowid", low, min(high, before or high), wanted)
    # CROSS JOIN: the index leads, whatever the planner thinks.
    statement = (
        f"SELECT {_COLUMNS}, highlight(words, 0, char(2), char(3)) "  # noqa: S608 - as above
        f"FROM words CROSS JOIN finals ON finals.id = words.rowid {_SESSIONS} "
        f"WHERE words MATCH ? AND {where} ORDER BY words.rowid DESC LIMIT ?"
    )
    return statement, [column_expression(expression, wanted.application), *values, limit]


def id_range(connection: sqlite3.Connection, wanted: Filter) -> tuple[int, int]:
    """Numbers ``[low, high)`` outside of which no row is from the wanted time."""
    if wanted.since is None and wanted.until is None:
        return 0, _NEWEST
    first, last = connection.execute(
        "SELECT min(span), max(span) FROM spans WHERE latest >= ? AND earliest < ?",
        (
            -_NEWEST if wanted.since is None else wanted.since,
            _NEWEST if wanted.until is None else wanted.until,
        ),
    ).fetchone()
    return (0, 0) if first is None else (first << SPAN_BITS, (last + 1) << SPAN_BITS)


def _batch_query(
    connection: sqlite3.Connection, after: int, wanted: Filter
) -> tuple[str, list[Any]]:
    low, high = id_range(connection, wanted)
    where, values = _conditions("finals.id", max(low, after + 1), high, wanted)
    statement = (
        f"SELECT {_COLUMNS} FROM finals {_SESSIONS} "  # noqa: S608 - nothing but our own names
        f"WHERE {where} ORDER BY finals.id LIMIT ?"
    )
    return statement, [*values, _BATCH]


def _conditions(key: str, low: int, high: int, wanted: Filter) -> tuple[str, list[Any]]:
    found: list[tuple[str, Any]] = [(f"{key} >= ?", low), (f"{key} < ?", high)]
    if wanted.since is not None:
        found.append(("finals.began >= ?", wanted.since))
    if wanted.until is not None:
        found.append(("finals.began < ?", wanted.until))
    if wanted.application is not None:
        found.append(("finals.application = ? COLLATE NOCASE", wanted.application))
    if wanted.session is not None:
        # Runs are named by hexadecimal digits: no pattern of GLOB can be in them.
        # The plus: rows are read in the order of their numbers, not by run and then sorted.
        named = "+finals.session IN (SELECT id FROM sessions WHERE run GLOB ?)"
        found.append((named, "".join(filter(str.isalnum, wanted.session)) + "*"))
    return " AND ".join(condition for condition, _ in found), [value for _, value in found]


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip(Entry.__struct_fields__, row, strict=True))
    values["retracted"], values["sound"] = bool(row[-2]), bool(row[-1])
    return Entry(**values)
