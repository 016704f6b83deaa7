"""Where the history lies, and whether there is one. Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from vivavoce.config.history import HistorySettings
from vivavoce.config.schema import Profile


def history_wanted(profile: Profile) -> bool:
    """Whether finals are kept: ``persistence`` off means no, whatever else the profile says."""
    return profile.persistence and profile.history.enabled


def history_path(
    settings: HistorySettings, environ: Mapping[str, str], platform: str = sys.platform
) -> Path:
    """The database file: the profile's, or ``vivavoce/history.sqlite3`` among the user's data.

    That is ``$XDG_DATA_HOME`` (``~/.local/share``), on macOS ``~/Library/Application Support``, on
    Windows ``%LOCALAPPDATA%``.
    """
    if settings.path is not None:
        return Path(settings.path).expanduser().absolute()
    return _data_home(environ, platform) / "vivavoce" / "history.sqlite3"


def _data_home(environ: Mapping[str, str], platform: str) -> Path:
    named = environ.get("XDG_DATA_HOME", "")
    if named and Path(named).is_absolute():  # the specification: others are to be ignored
        return Path(named)
    home = Path(environ.get("HOME") or Path.home())
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if platform == "darwin":
        return home / "Library" / "Application Support"
    return home / ".local" / "share"
