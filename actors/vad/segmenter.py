"""When an utterance begins, pauses and ends: a pure state machine over 32 ms frames.

Every sample goes exactly one way: into one utterance, or into one silence interval. Time is the
sample index of the audio itself, so the same audio gives the same utterances at any pace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec
import numpy as np

from vivavoce.config.schema import VadSettings
from vivavoce.pipeline.messages import (
    EndReason,
    Pcm,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

_SAMPLES_PER_MS = 16


class Frame(msgspec.Struct, frozen=True):
    """A frame of audio as the detector saw it; the last of a stream may be short.

    ``level`` is in dBFS, ``probability`` is the probability of speech in [0, 1].
    """

    start: int
    pcm: Pcm
    probability: float
    level: float

    @property
    def end(self) -> int:
        """Index one past the last sample."""
        return self.start + len(self.pcm)


class Silence(msgspec.Struct, frozen=True):
    """``[start, end)`` belongs to no utterance."""

    start: int
    end: int


Utterances: TypeAlias = SpeechStarted | SpeechAudio | SpeechPaused | SpeechResumed | SpeechEnded
Decision: TypeAlias = Utterances | Silence


class Segmenter:
    """Cuts a stream of frames into utterances.

    Feed consecutive frames to :meth:`push`; after a hole in the audio call :meth:`interrupt` and go
    on with frames behind the hole; at the end call :meth:`interrupt` with ``END_OF_STREAM``. Each
    call yields decisions in order.

    Speech with its pauses is one utterance, however long it is. A pause begins where speech ended;
    audio of it is sent until the hangover is over.

    Memory is bounded by pre-roll and the silence that ends an utterance.
    """

    def __init__(self, settings: VadSettings, first_utterance: int = 1) -> None:
        self._configure(settings)
        self.next_utterance = first_utterance
        # Frames that are neither silence nor part of an utterance yet (idle), or held back (open).
        self._held: deque[Frame] = deque()
        self._held_from = 0  # samples of the first held frame before this index are settled
        self._onset: int | None = None  # first sample of speech that is not confirmed yet
        self._open = False
        self._paused = False
        self._start = 0
        self._sent = 0  # audio of the open utterance is sent up to here
        self._speech_end = 0  # end of the last frame with speech

    def _configure(self, settings: VadSettings) -> None:
        self._threshold = settings.threshold
        self._release = settings.release_threshold
        self._min_speech = settings.min_speech_ms * _SAMPLES_PER_MS
        self._pre_roll = settings.pre_roll_ms * _SAMPLES_PER_MS
        self._hangover = settings.hangover_ms * _SAMPLES_PER_MS
        self._pause = settings.pause_ms * _SAMPLES_PER_MS
        self._end_silence = settings.end_silence_ms * _SAMPLES_PER_MS

    @property
    def resting(self) -> bool:
        """Whether nobody speaks, and nobody may just have begun to."""
        return not self._open and self._onset is None

    def change(self, settings: VadSettings) -> None:
        """Go on under other settings, from the next frame on.

        Raises:
            RuntimeError: it is not :attr:`resting`.
        """
        if not self.resting:
            raise RuntimeError("settings change between utterances")
        self._configure(settings)

    def push(self, frame: Frame) -> Iterator[Decision]:
        """Take the next frame.

        Yields:
            What follows from it, in order.
        """
        if self._open:
            yield from self._push_open(frame)
        else:
            yield from self._push_idle(frame)

    def rest(self, frames: Sequence[Frame]) -> Iterator[Decision]:
        """Take the next frames, at least one, in which nobody speaks; no utterance is open.

        The same as to :meth:`push` each of them, but their silence is settled at once.

        Yields:
            The silence that follows from it.
        """
        if not self._held:
            self._held_from = frames[0].start
        self._held.extend(frames)
        self._onset = None
        yield from self._settle_before(frames[-1].end - self._pre_roll)

    def interrupt(self, at: int, reason: EndReason) -> Iterator[Decision]:
        """The audio ends at ``at``, for good or for a hole; an open utterance ends with ``reason``.

        Yields:
            The end of the open utterance, if any, and the silence that is left.
        """
        if self._open:
            yield from self._end(at, reason)
        if self._held:
            yield Silence(self._held_from, self._held[-1].end)
        self._held.clear()
        self._onset = None

    # -- nobody speaks

    def _push_idle(self, frame: Frame) -> Iterator[Decision]:
        if not self._held:
            self._held_from = frame.start
        self._held.append(frame)
        speaking = frame.probability >= (self._threshold if self._onset is None else self._release)
        if not speaking:
            self._onset = None
        elif self._onset is None:
            self._onset = frame.start
        if self._onset is not None and frame.end - self._onset >= self._min_speech:
            yield from self._begin(frame.end)
        else:
            yield from self._settle_before(
                (frame.end if self._onset is None else self._onset) - self._pre_roll
            )

    def _settle_before(self, limit: int) -> Iterator[Decision]:
        limit = max(self._held_from, limit)
        if limit > self._held_from:
            yield Silence(self._held_from, limit)
            self._held_from = limit
        while self._held and self._held[0].end <= limit:
            self._held.popleft()

    def _begin(self, at: int) -> Iterator[Decision]:
        assert self._onset is not None
        yield from self._settle_before(self._onset - self._pre_roll)
        self._open, self._paused = True, False
        self._start = self._sent = self._held_from
        self._onset = None
        self._speech_end = at
        utterance = self.next_utterance
        self.next_utterance += 1
        yield SpeechStarted(utterance=utterance, start=self._start, at=at)
        yield from self._send_up_to(at)

    # -- somebody speaks

    def _push_open(self, frame: Frame) -> Iterator[Decision]:
        utterance = self.next_utterance - 1
        self._held.append(frame)
        speaking = frame.probability >= (self._threshold if self._paused else self._release)
        if speaking:
            self._speech_end = frame.end
            if self._paused:
                self._paused = False
                yield SpeechResumed(utterance=utterance, at=frame.end)
        yield from self._send_up_to(min(frame.end, self._speech_end + self._hangover))
        quiet = frame.end - self._speech_end
        if not speaking and not self._paused and quiet >= self._pause:
            self._paused = True
            end, tail_end = self._speech_end, self._speech_end + self._hangover
            yield SpeechPaused(utterance=utterance, end=end, at=frame.end, tail_end=tail_end)
        if quiet >= self._end_silence:
            yield from self._end(frame.end, EndReason.SILENCE)

    def _send_up_to(self, limit: int) -> Iterator[Decision]:
        pieces: list[Pcm] = []
        begin = self._sent
        while self._held and self._held[0].start < limit:
            frame = self._held[0]
            piece = frame.pcm[max(0, self._sent - frame.start) : limit - frame.start]
            if len(piece):
                pieces.append(piece)
                self._sent += len(piece)
            if frame.end > limit:
                break
            self._held.popleft()
        self._held_from = self._sent
        if pieces:
            pcm = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
            yield SpeechAudio(utterance=self.next_utterance - 1, start=begin, pcm=pcm)

    def _end(self, at: int, reason: EndReason) -> Iterator[Decision]:
        heard = self._held[-1].end if self._held else self._sent
        end = min(heard, self._speech_end + self._hangover)
        yield from self._send_up_to(end)
        self._open = self._paused = False
        yield SpeechEnded(
            utterance=self.next_utterance - 1, start=self._start, end=end, at=at, reason=reason
        )
        # What was held back may be the pre-roll of the next utterance.
        self._held_from = end
        yield from self._settle_before(heard - self._pre_roll)
