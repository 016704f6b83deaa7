"""The actors of a pipeline, and how they are joined."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from vivavoce.pipeline.actor import Actor, ActorContext, Outlet
from vivavoce.pipeline.channel import Channel, Overload
from vivavoce.pipeline.fanout import FanOut
from vivavoce.pipeline.messages import Caption
from vivavoce.pipeline.supervisor import Supervisor

Sink = TypeVar("Sink", bound=Actor[Caption, Any])

TO_SUBSCRIBERS = 256

_BETWEEN_ACTORS = 64
"""Messages that wait between two actors: 2 s of audio blocks."""


class Crew:
    """The chain from capture to the fan-out, and the sinks behind that.

    Args:
        chain: in the order of the stream; capture is the first.
        context: shared by all.
        fan: what the chain ends in.
    """

    def __init__(
        self, chain: Iterable[Actor[Any, Any]], context: ActorContext, fan: FanOut[Caption]
    ) -> None:
        self._chain = list(chain)
        self._sinks: list[Actor[Caption, Any]] = []
        self._channels: list[Channel[Any]] = []
        self._context = context
        self._fan = fan

    @property
    def channels(self) -> list[Channel[Any]]:
        """Those between actors, and those of the subscribers."""
        return [*self._channels, *self._fan.channels]

    def insert(self, actor: Actor[Any, Any], after: str | None, before: str | None) -> None:
        """Put an actor into the chain; see :meth:`Pipeline.insert`.

        Raises:
            ValueError: as it says.
        """
        if (after is None) == (before is None):
            raise ValueError("insert() takes exactly one of after= and before=")
        names = [link.name for link in self._chain]
        wanted = after or before
        if wanted not in names:
            raise ValueError(f"no actor {wanted!r} in the pipeline: there are {', '.join(names)}")
        if actor.name in names:
            raise ValueError(f"there is an actor {actor.name!r} already: give this one a name")
        at = names.index(wanted) + (after is not None)
        if at == 0:
            raise ValueError("nothing can stand before capture: give a source= instead")
        self._chain.insert(at, actor)

    def add_sink(
        self,
        actor: Sink,
        capacity: int = TO_SUBSCRIBERS,
        overload: Overload = Overload.BLOCK,
    ) -> Sink:
        """Give every caption event from now on to ``actor`` too."""
        actor.attach(self._fan.subscribe(capacity, overload, name=actor.name), None, self._context)
        self._sinks.append(actor)
        return actor

    def actor(self, name: str) -> Actor[Any, Any]:
        """The actor of that name.

        Raises:
            KeyError: there is none.
        """
        for actor in (*self._chain, *self._sinks):
            if actor.name == name:
                return actor
        raise KeyError(name)

    def join(self, supervisor: Supervisor, outcome: Outlet[Caption]) -> None:
        """Join all to their neighbours, and give them to the supervisor."""
        inbox: Channel[Any] | None = None
        for actor in self._chain:
            outbox: Outlet[Any]
            if actor is self._chain[-1]:
                outbox = outcome
            else:
                outbox = Channel(_BETWEEN_ACTORS, name=f"after {actor.name}")
                self._channels.append(outbox)
            actor.attach(inbox, outbox, self._context)
            supervisor.add(actor)
            inbox = outbox if isinstance(outbox, Channel) else None
        for sink in self._sinks:
            supervisor.add(sink)
