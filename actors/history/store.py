"""Writing the history: one connection, used by one thread. Whoever calls it groups what belongs
together into one :meth:`Store.transaction`."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.history.entry import Kept, storable
from vivavoce.actors.history.opening import open_for_writing, told, transaction
from vivavoce.pipeline.messages import Revision

_MOST_EARLY = 256

_ADD = """
INSERT INTO finals(session, utterance, began, ended, start, "end", text, heard, profile, engine,
                   model, language, confidence, application)
VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(session, utterance) DO UPDATE SET
    text = excluded.text, heard = excluded.heard, confidence = excluded.confidence
RETURNING id
"""
_DELIVER = """
UPDATE finals SET outcome = ?, back_end = ?, reason = ?, retracted = max(retracted, ?),
    application = CASE WHEN ? <> '' THEN ? ELSE application END
WHERE session = ? AND utterance = ?
"""
_REVISE = """
UPDATE finals SET text = ?, confidence = ?,
    engine = CASE WHEN ? <> '' THEN ? ELSE engine END,
    model = CASE WHEN ? <> '' THEN ? ELSE model END,
    language = CASE WHEN ? <> '' THEN ? ELSE language END
WHERE session = ? AND utterance = ?
"""
_RETRACT = """
UPDATE finals SET retracted = 1 WHERE id IN (
    SELECT id FROM finals WHERE session = ? AND utterance < ? AND NOT retracted
    ORDER BY utterance DESC LIMIT ?)
"""
# By the middle of each: the pre-roll of an utterance may reach into the recording before. What is
# in a window or the clipboard already stays there, whoever cancels.
_DISCARD = """
DELETE FROM finals WHERE session = ? AND start + "end" >= 2 * ? AND start + "end" < 2 * ?
    AND outcome NOT IN ('typed', 'copied', 'partly')
"""
_FORGET = "DELETE FROM finals WHERE session = ? AND utterance = ?"


class Store:
    """The history of one run, being written.

    Args:
        path: the database; it is made where there is none.
        run: tells the run, which everything written here belongs to, from others.

    Raises:
        HistoryError: it cannot be opened. Every method raises the same where the database fails.
    """

    def __init__(self, path: Path, run: str, *, patience_s: float = 5.0) -> None:
        self.path = path
        self._run = run
        self._early: OrderedDict[int, Delivery] = OrderedDict()  # deliveries without a row so far
        self.connection = open_for_writing(path, patience_s=patience_s)
        self._file = identity(path)

    @property
    def is_there(self) -> bool:
        """Whether the database is still the file of its name: not where somebody has moved or
        removed it meanwhile. What is written then would be found by nobody."""
        return identity(self.path) == self._file

    def close(self) -> None:
        """Close the connection; the last one also empties the log (WAL) into the database."""
        with told(self.path):
            self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is written inside, or, where it raises, none of it."""
        early = self._early.copy()
        try:
            with told(self.path), transaction(self.connection):
                yield
        except BaseException:
            self._early = early
            raise

    def add(self, row: Kept) -> int:
        """Keep a final, and what became of it if that is known already; its number.

        The same utterance again replaces what was kept of it.
        """
        values = (
            self._session_of(row), row.utterance, row.began, row.ended, row.start, row.end,
            row.text, row.heard, row.profile, row.engine, row.model, row.language, row.confidence,
            row.application,
        )  # fmt: skip
        (number,) = self.connection.execute(_ADD, values).fetchone()
        if row.wav is not None:
            self.connection.execute("REPLACE INTO sounds VALUES(?, ?)", (number, row.wav))
        early = self._early.pop(row.utterance, None)
        if early is not None:
            self.deliver(early)
        return int(number)

    def deliver(self, delivery: Delivery) -> None:
        """What became of an utterance of this run; kept for its row where that comes later.

        What was discarded is removed.
        """
        key = self._session_number(), delivery.utterance
        application = storable(delivery.application)
        changed = self.connection.execute(
            _DELIVER,
            (
                delivery.outcome.value, delivery.back_end, storable(delivery.reason),
                delivery.outcome is Outcome.RETRACTED, application, application, *key,
            ),
        ).rowcount  # fmt: skip
        if changed and delivery.outcome is Outcome.DISCARDED:
            self.connection.execute(_FORGET, key)
        if not changed:
            self._early[delivery.utterance] = delivery
            while len(self._early) > _MOST_EARLY:
                self._early.popitem(last=False)

    def revise(self, revision: Revision) -> None:
        """Another text for an utterance; where that is empty, its row is removed."""
        key = (self._session_number(), revision.utterance)
        text = storable(revision.text)
        if not text.strip():
            self.connection.execute(_FORGET, key)
            return
        told_again = [storable(one) for one in (revision.engine, revision.model, revision.language)]
        twice = [value for one in told_again for value in (one, one)]
        self.connection.execute(_REVISE, (text, revision.confidence, *twice, *key))

    def retract(self, utterance: int, count: int) -> None:
        """Mark the last ``count`` rows of this run before ``utterance`` as taken back."""
        self.connection.execute(_RETRACT, (self._session_number(), utterance, count))

    def discard(self, start: int, end: int) -> None:
        """Remove the rows of this run that lie in the samples ``[start, end)``, but for those whose
        text was typed or copied."""
        self.connection.execute(_DISCARD, (self._session_number(), start, end))

    def _session_of(self, row: Kept) -> int:
        self.connection.execute(
            "INSERT OR IGNORE INTO sessions(run, began) VALUES(?, ?)", (self._run, row.run_began)
        )
        return self._session_number()

    def _session_number(self) -> int:
        """The run's number; one that no row has, where the run has none."""
        # Asked for anew each time: retention or a purge may have removed a run without rows.
        found = self.connection.execute(
            "SELECT id FROM sessions WHERE run = ?", (self._run,)
        ).fetchone()
        return -1 if found is None else int(found[0])


def identity(path: Path) -> tuple[int, int] | None:
    """What tells the file from another of the same name; None: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def size_of(connection: sqlite3.Connection) -> int:
    """Bytes of the database that hold something; its free pages aside."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * page)
