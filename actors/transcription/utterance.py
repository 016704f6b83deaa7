"""An utterance on its way to its final: its audio, and what is known about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from vivavoce.actors.transcription.agreement import SECOND_OPINION, LocalAgreement
from vivavoce.actors.transcription.engines.base import Hypothesis
from vivavoce.pipeline.messages import (
    SAMPLE_RATE,
    EndReason,
    Pcm,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
)

SLIVER = SAMPLE_RATE
"""What is shorter, between two cuts, is no utterance of its own."""


@dataclass(slots=True)
class Attempt:
    """A decoding of an utterance up to sample ``end``; it may be wanted or turn out not to be."""

    end: int
    task: asyncio.Task[Hypothesis | None]
    began: float
    speculative: bool


class Utterance:
    """Keeps the audio until the final is out, so that an engine that died can hear it again.

    Bounded by the VAD's maximum length of an utterance.

    Args:
        key: names its session in an engine.
        start: sample index since capture start.
    """

    def __init__(self, key: int, start: int) -> None:
        self.key = key
        self.number = 0  # in the order of emission; one utterance of the VAD may become several
        self.start = start
        self.agreement = LocalAgreement(SECOND_OPINION)
        self.revision = 0
        self.shown: tuple[str, str] = ("", "")
        self.paused: SpeechPaused | None = None
        self.ended: SpeechEnded | None = None
        self.ended_at = 0.0
        self.cancelled = False  # the speaker took it back before it was final
        self.over = asyncio.Event()
        self.attempt: Attempt | None = None
        self.cut: int | None = None  # where it is going to be cut in two
        self.cut_tried = 0  # heard when the last search for a cut found nothing
        self.behind_cut: Hypothesis | None = None  # what was heard behind it
        self.carried: Hypothesis | None = None  # what was heard of this one before it began
        self._audio = bytearray()

    @property
    def heard(self) -> int:
        """Index one past the last sample of audio that is kept."""
        return self.start + len(self._audio) // 2

    @property
    def target(self) -> int | None:
        """Up to where a final is wanted now: a cut, the end, or a pause that may be the end."""
        if self.cancelled:
            return None
        if self.cut is not None:
            return self.cut
        if self.ended is not None:
            return self.ended.end
        return self.paused.end if self.paused is not None else None

    def append(self, message: SpeechAudio) -> None:
        """Keep the next audio.

        Raises:
            ValueError: it does not begin where the audio before it ended.
        """
        if message.start != self.heard:
            raise ValueError(
                f"utterance {self.number} was heard up to {self.heard}, but the next audio starts "
                f"at {message.start}"
            )
        self._audio += message.pcm.tobytes()

    def end(self, message: SpeechEnded, now: float) -> None:
        """The utterance is exactly ``[start, message.end)``; what was sent beyond is forgotten."""
        self.ended = message
        self.ended_at = now
        self.over.set()
        del self._audio[2 * (message.end - self.start) :]
        if self.cut is not None and self.cut > message.end - SLIVER:
            self.cut = None  # it ends there, or before

    def cancel(self, message: SpeechEnded, now: float) -> None:
        """It ends, and nobody wants its text any more."""
        self.end(message, now)
        self.cancelled, self.cut = True, None

    def split(self, key: int, now: float) -> Utterance:
        """End this utterance at its cut; what follows becomes the utterance that is returned.

        Raises:
            ValueError: there is no cut.
        """
        cut = self.cut
        if cut is None:
            raise ValueError(f"utterance {self.number} has no cut")
        rest = Utterance(key, cut)
        rest.carried, self.behind_cut = self.behind_cut, None
        rest._audio = self._audio[2 * (cut - self.start) :]
        rest.paused, rest.ended, rest.ended_at = self.paused, self.ended, self.ended_at
        if rest.ended is not None:
            rest.over.set()
        at = self.heard
        self.paused, self.cut = None, None
        self.end(
            SpeechEnded(
                utterance=self.number,
                start=self.start,
                end=cut,
                at=at,
                reason=EndReason.MAX_LENGTH,
            ),
            now,
        )
        return rest

    def audio(self, from_byte: int, end: int) -> bytes:
        """The audio from a byte of this utterance up to sample ``end``."""
        return bytes(self._audio[from_byte : 2 * (end - self.start)])

    def pcm(self, end: int) -> Pcm:
        """The audio up to sample ``end``, int16."""
        return np.frombuffer(self.audio(0, end), dtype="<i2")

    def abandon_attempt(self) -> None:
        """Stop a decoding that nobody wants."""
        if self.attempt is not None:
            self.attempt.task.cancel()
            self.attempt = None
