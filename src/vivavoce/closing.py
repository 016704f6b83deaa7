"""How a pipeline that is left comes to an end though somebody hangs.

What was said is finished, however long the engine needs. But nobody waits for ever for an actor of
somebody's own that never returns, or for a subscriber that stopped reading. Pure: times come in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.fanout import Subscription

SUBSCRIBER_GRACE_S = 5.0
"""How long a subscriber may hold up the end without reading anything."""


class ClosingPolicy:
    """Says who is to be given up.

    Args:
        began: when the end began, in seconds of the loop's time.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._idle: dict[str, tuple[int, float]] = {}  # what an actor had received, and since when
        self._reading: dict[int, tuple[int, float]] = {}  # what a subscriber had received, and when

    def stuck(self, actors: Iterable[Actor[Any, Any]], now: float) -> list[Actor[Any, Any]]:
        """Actors that handle one thing for too long, or take nothing though something waits, or do
        not end though all is done. Who waits for the next actor is not to blame."""
        return [
            actor
            for actor in actors
            if actor.closing_grace_s is not None
            and (since := self._hangs_since(actor, now)) is not None
            and now - max(since, self._began) >= actor.closing_grace_s
        ]

    def stalled(
        self, subscriptions: Iterable[Subscription[Any]], now: float
    ) -> list[Subscription[Any]]:
        """Subscribers that hold the pipeline up and have received nothing for too long."""
        found = []
        for subscription in subscriptions:
            statistics = subscription.statistics()
            received, since = self._reading.get(id(subscription), (-1, now))
            if not statistics.waiting_s or statistics.received != received:
                self._reading[id(subscription)] = statistics.received, now
            elif now - since >= SUBSCRIBER_GRACE_S:
                found.append(subscription)
        return found

    def _hangs_since(self, actor: Actor[Any, Any], now: float) -> float | None:
        if actor.stuck_since is not None:
            return actor.stuck_since
        received = actor.inbox.statistics().received
        if actor.emitting or not (actor.inbox.closed or len(actor.inbox)):
            self._idle.pop(actor.name, None)
            return None
        before = self._idle.get(actor.name)
        if before is None or before[0] != received:
            self._idle[actor.name] = before = (received, now)
        return before[1]
