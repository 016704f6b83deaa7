"""The open window of a stretch: what was heard of it and has no final yet. Pure.

A stretch is speech with its pauses; a long silence, a release, a gap or the end closes it. Of a
window that is decoded, the first sentences become finals, and the window moves on behind them. All
positions are samples since capture began.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec
import numpy as np

from vivavoce.actors.transcription.agreement import bare
from vivavoce.actors.transcription.engines.base import Hypothesis, HypothesisWord
from vivavoce.actors.transcription.language import LanguagePolicy
from vivavoce.actors.transcription.settle import Pause, Sentence, Settled, longest_pause
from vivavoce.actors.transcription.shown import Shown
from vivavoce.pipeline.messages import (
    SAMPLE_RATE,
    EndReason,
    Gap,
    GapReason,
    Pcm,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    seconds,
)

LONGEST = 28 * SAMPLE_RATE
"""A window that is longer is behind. In Whisper's own 30 s there is room for what is said while it
is decoded."""

_FRAME = SAMPLE_RATE * 32 // 1_000  # of the VAD: it is decided at its end that speech resumed
_LATE = 4 * SAMPLE_RATE
_SURE = SAMPLE_RATE
"""Words that end so far before the end of an exact decoding stay as they are."""


class Span(msgspec.Struct, frozen=True):
    """``[start, end)``."""

    start: int
    end: int


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """An exact decoding of ``[start, end)``, without the words that are settled already.

    ``dropped`` is speech for which no words were found, or whose words were taken out as invented.
    """

    start: int
    end: int
    words: tuple[HypothesisWord, ...]
    hypothesis: Hypothesis
    began: float
    speculative: bool = False
    dropped: tuple[Span, ...] = ()


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that waits to be emitted: what it was decoded in, the words that were shown as
    stable of it, when it could be decided, and whether it is the last of its stretch."""

    sentence: Sentence
    decoded: Decoded
    stable: tuple[str, ...]
    since: float
    last: bool

    @property
    def start(self) -> int:
        """Where the sentence begins."""
        return self.sentence.start


class Window:
    """Keeps the audio until the finals are out, so that an engine that died can hear it again.

    Args:
        key: names its session in an engine.
        start: the sample it begins with.

    Attributes:
        start: where what is to be decoded begins.
        begin: where what is not settled begins: earlier, where the beginning of a sentence is kept
            as it was decoded (``begun``).
        stretch_start: where the stretch began.
        pauses: that ended, or that end the stretch.
        quiet_from: since which sample nobody speaks; None: somebody does.
        quiet_since: when that was, on the clock.
        ended, ended_at: how and when the stretch ended.
        cancelled: the speaker took back what has no final yet.
        tried: up to where it was decoded exactly.
        failed: up to where the engine failed at it too often.
        decoded: the last exact decoding, as far as it is not settled.
        ready: sentences that are settled and not emitted, and what was lost between them.
        shown: what people see of it.
        language: what is known of its language, where it finds out for itself.
        language_until: up to where that was told what is spoken.
    """

    def __init__(self, key: int, start: int) -> None:
        self.key = key
        self.start = self.begin = self.stretch_start = self.tried = start
        self.failed = -1
        self.begun: tuple[HypothesisWord, ...] = ()
        self._begun_dropped: tuple[Span, ...] = ()  # speech among those
        self.expected = ""  # the word behind those, as it was written in their window
        self.pauses: list[Pause] = []
        self.quiet_from: int | None = None
        self.quiet_since = 0.0
        self.ended: SpeechEnded | None = None
        self.ended_at = 0.0
        self.cancelled = False
        self.decoded: Decoded | None = None
        self.ready: deque[Ready | Gap] = deque()
        self.shown = Shown()
        self.language: LanguagePolicy | None = None
        self.language_until = start
        self._audio = bytearray()

    # -- what was heard

    @property
    def heard(self) -> int:
        """Index one past the last sample that is kept."""
        return self.start + len(self._audio) // 2

    @property
    def all_settled(self) -> bool:
        """Whether nothing of the stretch is left to decode."""
        return self.ended is not None and self.begin >= self.ended.end

    @property
    def all_out(self) -> bool:
        """Whether nothing of the stretch is left to emit."""
        return self.all_settled and not self.ready

    def append(self, message: SpeechAudio) -> None:
        """Keep the next audio.

        Raises:
            ValueError: it does not begin where the audio before it ended.
        """
        if message.start != self.heard:
            raise ValueError(
                f"speech was heard up to {self.heard}, but the next audio starts at {message.start}"
            )
        self._audio += message.pcm.tobytes()

    def pause(self, message: SpeechPaused, now: float) -> None:
        """Nobody has spoken since ``message.end``."""
        self.quiet_from = message.end
        self.quiet_since = now - seconds(message.at - message.end)

    def resume(self, message: SpeechResumed) -> None:
        """It was only a pause."""
        if self.quiet_from is not None:
            end = max(self.quiet_from, message.at - _FRAME)
            self.pauses.append(Pause(self.quiet_from, end))
        self.quiet_from = None

    def end(self, message: SpeechEnded, now: float) -> None:
        """The stretch is over at ``message.end``; what was sent beyond is forgotten."""
        self.ended, self.ended_at = message, now
        del self._audio[2 * max(0, message.end - self.start) :]
        if self.quiet_from is not None and self.quiet_from < message.end:
            self.pauses.append(Pause(self.quiet_from, message.end))

    def audio(self, begin: int, end: int) -> bytes:
        """Its audio, little-endian int16: ``[begin, end)``, or what there is of it."""
        return bytes(self._audio[2 * max(0, begin - self.start) : 2 * max(0, end - self.start)])

    def pcm(self, begin: int, end: int) -> Pcm:
        """The same as an array, ``(samples,)`` int16."""
        return np.frombuffer(self.audio(begin, end), dtype="<i2")

    def full_at(self, longest: int) -> int | None:
        """Where a window that has become too long is decoded up to; None: it has not.

        That is the longest pause of its last seconds, if there is one. What is heard behind makes
        no difference, so that a recording gives the same windows at any pace.
        """
        limit = self.start + longest
        if (self.ended.end if self.ended else self.heard) <= limit or self.heard < limit:
            return None
        return longest_pause(self.pauses, limit - _LATE, limit) or limit

    # -- what becomes of it

    def move_on(self, decoded: Decoded, settled: Settled, since: float) -> None:
        """Some sentences are settled, which wait to be emitted from now on.

        Args:
            decoded: what they come from.
            settled: the sentences, and where the window begins behind them.
            since: when they could be decided.
        """
        stable = self.shown.move_on(
            [sentence.text.split() for sentence in settled.sentences],
            [word.text for word in settled.rest],
            sum(word.end <= decoded.end - _SURE for word in settled.rest),
            decoded.end,
        )
        done = (
            self.ended is not None
            and settled.rest_from >= self.ended.end
            and self.ended.reason is not EndReason.MAX_LENGTH  # else the stretch goes on
        )
        for number, (sentence, words) in enumerate(
            zip(settled.sentences, stable, strict=True), start=1
        ):
            last = done and number == len(settled.sentences)
            self.ready.append(
                Ready(sentence=sentence, decoded=decoded, stable=words, since=since, last=last)
            )
        self.begin = settled.rest_from
        self._forget(settled.decode_from)
        self.begun = settled.rest[: settled.begun]
        self._begun_dropped = tuple(
            Span(span.start, min(span.end, self.start))
            for span in decoded.dropped
            if self.begin <= span.start < self.start
        )
        self.expected = settled.rest[settled.begun].text if self._goes_on(settled) else ""
        self.decoded = msgspec.structs.replace(decoded, words=settled.rest)

    def _goes_on(self, settled: Settled) -> bool:
        return 0 < settled.begun < len(settled.rest)

    def whole(self, decoded: Decoded) -> Decoded:
        """A decoding of the window with the beginning of its sentence before it.

        The first word is written as it was there: whoever hears a sentence from its middle begins
        it with a capital. A word that both have was put on the wrong side of the pause there.
        """
        decoded = msgspec.structs.replace(decoded, dropped=(*self._begun_dropped, *decoded.dropped))
        if not self.begun:
            return decoded
        begun, words = self.begun, decoded.words
        first = bare(words[0].text) if words else ""
        if first and first == bare(self.expected):
            words = (msgspec.structs.replace(words[0], text=self.expected), *words[1:])
        elif first and first == bare(begun[-1].text):
            words = (msgspec.structs.replace(words[0], text=begun[-1].text), *words[1:])
            begun = begun[:-1]
        return msgspec.structs.replace(
            decoded,
            start=min(decoded.start, self.begin),
            words=(*begun, *words),
        )

    def lose(self, end: int, reason: GapReason) -> None:
        """What was heard before ``end`` cannot be decoded."""
        self.ready.append(Gap(start=self.begin, end=end, reason=reason))
        self.begin, self.begun, self._begun_dropped, self.decoded = end, (), (), None
        self._forget(end)
        self.shown = Shown()

    def _forget(self, end: int) -> None:
        del self._audio[: 2 * (end - self.start)]
        self.start = end
        self.pauses = [pause for pause in self.pauses if pause.end > self.begin]

    def pauses_within(self, end: int) -> Sequence[Pause]:
        """Those that begin before ``end``."""
        return [pause for pause in self.pauses if pause.start < end]

    def speech_until(self, end: int) -> list[Span]:
        """Where the VAD heard speech in the window before ``end``."""
        spans, at = [], self.start
        for pause in self.pauses_within(end):
            if pause.end <= at:
                continue
            if pause.start > at:
                spans.append(Span(at, pause.start))
            at = max(at, pause.end)
        if self.quiet_from is not None and self.ended is None:
            end = min(end, self.quiet_from)
        if end > at:
            spans.append(Span(at, end))
        return spans
