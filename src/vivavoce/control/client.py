"""Asks a running instance. Synchronous, and quick to load: it is bound to keys."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vivavoce.config.errors import VivavoceError
from vivavoce.control import transport
from vivavoce.control.limits import LINE_BYTES, VERSION
from vivavoce.control.place import DEFAULT_INSTANCE, Place

_PATIENCE_S = 20.0
"""The instance gives a command up earlier, and says so."""

_SILENT = "the instance ended before it had answered"


class NotRunning(VivavoceError):  # noqa: N818 - what is the case
    """Nobody listens at that place."""

    def __init__(self, place: Place) -> None:
        name = place.instance
        others = place.others()
        if name != DEFAULT_INSTANCE:
            way = f" --set control.instance={name}"
            text = f"no instance {name!r} is running: start one with `vivavoce dictation{way}`"
        else:
            text = "no instance is running: start one with `vivavoce dictation`"
        if others:
            text += f", or name another with --instance ({', '.join(others)})"
        super().__init__(text)


class ControlFailed(VivavoceError):  # noqa: N818 - what happened
    """The instance did not do it: its own line, and the exit code that it gives."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
        self.exit_code = exit_code


def ask(place: Place, command: str, *, began: float = 0.0, **arguments: Any) -> dict[str, Any]:
    """Have the instance at ``place`` carry ``command`` out, and return its answer.

    Args:
        command: as in :mod:`vivavoce.control.protocol`.
        began: when the command was given, as :func:`process_start` tells it.
        arguments: of the command.

    Raises:
        NotRunning: there is none.
        ControlFailed: it did not do it, or does not answer.
    """
    with _conversation(place) as talk:
        talk.say(command, began=began, **arguments)
        return _checked(talk.hear())


def ask_to_quit(place: Place) -> None:
    """Tell the instance to finish what was said, and return when it has ended.

    Raises:
        NotRunning: there is none.
        ControlFailed: it does not answer.
    """
    with _conversation(place) as talk:
        talk.say("quit")
        _checked(talk.hear())
        talk.take_time()
        while talk.hear() is not None:
            pass


def follow(place: Place, *, output: int | None = None) -> Iterator[dict[str, Any]]:
    """The status now and at each change, until the instance ends as it was told to.

    Args:
        output: a descriptor; where nobody reads it any more, the statuses end.

    Raises:
        NotRunning: there is none.
        ControlFailed: it refuses, or was lost.
    """
    with _conversation(place) as talk:
        talk.say("status", follow=True)
        answer = _checked(talk.hear())
        talk.take_time()
        while not answer.get("ended"):
            yield answer["status"]
            line = talk.hear(output)
            if line is None and not _is_read(output):
                return
            if line is None:
                raise ControlFailed("the instance was lost: it ended without having been told to")
            answer = _checked(line)


def process_start() -> float:
    """When this process was started, in seconds since the boot of the machine; 0: not known."""
    try:
        # The name of the program, in brackets, may hold anything; the 22nd field is the start.
        fields = Path("/proc/self/stat").read_text(errors="replace").rpartition(")")[2].split()
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


class _Conversation:
    """One request and its answers."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._heard = b""

    def say(self, command: str, **arguments: Any) -> None:
        """Send the request."""
        request = json.dumps({"v": VERSION, "do": command, **arguments})
        with contextlib.suppress(BrokenPipeError):  # it has said already why it does not listen
            self._connection.sendall(request.encode() + b"\n")

    def take_time(self) -> None:
        """From now on wait for an answer however long it takes."""
        option = transport.time_limit(0.0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, option)

    def hear(self, output: int | None = None) -> bytes | None:
        """The next answer; None: no more come, or nobody reads the descriptor ``output``."""
        while b"\n" not in self._heard:
            if len(self._heard) > LINE_BYTES:
                return None
            if output is not None and not self._is_worth_waiting(output):
                return None
            some = self._connection.recv(LINE_BYTES)
            if not some:
                return None
            self._heard += some
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    def _is_worth_waiting(self, output: int) -> bool:
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        poll.register(output, 0)  # that nobody reads it is told without being asked for
        return all(descriptor != output for descriptor, _ in poll.poll())


@contextlib.contextmanager
def _conversation(place: Place) -> Iterator[_Conversation]:
    try:
        connection = transport.connect(place, _PATIENCE_S)
        if connection is None:
            raise NotRunning(place)
        with connection:
            yield _Conversation(connection)
    except BlockingIOError:
        raise ControlFailed(f"the instance does not answer within {_PATIENCE_S:g} s") from None
    except ConnectionError:
        raise ControlFailed(_SILENT) from None
    except OSError as error:
        raise ControlFailed(f"{place.socket}: {error.strerror}") from error


def _is_read(output: int | None) -> bool:
    if output is None:
        return True
    poll = select.poll()
    poll.register(output, 0)
    return not poll.poll(0)


def _checked(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise ControlFailed(_SILENT)
    try:
        answer = json.loads(line)
    except ValueError:
        raise ControlFailed("what listens there is no vivavoce") from None
    if not isinstance(answer, dict) or answer.get("v") != VERSION:
        raise ControlFailed("the instance is of another release: restart it")
    if not answer.get("ok"):
        raise ControlFailed(str(answer.get("error")), int(answer.get("exit_code", 1)))
    return answer
