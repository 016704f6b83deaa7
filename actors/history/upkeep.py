"""What leaves the history by itself, and how it leaves no trace: retention and tidying."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator

from vivavoce.actors.history.opening import transaction
from vivavoce.actors.history.schema import SPAN_BITS
from vivavoce.actors.history.store import size_of
from vivavoce.config.history import HistorySettings

_CHUNK = 500
_FREE_AT_ONCE = 2_000  # pages
_DOWN_TO = 0.95
"""How far below its greatest size a database is brought, so that not each new row removes one."""
_SMALL = 50_000
_TIDY_S = 7 * 86_400


def retention(
    connection: sqlite3.Connection, settings: HistorySettings, now: float
) -> Iterator[None]:
    """Remove what is too old or too much: a little with each step, each a transaction of its own.

    Where the database is too large, the sound of the oldest goes first: text is worth more than
    sound, and takes a thousandth of the room.

    Args:
        connection: in autocommit mode, not inside a transaction.
        now: :func:`time.time`.

    Raises:
        sqlite3.Error: the database fails.
    """
    if settings.keep_days is not None:
        yield from remove_before(connection, round((now - settings.keep_days * 86_400) * 1000))
    if settings.keep_mb is not None:
        yield from _down_to(connection, settings.keep_mb * 1e6)
    yield from _tidied(connection, now)
    yield from give_back(connection)


def remove_before(connection: sqlite3.Connection, moment: int) -> Iterator[None]:
    """Remove the rows that began before ``moment`` (ms since 1970), some with each step."""
    for (span,) in connection.execute(
        "SELECT span FROM spans WHERE earliest < ? ORDER BY span", (moment,)
    ).fetchall():
        low, high = span << SPAN_BITS, (span + 1) << SPAN_BITS
        with transaction(connection):
            connection.execute(
                "DELETE FROM finals WHERE id >= ? AND id < ? AND began < ?", (low, high, moment)
            )
        yield
    forget_the_empty(connection)


def _down_to(connection: sqlite3.Connection, most: float) -> Iterator[None]:
    if size_of(connection) <= most:
        return
    wanted = most * _DOWN_TO
    while (excess := size_of(connection) - wanted) > 0:
        removed = _remove_sounds(connection, excess)
        if not removed:
            break
        yield
    while (excess := size_of(connection) - wanted) > 0:
        (rows,) = connection.execute("SELECT count(*) FROM finals").fetchone()
        if not rows:
            return
        left = math.ceil(rows * min(1.0, excess / size_of(connection)))
        while left > 0:
            _remove_oldest(connection, min(left, _CHUNK))
            left -= _CHUNK
            yield
        merge_words(connection)  # or the index would keep the room of what was removed
        yield
    forget_the_empty(connection)


def _remove_sounds(connection: sqlite3.Connection, excess: float) -> int:
    """Remove the oldest sounds, up to a chunk of them; how many."""
    chosen: list[tuple[int]] = []
    found = 0
    for final, length in connection.execute(
        "SELECT final, length(wav) FROM sounds ORDER BY final LIMIT ?", (_CHUNK,)
    ):
        chosen.append((final,))
        found += length
        if found >= excess:
            break
    with transaction(connection):
        connection.executemany("DELETE FROM sounds WHERE final = ?", chosen)
    return len(chosen)


def _remove_oldest(connection: sqlite3.Connection, count: int) -> None:
    with transaction(connection):
        connection.execute(
            "DELETE FROM finals WHERE id IN (SELECT id FROM finals ORDER BY id LIMIT ?)", (count,)
        )


def _tidied(connection: sqlite3.Connection, now: float) -> Iterator[None]:
    """Have the words of removed rows leave the index, too: at once where it is small, weekly where
    that means to write a large one anew."""
    state = dict(connection.execute("SELECT key, value FROM state"))
    if not state["stale"]:
        return
    (newest,) = connection.execute("SELECT max(id) - min(id) FROM finals").fetchone()
    if (newest or 0) <= _SMALL or now - state["tidied"] >= _TIDY_S:
        yield
        merge_words(connection, now)


def merge_words(connection: sqlite3.Connection, now: float | None = None) -> None:
    """Write the index anew without what was removed: until then it only marks words as gone."""
    with transaction(connection):
        connection.execute("INSERT INTO words(words) VALUES('optimize')")
        connection.execute("UPDATE state SET value = 0 WHERE key = 'stale'")
        if now is not None:
            connection.execute("UPDATE state SET value = ? WHERE key = 'tidied'", (int(now),))


def give_back(connection: sqlite3.Connection) -> Iterator[None]:
    """Return free pages to the file system, some with each step."""
    while True:
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        if not free:
            return
        # Each row of this statement frees one page.
        connection.execute(f"PRAGMA incremental_vacuum({_FREE_AT_ONCE})").fetchall()
        (left,) = connection.execute("PRAGMA freelist_count").fetchone()
        yield
        if left >= free:
            return  # made by a version without incremental vacuum: nothing can be given back


def forget_the_empty(connection: sqlite3.Connection) -> None:
    """Spans and runs that nothing is left of."""
    with transaction(connection):
        connection.execute(
            "DELETE FROM spans WHERE NOT EXISTS (SELECT 1 FROM finals WHERE "  # noqa: S608
            f"id >= span << {SPAN_BITS} AND id < (span + 1) << {SPAN_BITS})"
        )
        connection.execute(
            "DELETE FROM sessions WHERE NOT EXISTS ("
            "SELECT 1 FROM finals WHERE finals.session = sessions.id)"
        )
