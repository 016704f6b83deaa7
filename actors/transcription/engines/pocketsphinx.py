"""The bundled engine: pocketsphinx with its own English model. No download, modest accuracy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from vivavoce.actors.transcription.engines.base import (
    EngineError,
    EngineInfo,
    EngineSpec,
    Hypothesis,
    HypothesisWord,
    Request,
    SessionOptions,
)

_SAMPLES_PER_FRAME = 160
_SHORTEST_BYTES = 2 * 1_600
_NOT_SPOKEN = ("<", "[", "+")  # <s>, <sil>, [NOISE], ++BREATH++


class PocketSphinxEngine:
    """pocketsphinx, streaming natively.

    Raises:
        EngineError: ``missing_dependency`` or ``bad_option`` (a language other than English).
    """

    concurrent = False
    side_by_side = 1

    def __init__(self, spec: EngineSpec) -> None:
        if {spec.language or "en", *spec.languages} != {"en"} or spec.task != "transcribe":
            raise EngineError(
                f"pocketsphinx has no model for language {spec.language!r}, only for English: "
                "set transcription.engine to faster-whisper",
                "bad_option",
            )

    def load(self, progress: Callable[[str, int, int], None]) -> EngineInfo:
        """Load the bundled model."""
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise EngineError(
                "pocketsphinx is not installed: run `pip install pocketsphinx`",
                "missing_dependency",
            ) from error
        began = time.perf_counter()
        # Two decoders: a final at a pause must not disturb the partials if speech goes on.
        self._live = Decoder(samprate=16_000, loglevel="FATAL")
        self._exact = Decoder(samprate=16_000, loglevel="FATAL")
        return EngineInfo(
            engine="pocketsphinx",
            model="en-us",
            device="cpu",
            compute_type="int16",
            streams_natively=True,
            load_s=time.perf_counter() - began,
            warm_up_s=0.0,
        )

    def open(self, options: SessionOptions, at: int) -> PocketSphinxSession:
        """Begin a window whose first sample is ``at``."""
        return PocketSphinxSession(self._live, self._exact, at)


class PocketSphinxSession:
    """One window: a live decoder for partials, an exact pass over all of it.

    The live decoder is shared by the engine's sessions; the one that asks for partials first holds
    it until it is closed, and only one window is open at a time.
    """

    def __init__(self, live: Any, exact: Any, at: int) -> None:
        self._first = at
        self._live = live
        self._exact = exact
        self._audio = bytearray()
        self._heard = 0  # bytes that the live decoder has heard
        self._running = False

    @property
    def heard(self) -> int:
        """The end of what was fed so far."""
        return self._first + len(self._audio) // 2

    def feed(self, pcm: bytes) -> None:
        """Keep the audio; it is decoded with the next request."""
        self._audio += pcm

    def partial(self, request: Request, prefix: Sequence[str]) -> Hypothesis:
        """What the live decoder makes of the audio so far; it never goes back."""
        began = time.perf_counter()
        if not self._running:
            self._live.reinit_feat()
            self._live.start_utt()
            self._running = True
        wanted = max(self._heard, 2 * (request.end - self._first))
        fresh = bytes(self._audio[self._heard : wanted])
        self._heard += len(fresh)
        if fresh:
            self._live.process_raw(fresh, False, False)
        return self._hypothesis(self._live, self._heard // 2, began)

    def exact(self, request: Request, *, cheap: bool) -> Hypothesis:
        """What the decoder makes of all the audio at once, untouched by what it heard before."""
        began = time.perf_counter()
        audio = bytes(self._audio[: 2 * max(0, request.end - self._first)])
        if len(audio) < _SHORTEST_BYTES:
            return Hypothesis(text="", samples=self._first + len(audio) // 2)
        # Feature normalisation adapts from utterance to utterance: begin anew, so that the same
        # audio always gives the same text.
        self._exact.reinit_feat()
        self._exact.start_utt()
        self._exact.process_raw(audio, False, True)
        self._exact.end_utt()
        return self._hypothesis(self._exact, len(audio) // 2, began)

    def advance(self, to_sample: int) -> None:
        """Forget audio before ``to_sample``; the live decoder begins anew behind it."""
        gone = min(max(0, to_sample - self._first), len(self._audio) // 2)
        del self._audio[: 2 * gone]
        self._first += gone
        self._heard = 0
        self.close()

    def close(self) -> None:
        """Give the live decoder back."""
        if self._running:
            self._live.end_utt()
            self._running = False

    def _hypothesis(self, decoder: Any, samples: int, began: float) -> Hypothesis:
        words = _words(decoder.seg(), self._first) if decoder.hyp() is not None else ()
        mean = sum(word.probability for word in words) / len(words) if words else 0.0
        return Hypothesis(
            text=" ".join(word.text for word in words),
            words=words,
            probabilities=tuple(word.probability for word in words),
            samples=self._first + samples,
            confidence=mean,
            language="en",
            decode_s=time.perf_counter() - began,
        )


def _words(segments: Iterable[Any], first: int) -> tuple[HypothesisWord, ...]:
    """The spoken words among a decoder's segments: no silence, no noise, no variant marks."""
    return tuple(
        HypothesisWord(
            text=segment.word.split("(")[0],
            start=first + segment.start_frame * _SAMPLES_PER_FRAME,
            end=first + (segment.end_frame + 1) * _SAMPLES_PER_FRAME,
            probability=min(1.0, max(0.0, segment.prob)),
        )
        for segment in segments
        if not segment.word.startswith(_NOT_SPOKEN)
    )
