"""The messages that flow between actors.

Every message is a frozen, slotted :class:`msgspec.Struct`. Audio is mono 16 kHz int16 and addressed
by **sample index since capture start** (exact integers); intervals are half-open, ``[start, end)``.
Seconds appear only at the edges, in what people and other programs read.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
"""Samples per second of all audio inside the pipeline."""

Pcm: TypeAlias = npt.NDArray[np.int16]
"""Mono 16 kHz audio, shape ``(samples,)``, dtype int16."""


def seconds(samples: int) -> float:
    """Convert a sample index or count to seconds on the stream's clock."""
    return samples / SAMPLE_RATE


class EndReason(StrEnum):
    """Why an utterance ended."""

    SILENCE = "silence"
    """The speaker fell silent for the profile's end-of-speech time."""
    MAX_LENGTH = "max_length"
    """The next utterance begins within what was sent of this one: an actor cut it."""
    GAP = "gap"
    """Audio is missing after this point, so the utterance cannot go on."""
    END_OF_STREAM = "end_of_stream"
    """The source ended, or capture was told to stop."""
    RELEASED = "released"
    """The recording ended: the key was released, or a command said so."""
    CANCELLED = "cancelled"
    """The recording was cancelled: what was said is to be discarded."""


class GapReason(StrEnum):
    """Why captured audio has no transcription."""

    OVERRUN = "overrun"
    """The audio ring was full: the pipeline did not keep up with the microphone."""
    DEVICE_LOST = "device_lost"
    """The audio device went away, or the driver reported lost input."""
    ENGINE_FAILED = "engine_failed"
    """The engine could not transcribe this audio, not even after restarts."""
    ACTOR_RESTARTED = "actor_restarted"
    """An actor failed while it held this audio."""
    ACTOR_LOST = "actor_lost"
    """An actor took this audio and did not pass it on."""
    INVALID_INPUT = "invalid_input"
    """The source delivered samples that are not audio (NaN or infinite values)."""
    CANCELLED = "cancelled"
    """The run was ended at once, or the speaker cancelled, before this audio was transcribed."""
    SUSPENDED = "suspended"
    """The machine or the program was suspended; nothing was captured meanwhile."""
    CLOSED = "closed"
    """The microphone was released by the power mode ``closed``; nothing was captured meanwhile."""


class PowerMode(StrEnum):
    """How much of the pipeline is awake."""

    ACTIVE = "active"
    LISTENING = "listening"
    IDLE = "idle"
    PARKED = "parked"
    CLOSED = "closed"


class Focus(msgspec.Struct, frozen=True, kw_only=True):
    """The window that has the keyboard's focus.

    ``window`` is its number or address in the window system, ``application`` its class (X11) or
    app_id (Wayland). Both empty: it is known that no window has the focus.
    """

    window: str = ""
    application: str = ""

    @property
    def nobody(self) -> bool:
        """Whether no window has the focus: what is typed now is lost."""
        return not self.window


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all messages: immutable, slotted, cheap to make."""


class AudioBlock(Message, frozen=True, kw_only=True):
    """A block of captured audio; ``pcm`` must not be written to after it was sent."""

    start: int
    pcm: Pcm

    @property
    def end(self) -> int:
        """Index one past the last sample."""
        return self.start + len(self.pcm)


class RecordingStarted(Message, frozen=True, kw_only=True):
    """From sample ``start`` on (pre-roll included) what is said is wanted: a key or a command.

    Audio between recordings is nobody's: it is settled as silence and sent to nobody. ``held``: the
    recording lasts as long as a key is held.
    """

    start: int
    held: bool = False


class RecordingEnded(Message, frozen=True, kw_only=True):
    """The recording that began at ``start`` is ``[start, end)``, tail included.

    ``cancelled``: what was said in it is to be discarded. All of its finals come before this.
    ``always``: it was one of the mode ``voice``; behind the VAD, a cancelled one begins with the
    utterance that was open (or is empty): hours of text are not taken back.
    """

    start: int
    end: int
    cancelled: bool = False
    always: bool = False


class SpeechStarted(Message, frozen=True, kw_only=True):
    """An utterance began at ``start`` (pre-roll included); decided when ``at`` had been heard."""

    utterance: int
    start: int
    at: int


class SpeechAudio(Message, frozen=True, kw_only=True):
    """Audio of an open utterance; consecutive, starting with the pre-roll."""

    utterance: int
    start: int
    pcm: Pcm

    @property
    def end(self) -> int:
        """Index one past the last sample."""
        return self.start + len(self.pcm)


class SpeechPaused(Message, frozen=True, kw_only=True):
    """A pause: no speech since ``end``; decided when ``at`` had been heard.

    Audio goes on up to ``tail_end``, for a last sound that was taken for silence; audio behind that
    is speech again. 0: none follows.
    """

    utterance: int
    end: int
    at: int
    tail_end: int = 0


class SpeechResumed(Message, frozen=True, kw_only=True):
    """The pause was only a pause: speech goes on in the same utterance."""

    utterance: int
    at: int


class SpeechFocused(Message, frozen=True, kw_only=True):
    """Which window had the focus when the utterance that began at ``start`` did, or when speech
    went on at ``start`` after a pause (:attr:`SpeechResumed.at`).

    It may come at any time behind the message of that, and need not come: then it is not known.
    """

    start: int
    focus: Focus


class SpeechEnded(Message, frozen=True, kw_only=True):
    """The utterance is exactly ``[start, end)``.

    Only where an actor cut it (``MAX_LENGTH``) was audio beyond ``end`` sent for it; that audio
    comes again as the beginning of the next utterance.
    """

    utterance: int
    start: int
    end: int
    at: int
    reason: EndReason


class Word(Message, frozen=True, kw_only=True):
    """A recognised word with its interval in samples since capture start."""

    text: str
    start: int
    end: int
    probability: float


class Latency(Message, frozen=True, kw_only=True):
    """Where the time of a final went, in seconds.

    ``endpoint`` is end of speech → endpoint decided (audio time), ``queued`` endpoint → the engine
    took it, ``decode`` the engine's own work, ``total`` end of speech → final on the stream clock.
    ``speculative`` says that the final was computed before the endpoint was confirmed.
    """

    endpoint: float = 0.0
    queued: float = 0.0
    decode: float = 0.0
    total: float = 0.0
    speculative: bool = False


class Partial(Message, frozen=True, kw_only=True):
    """A partial hypothesis: no later partial of the utterance changes ``stable``; ``tail`` may.

    ``focus``: the window that had the focus when the utterance began; None: it is not known.
    """

    utterance: int
    revision: int
    start: int
    end: int
    stable: str
    tail: str
    focus: Focus | None = None


class Final(Message, frozen=True, kw_only=True):
    """The exact text of a sentence. ``text`` may be empty: nothing was recognised there.

    ``confidence`` is in [0, 1]; ``no_speech_probability``, ``average_log_probability`` and
    ``compression_ratio`` are the engine's own figures where it has them (else 0, 0 and 0).
    ``corrected`` counts the words that a partial had called stable and that read differently here.
    ``retracts`` counts the finals before this one that the speaker took back ("scratch that").
    ``focus`` is that of :class:`Partial`, when the sentence began. ``window`` is what was decoded
    for it: the text is what the engine gives offline for that. ``dropped`` counts the samples of
    speech in it for which no words were found. ``ends_stretch``: a long silence, a release, a gap
    or the end follows.
    """

    utterance: int
    start: int
    end: int
    text: str
    retracts: int = 0
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    compression_ratio: float = 0.0
    corrected: int = 0
    engine: str = ""
    model: str = ""
    language: str = ""
    latency: Latency = Latency()
    focus: Focus | None = None
    window: tuple[int, int] | None = None
    dropped: int = 0
    ends_stretch: bool = True


class Revision(Message, frozen=True, kw_only=True):
    """Replaces the text of an earlier :class:`Final` of the same utterance.

    Where revisions are made at all, each final gets exactly one, also with the same text: writers
    wait for it. The engine's own figures are those of :class:`Final`; an empty ``language`` is that
    of the final before it.
    """

    utterance: int
    text: str
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    compression_ratio: float = 0.0
    engine: str = ""
    model: str = ""
    language: str = ""


class Gap(Message, frozen=True, kw_only=True):
    """Captured audio that has no transcription, and why. Dropped audio is never silent."""

    start: int
    end: int
    reason: GapReason


class PowerChanged(Message, frozen=True, kw_only=True):
    """The pipeline entered another power mode."""

    mode: PowerMode


class EndOfStream(Message, frozen=True, kw_only=True):
    """The source ended (or capture stopped) after ``end`` samples. The last message of a run."""

    end: int


Recording: TypeAlias = RecordingStarted | RecordingEnded
"""What the trigger sends besides audio; it goes through the whole chain in its place."""

Audio: TypeAlias = AudioBlock | Recording | Gap | EndOfStream
"""What capture sends, and the trigger."""

Speech: TypeAlias = (
    SpeechStarted
    | SpeechAudio
    | SpeechPaused
    | SpeechResumed
    | SpeechFocused
    | SpeechEnded
    | Recording
    | Gap
    | PowerChanged
    | EndOfStream
)
"""What the VAD sends."""

Caption: TypeAlias = Partial | Final | Revision | Recording | Gap | PowerChanged | EndOfStream
"""What transcription and cleanup send, and what every subscriber receives."""
