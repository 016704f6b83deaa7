"""Which audio is wanted: recordings cut out of the stream, to the sample. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from vivavoce.config.trigger import TriggerSettings
from vivavoce.pipeline.messages import (
    SAMPLE_RATE,
    Audio,
    AudioBlock,
    Gap,
    RecordingEnded,
    RecordingStarted,
)

_SAMPLES_PER_MS = SAMPLE_RATE // 1_000


class Unwanted(msgspec.Struct, frozen=True):
    """``[start, end)`` belongs to no recording."""

    start: int
    end: int


Passed: TypeAlias = Audio | Unwanted


class Gate:
    """Passes the audio of recordings on, and keeps a pre-roll of what comes before one.

    Recordings begin and end at samples, which may lie in audio that has come already (as far back
    as the pre-roll) or has not. What was asked for takes place with the audio: each method that
    takes some yields what follows from it, in order. Every sample is passed on or unwanted, once.

    Args:
        settings: as they are then: ``pre_roll_ms`` of audio are kept from before the begin of a
            recording, and ``tail_ms`` still belong to one when it was asked to end.
        recording: whether a recording is on from the first sample. It has no
            :class:`RecordingStarted`.
    """

    def __init__(self, settings: Callable[[], TriggerSettings], *, recording: bool) -> None:
        self._settings = settings
        self._start: int | None = 0 if recording else None
        self._held_key = False  # the recording lasts as long as a key is held
        self._always = recording  # the recording is one of the mode `voice`
        self._told = recording  # that it has begun
        self._implicit = recording
        self._stopped: int | None = None  # where it was asked to end, tail not counted
        self._end: int | None = None
        # Where one begins that was asked for in the tail of another, and of which kind it is.
        self._next: tuple[int, bool, bool] | None = None
        self._next_stopped: int | None = None
        self._cancelled = False
        self._done = 0  # every sample before was passed on, or is unwanted
        self._heard = 0  # where the last audio, or gap, ended
        self._held: deque[AudioBlock] = deque()  # while nothing is recorded

    @property
    def open(self) -> bool:
        """Whether a recording is on, tail included, or is to begin with audio still to come."""
        return self._start is not None

    # -- what is asked for

    def start(self, at: int, *, held: bool = False, always: bool = False) -> None:
        """Record from sample ``at`` on, and from the pre-roll before it.

        Args:
            at: the sample.
            held: it lasts as long as a key is held.
            always: it is one of the mode ``voice``, without an end to be expected.
        """
        begin = at - self._pre_roll
        if self._start is None:
            self._begin(begin, held=held, always=always)
        elif self._next is not None:
            self._next_stopped = None
        elif self._end is not None:
            # The pre-roll of the new one takes from the tail of the old, not from what was said.
            said = self._end if self._stopped is None else self._stopped
            self._end = max(self._done, min(self._end, max(begin, said)))
            self._next = begin, held, always

    def stop(self, at: int) -> None:
        """The recording ends at sample ``at``, and its tail behind it."""
        if self._next is not None:
            self._next_stopped = at
        elif self._start is not None and self._end is None:
            self._stopped, self._end = at, max(at + self._tail, self._done, self._start)

    def resume(self, at: int) -> None:
        """The last :meth:`stop` was a mistake; where its tail is over, record anew from ``at``."""
        if self._next is not None:
            self._next_stopped = None
        elif self._start is None:
            self._begin(at, held=self._held_key, always=self._always)
        elif not self._cancelled:
            self._stopped = self._end = None

    def cancel(self) -> None:
        """The recording ends with what was passed on of it, and all of it is to be discarded."""
        if self._next is not None:
            self._next = self._next_stopped = None
        elif self._start is not None and self._told:
            self._end, self._cancelled = self._done, True
        else:
            self._start = self._stopped = self._end = None

    # -- what comes

    def take(self, block: AudioBlock) -> Iterator[Passed]:
        """Take the next audio.

        Yields:
            What of it is wanted, as blocks without holes, with begin and end of recordings in their
            places; and what is not.
        """
        if block.start > self._heard:
            yield from self._skip(self._heard, block.start)  # who left it out has settled it
        if not self._held or block.start >= self._held[-1].end:
            self._held.append(block)  # else it is delivered once more
        self._heard = max(self._heard, block.end)
        while self._start is not None:
            yield from self._unwanted_before(min(self._start, block.end))
            if self._done < self._start:
                return  # it begins in audio that has not come yet
            yield from self._tell()
            yield from self._pass_on(block.end if self._end is None else min(block.end, self._end))
            if self._end is None or self._done < self._end:
                return
            yield self._ended()
        yield from self._unwanted_before(block.end - self._pre_roll)

    def gap(self, gap: Gap) -> Iterator[Passed]:
        """Audio is missing; a recording goes on behind it.

        Yields:
            What was kept and is not wanted, the gap, and an end that lies inside it.
        """
        yield from self._skip(min(gap.start, self._heard), gap.end, gap)

    def finish(self, end: int) -> Iterator[Passed]:
        """No audio comes behind ``end``.

        Yields:
            What was kept and is not wanted, and the end of a recording.
        """
        yield from self._unwanted_before(end)
        if self._start is not None and self._told and not self._implicit:
            yield self._ended()

    # -- inside

    @property
    def _pre_roll(self) -> int:
        return self._settings().pre_roll_ms * _SAMPLES_PER_MS

    @property
    def _tail(self) -> int:
        return self._settings().tail_ms * _SAMPLES_PER_MS

    def _skip(self, start: int, end: int, gap: Gap | None = None) -> Iterator[Passed]:
        """Nothing is heard of ``[start, end)``, which may be told as a gap."""
        yield from self._unwanted_before(start)
        self._done = self._heard = end
        if gap is not None:
            yield gap
        if self._start is None:
            return
        if not self._told:
            self._start = max(self._start, end)
        if self._end is not None and self._end <= end:
            yield from self._tell()
            yield self._ended()

    def _begin(self, begin: int, *, held: bool, always: bool) -> None:
        self._start = max(begin, self._done)
        self._held_key, self._always = held, always
        self._told = self._implicit = False

    def _tell(self) -> Iterator[Passed]:
        if not self._told and self._start is not None:
            self._told = True
            yield RecordingStarted(start=self._start, held=self._held_key)

    def _pass_on(self, until: int) -> Iterator[AudioBlock]:
        while self._held and self._done < until:
            kept = self._held[0]
            end = min(kept.end, until)
            whole = self._done == kept.start and end == kept.end
            pcm = kept.pcm[self._done - kept.start : end - kept.start]
            yield kept if whole else AudioBlock(start=self._done, pcm=pcm)
            self._done = end
            if end == kept.end:
                self._held.popleft()

    def _ended(self) -> RecordingEnded:
        assert self._start is not None
        ended = RecordingEnded(
            start=self._start, end=self._done, cancelled=self._cancelled, always=self._always
        )
        self._start = self._stopped = self._end = None
        self._cancelled = self._implicit = False
        if self._next is not None:
            (begin, held, always), stopped = self._next, self._next_stopped
            self._next = self._next_stopped = None
            self._begin(begin, held=held, always=always)
            if stopped is not None:
                self.stop(stopped)
        return ended

    def _unwanted_before(self, limit: int) -> Iterator[Passed]:
        if limit > self._done:
            yield Unwanted(self._done, limit)
            self._done = limit
        while self._held and self._held[0].end <= self._done:
            self._held.popleft()
