"""Finals in the order of speech, until their text is settled. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from vivavoce.pipeline.messages import (
    Caption,
    EndOfStream,
    Final,
    RecordingEnded,
    RecordingStarted,
    Revision,
)

MOST_WAITING = 64
"""Finals that wait at most: a second model that has fallen behind this far is not waited for."""

Ordered: TypeAlias = Final | RecordingStarted | RecordingEnded | EndOfStream


class Waiting:
    """A queue in which a final waits for its revision, and all behind it with it.

    Args:
        revisions_follow: whether each final gets exactly one revision, as it is then: they may be
            given up while the program runs.
    """

    def __init__(self, *, revisions_follow: Callable[[], bool]) -> None:
        self._revisions_follow = revisions_follow
        self._items: deque[tuple[Ordered, bool]] = deque()

    def __len__(self) -> int:
        return sum(isinstance(item, Final) for item, _ in self._items)

    def take(self, message: Caption) -> None:
        """Put a message in its place; what has none is ignored."""
        if isinstance(message, Revision):
            self._revise(message)
        elif isinstance(message, EndOfStream):
            self._items = deque((item, True) for item, _ in self._items)
            self._items.append((message, True))
        elif isinstance(message, Final | RecordingStarted | RecordingEnded):
            self._items.append((message, not isinstance(message, Final)))

    def next(self) -> Ordered | None:
        """The next that is settled, once; None: there is none yet."""
        if not self._items:
            return None
        item, settled = self._items[0]
        if self._revisions_follow() and not settled and len(self) <= MOST_WAITING:
            return None
        self._items.popleft()
        return item

    def rest(self) -> list[Final]:
        """All finals that still wait, as they are; the queue is empty then."""
        finals = [item for item, _ in self._items if isinstance(item, Final)]
        self._items.clear()
        return finals

    def _revise(self, revision: Revision) -> None:
        for at, (item, _) in enumerate(self._items):
            if isinstance(item, Final) and item.utterance == revision.utterance:
                language = revision.language or item.language
                revised = msgspec.structs.replace(item, text=revision.text, language=language)
                self._items[at] = (revised, True)
                return
