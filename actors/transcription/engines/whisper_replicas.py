"""A Whisper that encodes no more than it must, can be interrupted, and has calls batched."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from vivavoce.actors.transcription.engines.rendezvous import Rendezvous
from vivavoce.actors.transcription.engines.whisper_language import Language

FULL_FRAMES = 3_000
"""Whisper's window: 30 s."""

_STEP = 200


class Lost(Exception):  # noqa: N818 - what happened to the decoder
    """More windows were begun than this audio can need."""


class BatchedWhisper:
    """Stands in for ``ctranslate2.models.Whisper`` inside a ``faster_whisper.WhisperModel``.

    Threads that are inside :meth:`together` have their calls made in batches.

    Args:
        model: that one.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._job = threading.local()
        self._rendezvous = Rendezvous()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    @property
    def itself(self) -> Any:
        """The model, for work that is neither trimmed nor batched here."""
        return self._model

    def together(self) -> AbstractContextManager[None]:
        """Take part in batches with the other threads that do."""
        return self._rendezvous.member()

    def begin(
        self,
        margin_frames: int | None,
        check: Callable[[], None],
        *,
        batch: bool,
        most_windows: int,
        language: Language | None = None,
    ) -> None:
        """Set how this thread's next calls run.

        Args:
            margin_frames: frames kept behind the sound in ``encode``; None: the full window.
            check: called before each step; whatever it raises ends the work.
            batch: this thread is inside :meth:`together`.
            most_windows: how often ``encode`` may be called before it raises :class:`Lost`.
            language: what ``detect_language`` decides about, once for all windows.
        """
        self._job.margin = margin_frames
        self._job.check = check
        self._job.batch = batch
        self._job.windows = most_windows
        self._job.language = language

    def encode(self, features: Any, to_cpu: bool = False) -> Any:
        """Encode ``(1, mels, frames)``; frames of padding beyond the margin are cut off."""
        self._job.check()
        self._job.windows -= 1
        if self._job.windows < 0:
            raise Lost
        margin, batch = self._job.margin, self._job.batch
        if margin is None and not batch:
            return self._model.encode(features, to_cpu=to_cpu)
        window = np.asarray(features)
        frames = FULL_FRAMES
        if margin is not None:
            # In a batch the length is rounded up, so that there are others of the same; it must
            # not be that of the longest, or the text would depend on who else is in the batch.
            needed = _sounding(window[0]) + margin
            frames = even(min(FULL_FRAMES, -(-needed // _STEP) * _STEP if batch else needed))

        def encode_all(windows: Sequence[Any]) -> Sequence[Any]:
            # The rows of a batch are taken apart and joined in main memory.
            found = self._model.encode(_view(windows, frames), to_cpu=to_cpu or batch)
            return _rows(found, len(windows))

        if batch:
            return self._rendezvous.call(("encode", frames), window, encode_all)
        return encode_all([window])[0]

    def detect_language(self, encoded: Any) -> list[list[tuple[str, float]]]:
        """The language of this thread's decoding, found out on its first window.

        As ``ctranslate2.models.Whisper.detect_language``, but for one window, with one language.
        """
        language = self._job.language
        if language.code is None:
            language.take(self._model.detect_language(encoded)[0])
        return [[(f"<|{language.code}|>", language.probability)]]

    def generate(self, encoded: Any, prompts: Sequence[list[int]], **options: Any) -> Any:
        """Decode; see ``ctranslate2.models.Whisper.generate``."""
        self._job.check()
        if not self._job.batch:
            return self._model.generate(encoded, prompts, **options)

        def generate_all(asked: Sequence[tuple[Any, list[int]]]) -> Sequence[Any]:
            rows = _joined([row for row, _ in asked])
            return [
                [found]
                for found in self._model.generate(rows, [prompt for _, prompt in asked], **options)
            ]

        key = ("generate", tuple(encoded.shape), len(prompts[0]), repr(sorted(options.items())))
        return self._rendezvous.call(key, (encoded, prompts[0]), generate_all)


def even(frames: int) -> int:
    """The encoder halves the number of frames, so it must be even."""
    return frames + frames % 2


def _sounding(features: Any) -> int:
    """Frames up to the padding, which is exactly zero in every band."""
    sounding = np.flatnonzero(features.any(axis=0))
    return int(sounding[-1]) + 1 if len(sounding) else 0


def _view(windows: Sequence[Any], frames: int) -> Any:
    import ctranslate2

    joined = np.concatenate([window[:, :, :frames] for window in windows])
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(joined))


def _rows(encoded: Any, count: int) -> Sequence[Any]:
    if count == 1:
        return [encoded]
    import ctranslate2

    rows = np.asarray(encoded)
    return [
        ctranslate2.StorageView.from_array(np.ascontiguousarray(rows[row : row + 1]))
        for row in range(count)
    ]


def _joined(rows: Sequence[Any]) -> Any:
    if len(rows) == 1:
        return rows[0]
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.concatenate([np.asarray(row) for row in rows]))
