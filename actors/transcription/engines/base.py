"""What an engine is: the interface inside the engine process and the plain data that crosses it.

This module is imported by both sides, so it imports nothing heavy. All positions are samples at
16 kHz counted from the session's first sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from vivavoce.config.errors import VivavoceError


class EngineSpec(Struct, frozen=True, kw_only=True):
    """Which engine to load and how; the profile's ``transcription`` section, resolved.

    ``model`` is a name (fetched once, then cached) or a directory; ``offline`` forbids fetching;
    ``threads`` 0 is one per core.
    """

    engine: str
    model: str = ""
    language: str | None = None
    device: str = "auto"
    compute_type: str = "auto"
    threads: int = 0
    offline: bool = False


class EngineInfo(Struct, frozen=True, kw_only=True):
    """What was loaded. ``notes`` are lines for the user, such as why CUDA was not used."""

    engine: str
    model: str
    device: str
    compute_type: str
    streams_natively: bool
    load_s: float
    warm_up_s: float
    notes: tuple[str, ...] = ()


class SessionOptions(Struct, frozen=True, kw_only=True):
    """How one utterance is decoded. ``beam_size`` and the rest concern finals."""

    language: str | None = None
    beam_size: int = 5
    temperature_fallback: bool = True
    word_times: bool = True
    initial_prompt: str | None = None
    hotwords: str | None = None


class HypothesisWord(Struct, frozen=True, kw_only=True):
    """A word with its interval in samples from the session's start; probability in [0, 1]."""

    text: str
    start: int
    end: int
    probability: float


class Hypothesis(Struct, frozen=True, kw_only=True):
    """What an engine makes of the audio so far.

    ``samples`` is the audio that it covers, ``stable_words`` how many leading words the engine
    itself calls settled (0 for engines that do not know), ``decode_s`` its own working time.
    Log-probability, compression ratio and no-speech probability are 0 where an engine has none.
    """

    text: str
    words: tuple[HypothesisWord, ...] = ()
    samples: int = 0
    stable_words: int = 0
    confidence: float = 0.0
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    compression_ratio: float = 0.0
    language: str = ""
    decode_s: float = 0.0


class Session(Protocol):
    """One utterance inside the engine process."""

    def feed(self, pcm: bytes) -> None:
        """Append audio: mono 16 kHz little-endian int16."""
        ...

    def partial(self, prefix: Sequence[HypothesisWord]) -> Hypothesis:
        """A cheap hypothesis of the audio so far that may be wrong at its tail.

        ``prefix`` are words agreed on already; an engine may take them as given.
        """
        ...

    def final(self) -> Hypothesis:
        """The exact hypothesis: what the engine gives offline for the same audio. Repeatable."""
        ...

    def advance(self, to_sample: int) -> None:
        """Forget committed audio before ``to_sample``; later positions keep their meaning."""
        ...

    def close(self) -> None:
        """Free what the session holds."""
        ...


class Engine(Protocol):
    """A loaded recogniser inside the engine process."""

    def load(self, progress: Callable[[str, int, int], None]) -> EngineInfo:
        """Load and warm up. ``progress(what, done_bytes, total_bytes)`` tells of a download.

        Raises:
            EngineError: with a ``kind`` of :class:`EngineError`.
        """
        ...

    def open(self, options: SessionOptions) -> Session:
        """Begin an utterance."""
        ...


class EngineError(VivavoceError):
    """An engine said that it cannot; the text is one line for the user.

    ``kind`` is one of ``model_not_found`` (not here, and cannot be fetched), ``model_corrupt``,
    ``missing_dependency``, ``bad_option``, ``decode`` (this audio failed; the engine lives on).
    """

    def __init__(self, message: str, kind: str = "decode") -> None:
        super().__init__(message)
        self.kind = kind


class EngineDied(VivavoceError):  # noqa: N818 - what happened, as in "the engine died"
    """The engine process ended on its own. ``returncode`` is negative for a signal."""

    def __init__(self, message: str, returncode: int | None) -> None:
        super().__init__(message)
        self.returncode = returncode
