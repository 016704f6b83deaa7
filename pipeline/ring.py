"""The ring between the PortAudio thread and the event loop: one producer, one consumer, no lock.

The two ends share one preallocated array and two counters, each written by one side only. Python
guarantees that a reader sees either the old or the new integer; the producer copies before it
publishes its counter and the consumer copies before it publishes its own, so neither ever touches
what the other may still use (L. Lamport, "Specifying Concurrent Program Modules", 1983, section 3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vivavoce.pipeline.messages import Pcm


class AudioRing:
    """A single-producer, single-consumer ring of int16 samples.

    :meth:`write` belongs to the audio thread: one or two slice copies, at most one wake-up until
    the consumer has read again, no allocation beyond small slices, no lock, no log. What does not
    fit is dropped *whole blocks at a time at the newest end* and counted; positions still advance by
    the lost samples, so that the stream's time stays true.

    Args:
        capacity: samples kept at most; positive.
        wake: called from the producer's thread when data arrives and the consumer may be asleep,
            for example ``lambda: loop.call_soon_threadsafe(event.set)``.

    Raises:
        ValueError: ``capacity`` is not positive.
    """

    def __init__(self, capacity: int, wake: Callable[[], object] | None = None) -> None:
        if capacity < 1:
            raise ValueError(f"an audio ring's capacity is at least 1 sample, not {capacity}")
        self.capacity = capacity
        self._data: Pcm = np.zeros(capacity, dtype=np.int16)
        self._written = 0  # samples stored, by the producer only
        self._read = 0  # samples taken, by the consumer only
        self._lost = 0  # samples dropped, by the producer only
        # One (position in stored samples, samples lost before it) for each overrun not yet told.
        # Appended by the producer, popped by the consumer; list append and pop(0) are atomic.
        self._overruns: list[tuple[int, int]] = []
        self._wake = wake
        self._asleep = True

    def write(self, block: Pcm) -> bool:
        """Store ``block`` (shape ``(samples,)``, int16) or drop it whole. Producer only.

        Returns:
            Whether it was stored.
        """
        count = len(block)
        written = self._written
        if count > self.capacity - (written - self._read):
            self.skip(count)
            return False
        at = written % self.capacity
        first = self.capacity - at
        if count <= first:
            self._data[at : at + count] = block
        else:
            self._data[at:] = block[:first]
            self._data[: count - first] = block[first:]
        self._written = written + count
        if self._asleep and self._wake is not None:
            self._asleep = False
            self._wake()
        return True

    def skip(self, count: int) -> None:
        """Count ``count`` samples that were captured but could not be stored. Producer only."""
        self._lost += count
        overruns = self._overruns
        if overruns and overruns[-1][0] == self._written:
            overruns[-1] = (self._written, overruns[-1][1] + count)
        else:
            overruns.append((self._written, count))

    def __len__(self) -> int:
        return self._written - self._read

    @property
    def lost(self) -> int:
        """Samples dropped since the ring was made."""
        return self._lost
