"""faster-whisper on CTranslate2: exact finals, cheap partials."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.actors.transcription.engines.base import (
    EngineError,
    EngineInfo,
    EngineSpec,
    Hypothesis,
    HypothesisWord,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.whisper_files import find_model

_RATE = 16_000
_SHORTEST = _RATE // 10
_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_MARGIN_FRAMES = 256  # 128 encoder positions, 2.56 s: safe in whisper.cpp issue 1855
_WINDOW_FRAMES = 3_000
_TOKENS_PER_SECOND = 8  # fast speech has about 4 words a second
_BAD_COMPRESSION = 2.4
_BAD_LOG_PROBABILITY = -1.0


class FasterWhisperEngine:
    """A loaded ``faster_whisper.WhisperModel``."""

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self._model: Any = None

    def load(self, progress: Callable[[str, int, int], None]) -> EngineInfo:
        """Find (or fetch), load and warm up the model.

        Raises:
            EngineError: ``model_not_found``, ``model_corrupt`` or ``missing_dependency``.
        """
        try:
            import ctranslate2
            import faster_whisper
        except ImportError as error:
            raise EngineError(
                f"faster-whisper cannot be used ({error}): run `pip install faster-whisper`",
                "missing_dependency",
            ) from error
        folder = find_model(self._spec.model, offline=self._spec.offline, progress=progress)
        began = time.perf_counter()
        notes: list[str] = []
        for device in _devices(self._spec.device, ctranslate2.get_cuda_device_count()):
            compute_type = _compute_type(self._spec.compute_type, device)
            try:
                self._model = faster_whisper.WhisperModel(
                    str(folder),
                    device=device,
                    compute_type=compute_type,
                    cpu_threads=self._spec.threads or len(os.sched_getaffinity(0)),
                    local_files_only=True,
                )
                loaded = time.perf_counter()
                self._warm_up()
                break
            except Exception as error:
                if device == "cuda" and self._spec.device == "auto":
                    notes.append(f"CUDA was found but does not work, so the CPU is used: {error}")
                    continue
                reason = " ".join(str(error).split())
                raise EngineError(
                    f"the model in {folder} cannot be loaded ({reason}): fetch or convert it anew",
                    "model_corrupt",
                ) from error
        return EngineInfo(
            engine="faster-whisper",
            model=self._spec.model,
            device=device,
            compute_type=compute_type,
            streams_natively=False,
            load_s=loaded - began,
            warm_up_s=time.perf_counter() - loaded,
            notes=tuple(notes),
        )

    def open(self, options: SessionOptions) -> FasterWhisperSession:
        """Begin an utterance."""
        return FasterWhisperSession(self._model, options)

    def _warm_up(self) -> None:
        session = FasterWhisperSession(self._model, SessionOptions(beam_size=1, language="en"))
        session.feed(bytes(2 * _RATE))
        session.partial(())
        session.final()


class FasterWhisperSession:
    """One utterance of at most 30 s."""

    def __init__(self, model: Any, options: SessionOptions) -> None:
        self._model = model
        self._options = options
        self._audio = np.zeros(4 * _RATE, dtype=np.float32)
        self._count = 0
        self._first = 0  # position of the first sample that is kept
        self._language = options.language

    def feed(self, pcm: bytes) -> None:
        """Append audio."""
        fresh = np.frombuffer(pcm, dtype="<i2")
        needed = self._count + len(fresh)
        if needed > len(self._audio):
            grown = np.zeros(max(needed, 2 * len(self._audio)), dtype=np.float32)
            grown[: self._count] = self._audio[: self._count]
            self._audio = grown
        np.multiply(fresh, np.float32(1 / 32_768), out=self._audio[self._count : needed])
        self._count = needed

    def partial(self, prefix: Sequence[HypothesisWord]) -> Hypothesis:
        """Decode greedily over the audio there is; the full window when that looks bad."""
        began = time.perf_counter()
        if self._count < _SHORTEST:
            return self._empty()
        if self._language is None and self._model.model.is_multilingual:
            return self._transcribe(began, beam_size=1, temperature=0.0, word_timestamps=False)
        found = self._trimmed(began)
        if found is None:
            return self._transcribe(began, beam_size=1, temperature=0.0, word_timestamps=False)
        return found

    def final(self) -> Hypothesis:
        """What ``WhisperModel.transcribe`` gives for the whole utterance."""
        began = time.perf_counter()
        if self._count < _SHORTEST:
            return self._empty()
        return self._transcribe(
            began,
            beam_size=self._options.beam_size,
            temperature=_TEMPERATURES if self._options.temperature_fallback else 0.0,
            word_timestamps=self._options.word_times,
        )

    def advance(self, to_sample: int) -> None:
        """Forget audio before ``to_sample``."""
        gone = min(max(0, to_sample - self._first), self._count)
        self._audio = self._audio[gone:].copy()
        self._count -= gone
        self._first += gone

    def close(self) -> None:
        """Free the audio."""
        self._audio = np.zeros(0, dtype=np.float32)
        self._count = 0

    # -- inside

    def _heard(self) -> npt.NDArray[np.float32]:
        return self._audio[: self._count]

    def _empty(self) -> Hypothesis:
        return Hypothesis(text="", samples=self._first + self._count, no_speech_probability=1.0)

    def _transcribe(self, began: float, **how: Any) -> Hypothesis:
        options = self._options
        segments, info = self._model.transcribe(
            self._heard(),
            language=self._language,
            initial_prompt=options.initial_prompt,
            hotwords=options.hotwords,
            condition_on_previous_text=False,
            vad_filter=False,
            **how,
        )
        found = list(segments)
        self._language = self._language or info.language
        if not found:
            return self._empty()
        words = [word for segment in found for word in segment.words or ()]
        seconds = sum(segment.end - segment.start for segment in found) or 1.0

        def mean(value: Callable[[Any], float]) -> float:
            return float(sum(value(s) * (s.end - s.start) for s in found) / seconds)

        log_probability = mean(lambda s: float(s.avg_logprob))
        return Hypothesis(
            text="".join(segment.text for segment in found).strip(),
            words=tuple(self._word(word) for word in words),
            samples=self._first + self._count,
            confidence=min(1.0, math.exp(min(0.0, log_probability))),
            no_speech_probability=mean(lambda s: float(s.no_speech_prob)),
            average_log_probability=log_probability,
            compression_ratio=max(float(s.compression_ratio) for s in found),
            language=info.language,
            decode_s=time.perf_counter() - began,
        )

    def _word(self, word: Any) -> HypothesisWord:
        limit = self._count

        def position(seconds: float) -> int:
            return self._first + min(limit, max(0, round(seconds * _RATE)))

        return HypothesisWord(
            text=word.word.strip(),
            start=position(word.start),
            end=position(word.end),
            probability=float(word.probability),
        )

    def _trimmed(self, began: float) -> Hypothesis | None:
        """Greedy decoding over an encoder context cut to the audio; None when it looks bad.

        Whisper's encoder is trained on 30 s windows. Cut to the audio it is many times cheaper, but
        can make the decoder loop; a margin of silence, a cap on tokens and the checks of Whisper's
        own fallback (compression ratio, log-probability) guard against that.
        """
        import ctranslate2
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_compression_ratio, get_suppressed_tokens

        model = self._model
        tokenizer = Tokenizer(
            model.hf_tokenizer,
            model.model.is_multilingual,
            task="transcribe",
            language=self._language or "en",
        )
        features = model.feature_extractor(self._heard())[:, :-1]
        frames = min(_WINDOW_FRAMES, features.shape[1] + _MARGIN_FRAMES)
        frames -= frames % 2
        window = np.zeros((features.shape[0], frames), dtype=np.float32)
        used = min(frames, features.shape[1])
        window[:, :used] = features[:, :used]
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True)
        result = model.model.generate(
            ctranslate2.StorageView.from_array(window[np.newaxis]),
            [prompt],
            beam_size=1,
            max_length=len(prompt) + 8 + _TOKENS_PER_SECOND * self._count // _RATE,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        )[0]
        tokens = result.sequences_ids[0]
        text = tokenizer.decode(tokens).strip()
        log_probability = result.scores[0]
        if not text:
            return self._empty()
        compression = get_compression_ratio(text)
        if compression > _BAD_COMPRESSION or log_probability < _BAD_LOG_PROBABILITY:
            return None
        return Hypothesis(
            text=text,
            samples=self._first + self._count,
            confidence=min(1.0, math.exp(min(0.0, log_probability))),
            no_speech_probability=float(result.no_speech_prob),
            average_log_probability=log_probability,
            compression_ratio=compression,
            language=self._language or "en",
            decode_s=time.perf_counter() - began,
        )


def _devices(wanted: str, cuda_devices: int) -> list[str]:
    """The devices to try, in order."""
    if wanted != "auto":
        return [wanted]
    return ["cuda", "cpu"] if cuda_devices else ["cpu"]


def _compute_type(wanted: str, device: str) -> str:
    if wanted != "auto":
        return wanted
    return "float16" if device == "cuda" else "int8"
