"""The actors of a pipeline, and how they are joined."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from vivavoce.pipeline.actor import Actor, ActorContext, Outlet
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.continuity import (
    AudioContinuity,
    CaptionContinuity,
    CheckedOutlet,
    Continuity,
    SpeechContinuity,
    tell_faults,
)
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
        """Join all to their neighbours, and give them to the supervisor.

        Between two actors stands a check that no audio was lost in the first. Transcription has
        none: what it takes in, it settles.
        """
        checks = self._checks()
        inboxes: list[Outlet[Any]] = [actor.inbox for actor in self._chain[1:]]
        outlets = [*inboxes, outcome]
        behind = [*checks[1:], None]
        for actor, outlet, check, next_check in zip(
            self._chain, outlets, checks, behind, strict=True
        ):
            if check is not None:
                outlet = CheckedOutlet(actor.name, outlet, check, next_check)  # noqa: PLW2901
            actor.send_to(outlet)
            supervisor.add(actor)
        for sink in self._sinks:
            supervisor.add(sink)

    def _checks(self) -> list[Continuity | None]:
        """Of what each actor of the chain sends."""
        names = [actor.name for actor in self._chain]
        vad, transcription = names.index("vad"), names.index("transcription")
        kinds: list[type[Continuity] | None] = [
            *[AudioContinuity] * vad,
            *[SpeechContinuity] * (transcription - vad),
            None,
            *[CaptionContinuity] * (len(names) - transcription - 1),
        ]
        return [
            None
            if kind is None
            else kind(
                self._context.ledger, tell_faults(name, self._context), first=name == names[0]
            )
            for name, kind in zip(names, kinds, strict=True)
        ]

    def _must_be_new(self, actor: Actor[Any, Any]) -> None:
        if any(actor.name == other.name for other in (*self._chain, *self._sinks)):
            raise ValueError(f"there is an actor {actor.name!r} already: give this one a name")
