"""The actors of a pipeline, and how they are joined."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from vivavoce.pipeline.actor import Actor, ActorContext, Outlet
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.fanout import FanOut
from vivavoce.pipeline.messages import Caption
from vivavoce.pipeline.supervisor import Supervisor

Sink = TypeVar("Sink", bound=Actor[Caption, Any])


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
        self._context = context
        self._fan = fan

    @property
    def channels(self) -> list[Channel[Any]]:
        """Those between actors, and those of the subscribers."""
        return [*(actor.inbox for actor in self._chain[1:]), *self._fan.channels]

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
        self._must_be_new(actor)
        at = names.index(wanted) + (after is not None)
        if at == 0:
            raise ValueError("nothing can stand before capture: give a source= instead")
        actor.context = self._context
        self._chain.insert(at, actor)

    def add_sink(self, actor: Sink) -> Sink:
        """Give every caption event from now on to ``actor`` too.

        Raises:
            ValueError: there is an actor of that name.
        """
        self._must_be_new(actor)
        actor.context = self._context
        self._fan.add(actor.inbox)
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
        outlets: list[Outlet[Any]] = [actor.inbox for actor in self._chain[1:]]
        for actor, outlet in zip(self._chain, [*outlets, outcome], strict=True):
            actor.send_to(outlet)
            supervisor.add(actor)
        for sink in self._sinks:
            supervisor.add(sink)

    def _must_be_new(self, actor: Actor[Any, Any]) -> None:
        if any(actor.name == other.name for other in (*self._chain, *self._sinks)):
            raise ValueError(f"there is an actor {actor.name!r} already: give this one a name")
