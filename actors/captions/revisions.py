"""Finals that wait for their revision: for outputs in which nothing can be rewritten."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from vivavoce.actors.captions.writer import CaptionWriter
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import Caption, Final, Gap, Revision

MOST_WAITING = 64
"""Finals that wait at most: a second model that has fallen behind this far is not waited for."""


@dataclass(slots=True)
class _Place:
    event: Final | Gap
    settled: bool


class RevisionQueue:
    """Finals and gaps in the order of speech, each final with the text of its revision. Pure.

    An event leaves when everything before it has left and it is settled: a gap at once, a final
    with its revision, or when ``limit`` others wait. Each leaves once. A revision whose final is
    not here (it left without it, or never came) changes nothing.

    Args:
        limit: events that wait at most; beyond it the oldest leaves as it is.
    """

    def __init__(self, limit: int = MOST_WAITING) -> None:
        self._limit = limit
        self._places: deque[_Place] = deque()

    def take(self, event: Caption) -> Iterator[Caption]:
        """What may be written after ``event`` came; what has no place in the order, at once."""
        match event:
            case Final() | Gap():
                self._places.append(_Place(event, settled=isinstance(event, Gap)))
            case Revision():
                self._revise(event)
            case _:
                yield event
        while self._places and (self._places[0].settled or len(self._places) > self._limit):
            yield self._places.popleft().event

    def flush(self) -> Iterator[Caption]:
        """Everything that still waits, as it is."""
        while self._places:
            yield self._places.popleft().event

    def _revise(self, revision: Revision) -> None:
        for place in self._places:
            if isinstance(place.event, Final) and place.event.utterance == revision.utterance:
                place.event, place.settled = revised(place.event, revision), True
                return


def revised(final: Final, revision: Revision) -> Final:
    """The final with what its revision says, over the same audio."""
    return msgspec.structs.replace(
        final,
        text=revision.text,
        words=revision.words,
        confidence=revision.confidence,
        engine=revision.engine,
        model=revision.model,
    )


class PatientWriter:
    """Writes a final when its revision came; at the end, whatever still waits.

    Args:
        writer: the format; it is given revised finals and never a revision.

    Attributes:
        revisions_follow: assign False when the better model is given up while the program runs;
            what still waits is then written with the next event.
    """

    def __init__(self, writer: CaptionWriter) -> None:
        self._writer = writer
        self._queue = RevisionQueue()
        self.revisions_follow = True

    def render(self, event: Caption, t: float) -> bytes:
        """What can be written now; all of it where no revisions follow any more."""
        if not self.revisions_follow:
            shown = b"" if isinstance(event, Revision) else self._writer.render(event, t)
            return self._waiting(t) + shown
        return b"".join(self._writer.render(ready, t) for ready in self._queue.take(event))

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """What still waits, and the format's own end."""
        return self._waiting(t) + self._writer.finish(ledger, t)

    def abandon(self) -> bytes:
        """What still waits: it was said, and a run that fails must not lose it."""
        return self._waiting(0.0) + self._writer.abandon()

    def _waiting(self, t: float) -> bytes:
        return b"".join(self._writer.render(event, t) for event in self._queue.flush())
