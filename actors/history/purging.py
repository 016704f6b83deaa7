"""Removing for good, as a person asked for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from vivavoce.actors.history.opening import open_for_writing, told, transaction
from vivavoce.actors.history.reading import Reader
from vivavoce.actors.history.upkeep import forget_the_empty, give_back, merge_words

_PATIENCE_S = 30.0


class Purge(msgspec.Struct, frozen=True, kw_only=True):
    """What is to go: everything, what began before a moment (ms of UTC since 1970), or rows."""

    everything: bool = False
    before: int | None = None
    ids: tuple[int, ...] = ()


def count(reader: Reader, wanted: Purge) -> int:
    """How many rows would go."""
    where, values = _where(wanted)
    with told(reader.path):
        (found,) = reader.connection.execute(
            f"SELECT count(*) FROM finals WHERE {where}",  # noqa: S608 - no text of others in it
            values,
        ).fetchone()
    return int(found)


def purge_now(path: Path, wanted: Purge) -> tuple[int, bool]:
    """Remove rows so that no trace of them is left in the database, its index or its log.

    Deleted content is overwritten (``secure_delete``), the index is written anew, free pages are
    given back, and the log (WAL) is emptied.

    Returns:
        How many were removed; and whether the log could be emptied: not while another program is in
        the middle of reading.

    Raises:
        HistoryError: the database cannot be written.
    """
    with (
        told(path),
        closing(open_for_writing(path, patience_s=_PATIENCE_S)) as connection,
    ):
        removed = _remove(connection, wanted)
        for _ in give_back(connection):
            pass
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return removed, not busy


def _remove(connection: sqlite3.Connection, wanted: Purge) -> int:
    where, values = _where(wanted)
    with transaction(connection):
        removed = connection.execute(
            f"DELETE FROM finals WHERE {where}",  # noqa: S608 - no text of others in it
            values,
        ).rowcount
    merge_words(connection)
    forget_the_empty(connection)
    return removed


def _where(wanted: Purge) -> tuple[str, list[Any]]:
    if wanted.everything:
        return "true", []
    if wanted.before is not None:
        return "began < ?", [wanted.before]
    return f"id IN ({', '.join('?' * len(wanted.ids))})", list(wanted.ids)
