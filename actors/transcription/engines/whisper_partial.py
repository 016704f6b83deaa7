"""Cheap partial hypotheses: the encoder sees only the audio there is, the decoder only the tail."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from vivavoce.actors.transcription.engines.base import (
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Hypothesis,
    Request,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.guards import (
    before_repetition,
    compression_ratio,
    invented,
    looks_bad,
)
from vivavoce.actors.transcription.engines.log_mel import IncrementalLogMel
from vivavoce.actors.transcription.engines.whisper_language import Language, with_language
from vivavoce.actors.transcription.engines.whisper_replicas import FULL_FRAMES, even

_TOKENS_PER_SECOND = 8  # fast speech has about 4 words a second
_WORDS_PER_SECOND = 3  # whoever says a phrase twice speaks no faster
_DECADES_SCALED = 2.0  # the 8 decades of the spectrogram, a quarter each
_FRAMES_PER_POSITION = 2
_LONGEST_VIEW = 4 * SAMPLE_RATE
_FULL_VIEW = 12 * SAMPLE_RATE
_SETTLED_AFTER = 6 * SAMPLE_RATE
"""So far behind a word, what is said changes it no more: a view that has become too long, because
hypotheses do not agree (names, noise), may begin there."""

_OVERLAP_WORDS = 2
_FREE_WORDS = 2
"""Of the agreed words the last ones are decoded again.

A decoder that is given all there is to hear must still say something (the end of the text is
suppressed as the first token behind a prefix), and says it twice. Where that is allowed, it takes a
full stop in the prefix for the end, and goes deaf."""
_SHORTEST_STEP = SAMPLE_RATE
_UNSETTLED_WORDS = 2
_JUDGED_TOKENS = 8  # fewer may be improbable without anything being wrong
_ENOUGH_FRAMES = 300  # before a language that is heard is kept: a name may sound of another
_SURE = 0.9
_BELIEVED = 3 * SAMPLE_RATE  # how long trimming is not blamed after it was found not guilty


class PartialDecoder:
    """Decodes a window again and again while it grows.

    The view, that is the audio which is encoded, begins with the window. When it is longer than
    4 s and enough of its words are agreed on, it moves on to the last agreed word but one;
    the agreed words inside the view are forced as the decoder's prefix. So the cost of a partial
    does not grow with the window. CTranslate2 goes through a prefix token by token: moving the
    view is what saves time, the prefix keeps the words inside it as they were agreed.

    Args:
        model: a ``faster_whisper.WhisperModel`` over a ``BatchedWhisper``.
        options: how to decode.
    """

    def __init__(self, model: Any, options: SessionOptions) -> None:
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        self._model = model
        self._whisper = model.model.itself
        self._options = options
        self._tokenizer = Tokenizer(
            model.hf_tokenizer,
            model.model.is_multilingual,
            task=options.task,
            language="en",
        )
        self._prompt = self._make_prompt()
        self.sure_language: str | None = None
        """The language that was found out for sure, where none was given."""
        # Annotated as a tuple of one; faster-whisper itself passes lists.
        self._suppressed = get_suppressed_tokens(
            self._tokenizer,
            [-1],  # pyright: ignore[reportArgumentType]
        )
        self._log_mel = IncrementalLogMel(model.feature_extractor.mel_filters)
        self._view_frame = 0
        self._view_word = 0  # agreed words that lie before the view
        self._doubt_from = 0

    def decode(
        self,
        request: Request,
        audio: npt.NDArray[np.float32],
        prefix: Sequence[str],
    ) -> Hypothesis:
        """A hypothesis of ``audio`` (float32, the whole window so far)."""
        began = time.perf_counter()
        if len(prefix) < self._view_word:
            self._view_frame = self._view_word = 0
        context = self._options.partial_context
        found, sure = self._attempt(request, audio, prefix, trimmed=context != "full")
        if context == "auto" and len(audio) >= self._doubt_from and looks_bad(found.text, sure):
            before = prefix[: self._view_word]  # what is forced may be what is wrong
            found, sure = self._attempt(request, audio, before, trimmed=False)
            if looks_bad(found.text, sure):  # so it was not the trimming
                self._doubt_from = len(audio) + _BELIEVED
        return msgspec.structs.replace(found, decode_s=time.perf_counter() - began)

    def _attempt(
        self,
        request: Request,
        audio: npt.NDArray[np.float32],
        prefix: Sequence[str],
        *,
        trimmed: bool,
    ) -> tuple[Hypothesis, float]:
        """A hypothesis, and the mean log-probability of what is settled of it."""
        known = list(prefix[self._view_word :])
        forced = known[:-_FREE_WORDS]
        prefix_tokens = self._tokenizer.encode(" " + " ".join(forced)) if forced else []
        features = self._log_mel.features(audio, self._view_frame)
        heard = features.shape[1]
        margin = self._options.context_margin // SAMPLES_PER_FRAME
        request.check()
        encoded = self._encode(features, heard + margin if trimmed else FULL_FRAMES)
        request.check()
        language = self._take_language(encoded, heard)
        result = self._generate(encoded, prefix_tokens, heard)
        sure = _token_probabilities(result, len(prefix_tokens))
        words = self._words(result.sequences_ids[0], sure)
        _as_given(words, forced)
        settled = _settled(words, sure, len(prefix_tokens))
        if len(words) > _WORDS_PER_SECOND * heard // 100 + 1:
            words = words[: max(len(known), before_repetition([word.text for word in words]))]
        too_long = heard * SAMPLES_PER_FRAME > _FULL_VIEW
        if too_long or self._outgrown(heard, len(forced)):
            words = self._timed(encoded, words, heard)
            self._move_view(words, len(forced))
        settled_words = self._before(words, len(audio) - _SETTLED_AFTER) if too_long else 0
        if not prefix and self._invented(words, result, heard):
            words = []
        before = [_GivenWord(text) for text in prefix[: len(prefix) - len(known)]]
        found = self._hypothesis([*before, *words], result, len(audio))
        if settled_words and words:
            settled_words += len(before)
            found = msgspec.structs.replace(found, stable_words=settled_words)
        found = with_language(found, language, self._options.task)
        return found, settled

    def _take_language(self, encoded: Any, heard_frames: int) -> Language:
        """Decode in the language that was given, else in what is heard, until that is sure."""
        known = self._options.language or self.sure_language
        language = Language(self._model, known, self._options.languages)
        if language.code is None:
            code = language.take(self._whisper.detect_language(encoded)[0])
            if heard_frames >= _ENOUGH_FRAMES and language.probability >= _SURE:
                self.sure_language = code
        if language.code != self._tokenizer.language_code:
            self._tokenizer.language = self._tokenizer.tokenizer.token_to_id(f"<|{language.code}|>")
            self._tokenizer.language_code = language.code
            self._prompt = self._make_prompt()
        return language

    def _make_prompt(self) -> list[int]:
        before = self._options.initial_prompt
        prompt: list[int] = self._model.get_prompt(
            self._tokenizer,
            self._tokenizer.encode(" " + before.strip()) if before else [],
            without_timestamps=True,
            hotwords=self._options.hotwords,
        )
        return prompt

    def _generate(self, encoded: Any, prefix_tokens: Sequence[int], heard_frames: int) -> Any:
        room = 8 + len(prefix_tokens) + _TOKENS_PER_SECOND * heard_frames // 100
        return self._whisper.generate(
            encoded,
            [[*self._prompt, *prefix_tokens]],
            beam_size=1,
            # CTranslate2 halves this where the prompt leaves less than that.
            max_length=min(448, 2 * (len(self._prompt) + room)),
            return_scores=True,
            return_logits_vocab=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
        )[0]

    def _hypothesis(self, words: Sequence[_GivenWord], result: Any, samples: int) -> Hypothesis:
        text = " ".join(word.text for word in words)
        log_probability = float(result.scores[0])
        return Hypothesis(
            text=text,
            probabilities=tuple(word.probability for word in words),
            samples=samples,
            confidence=min(1.0, math.exp(min(0.0, log_probability))),
            no_speech_probability=float(result.no_speech_prob),
            average_log_probability=log_probability,
            compression_ratio=compression_ratio(text) if text else 0.0,
        )

    def _invented(self, words: Sequence[_GivenWord], result: Any, heard_frames: int) -> bool:
        return invented(
            " ".join(word.text for word in words),
            seconds=heard_frames * SAMPLES_PER_FRAME / SAMPLE_RATE,
            no_speech_probability=float(result.no_speech_prob),
            average_log_probability=float(result.scores[0]),
            word_probabilities=[word.probability for word in words],
        )

    def _encode(self, features: npt.NDArray[np.float32], frames: int) -> Any:
        import ctranslate2

        frames = even(min(FULL_FRAMES, frames))
        # Silence, as the model was trained with: 8 decades below the loudest. Zeros, which are
        # noise in this scale, make it say phrases twice, loop, and miss the last words.
        silence = features.max() - _DECADES_SCALED
        window = np.full((1, features.shape[0], frames), silence, dtype=np.float32)
        used = min(frames, features.shape[1])
        window[0, :, :used] = features[:, :used]
        return self._whisper.encode(ctranslate2.StorageView.from_array(window))

    def _words(self, tokens: Sequence[int], sure: Sequence[float]) -> list[_GivenWord]:
        """The words as white space separates them, each with its least probable token."""
        pieces, of_tokens = self._tokenizer.split_to_word_tokens([*tokens, self._tokenizer.eot])
        words: list[_GivenWord] = []
        at = 0
        for piece, piece_tokens in zip(pieces, of_tokens, strict=False):
            probability = min(sure[at : at + len(piece_tokens)], default=1.0)
            at += len(piece_tokens)
            if at > len(tokens) or not piece.strip():
                continue
            if words and not piece.startswith(" "):
                words[-1].text += piece.strip()
                words[-1].tokens += piece_tokens
                if any(letter.isalnum() for letter in piece):
                    words[-1].probability = min(words[-1].probability, probability)
            else:
                words.append(_GivenWord(piece.strip(), probability, tokens=list(piece_tokens)))
        return words

    def _outgrown(self, heard_frames: int, forced: int) -> bool:
        return heard_frames * SAMPLES_PER_FRAME > _LONGEST_VIEW and forced > _OVERLAP_WORDS

    def _timed(self, encoded: Any, words: list[_GivenWord], frames: int) -> list[_GivenWord]:
        """Align the words with the audio (dynamic time warping over cross-attention)."""
        tokens = [token for word in words for token in word.tokens]
        if not tokens:
            return words
        found = self._whisper.align(
            encoded, self._tokenizer.sot_sequence, [tokens], frames, median_filter_width=7
        )[0]
        ends = np.zeros(len(tokens) + 1, dtype=np.int64)
        for token, position in found.alignments:
            if token <= len(tokens):
                ends[token] = max(ends[token], position + 1)
        ends = np.maximum.accumulate(ends)
        starts = np.concatenate(([0], ends[:-1]))
        at = 0
        origin = self._view_frame * SAMPLES_PER_FRAME
        per_position = _FRAMES_PER_POSITION * SAMPLES_PER_FRAME
        for word in words:
            last = at + len(word.tokens) - 1
            word.start = origin + int(starts[at]) * per_position
            word.end = origin + int(ends[last]) * per_position
            at = last + 1
        return words

    def _before(self, words: Sequence[_GivenWord], end: int) -> int:
        """How many of the words that are timed end before ``end``."""
        return sum(word.end <= end for word in words)

    def _move_view(self, words: Sequence[_GivenWord], forced: int) -> None:
        if forced <= _OVERLAP_WORDS:
            return
        kept = forced - _OVERLAP_WORDS
        origin = self._view_frame * SAMPLES_PER_FRAME
        if kept < len(words) and words[kept].start >= origin + _SHORTEST_STEP:
            self._view_frame = words[kept].start // SAMPLES_PER_FRAME
            self._view_word += kept


class _GivenWord:
    """A word on its way into a hypothesis; times are samples from the window's start."""

    __slots__ = ("end", "probability", "start", "text", "tokens")

    def __init__(
        self, text: str, probability: float = 1.0, *, tokens: list[int] | None = None
    ) -> None:
        self.text = text
        self.probability = probability
        self.tokens = tokens or []
        self.start = 0
        self.end = 0


def _as_given(words: Sequence[_GivenWord], forced: Sequence[str]) -> None:
    """Undo what was decoded onto the end of the last forced word, but for punctuation."""
    for word, given in zip(words, forced, strict=False):
        if _letters(word.text) != _letters(given):
            word.text = given


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _token_probabilities(result: Any, forced: int) -> list[float]:
    """Probability of each token of a greedy result; what was forced is certain."""
    tokens = result.sequences_ids[0]
    rows = result.logits[0]
    sure = [1.0] * forced
    for token, row in zip(tokens[forced:], rows[forced:], strict=False):
        logits = np.asarray(row)
        top = logits.max()
        sure.append(float(np.exp(logits[token] - top) / np.exp(logits - top).sum()))
    return sure


def _settled(words: Sequence[_GivenWord], sure: Sequence[float], forced: int) -> float:
    """Mean log-probability without what was forced, and without the last words.

    A word that the end of the audio cuts is improbable whatever the context is.
    """
    end = sum(len(word.tokens) for word in words[:-_UNSETTLED_WORDS])
    settled = sure[forced:end]
    if len(settled) < _JUDGED_TOKENS:
        return 0.0
    return sum(math.log(max(p, 1e-9)) for p in settled) / len(settled)
