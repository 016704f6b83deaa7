"""The ring between the PortAudio thread and the event loop: one producer, one consumer, no lock.

The two ends share one preallocated array and two counters, each written by one side only. A reader
sees either the old or the new integer; the producer copies before it publishes its counter and the
consumer copies before it publishes its own, so neither touches what the other may still use
(L. Lamport, "Specifying Concurrent Program Modules", 1983, section 3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np

from vivavoce.pipeline.messages import Pcm

_SLOTS = 64


class Hole(NamedTuple):
    """Captured samples ``[start, end)`` on the ring's timeline that were not stored.

    ``overrun`` says that the ring was full for at least a part of them; otherwise the driver had
    lost them before.
    """

    start: int
    end: int
    overrun: bool


class RingStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot, in samples; ``overruns`` counts the holes."""

    capacity: int
    depth: int
    high_water: int
    written: int
    lost: int
    overruns: int


class AudioRing:
    """A single-producer, single-consumer ring of int16 samples.

    :meth:`write` belongs to the audio thread: one or two slice copies and at most one wake-up until
    the consumer has read again; no lock, no log, no allocation beyond array views. A block that
    does not fit is dropped whole and counted. The timeline goes on through the hole, so that sample
    indices stay true; :meth:`read` tells of the hole in its place.

    Holes are kept in a fixed number of slots. When all are taken (the consumer stands still while
    blocks are lost, fit, and are lost again), every block is dropped until one is free: one longer
    hole instead of many.

    Args:
        capacity: samples kept at most; positive.
        wake: called from the producer's thread when data arrives for a consumer that may be asleep,
            for example ``lambda: loop.call_soon_threadsafe(event.set)``.

    Raises:
        ValueError: ``capacity`` is not positive.
    """

    def __init__(self, capacity: int, wake: Callable[[], object] | None = None) -> None:
        if capacity < 1:
            raise ValueError(f"an audio ring's capacity is at least 1 sample, not {capacity}")
        self.capacity = capacity
        self._data: Pcm = np.zeros(capacity, dtype=np.int16)
        self._wake = wake
        # The producer's: samples stored, samples lost, the highest depth, the hole being counted.
        self._written = 0
        self._lost = 0
        self._high_water = 0
        self._hole = 0
        self._overrun = False
        # Holes: (stored samples before it, its length, overrun). A slot is written before its
        # number is published in _holes_written, and read before _holes_read lets it be written
        # again; a hole that grows is not published yet. The last free slot is kept for finish().
        self._slots: list[tuple[int, int, bool]] = [(0, 0, False)] * _SLOTS
        self._holes_written = 0
        # The consumer's: samples taken, holes passed, samples of the holes passed.
        self._read = 0
        self._holes_read = 0
        self._skipped = 0
        self._asleep = True

    # -- the producer's side

    def write(self, block: Pcm) -> bool:
        """Store ``block`` (shape ``(samples,)``, int16), or drop it whole and count it.

        Returns:
            Whether it was stored.
        """
        count = len(block)
        written = self._written
        depth = written - self._read + count
        if depth > self.capacity or (self._hole and not self._publish_hole(_SLOTS - 1)):
            self._overrun = True
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
        if depth > self._high_water:
            self._high_water = depth
        if self._asleep:
            self._asleep = False
            if self._wake is not None:
                self._wake()
        return True

    def skip(self, count: int) -> None:
        """Count ``count`` samples that the driver lost: they were captured but never came."""
        self._lost += count
        self._hole += count

    def _publish_hole(self, slots: int) -> bool:
        number = self._holes_written
        if number - self._holes_read >= slots:
            return False
        self._slots[number % _SLOTS] = (self._written, self._hole, self._overrun)
        self._hole = 0
        self._overrun = False
        self._holes_written = number + 1
        return True

    def finish(self) -> None:
        """The producer writes no more: a hole at the very end is told, too."""
        if self._hole:
            self._publish_hole(_SLOTS)

    # -- the consumer's side

    def read(self, most: int) -> Pcm | None:
        """Take up to ``most`` samples (positive), as a new array; None when there are none before a
        hole.

        What is returned starts at :attr:`position` as it was before the call. An array never spans
        a hole: call :meth:`take_hole` first.
        """
        stored = self._written  # first: a hole published later lies at or behind this
        read = self._read
        limit = stored
        if self._holes_read < self._holes_written:
            limit = min(limit, self._slots[self._holes_read % _SLOTS][0])
        count = min(most, limit - read)
        if count <= 0:
            return None
        at = read % self.capacity
        first = self.capacity - at
        taken: Pcm = np.empty(count, dtype=np.int16)
        taken[:first] = self._data[at : at + count]
        if count > first:
            taken[first:] = self._data[: count - first]
        self._read = read + count
        return taken

    def take_hole(self) -> Hole | None:
        """Pass the hole that begins at :attr:`position`; None when there is none there."""
        number = self._holes_read
        if number >= self._holes_written:
            return None
        before, length, overrun = self._slots[number % _SLOTS]
        if before != self._read:
            return None
        start = self.position
        self._skipped += length
        self._holes_read = number + 1
        return Hole(start, start + length, overrun)

    def prepare_to_wait(self) -> bool:
        """Ask for a wake-up; False when something arrived meanwhile and there is no need to wait.

        The order matters: ask first, look again afterwards. An item that arrives in between is
        either seen here or wakes.
        """
        self._asleep = True
        if self._written != self._read or self._holes_written != self._holes_read:
            self._asleep = False
            return False
        return True

    @property
    def position(self) -> int:
        """The sample index, holes included, of what comes next."""
        return self._read + self._skipped

    def __len__(self) -> int:
        return self._written - self._read

    def statistics(self) -> RingStatistics:
        """The counters as they stand."""
        return RingStatistics(
            capacity=self.capacity,
            depth=len(self),
            high_water=self._high_water,
            written=self._written,
            lost=self._lost,
            overruns=self._holes_written + (self._hole > 0),
        )
