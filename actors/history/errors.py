"""What can be wrong with the history, in one line each, with the way out."""

from __future__ import annotations

import errno
import shlex
import sqlite3
from pathlib import Path

from vivavoce.config.errors import VivavoceError


class HistoryError(VivavoceError):
    """The history cannot be read or written.

    ``passing``: the cause may go away by itself (a full disk, another program's lock), so that it
    is worth trying again.
    """

    passing = False


class HistoryUnavailable(HistoryError):  # noqa: N818 - as it is told
    """It cannot be used at the moment: a full disk, a lock, a device that fails."""

    passing = True


class NoHistory(HistoryError):  # noqa: N818 - as it is told
    """There is no database yet."""


def explained(error: sqlite3.Error | OSError, path: Path) -> HistoryError:
    """The error as a person is told it.

    Raises:
        sqlite3.Error: ``error`` itself, where it can only be a mistake of this program.
    """
    if isinstance(error, OSError):
        return _of_system(error, path)
    code = getattr(error, "sqlite_errorname", "") or ""
    kind = code.removeprefix("SQLITE_").split("_")[0]
    if kind in ("CORRUPT", "NOTADB"):
        return damaged(path)
    if kind in _PASSING:
        return HistoryUnavailable(f"the history {path} {_PASSING[kind]}")
    if kind in _STANDING:
        return HistoryError(f"the history {path} {_STANDING[kind]}")
    if "fts5" in str(error):
        return HistoryError(
            f"the SQLite of this Python ({sqlite3.sqlite_version}) has no full-text search (FTS5): "
            "use a Python whose sqlite3 has it, or set `history.enabled: false`"
        )
    raise error


def _of_system(error: OSError, path: Path) -> HistoryError:
    if error.errno == errno.ENOSPC:
        return HistoryUnavailable(f"the history {path} {_PASSING['FULL']}")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return HistoryError(f"the history {path} {_STANDING['READONLY']}")
    reason = error.strerror or str(error)
    return HistoryError(
        f"the history {path} cannot be used ({reason}): set `history.path` to another place"
    )


_PASSING = {
    "FULL": "cannot be written: the disk is full; free some space, or lower `history.keep_mb`",
    "BUSY": "is locked by another program: end that, or try again",
    "LOCKED": "is locked by another program: end that, or try again",
    "IOERR": "cannot be read or written: the disk fails; look into the system's log",
}
_STANDING = {
    "READONLY": "cannot be written: give yourself the permission to write it and its folder, or "
    "set `history.path` to another place",
    "PERM": "may not be opened: give yourself the permission, or set `history.path`",
    "AUTH": "may not be opened: give yourself the permission, or set `history.path`",
    "CANTOPEN": "cannot be opened: the folder must be there and be yours to write, or set "
    "`history.path` to another place",
    "TOOBIG": "cannot hold a text that long",
}


def damaged(path: Path) -> HistoryError:
    """Its content is no history (any more)."""
    # Its -wal must go along: replayed into a new database of the same name, it would damage that.
    aside = path.parent / "damaged"
    return HistoryError(
        f"the history {path} is damaged, or no history at all: move it aside (`mkdir -p "
        f"{shlex.quote(str(aside))} && mv {shlex.quote(str(path))}* {shlex.quote(str(aside))}/`) "
        "and a new one is begun"
    )
