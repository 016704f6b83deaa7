"""The phrase cache: from the sound of a phrase to what was made of it.

Least recently used goes first; what is older than the profile's ``ttl_s`` is not found any more.
Time is an argument, so nothing here waits or looks at a clock.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from vivavoce.actors.transcription.phrase_cache.comparison import compare
from vivavoce.actors.transcription.phrase_cache.fingerprint import (
    SKETCH,
    Fingerprint,
    Levels,
    Samples,
    fingerprint,
)
from vivavoce.config.schema import PhraseCacheSettings
from vivavoce.pipeline.messages import SAMPLE_RATE

V = TypeVar("V")

_LEAST_LIKENESS = 0.985  # of the sketches; the same phrase in noise of 20 dB has 0.997
_MOST_CANDIDATES = 3
_REMEMBERED = 4  # fingerprints between a lookup and its store, for phrases that overlap in time
_FEWEST_ROWS = 16


@dataclass(frozen=True, slots=True)
class Hit(Generic[V]):
    """A phrase that was heard before.

    Attributes:
        value: what was stored for it.
        kind: ``exact`` for the same samples (to half a decibel), else ``near``.
        shift: samples by which the phrase begins later now than when it was stored.
        key: the key of the entry, as in :class:`CacheEntry`.
    """

    value: V
    kind: Literal["exact", "near"]
    shift: int
    key: str


class CacheEntry(Struct, Generic[V], frozen=True, kw_only=True):
    """One phrase in the cache, for inspection.

    Attributes:
        key: hexadecimal; the same for the same sound in every run.
        value: what was stored.
        samples: length of the phrase.
        stored_at: time of the store, on the clock of the caller, in seconds.
        exact_hits: how often the same sound came.
        near_hits: how often it came with noise, another volume, or an offset.
        bytes: memory of its fingerprint (the value's own is not in it).
    """

    key: str
    value: V
    samples: int
    stored_at: float
    exact_hits: int
    near_hits: int
    bytes: int


class CacheStatistics(Struct, frozen=True, kw_only=True):
    """Counts since the cache was made; ``clear`` does not reset them.

    ``bytes`` is what fingerprints and sketches take now. ``skipped`` phrases were too long or too
    short to be looked up.
    """

    entries: int
    bytes: int
    exact_hits: int
    near_hits: int
    misses: int
    skipped: int
    stored: int
    evictions: int
    expired: int


@dataclass(slots=True, eq=False)
class _Entry(Generic[V]):
    value: V
    samples: int
    levels: Levels
    row: int
    exact_hits: int = 0
    near_hits: int = 0


class PhraseCache(Generic[V]):
    """Values by the sound of a phrase, bounded in entries and, by the longest phrase, in bytes.

    An entry takes 3.2 kB per second of audio and 1 kB more. Not for use from several threads.

    Args:
        settings: the profile's ``transcription.phrase_cache``; ``enabled`` is the caller's matter.
    """

    def __init__(self, settings: PhraseCacheSettings) -> None:
        self._settings = settings
        self._entries: OrderedDict[bytes, _Entry[V]] = OrderedDict()  # least recently used first
        self._age: OrderedDict[bytes, float] = OrderedDict()  # when stored, oldest first
        self._sketches = np.zeros((_FEWEST_ROWS, SKETCH), np.float32)
        self._keys: list[bytes | None] = [None] * _FEWEST_ROWS  # of each row of the sketches
        self._free = list(reversed(range(_FEWEST_ROWS)))
        self._remembered: OrderedDict[bytes, Fingerprint] = OrderedDict()
        self._level_bytes = 0
        self._exact_hits = self._near_hits = self._misses = self._skipped = 0
        self._stored = self._evictions = self._expired = 0

    def __len__(self) -> int:
        return len(self._entries)

    def lookup(self, pcm: bytes | Samples, now: float) -> Hit[V] | None:
        """What was stored for this sound, if it was.

        Args:
            pcm: the whole phrase: mono 16 kHz int16, little-endian where it is bytes.
            now: seconds on any clock that does not go back.
        """
        samples = _samples(pcm)
        if not self._fits(samples):
            self._skipped += 1
            return None
        self._forget_old(now)
        print_ = self._fingerprint(samples)
        hit = self._exact(print_) or (
            self._near(samples, print_) if self._settings.near_matches else None
        )
        if hit is None:
            self._misses += 1
        return hit

    def store(self, pcm: bytes | Samples, value: V, now: float) -> None:
        """Keep a value for this sound; it replaces one that is kept for the same sound.

        Args:
            pcm: as for :meth:`lookup`; after a lookup of the same phrase nothing is computed again.
            value: anything immutable.
            now: as for :meth:`lookup`.
        """
        samples = _samples(pcm)
        if not self._fits(samples):
            return
        self._forget_old(now)
        print_ = self._fingerprint(samples)
        if print_.key in self._entries:
            self._remove(print_.key)
        elif len(self._entries) >= self._settings.max_entries:
            self._remove(next(iter(self._entries)))
            self._evictions += 1
        row = self._take_row()
        self._sketches[row] = print_.sketch
        self._keys[row] = print_.key
        self._level_bytes += print_.levels.nbytes
        self._entries[print_.key] = _Entry(value, print_.samples, print_.levels, row)
        self._age[print_.key] = now
        self._stored += 1

    def entries(self) -> list[CacheEntry[V]]:
        """What is in the cache, the most recently used first."""
        return [
            CacheEntry(
                key=key.hex(),
                value=entry.value,
                samples=entry.samples,
                stored_at=self._age[key],
                exact_hits=entry.exact_hits,
                near_hits=entry.near_hits,
                bytes=entry.levels.nbytes + self._sketches[entry.row].nbytes,
            )
            for key, entry in reversed(self._entries.items())
        ]

    def statistics(self) -> CacheStatistics:
        """The counts so far."""
        return CacheStatistics(
            entries=len(self._entries),
            bytes=self._level_bytes + self._sketches.nbytes,
            exact_hits=self._exact_hits,
            near_hits=self._near_hits,
            misses=self._misses,
            skipped=self._skipped,
            stored=self._stored,
            evictions=self._evictions,
            expired=self._expired,
        )

    def clear(self) -> int:
        """Forget all phrases, and give their memory back.

        Returns:
            How many there were.
        """
        count = len(self._entries)
        self._entries.clear()
        self._age.clear()
        self._remembered.clear()
        self._sketches = np.zeros((_FEWEST_ROWS, SKETCH), np.float32)
        self._keys = [None] * _FEWEST_ROWS
        self._free = list(reversed(range(_FEWEST_ROWS)))
        self._level_bytes = 0
        return count

    def _fits(self, samples: Samples) -> bool:
        return 0 < len(samples) <= self._settings.max_phrase_ms * SAMPLE_RATE // 1000

    def _fingerprint(self, samples: Samples) -> Fingerprint:
        """Computed once for a lookup and the store that follows it."""
        from hashlib import blake2b  # brings OpenSSL along: only where phrases are kept

        audio = blake2b(samples.tobytes(), digest_size=16).digest()
        known = self._remembered.get(audio)
        if known is None:
            known = self._remembered[audio] = fingerprint(samples)
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return known

    def _exact(self, print_: Fingerprint) -> Hit[V] | None:
        entry = self._entries.get(print_.key)
        if entry is None:
            return None
        self._entries.move_to_end(print_.key)
        entry.exact_hits += 1
        self._exact_hits += 1
        return Hit(entry.value, "exact", 0, print_.key.hex())

    def _near(self, samples: Samples, print_: Fingerprint) -> Hit[V] | None:
        for key in self._candidates(print_.sketch):
            entry = self._entries[key]
            comparison = compare(samples, print_.levels, entry.levels)
            if comparison is not None and comparison.same:
                self._entries.move_to_end(key)
                entry.near_hits += 1
                self._near_hits += 1
                return Hit(entry.value, "near", comparison.shift, key.hex())
        return None

    def _candidates(self, sketch: NDArray[np.float32]) -> list[bytes]:
        """The keys of the entries whose sketch is most like this one, most alike first."""
        # einsum and not a product of matrices: BLAS would spread it over threads.
        likeness = np.einsum("es,s->e", self._sketches, sketch)
        rows = np.flatnonzero(likeness >= _LEAST_LIKENESS)
        best = rows[np.argsort(-likeness[rows], kind="stable")][:_MOST_CANDIDATES]
        return [key for row in best if (key := self._keys[row]) is not None]

    def _forget_old(self, now: float) -> None:
        while self._age and now - self._age[key := next(iter(self._age))] >= self._settings.ttl_s:
            self._remove(key)
            self._expired += 1

    def _remove(self, key: bytes) -> None:
        entry = self._entries.pop(key)
        del self._age[key]
        self._sketches[entry.row] = 0.0  # like nothing
        self._keys[entry.row] = None
        self._free.append(entry.row)
        self._level_bytes -= entry.levels.nbytes

    def _take_row(self) -> int:
        if not self._free:
            rows = len(self._keys)
            self._sketches = np.concatenate([self._sketches, np.zeros_like(self._sketches)])
            self._keys += [None] * rows
            self._free = list(reversed(range(rows, 2 * rows)))
        return self._free.pop()


def _samples(pcm: bytes | Samples) -> Samples:
    return pcm if isinstance(pcm, np.ndarray) else np.frombuffer(pcm, np.dtype("<i2"))
