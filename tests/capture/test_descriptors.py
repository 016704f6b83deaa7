"""A number that was given back may be somebody else's descriptor at once: nobody writes there."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from vivavoce.actors.capture.stdin import InterruptibleInput
from vivavoce.actors.capture.wake import LoopWaker


class Newcomer:
    """Another part of the program: the moment a descriptor is given back it opens sockets, which
    take its number, and in that moment another thread calls ``late``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, late: Callable[[], object]) -> None:
        self._sockets: list[socket.socket] = []
        self._late = late
        self._close = os.close
        monkeypatch.setattr(os, "close", self._closed)

    def _closed(self, descriptor: int) -> None:
        self._close(descriptor)
        self._sockets += socket.socketpair()
        thread = threading.Thread(target=self._late)
        thread.start()
        thread.join()

    def received(self) -> bytes:
        """What somebody has sent through its sockets, which it closes."""
        found = b""
        for each in self._sockets:
            each.setblocking(False)
            with suppress(BlockingIOError):
                found += each.recv(100)
        assert len(self._sockets) == 4
        for each in self._sockets:
            each.close()
        return found


async def test_a_late_wake_up_writes_into_nobody_elses_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waker = LoopWaker(asyncio.get_running_loop(), asyncio.Event())
    newcomer = Newcomer(monkeypatch, waker.wake)
    waker.close()
    monkeypatch.undo()
    assert newcomer.received() == b""


def test_a_late_interrupt_writes_into_nobody_elses_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    source = InterruptibleInput()
    newcomer = Newcomer(monkeypatch, source.interrupt)
    source.close()
    monkeypatch.undo()
    assert newcomer.received() == b""


def test_an_interrupt_behind_the_end_does_nothing() -> None:
    source = InterruptibleInput()
    source.close()
    source.interrupt()
    source.close()
