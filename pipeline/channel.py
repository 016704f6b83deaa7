"""Bounded, lock-free channels between actors of one event loop.

No mutex and no condition variable is on the send or the receive path: the loop's own cooperative
scheduling makes each step atomic, and a task that must wait parks one future that is woken once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Overload(StrEnum):
    """What a full channel does with one more item."""

    BLOCK = "block"
    """The sender waits: backpressure."""
    DROP_OLDEST = "drop_oldest"
    """The item that waited longest makes room."""
    DROP_NEWEST = "drop_newest"
    """The item being sent is dropped."""
    LATEST = "latest"
    """Only the newest item is kept (capacity 1, conflation)."""


class ChannelClosed(Exception):  # noqa: N818 - a state that readers wait for, as StopIteration is
    """Raised by ``receive`` on a closed and empty channel and by ``send`` on a closed one."""


class WouldBlock(Exception):  # noqa: N818 - as above: a state, not a fault
    """Raised by ``receive_nowait`` on an empty channel and ``send_nowait`` on a full one."""


class ChannelStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of a channel's counters.

    ``blocked_s`` is how long senders have waited for room so far, ``waiting_s`` how long one waits
    for it now, both in seconds of the loop's time.
    """

    capacity: int
    depth: int
    high_water: int
    sent: int
    received: int
    dropped: int
    blocked_s: float
    waiting_s: float = 0.0


class Channel(Generic[T]):
    """A bounded first-in-first-out queue with a named overload policy.

    Any number of senders and receivers, all in one event loop. A cancelled ``receive`` loses no
    item and a cancelled ``send`` has sent nothing. ``send`` and ``receive`` return without touching
    the scheduler when they can; an actor that never waits should yield on its own.

    Args:
        capacity: the most items that wait; at least 1. ``LATEST`` always has capacity 1.
        overload: what happens to one item more.
        name: for statistics and error messages.

    Raises:
        ValueError: ``capacity`` is less than 1.
    """

    __slots__ = (
        "_blocked_s",
        "_blocked_since",
        "_closed",
        "_dropped",
        "_evicted",
        "_getters",
        "_high_water",
        "_items",
        "_putters",
        "_received",
        "capacity",
        "name",
        "overload",
    )

    def __init__(
        self, capacity: int, overload: Overload = Overload.BLOCK, *, name: str = "channel"
    ) -> None:
        if capacity < 1:
            raise ValueError(f"a channel's capacity is at least 1, not {capacity}")
        self.capacity = 1 if overload is Overload.LATEST else capacity
        self.overload = overload
        self.name = name
        self._items: deque[T] = deque()
        self._getters: deque[asyncio.Future[None]] = deque()
        self._putters: deque[tuple[asyncio.Future[None], T]] = deque()
        self._closed = False
        self._high_water = 0
        self._received = 0
        self._dropped = 0
        self._evicted = 0
        self._blocked_s = 0.0
        self._blocked_since = 0.0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called; items may still wait to be received."""
        return self._closed

    def send_nowait(self, item: T) -> None:
        """Put ``item`` in, under the overload policy, without waiting.

        Raises:
            WouldBlock: the channel is full (or others wait to send) and its policy is ``BLOCK``.
            ChannelClosed: the channel is closed.
        """
        if self._closed:
            raise ChannelClosed(f"channel {self.name!r} is closed")
        items = self._items
        depth = len(items)
        if depth >= self.capacity:
            if self.overload is Overload.BLOCK:
                raise WouldBlock(f"channel {self.name!r} is full ({self.capacity} items)")
            self._dropped += 1
            if self.overload is Overload.DROP_NEWEST:
                return
            items.popleft()
            self._evicted += 1
            depth -= 1
        items.append(item)
        if depth >= self._high_water:
            self._high_water = depth + 1
        if self._getters:
            self._wake_getter()

    async def send(self, item: T) -> None:
        """Put ``item`` in; with policy ``BLOCK``, wait until there is room.

        A send that is cancelled while it waits has sent nothing; one that is cancelled in the very
        loop step in which a receiver made room has been sent.

        Raises:
            ChannelClosed: the channel is closed, or was closed while waiting.
        """
        items = self._items
        depth = len(items)
        if depth < self.capacity and not self._closed:
            # send_nowait() written out: a call more is a third of the cost of a message.
            items.append(item)
            if depth >= self._high_water:
                self._high_water = depth + 1
            if self._getters:
                self._wake_getter()
        elif self.overload is Overload.BLOCK and not self._closed:
            await self._wait_for_room(item)
        else:
            self.send_nowait(item)

    async def _wait_for_room(self, item: T) -> None:
        loop = asyncio.get_running_loop()
        accepted: asyncio.Future[None] = loop.create_future()
        waiting = (accepted, item)
        began = loop.time()
        if not self._putters:
            self._blocked_since = began
        self._putters.append(waiting)
        try:
            await accepted
        except asyncio.CancelledError:
            if waiting in self._putters:
                self._putters.remove(waiting)
            raise
        finally:
            self._blocked_s += loop.time() - began

    def receive_nowait(self) -> T:
        """Take the item that waited longest.

        Raises:
            WouldBlock: the channel is empty.
            ChannelClosed: the channel is empty and closed.
        """
        if not self._items:
            if self._closed:
                raise ChannelClosed(f"channel {self.name!r} is closed")
            raise WouldBlock(f"channel {self.name!r} is empty")
        item = self._items.popleft()
        self._received += 1
        if self._putters:
            self._admit_one()
        return item

    async def receive(self) -> T:
        """Take the item that waited longest; wait for one when there is none.

        Raises:
            ChannelClosed: the channel is empty and closed, or was closed while waiting.
        """
        while not self._items:
            if self._closed:
                raise ChannelClosed(f"channel {self.name!r} is closed")
            arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._getters.append(arrived)
            try:
                await arrived
            except asyncio.CancelledError:
                if arrived in self._getters:
                    self._getters.remove(arrived)
                elif self._items:
                    # It was woken for an item that it will not take: wake another in its place.
                    self._wake_getter()
                raise
        item = self._items.popleft()
        self._received += 1
        if self._putters:
            self._admit_one()
        return item

    def close(self) -> None:
        """Refuse further items; those that wait can still be received. Idempotent.

        Senders that wait for room get :class:`ChannelClosed`: their items were not accepted.
        """
        if self._closed:
            return
        self._closed = True
        while self._putters:
            accepted, _ = self._putters.popleft()
            if not accepted.done():
                accepted.set_exception(ChannelClosed(f"channel {self.name!r} was closed"))
        while self._getters:
            self._wake_getter()

    def __aiter__(self) -> Channel[T]:
        return self

    async def __anext__(self) -> T:
        try:
            return await self.receive()
        except ChannelClosed:
            raise StopAsyncIteration from None

    def statistics(self) -> ChannelStatistics:
        """The counters as they stand."""
        depth = len(self._items)
        waiting_s = 0.0
        if self._putters:
            waiting_s = self._putters[0][0].get_loop().time() - self._blocked_since
        return ChannelStatistics(
            capacity=self.capacity,
            depth=depth,
            high_water=self._high_water,
            sent=self._received + depth + self._evicted,
            received=self._received,
            dropped=self._dropped,
            blocked_s=self._blocked_s,
            waiting_s=waiting_s,
        )

    def _wake_getter(self) -> None:
        while self._getters:
            arrived = self._getters.popleft()
            if not arrived.done():
                arrived.set_result(None)
                return

    def _admit_one(self) -> None:
        while self._putters:
            accepted, item = self._putters.popleft()
            if accepted.done():  # cancelled, and its task has not run yet
                continue
            accepted.set_result(None)
            self._items.append(item)
            self._blocked_since = accepted.get_loop().time()
            if self._getters:
                self._wake_getter()
            return
