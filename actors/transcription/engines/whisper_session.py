"""An utterance in faster-whisper: exact finals, cheap partials."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
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
from vivavoce.actors.transcription.engines.whisper_partial import PartialDecoder
from vivavoce.actors.transcription.engines.whisper_replicas import Lost

_SHORTEST = SAMPLE_RATE // 10
_WINDOWS = 4  # speech needs one or two, its end may need another
_SLOWEST_PROGRESS = 4 * SAMPLE_RATE
_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class WholeAudio:
    """A request that covers ``samples`` of the session and is never abandoned."""

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def check(self) -> None:
        """It is always wanted."""


class WhisperSession:
    """One utterance of at most 30 s.

    Args:
        model: a ``faster_whisper.WhisperModel`` over a ``SplitWhisper``.
        options: how to decode.
        batch: finals that are decoded at the same time are decoded together.
    """

    def __init__(self, model: Any, options: SessionOptions, *, batch: bool = False) -> None:
        self._model = model
        self._options = options
        self._batch = batch
        self._audio = np.zeros(4 * SAMPLE_RATE, dtype=np.float32)
        self._count = 0
        self._first = 0  # position of the first sample that is kept
        self._closed = False
        self._language = options.language  # of partials; a final finds it out for itself
        self._partials: PartialDecoder | None = None

    @property
    def heard(self) -> int:
        """Samples that were fed so far."""
        return self._first + self._count

    def feed(self, pcm: bytes) -> None:
        """Append audio. A view that another thread holds stays as it is."""
        fresh = np.frombuffer(pcm, dtype="<i2")
        needed = self._count + len(fresh)
        if needed > len(self._audio):
            grown = np.zeros(max(needed, 2 * len(self._audio)), dtype=np.float32)
            grown[: self._count] = self._audio[: self._count]
            self._audio = grown
        np.multiply(fresh, np.float32(1 / 32_768), out=self._audio[self._count : needed])
        self._count = needed

    def partial(self, request: Request, prefix: Sequence[str], *, times: bool) -> Hypothesis:
        """Decode greedily over the audio there is."""
        audio = self._heard(request)
        if len(audio) < _SHORTEST:
            return self._empty(audio)
        self._model.model.begin(None, request.check, batch=False, most_windows=EVERYTHING)
        if self._language is None and self._model.model.is_multilingual:
            self._language = self._model.detect_language(audio)[0]
        if self._partials is None:
            self._partials = PartialDecoder(
                self._model,
                msgspec.structs.replace(self._options, language=self._language),
            )
        found = self._partials.decode(request, audio, prefix, times=times)
        return _shifted(found, self._first) if self._first else found

    def final(self, request: Request, previous: str, *, cheap: bool) -> Hypothesis:
        """What ``WhisperModel.transcribe`` gives for the whole utterance."""
        with self._model.model.together() if self._batch else nullcontext():
            return self._final(request, previous, cheap=cheap)

    def _final(self, request: Request, previous: str, *, cheap: bool) -> Hypothesis:
        began = time.perf_counter()
        audio = self._heard(request)
        if len(audio) < _SHORTEST:
            return self._empty(audio)
        context = "trimmed" if cheap else self._options.final_context
        exact = _TEMPERATURES if self._options.temperature_fallback and not cheap else (0.0,)
        found = None
        if context != "full":
            temperatures = (0.0,) if context == "auto" else exact
            found = self._transcribe(
                request, audio, previous, self._margin(), temperatures, cheap=cheap
            )
        if found is None or (
            context == "auto" and looks_bad(found.text, found.average_log_probability)
        ):
            found = self._transcribe(request, audio, previous, None, exact, cheap=cheap)
        return _finished(found, len(audio) / SAMPLE_RATE, time.perf_counter() - began)

    def advance(self, to_sample: int) -> None:
        """Forget audio before ``to_sample``; partials begin anew behind it."""
        gone = min(max(0, to_sample - self._first), self._count)
        self._audio = self._audio[gone:].copy()
        self._count -= gone
        self._first += gone
        self._partials = None

    def close(self) -> None:
        """Free the audio; what is asked for now is refused."""
        self._closed = True
        self._audio = np.zeros(0, dtype=np.float32)
        self._count = 0
        self._partials = None

    # -- inside

    def _heard(self, request: Request) -> npt.NDArray[np.float32]:
        if self._closed:
            raise EngineError("the session was closed", "bad_option")
        return self._audio[: max(0, min(self._count, request.samples - self._first))]

    def _empty(self, audio: npt.NDArray[np.float32]) -> Hypothesis:
        return Hypothesis(text="", samples=self._first + len(audio), no_speech_probability=1.0)

    def _margin(self) -> int:
        return self._options.context_margin // SAMPLES_PER_FRAME

    def _transcribe(
        self,
        request: Request,
        audio: npt.NDArray[np.float32],
        previous: str,
        margin: int | None,
        temperatures: Sequence[float],
        *,
        cheap: bool,
    ) -> Hypothesis:
        """As faster-whisper; but where that gets nowhere (loud noise), in a single window."""
        options = self._options
        windows = _WINDOWS + len(audio) // _SLOWEST_PROGRESS

        def transcribe(temperature: Sequence[float], **more: Any) -> tuple[list[Any], Any]:
            segments, info = self._model.transcribe(
                audio,
                language=options.language,
                beam_size=1 if cheap else options.beam_size,
                temperature=list(temperature),
                word_timestamps=options.word_times and not cheap,
                initial_prompt=" ".join(filter(None, (options.initial_prompt, previous))) or None,
                hotwords=options.hotwords,
                condition_on_previous_text=False,
                vad_filter=False,
                **more,
            )
            return list(segments), info

        model = self._model.model
        model.begin(margin, request.check, batch=self._batch, most_windows=windows)
        try:
            found, info = transcribe(temperatures)
        except Lost:
            model.begin(margin, request.check, batch=self._batch, most_windows=EVERYTHING)
            found, info = transcribe((0.0,), without_timestamps=True)
        return self._hypothesis(found, info.language, audio) if found else self._empty(audio)

    def _hypothesis(
        self, found: Sequence[Any], language: str, audio: npt.NDArray[np.float32]
    ) -> Hypothesis:
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
            words=tuple(self._word(word, len(audio)) for word in words),
            samples=self._first + len(audio),
            confidence=min(1.0, math.exp(min(0.0, log_probability))),
            no_speech_probability=mean(lambda s: float(s.no_speech_prob)),
            average_log_probability=log_probability,
            compression_ratio=max(float(s.compression_ratio) for s in found),
            language=language,
        )

    def _word(self, word: Any, limit: int) -> HypothesisWord:
        def position(seconds: float) -> int:
            return self._first + min(limit, max(0, round(seconds * SAMPLE_RATE)))

        return HypothesisWord(
            text=word.word.strip(),
            start=position(word.start),
            end=position(word.end),
            probability=float(word.probability),
        )


def _finished(found: Hypothesis, seconds: float, decode_s: float) -> Hypothesis:
    """The final with its working time; without text where that was invented."""
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


def _shifted(found: Hypothesis, by: int) -> Hypothesis:
    """Positions counted from the session's first sample, where audio was forgotten."""
    words = tuple(
        msgspec.structs.replace(word, start=word.start + by, end=word.end + by)
        for word in found.words
    )
    return msgspec.structs.replace(found, words=words, samples=found.samples + by)
