"""A Whisper whose encoder and decoder use different numbers of threads.

The encoder is large matrix products, which more threads make faster. The decoder goes through all
its weights for each token: one thread is as fast as two there, and costs half (measured: 8 against
12 ms of CPU per token at base size, 0.4 against 2.4 ms at a fifth of it). CTranslate2 fixes the
threads of a model when it is loaded, so there are two of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

FULL_FRAMES = 3_000
"""Whisper's window: 30 s."""


class SplitWhisper:
    """Stands in for ``ctranslate2.models.Whisper`` inside a ``faster_whisper.WhisperModel``.

    Args:
        encoder: runs ``encode``.
        decoder: runs everything else; may be the same model.
    """

    def __init__(self, encoder: Any, decoder: Any) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._job = threading.local()

    @property
    def light(self) -> Any:
        """The model with few threads: for small work that must not wait behind a final's."""
        return self._decoder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def begin(self, margin_frames: int | None, check: Callable[[], None]) -> None:
        """Set how this thread's next calls run.

        Args:
            margin_frames: frames kept behind the sound in ``encode``; None: the full window.
            check: called before each step; whatever it raises ends the work.
        """
        self._job.margin = margin_frames
        self._job.check = check

    def encode(self, features: Any, to_cpu: bool = False) -> Any:
        """Encode ``(1, mels, frames)``; frames of padding beyond the margin are cut off."""
        self._job.check()
        if self._job.margin is None:
            return self._encoder.encode(features, to_cpu=to_cpu)
        import ctranslate2

        window = np.asarray(features)
        frames = even(min(FULL_FRAMES, _sounding(window[0]) + self._job.margin))
        trimmed = np.ascontiguousarray(window[:, :, :frames])
        return self._encoder.encode(ctranslate2.StorageView.from_array(trimmed), to_cpu=to_cpu)

    def generate(self, *arguments: Any, **options: Any) -> Any:
        """Decode; see ``ctranslate2.models.Whisper.generate``."""
        self._job.check()
        return self._decoder.generate(*arguments, **options)


def even(frames: int) -> int:
    """The encoder halves the number of frames, so it must be even."""
    return frames + frames % 2


def _sounding(features: Any) -> int:
    """Frames up to the padding, which is exactly zero in every band."""
    sounding = np.flatnonzero(features.any(axis=0))
    return int(sounding[-1]) + 1 if len(sounding) else 0
