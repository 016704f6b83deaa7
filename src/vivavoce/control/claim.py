"""One instance of a name at a time: a lock that dies with its process."""

from __future__ import annotations

import contextlib
import os
import socket
from collections import deque
from types import TracebackType
from typing import Self

from vivavoce.config.errors import VivavoceError
from vivavoce.control import transport
from vivavoce.control.place import DEFAULT_INSTANCE, Place

_MOST_WITNESSES = 64


class AlreadyRunning(VivavoceError):  # noqa: N818 - what is the case
    """Another process holds the name; who holds it, and how to go on."""

    def __init__(self, instance: str, process: int | None) -> None:
        named = "" if instance == DEFAULT_INSTANCE else f" --instance {instance}"
        who = f"process {process}" if process else "another process"
        super().__init__(
            f"instance {instance!r} is running already ({who}): end it with "
            f"`vivavoce ctl{named} quit`, or run this one beside it with "
            "--set control.instance=NAME"
        )
        self.process = process


class InstanceClaim:
    """The right to be the instance at ``place``, from :meth:`acquire` to :meth:`release`.

    The lock is the kernel's (flock): when the process dies, however it dies, the name is free, and
    the next instance clears up the socket that was left. A context manager.
    """

    def __init__(self, place: Place, lock: int) -> None:
        self.place = place
        self._lock: int | None = lock
        self._socket: socket.socket | None = None
        self._inode = 0
        self._witnesses: deque[socket.socket] = deque()

    @classmethod
    def acquire(cls, place: Place) -> Self:
        """Claim ``place``. Costs a few system calls, so it comes before the microphone is opened.

        Raises:
            AlreadyRunning: another process is that instance.
            VivavoceError: the folder cannot be made, or others could tamper with it.
        """
        place.make()
        return cls(place, _locked(place))

    def listen(self) -> socket.socket:
        """The socket of this instance; made once, and removed by :meth:`release`.

        Raises:
            VivavoceError: it cannot be made.
        """
        if self._socket is None:
            self._socket = transport.listen(self.place)
            self._inode = self.place.socket.stat().st_ino
        return self._socket

    def keep(self, connection: socket.socket) -> None:
        """Close ``connection`` when this instance has ended: whoever reads it is waiting for that.

        The system does it where the process is killed.
        """
        self._witnesses.append(connection)
        if len(self._witnesses) > _MOST_WITNESSES:
            self._witnesses.popleft().close()

    def release(self) -> None:
        """Remove the socket and give the name back. Idempotent."""
        if self._lock is None:
            return
        if self._socket is not None:
            self._socket.close()
            with contextlib.suppress(OSError):
                if self.place.socket.lstat().st_ino == self._inode:
                    self.place.socket.unlink()
        # The file stays: to remove it would let two processes lock two files of one name.
        os.close(self._lock)
        self._lock = None
        while self._witnesses:
            self._witnesses.popleft().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def _locked(place: Place) -> int:
    """A descriptor of the lock file, which this process alone has locked and written its id to."""
    import fcntl

    while True:
        try:
            lock = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise VivavoceError(
                f"{place.lock}: cannot be opened ({error.strerror}): remove it, or run with "
                "--set control.enabled=false"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).strip()
            os.close(lock)
            raise AlreadyRunning(
                place.instance, int(holder) if holder.isdigit() else None
            ) from None
        except OSError as error:
            os.close(lock)
            raise VivavoceError(
                f"{place.lock}: cannot be locked ({error.strerror}): set XDG_RUNTIME_DIR to a "
                "folder on this machine, or run with --set control.enabled=false"
            ) from error
        with contextlib.suppress(FileNotFoundError):
            if place.lock.lstat().st_ino == os.fstat(lock).st_ino:
                break
        os.close(lock)  # somebody cleared the folder up between the two calls
    os.ftruncate(lock, 0)
    os.pwrite(lock, b"%d\n" % os.getpid(), 0)
    return lock
