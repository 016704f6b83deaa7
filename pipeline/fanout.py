"""One sender, many subscribers: each has a channel of its own."""

from __future__ import annotations

from typing import Generic, TypeVar

from vivavoce.pipeline.channel import Channel, ChannelClosed, Overload, WouldBlock

T = TypeVar("T")


class FanOut(Generic[T]):
    """Delivers each item to every subscriber's channel, under that channel's overload policy.

    Subscribers with room get an item at once, whatever the others do; then the sender waits for
    those whose policy is ``BLOCK`` and that have none. A subscriber that must never hold up the
    pipeline chooses a dropping policy.
    """

    def __init__(self) -> None:
        self._channels: list[Channel[T]] = []
        self._closed = False

    def subscribe(
        self, capacity: int = 256, overload: Overload = Overload.BLOCK, *, name: str = "subscriber"
    ) -> Channel[T]:
        """A channel that receives every item sent from now on."""
        channel: Channel[T] = Channel(capacity, overload, name=name)
        if self._closed:
            channel.close()
        else:
            self._channels.append(channel)
        return channel

    def unsubscribe(self, channel: Channel[T]) -> None:
        """Stop delivering to ``channel`` and close it. Idempotent."""
        channel.close()
        if channel in self._channels:
            self._channels.remove(channel)

    async def send(self, item: T) -> None:
        """Deliver ``item`` to every subscriber."""
        full: list[Channel[T]] = []
        for channel in tuple(self._channels):
            try:
                channel.send_nowait(item)
            except WouldBlock:
                full.append(channel)
            except ChannelClosed:
                self.unsubscribe(channel)
        for channel in full:
            try:
                await channel.send(item)
            except ChannelClosed:
                self.unsubscribe(channel)

    def close(self) -> None:
        """Close every subscriber's channel; what waits in them can still be received."""
        self._closed = True
        for channel in self._channels:
            channel.close()

    @property
    def channels(self) -> tuple[Channel[T], ...]:
        """The subscribers' channels."""
        return tuple(self._channels)
