"""One sender, many subscribers: each has a channel of its own."""

from __future__ import annotations

from types import TracebackType
from typing import Generic, Self, TypeVar

from vivavoce.pipeline.channel import Channel, ChannelClosed, Overload, WouldBlock

T = TypeVar("T")


class Subscription(Channel[T]):
    """A subscriber's channel: iterate it, or :meth:`receive` from it.

    A context manager: leaving it, or :meth:`close`, ends the subscription; what waits in it then
    can still be received. Where it drops what it has no room for, :attr:`lost` says how much.
    """

    __slots__ = ("_fan",)

    def __init__(self, fan: FanOut[T], capacity: int, overload: Overload, *, name: str) -> None:
        super().__init__(capacity, overload, name=name)
        self._fan = fan

    @property
    def lost(self) -> int:
        """Items that were dropped because nobody had received those before them."""
        return self._dropped

    @property
    def was_read(self) -> bool:
        """Whether anybody has received, or waits to receive, from it."""
        return bool(self._received or self._getters)

    def close(self) -> None:
        """End the subscription. Idempotent."""
        super().close()
        self._fan.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class FanOut(Generic[T]):
    """Delivers each item to every subscriber's channel, under that channel's overload policy.

    Subscribers with room get an item at once, whatever the others do; then the sender waits for
    those whose policy is ``BLOCK`` and that have none. A subscriber that must never hold up the
    pipeline has a dropping policy.
    """

    def __init__(self) -> None:
        self._channels: list[Channel[T]] = []
        self._closed = False

    def subscribe(
        self,
        capacity: int = 256,
        overload: Overload = Overload.DROP_OLDEST,
        *,
        name: str = "subscriber",
    ) -> Subscription[T]:
        """A channel that receives every item sent from now on."""
        subscription = Subscription(self, capacity, overload, name=name)
        self.add(subscription)
        return subscription

    def add(self, channel: Channel[T]) -> None:
        """Send every item from now on to ``channel``, too."""
        if self._closed:
            channel.close()
        else:
            self._channels.append(channel)

    def remove(self, channel: Channel[T]) -> None:
        """Send nothing to ``channel`` any more. Idempotent."""
        if channel in self._channels:
            self._channels.remove(channel)

    async def send(self, item: T) -> None:
        """Deliver ``item`` to every subscriber; one whose channel was closed is one no more."""
        full: list[Channel[T]] = []
        for channel in tuple(self._channels):
            try:
                channel.send_nowait(item)
            except WouldBlock:
                full.append(channel)
            except ChannelClosed:
                self.remove(channel)
        for channel in full:
            try:
                await channel.send(item)
            except ChannelClosed:
                self.remove(channel)

    def close(self) -> None:
        """Close every subscriber's channel; what waits in them can still be received."""
        self._closed = True
        for channel in tuple(self._channels):
            Channel.close(channel)

    @property
    def channels(self) -> tuple[Channel[T], ...]:
        """The subscribers' channels."""
        return tuple(self._channels)
