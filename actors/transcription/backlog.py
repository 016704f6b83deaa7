"""What was heard and has not been emitted yet, in the order of the stream. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from vivavoce.actors.transcription.utterance import SLIVER, Utterance
from vivavoce.pipeline.messages import (
    EndOfStream,
    EndReason,
    Gap,
    PowerChanged,
    Recording,
    Speech,
    SpeechAudio,
    SpeechEnded,
    SpeechFocused,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    seconds,
)

Item: TypeAlias = Utterance | Recording | Gap | PowerChanged | EndOfStream


class Backlog:
    """Utterances, one of them perhaps still open, and the events between them.

    An utterance gets its number when it comes to the front: one utterance of the VAD may have
    become several by then.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._open: Utterance | None = None
        self._open_number = 0  # the VAD's number of the open utterance
        self._goes_on = False  # with the next utterance of the VAD
        self._known = 0  # up to here, the VAD may send audio again that is in the open utterance
        self._last_number = 0
        self._last_key = 0

    @property
    def waiting(self) -> int:
        """How many items are complete and wait."""
        return len(self._items) - (self._open is not None)

    @property
    def head(self) -> Item | None:
        """What is next to be emitted."""
        head = self._items[0] if self._items else None
        if isinstance(head, Utterance) and not head.number:
            self._last_number += 1
            head.number = self._last_number
        return head

    def utterances(self) -> Iterator[Utterance]:
        """In order; the open one is the last."""
        return (item for item in self._items if isinstance(item, Utterance))

    def take(self, message: Speech, now: float) -> None:
        """Take the next message of the VAD.

        The open utterance of a recording that was cancelled stays until it is told as lost: it is
        marked, and nothing more is decoded of it.

        Where the VAD cuts an utterance too long at a place that was cut already, or before it, its
        cut is void: what it sends again is here, and the next utterance is the rest of this one.

        Raises:
            ValueError: it belongs to an utterance that is not open, or its audio does not follow.
        """
        if isinstance(message, SpeechStarted):
            self._open_number = message.utterance
            if not self._goes_on:
                self._open = Utterance(self._new_key(), message.start)
                self._known = message.start
                self._items.append(self._open)
            self._goes_on = False
        elif isinstance(message, SpeechAudio | SpeechPaused | SpeechResumed | SpeechEnded):
            utterance = self._open
            if utterance is None or self._open_number != message.utterance:
                raise ValueError(f"{type(message).__name__} of an utterance that is not open")
            if isinstance(message, SpeechAudio):
                self._append(utterance, message)
            elif isinstance(message, SpeechEnded) and message.reason is EndReason.CANCELLED:
                utterance.cancel(message, now)
                self._open = None
            elif isinstance(message, SpeechEnded) and is_void(message, utterance):
                self._goes_on, self._known = True, utterance.heard
            elif isinstance(message, SpeechEnded):
                utterance.end(message, now)
                self._open = None
            else:
                utterance.paused = message if isinstance(message, SpeechPaused) else None
        elif not isinstance(message, SpeechFocused):  # which has no place in the order
            self._items.append(message)

    def pop(self) -> None:
        """The head was emitted."""
        self._items.popleft()

    def split(self, now: float) -> bool:
        """The head, an utterance, ends at its cut, and the rest of it becomes the next one.

        Returns:
            Whether the rest is still being spoken.
        """
        head = self._items[0]
        assert isinstance(head, Utterance)
        rest = head.split(self._new_key(), now)
        self._items.insert(1, rest)
        if head is self._open:
            self._open = rest
            return True
        return False

    def lag(self, now: float) -> float:
        """Seconds of speech that has ended and waits, and how long the engine is at what it has.

        What waits counts for no longer than it has waited. Speech in front of a cut has ended when
        the place of the cut was found.
        """
        lag = 0.0
        for utterance in self.utterances():
            if utterance.cancelled:
                continue
            if utterance.ended is None:
                if utterance.cut is not None:
                    lag += seconds(utterance.heard - utterance.cut_tried)
                continue
            if utterance.attempt is None:
                waited = max(0.0, now - utterance.ended_at)
                lag += min(waited, seconds(utterance.ended.end - utterance.start))
            elif not utterance.attempt.task.done():
                lag += max(0.0, now - utterance.ended_at)
        return lag

    def _append(self, utterance: Utterance, message: SpeechAudio) -> None:
        known = self._known - message.start
        if known <= 0:
            utterance.append(message)
        elif known < len(message.pcm):
            fresh = message.pcm[known:]
            utterance.append(msgspec.structs.replace(message, start=self._known, pcm=fresh))

    def _new_key(self) -> int:
        self._last_key += 1
        return self._last_key


def is_void(end: SpeechEnded, rest: Utterance) -> bool:
    """Whether the VAD cuts, and goes on, where its utterance was cut already or just behind."""
    goes_on = end.end < rest.heard
    return end.start < rest.start and goes_on and end.end - rest.start < SLIVER
