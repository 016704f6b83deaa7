"""Tells when files in folders change, and sleeps in between: Linux's inotify, in the event loop.

watchfiles was measured for this: its thread looks at a flag at a fixed step, which cost 2.3
wake-ups per second at 1 s (0.55 at 2 s with its other time-out switched off), two threads and
3.6 MB. inotify by itself costs nothing while nothing happens.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

# From <sys/inotify.h>. What makes a file whole: closed after writing, or moved to its name, which
# is how editors replace one. A file that has only been made says nothing yet.
_CLOSE_WRITE, _MOVED_TO, _DELETE_SELF, _MOVE_SELF = 0x8, 0x80, 0x400, 0x800
_EVENTS = _CLOSE_WRITE | _MOVED_TO | _DELETE_SELF | _MOVE_SELF
_ONLY_FOLDERS = 0x01000000
_MANY = 65_536


class FolderWatch:
    """Calls back when a file in a watched folder was written or replaced.

    Folders are watched, not files: an editor that writes a new file and renames it leaves the old
    one's watch behind.

    Args:
        on_event: called in the running event loop, once for many events.

    Raises:
        OSError: this system has no inotify, or no more of it.
    """

    def __init__(self, on_event: Callable[[], None]) -> None:
        if not sys.platform.startswith("linux"):
            raise OSError("this system has no inotify")
        self._library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._checked(self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._on_event = on_event
        self._watches: set[int] = set()
        self._loop = asyncio.get_running_loop()
        self.resume()

    def watch(self, folders: Iterable[Path]) -> None:
        """Watch these folders from now on, and no others; those that do not exist are left out.

        Raises:
            OSError: the system's limit of watches is reached.
        """
        wanted = set()
        for folder in folders:
            # A folder that is watched already keeps its number; one that was replaced gets another.
            added = self._library.inotify_add_watch(
                self._descriptor, os.fsencode(folder), _EVENTS | _ONLY_FOLDERS
            )
            with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                wanted.add(self._checked(added))
        for gone in self._watches - wanted:
            self._library.inotify_rm_watch(self._descriptor, gone)  # it may be gone already
        self._watches = wanted

    def pause(self) -> None:
        """Leave events to the kernel until :meth:`resume`."""
        self._loop.remove_reader(self._descriptor)

    def resume(self) -> None:
        """Call back again, at once if something happened meanwhile."""
        self._loop.add_reader(self._descriptor, self._ready)

    def forget(self) -> None:
        """Drop the events that have not been told yet."""
        with suppress(BlockingIOError):
            while os.read(self._descriptor, _MANY):
                pass

    def close(self) -> None:
        """Watch nothing any more."""
        self.pause()
        os.close(self._descriptor)

    def _ready(self) -> None:
        self.forget()
        self._on_event()

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
