"""Waking the event loop from the audio thread, as cheaply as that can be done."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress


class LoopWaker:
    """Sets an event of a loop from another thread without giving up the interpreter lock.

    ``loop.call_soon_threadsafe`` writes to a socket and lets go of the lock meanwhile. The loop
    wakes, takes the lock, and the audio thread waits in its callback until the loop has finished
    what it woke up for. Here the same write is made through ``ctypes.PyDLL``, which keeps the lock:
    the callback ends, and only then does the loop run. (Where that cannot be had, on Windows, it
    is ``call_soon_threadsafe`` after all.)

    Args:
        loop: the running loop; :meth:`close` belongs to its thread.
        event: set in the loop after each :meth:`wake`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
        self._loop = loop
        self._event = event
        self._read, self._write = -1, -1
        self.wake = self._writer()

    def _writer(self) -> Callable[[], object]:
        if sys.platform == "win32":
            return self._call_soon
        import ctypes

        write = ctypes.PyDLL(None).write
        write.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
        write.restype = ctypes.c_ssize_t
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)  # full: then a wake-up is under way already
        self._loop.add_reader(self._read, self._woken)
        return lambda: write(self._write, b"\0", 1)

    def _call_soon(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._event.set)

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._read, 4_096)
        self._event.set()

    def close(self) -> None:
        """Free what waking takes; :meth:`wake` does nothing any more. Idempotent."""
        # Forgotten first: a device that hangs may call back at any time, and what it would write
        # into may be somebody else's by then. (Nothing comes between its look and its write: that
        # keeps the interpreter lock.)
        read, self._read = self._read, -1
        write, self._write = self._write, -1
        if read >= 0:
            self._loop.remove_reader(read)
            os.close(read)
            os.close(write)
