"""A window of audio in faster-whisper: exact decodings, cheap partials."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from vivavoce.actors.transcription.engines.base import (
    EVERYTHING,
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    EngineError,
    Hypothesis,
    HypothesisWord,
    Request,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.guards import invented, looks_bad
from vivavoce.actors.transcription.engines.scripts import spaceless
from vivavoce.actors.transcription.engines.whisper_language import Language, with_language
from vivavoce.actors.transcription.engines.whisper_partial import PartialDecoder
from vivavoce.actors.transcription.engines.whisper_replicas import Lost

_SHORTEST = SAMPLE_RATE // 10
_WINDOWS = 4  # speech needs one or two, its end may need another
_SLOWEST_PROGRESS = 4 * SAMPLE_RATE
_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class WholeAudio:
    """A request for the audio up to ``end`` that is never abandoned."""

    def __init__(self, end: int, language: str | None = None) -> None:
        self.end = end
        self.language = language

    def check(self) -> None:
        """It is always wanted."""


class WhisperSession:
    """One window of at most 30 s.

    Args:
        model: a ``faster_whisper.WhisperModel`` over a ``BatchedWhisper``.
        options: how to decode.
        at: position of the first sample.
        batch: what is decoded at the same time is decoded together.
    """

    def __init__(
        self, model: Any, options: SessionOptions, at: int = 0, *, batch: bool = False
    ) -> None:
        self._model = model
        self._options = options
        self._batch = batch
        self._audio = np.zeros(4 * SAMPLE_RATE, dtype=np.float32)
        self._count = 0
        self._first = at  # position of the first sample that is kept
        self._closed = False
        self._changing = threading.Lock()  # requests are worked on in other threads
        self._detected: str | None = None  # for partials; an exact decoding finds out for itself
        self._partials: PartialDecoder | None = None
        self._partials_of: tuple[int, str | None] | None = None  # their first sample, language

    @property
    def heard(self) -> int:
        """The end of what was fed so far."""
        return self._first + self._count

    def feed(self, pcm: bytes) -> None:
        """Append audio. A view that another thread holds stays as it is."""
        fresh = np.frombuffer(pcm, dtype="<i2")
        with self._changing:
            needed = self._count + len(fresh)
            if needed > len(self._audio):
                grown = np.zeros(max(needed, 2 * len(self._audio)), dtype=np.float32)
                grown[: self._count] = self._audio[: self._count]
                self._audio = grown
            np.multiply(fresh, np.float32(1 / 32_768), out=self._audio[self._count : needed])
            self._count = needed

    def partial(self, request: Request, prefix: Sequence[str]) -> Hypothesis:
        """Decode greedily over the audio there is."""
        first, audio = self._heard(request)
        if len(audio) < _SHORTEST:
            return _placed(_empty(audio), first)
        self._model.model.begin(None, request.check, batch=False, most_windows=EVERYTHING)
        language = request.language or self._options.language or self._detected
        partials = self._partials
        if partials is None or self._partials_of != (first, language):
            options = msgspec.structs.replace(self._options, language=language)
            partials = self._partials = PartialDecoder(self._model, options)
            self._partials_of = (first, language)
        found = partials.decode(request, audio, prefix)
        self._detected = self._detected or partials.sure_language
        return _placed(found, first)

    def exact(self, request: Request, *, cheap: bool) -> Hypothesis:
        """What ``WhisperModel.transcribe`` gives for the whole window."""
        first, audio = self._heard(request)
        if len(audio) < _SHORTEST:
            return _placed(_empty(audio), first)
        with self._model.model.together() if self._batch else nullcontext():
            return _placed(self._exact(request, audio, cheap=cheap), first)

    def _exact(
        self, request: Request, audio: npt.NDArray[np.float32], *, cheap: bool
    ) -> Hypothesis:
        began = time.perf_counter()
        context = "trimmed" if cheap else self._options.final_context
        exact = _TEMPERATURES if self._options.temperature_fallback and not cheap else (0.0,)
        found = None
        if context != "full":
            temperatures = (0.0,) if context == "auto" else exact
            found = self._transcribe(request, audio, self._margin(), temperatures, cheap=cheap)
        if found is None or (
            context == "auto" and looks_bad(found.text, found.average_log_probability)
        ):
            found = self._transcribe(request, audio, None, exact, cheap=cheap)
        return _finished(found, len(audio) / SAMPLE_RATE, time.perf_counter() - began)

    def advance(self, to_sample: int) -> None:
        """Forget audio before ``to_sample``. A view that another thread holds stays as it is."""
        with self._changing:
            gone = min(max(0, to_sample - self._first), self._count)
            self._audio = self._audio[gone:].copy()
            self._count -= gone
            self._first += gone

    def close(self) -> None:
        """Free the audio; what is asked for now is refused."""
        with self._changing:
            self._closed = True
            self._audio = np.zeros(0, dtype=np.float32)
            self._count = 0
            self._partials = None

    # -- inside

    def _heard(self, request: Request) -> tuple[int, npt.NDArray[np.float32]]:
        """The first sample that is kept, and the audio from there to where it is asked for."""
        with self._changing:
            if self._closed:
                raise EngineError("the session was closed", "bad_option")
            return self._first, self._audio[: max(0, min(self._count, request.end - self._first))]

    def _margin(self) -> int:
        return self._options.context_margin // SAMPLES_PER_FRAME

    def _transcribe(
        self,
        request: Request,
        audio: npt.NDArray[np.float32],
        margin: int | None,
        temperatures: Sequence[float],
        *,
        cheap: bool,
    ) -> Hypothesis:
        """As faster-whisper; but where that gets nowhere (loud noise), in a single window.

        The language, where it is not given, is found out as faster-whisper does, but on the
        encoding of the first window instead of on one of its own.
        """
        options = self._options
        asked = request.language or options.language
        language = Language(self._model, asked, options.languages)
        windows = _WINDOWS + len(audio) // _SLOWEST_PROGRESS

        def transcribe(temperature: Sequence[float], **more: Any) -> list[Any]:
            segments, _ = self._model.transcribe(
                audio,
                task=options.task,
                language=language.code or "en",
                multilingual=language.code is None,  # it asks `detect_language` for each window
                beam_size=1 if cheap else options.beam_size,
                temperature=list(temperature),
                word_timestamps=True,  # sentences are made of words, whoever wants their times
                initial_prompt=options.initial_prompt,
                hotwords=options.hotwords,
                condition_on_previous_text=False,
                vad_filter=False,
                **more,
            )
            return list(segments)

        begin = partial(
            self._model.model.begin, margin, request.check, batch=self._batch, language=language
        )
        begin(most_windows=windows)
        try:
            found = transcribe(temperatures)
        except Lost:
            begin(most_windows=EVERYTHING)
            found = transcribe((0.0,), without_timestamps=True)
        if language.heard:
            self._detected = language.code
        hypothesis = self._hypothesis(found, audio) if found else _empty(audio)
        return with_language(hypothesis, language, options.task)

    def _hypothesis(self, found: Sequence[Any], audio: npt.NDArray[np.float32]) -> Hypothesis:
        """The segments of faster-whisper as one text; their figures weigh by their length."""
        words = [word for segment in found for word in segment.words or ()]
        # A segment may have no length at all; its figures count all the same.
        weights = [max(0.01, segment.end - segment.start) for segment in found]

        def mean(value: Callable[[Any], float]) -> float:
            weighed = (value(s) * weight for s, weight in zip(found, weights, strict=True))
            return float(sum(weighed) / sum(weights))

        log_probability = mean(lambda s: float(s.avg_logprob))
        return Hypothesis(
            text="".join(segment.text for segment in found).strip(),
            words=tuple(self._word(word, len(audio)) for word in _whole_words(words)),
            samples=len(audio),
            confidence=min(1.0, math.exp(min(0.0, log_probability))),
            no_speech_probability=mean(lambda s: float(s.no_speech_prob)),
            average_log_probability=log_probability,
            compression_ratio=max(float(s.compression_ratio) for s in found),
        )

    def _word(self, word: Any, limit: int) -> HypothesisWord:
        def position(seconds: float) -> int:
            return min(limit, max(0, round(seconds * SAMPLE_RATE)))

        return HypothesisWord(
            text=word.word.strip(),
            start=position(word.start),
            end=position(word.end),
            probability=float(word.probability),
        )


def _whole_words(pieces: Sequence[Any]) -> list[Any]:
    """Words of a script with spaces, each whole: faster-whisper divides " o'clock" in two."""
    words: list[Any] = []
    for piece in pieces:
        goes_on = words and not piece.word.startswith(" ") and not spaceless(piece.word.strip()[:1])
        if not goes_on:
            words.append(piece)
            continue
        last = words[-1]
        words[-1] = replace(
            last,
            word=last.word + piece.word,
            end=max(last.end, piece.end),
            probability=min(last.probability, piece.probability),
        )
    return words


def _empty(audio: npt.NDArray[np.float32]) -> Hypothesis:
    return Hypothesis(text="", samples=len(audio), no_speech_probability=1.0)


def _placed(found: Hypothesis, first: int) -> Hypothesis:
    """The same in samples since capture began, where its audio begins at ``first``."""
    words = tuple(
        msgspec.structs.replace(word, start=first + word.start, end=first + word.end)
        for word in found.words
    )
    return msgspec.structs.replace(found, words=words, samples=first + found.samples)


def _finished(found: Hypothesis, seconds: float, decode_s: float) -> Hypothesis:
    """The hypothesis with its working time; without text where that was invented."""
    if invented(
        found.text,
        seconds=seconds,
        no_speech_probability=found.no_speech_probability,
        average_log_probability=found.average_log_probability,
        word_probabilities=[word.probability for word in found.words],
    ):
        return msgspec.structs.replace(
            found, text="", words=(), confidence=0.0, decode_s=decode_s, invented=True
        )
    return msgspec.structs.replace(found, decode_s=decode_s)
