"""An actor's mailbox: messages in their order, and a lane in front of them for what must not wait.

An actor handles one thing at a time, as a ``gen_server`` of Erlang/OTP does: what may change it
(the power mode, the profile, a question, what its own tasks tell it) comes through the same mailbox
as its messages, but does not wait behind them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, TypeVar

from vivavoce.pipeline.channel import Channel, ChannelClosed, Overload, WouldBlock
from vivavoce.pipeline.power import Power

T = TypeVar("T")

_MOST_URGENT = 256


class Urgent:
    """Base of what goes into the lane in front; see :meth:`Mailbox.put_first`."""

    __slots__ = ()

    replaces_earlier = False
    """Whether an earlier one of the same class, still waiting, is of no use any more."""

    def settle(self) -> None:
        """It was handled, or will not be: another came in its place, or the actor has ended."""


@dataclass(frozen=True, slots=True)
class News(Urgent):
    """Base of what an actor is told; ``settled`` is done when it is, see :meth:`Urgent.settle`."""

    settled: asyncio.Future[None]
    replaces_earlier = True

    def settle(self) -> None:
        """See :class:`Urgent`."""
        if not self.settled.done():
            self.settled.set_result(None)


@dataclass(frozen=True, slots=True)
class PowerNews(News):
    """The pipeline entered another power mode."""

    power: Power


@dataclass(frozen=True, slots=True)
class ProfileNews(News):
    """Another profile holds: that of the actor's context."""


@dataclass(frozen=True, slots=True)
class Request(Urgent):
    """A question put to an actor with ``ask``; ``on_ask`` of the actor answers it."""

    question: Any
    reply: asyncio.Future[Any]

    def settle(self) -> None:
        """See :class:`Urgent`."""
        if not self.reply.done():
            self.reply.set_exception(ChannelClosed("the actor has ended"))


class Mailbox(Channel[T]):
    """A channel with one receiver, an actor, and a lane in front of its messages.

    :meth:`close` refuses further messages, as in any channel; the lane stays open until
    :meth:`end`, because an actor can be asked until it has ended.

    Args:
        capacity: the most messages that wait. The lane has a bound of its own, far beyond what an
            actor that works is ever asked at once.
        overload: what happens to one message more.
        name: for statistics and error messages.
    """

    __slots__ = ("_ended", "_lane")

    def __init__(
        self, capacity: int, overload: Overload = Overload.BLOCK, *, name: str = "mailbox"
    ) -> None:
        super().__init__(capacity, overload, name=name)
        self._lane: deque[Urgent] = deque()
        self._ended = False

    def put_first(self, urgent: Urgent) -> None:
        """Let the actor handle ``urgent`` before its messages, behind what is in the lane already.

        Never waits. Of a kind that replaces itself only the newest is kept; there is always room
        for it.

        Raises:
            ChannelClosed: the actor has ended.
            WouldBlock: more than a few hundred wait: the actor is stuck.
        """
        if self._ended:
            raise ChannelClosed(f"the actor of {self.name!r} has ended")
        if urgent.replaces_earlier:
            for earlier in [one for one in self._lane if type(one) is type(urgent)]:
                self._lane.remove(earlier)
                earlier.settle()
        elif len(self._lane) >= _MOST_URGENT:
            raise WouldBlock(f"{self.name!r} takes no more: {_MOST_URGENT} questions wait")
        self._lane.append(urgent)
        if self._getters:
            self._wake_getter()

    async def receive(self) -> T | Urgent:  # type: ignore[override]  # wider: see the class
        """What is urgent, else the message that waited longest; waits where there is neither.

        Raises:
            ChannelClosed: there is neither, and no message will come.
        """
        while not self._lane:
            if self._items:
                return self.receive_nowait()
            if self._closed:
                raise ChannelClosed(f"channel {self.name!r} is closed")
            await self._arrival()
        return self._lane.popleft()

    async def receive_urgent(self) -> Urgent:
        """What is urgent alone; waits for it, however many messages there are."""
        while not self._lane:
            await self._arrival()
        return self._lane.popleft()

    def take_back(self, urgent: Urgent) -> None:
        """Nobody wants it any more: it is not handled, unless it was already."""
        if urgent in self._lane:
            self._lane.remove(urgent)

    def urgent_nowait(self) -> Urgent | None:
        """What is urgent; None: nothing is."""
        return self._lane.popleft() if self._lane else None

    def end(self) -> None:
        """The actor has ended: whoever asked is told so, and nothing is taken any more."""
        self._ended = True
        while self._lane:
            self._lane.popleft().settle()

    @property
    def ended(self) -> bool:
        """Whether :meth:`end` was called."""
        return self._ended

    async def _arrival(self) -> None:
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._getters.append(arrived)
        try:
            await arrived
        finally:
            # One receiver: who is cancelled leaves what came where it is, for its next receive.
            if arrived in self._getters:
                self._getters.remove(arrived)
