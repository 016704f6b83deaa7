"""Whisper's log-mel spectrogram of audio that grows: each frame is computed once.

The same numbers as ``faster_whisper.feature_extractor.FeatureExtractor`` on the whole audio
(Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022, section 2.2:
25-ms windows every 10 ms, mel bands, log10, 8 decades below the loudest).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vivavoce.actors.transcription.engines.base import SAMPLES_PER_FRAME

Floats = npt.NDArray[np.float32]

_WINDOW = 400
_HALF = _WINDOW // 2
_HOP = SAMPLES_PER_FRAME
_DECADES = 8.0


class IncrementalLogMel:
    """Keeps the frames that later audio cannot change.

    Args:
        mel_filters: ``(mels, 201)`` float32, the model's own filter bank.
    """

    def __init__(self, mel_filters: Floats) -> None:
        self._filters = mel_filters
        self._hann = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
        self._kept = np.empty((mel_filters.shape[0], 512), dtype=np.float32)
        self._settled = 0
        self.computed = 0
        """Frames computed so far, for tests and measurements."""

    def features(self, audio: Floats, from_frame: int = 0) -> Floats:
        """The spectrogram of ``audio``, which begins with the audio of every earlier call.

        Args:
            audio: float32 in [-1, 1], all of it; at least 201 samples.
            from_frame: the first frame wanted; the loudest is searched among those wanted.

        Returns:
            ``(mels, len(audio) // 160 - from_frame)`` float32.
        """
        whole = len(audio) // _HOP
        settled = max(0, (len(audio) - _HALF) // _HOP + 1)
        if settled > self._settled:
            self._reserve(settled)
            self._kept[:, self._settled : settled] = self._frames(audio, self._settled, settled)
            self._settled = settled
        # One frame more than is returned: its loudness counts in the extractor's maximum.
        loose = self._frames(audio, settled, whole + 1)
        frames = np.concatenate((self._kept[:, from_frame:settled], loose), axis=1)
        floor = frames.max() - np.float32(_DECADES)
        np.maximum(frames, floor, out=frames)
        frames += 4.0
        frames *= 0.25
        return frames[:, : whole - from_frame]

    def _reserve(self, frames: int) -> None:
        if frames > self._kept.shape[1]:
            grown = np.empty((self._kept.shape[0], max(frames, 2 * self._kept.shape[1])), "f4")
            grown[:, : self._settled] = self._kept[:, : self._settled]
            self._kept = grown

    def _frames(self, audio: Floats, first: int, end: int) -> Floats:
        """Frames ``[first, end)``: before clamping, in decades."""
        if end <= first:
            return np.empty((self._filters.shape[0], 0), dtype=np.float32)
        self.computed += end - first
        start, stop = first * _HOP - _HALF, (end - 1) * _HOP + _HALF
        piece = audio[max(0, start) : stop]
        if start < 0:  # the beginning is mirrored, as the extractor does
            piece = np.concatenate((audio[1 : 1 - start][::-1], piece))
        if len(piece) < stop - start:  # silence follows the end
            piece = np.pad(piece, (0, stop - start - len(piece)))
        windows = np.lib.stride_tricks.sliding_window_view(piece, _WINDOW)[::_HOP] * self._hann
        power = np.abs(np.fft.rfft(windows, axis=1).astype(np.complex64)) ** 2
        # Not `@`: for a few frames, the threads of a BLAS take longer than the sum itself, and then
        # wait in a loop while the encoder works.
        mel = np.einsum("mf,nf->mn", self._filters, power)
        frames: Floats = np.log10(np.maximum(mel, np.float32(1e-10)), dtype=np.float32)
        return frames
