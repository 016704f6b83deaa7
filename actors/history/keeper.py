"""The sound of recent speech, kept until its final comes."""

from __future__ import annotations

from collections import deque

import numpy as np

from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm, Speech, SpeechAudio

_KEPT_S = 300.0


class AudioBook:
    """The last minutes of speech by sample index, in a ring of fixed size.

    Written by one actor and read by another, in the same event loop.

    Args:
        kept_s: seconds of speech; 5 minutes are 9.6 MB (of which only what was written is used).
    """

    def __init__(self, kept_s: float = _KEPT_S) -> None:
        self._capacity = round(kept_s * SAMPLE_RATE)
        self._ring = np.zeros(self._capacity, np.int16)
        self._written = 0  # samples ever written: where in the ring the next one goes
        self._pieces: deque[tuple[int, int, int]] = deque()  # start, end, samples written before

    def write(self, start: int, pcm: Pcm) -> None:
        """Keep speech that begins at sample ``start``; what is there already is not kept twice."""
        known = self._pieces[-1][1] if self._pieces else 0
        if start < known:  # the end of a cut utterance comes again as the beginning of the next
            pcm = pcm[known - start :]
            start = known
        if len(pcm) > self._capacity:
            start, pcm = start + len(pcm) - self._capacity, pcm[-self._capacity :]
        if not len(pcm):
            return
        if self._pieces and known == start:
            first, _, before = self._pieces.pop()
        else:
            first, before = start, self._written
        self._pieces.append((first, start + len(pcm), before))
        at = self._written % self._capacity
        head = min(len(pcm), self._capacity - at)
        self._ring[at : at + head] = pcm[:head]
        self._ring[: len(pcm) - head] = pcm[head:]
        self._written += len(pcm)
        self._forget()

    def take(self, start: int, end: int) -> Pcm | None:
        """A copy of the samples ``[start, end)``; None where not all of them are there."""
        for first, last, before in self._pieces:
            if first <= start and end <= last and start < end:
                at = before + start - first
                if at < self._written - self._capacity:
                    return None
                where = np.arange(at, at + end - start) % self._capacity
                return self._ring[where]
        return None

    def _forget(self) -> None:
        oldest = self._written - self._capacity
        while self._pieces:
            first, last, before = self._pieces[0]
            if before + last - first > oldest:
                return
            self._pieces.popleft()


class AudioKeeper(Actor[Speech, Speech]):
    """Passes everything on, and notes the sound of speech in a book. It stands behind the VAD."""

    name = "audio keeper"
    closing_grace_s = None

    def __init__(self, book: AudioBook, context: ActorContext | None = None) -> None:
        super().__init__(context=context)
        self._book = book

    async def on_message(self, message: Speech) -> None:
        """Note sound; pass on what came, untouched."""
        if isinstance(message, SpeechAudio):
            self._book.write(message.start, message.pcm)
        await self.emit(message)
