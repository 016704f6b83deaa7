"""The sockets below the protocol: the one place that knows what they are made of."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

from vivavoce.config.errors import VivavoceError
from vivavoce.control.place import Place

_WAITING = 512
"""Connections that the system keeps until they are accepted."""
_ROOT = 0

# macOS: struct xucred of sys/un.h; Python names neither the level nor the option.
_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES = 0, 1, 76


def listen(place: Place) -> socket.socket:
    """A socket, mode 0600, that listens at ``place``; what lies there is replaced.

    The caller holds the lock of the place, so nobody listens there.

    Raises:
        VivavoceError: it cannot be made.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # On Linux the file gets the mode of the socket, so it is never open to others; elsewhere
        # the folder protects it until the mode is set.
        with contextlib.suppress(OSError):
            os.fchmod(made.fileno(), 0o600)
        with place.address() as address:
            place.socket.unlink(missing_ok=True)
            made.bind(address)
        place.socket.chmod(0o600)
        made.listen(_WAITING)
    except OSError as error:
        made.close()
        raise VivavoceError(
            f"{place.socket}: cannot listen there ({error.strerror}): "
            "run with --set control.enabled=false"
        ) from error
    except VivavoceError:
        made.close()
        raise
    made.setblocking(False)
    return made


def connect(place: Place, timeout_s: float) -> socket.socket | None:
    """A connection to who listens at ``place``; None: nobody does.

    Args:
        timeout_s: that a call of its methods waits at most, in seconds; then it raises
            BlockingIOError.

    Raises:
        VivavoceError: the place is not safe, or who listens there is another user.
    """
    if not place.check():
        return None
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Not settimeout(): a socket that never blocks is refused where the queue is full.
    limit = time_limit(timeout_s)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    try:
        with place.address() as address:
            made.connect(address)
    except (FileNotFoundError, ConnectionRefusedError):
        made.close()
        return None
    except BaseException:
        made.close()
        raise
    peer = peer_user(made)
    if not trusted(peer):
        made.close()
        raise VivavoceError(f"{place.socket}: another user listens there (uid {peer}): remove it")
    return made


def time_limit(seconds: float) -> bytes:
    """A time limit as the options of a socket take it; 0: none."""
    return struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6))


def peer_user(connection: socket.socket) -> int:
    """The user id of who is at the other end; the system vouches for it.

    Raises:
        OSError: the system does not tell.
    """
    if hasattr(socket, "SO_PEERCRED"):
        size = struct.calcsize("iII")
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        return int(struct.unpack("iII", credentials)[1])
    credentials = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
    return int(struct.unpack_from("II", credentials)[1])


def trusted(user: int) -> bool:
    """Whether ``user`` may control what this process runs: its own user, and root."""
    return user in (os.geteuid(), _ROOT)
