"""What an engine is: the interface inside the engine process and the plain data that crosses it.

This module is imported by both sides, so it imports nothing heavy. All positions are samples at
16 kHz since capture began.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from vivavoce.config.errors import VivavoceError

SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = 160
"""A frame of the log-mel spectrogram: 10 ms."""

EVERYTHING = 2**62
"""As the end of what is asked for: all that was fed."""


class EngineSpec(Struct, frozen=True, kw_only=True):
    """Which engine to load and how; the profile's ``transcription`` section, resolved.

    ``model`` is a name (fetched once, then cached) or a directory; ``offline`` forbids fetching;
    ``threads`` 0 is one per core; ``side_by_side`` is how many exact decodings it is asked for at
    once; ``batch``: those are decoded as one batch, by default where the device gains from it;
    ``background`` lets every other process go first.
    """

    engine: str
    model: str = ""
    task: str = "transcribe"
    language: str | None = None
    languages: tuple[str, ...] = ()
    device: str = "auto"
    compute_type: str = "auto"
    threads: int = 0
    offline: bool = False
    side_by_side: int = 1
    batch: bool | None = None
    background: bool = False


class EngineInfo(Struct, frozen=True, kw_only=True):
    """What was loaded. ``notes`` are lines for the user, such as why CUDA was not used.

    ``multilingual``: where it is not told the language, it finds that out.
    """

    engine: str
    model: str
    device: str
    compute_type: str
    streams_natively: bool
    multilingual: bool = False
    load_s: float
    warm_up_s: float
    notes: tuple[str, ...] = ()


class SessionOptions(Struct, frozen=True, kw_only=True):
    """How one window of audio is decoded.

    ``beam_size`` and ``temperature_fallback`` concern exact decodings. The contexts
    are ``trimmed``, ``full`` or ``auto``; ``context_margin`` is what a trimmed one keeps beyond the
    audio, in samples. ``task`` is ``transcribe``, or ``translate`` into English. Without a
    ``language`` it is found out, among ``languages`` where there are some.
    """

    task: str = "transcribe"
    language: str | None = None
    languages: tuple[str, ...] = ()
    final_context: str = "full"
    partial_context: str = "auto"
    context_margin: int = 40_960
    beam_size: int = 5
    temperature_fallback: bool = True
    initial_prompt: str | None = None
    hotwords: str | None = None


class HypothesisWord(Struct, frozen=True, kw_only=True):
    """A word with its interval in samples since capture began; probability in [0, 1]."""

    text: str
    start: int
    end: int
    probability: float


class Hypothesis(Struct, frozen=True, kw_only=True):
    """What an engine makes of the audio so far.

    ``samples`` is the end of the audio that it covers, ``stable_words`` how many leading words the
    engine itself calls settled (0 for engines that do not know), ``decode_s`` its own working time.
    ``probabilities`` belong to the words of ``text`` as white space separates them; a partial may
    have them instead of ``words``. Log-probability, compression ratio and no-speech probability are
    0 where an engine has none. ``language`` is that of the text. ``heard`` is the language that the
    speech is most probably in, with its ``language_probability``, where that was found out; else
    empty, and 0. ``invented``: there was a text, which is left out as a hallucination
    on silence or noise.
    """

    text: str
    words: tuple[HypothesisWord, ...] = ()
    probabilities: tuple[float, ...] = ()
    samples: int = 0
    stable_words: int = 0
    confidence: float = 0.0
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    compression_ratio: float = 0.0
    language: str = ""
    heard: str = ""
    language_probability: float = 0.0
    decode_s: float = 0.0
    invented: bool = False


class Request(Protocol):
    """What is asked of a session: the audio to cover, and whether the answer is still wanted.

    ``end`` is the end of the audio to cover; audio beyond it may have been fed already.
    ``language`` is the code of the one that is spoken; None: as the session's options say.
    ``check`` raises :class:`Abandoned` when nobody waits any more; an engine calls it between the
    steps of its work.
    """

    end: int
    language: str | None

    def check(self) -> None: ...


class Session(Protocol):
    """One window of audio inside the engine process.

    ``feed`` may run in one thread while a hypothesis is made in another. Where the engine says that
    it is ``concurrent``, so may ``partial``, ``exact`` and ``close``.
    """

    @property
    def heard(self) -> int:
        """The end of what was fed so far."""
        ...

    def feed(self, pcm: bytes) -> None:
        """Append audio: mono 16 kHz little-endian int16."""
        ...

    def partial(self, request: Request, prefix: Sequence[str]) -> Hypothesis:
        """A cheap hypothesis that may be wrong at its tail.

        ``prefix`` are words agreed on already, the first of the window; an engine may take them as
        given.
        """
        ...

    def exact(self, request: Request, *, cheap: bool) -> Hypothesis:
        """The exact hypothesis: what the engine gives offline for the same audio. Repeatable.

        ``cheap``: the engine cannot keep up; greedy and without whatever else costs time.
        """
        ...

    def advance(self, to_sample: int) -> None:
        """Forget audio before ``to_sample``: the window begins there now."""
        ...

    def close(self) -> None:
        """Free what the session holds."""
        ...


class Engine(Protocol):
    """A loaded recogniser inside the engine process.

    ``concurrent`` says whether partials and exact decodings may run side by side,
    ``side_by_side`` how many exact ones may. A call that holds Python's lock for seconds is taken
    for a hang: whatever works long in native code must release it.
    """

    concurrent: bool
    side_by_side: int

    def load(self, progress: Callable[[str, int, int], None]) -> EngineInfo:
        """Load and warm up. ``progress(what, done_bytes, total_bytes)`` tells of a download.

        Raises:
            EngineError: with a ``kind`` of :class:`EngineError`.
        """
        ...

    def open(self, options: SessionOptions, at: int) -> Session:
        """Begin a window whose first sample is ``at``."""
        ...


class EngineError(VivavoceError):
    """An engine said that it cannot; the text is one line for the user.

    ``kind`` is one of ``model_not_found`` (not here, and cannot be fetched), ``model_corrupt``,
    ``missing_dependency``, ``bad_option``, ``decode`` (this audio failed; the engine lives on),
    ``abandoned`` (the request was cancelled).
    """

    def __init__(self, message: str, kind: str = "decode") -> None:
        super().__init__(message)
        self.kind = kind


class Abandoned(EngineError):  # noqa: N818 - what happened to the request
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__("nobody waits for this any more", "abandoned")


class EngineDied(VivavoceError):  # noqa: N818 - what happened, as in "the engine died"
    """The engine process ended, by itself or because it hung; ``returncode`` < 0 for a signal."""

    def __init__(self, message: str, returncode: int | None) -> None:
        super().__init__(message)
        self.returncode = returncode
