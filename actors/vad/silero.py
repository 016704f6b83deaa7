"""Silero's speech detector, computed with NumPy from the weights that faster-whisper ships.

The network is Silero VAD v6 (https://github.com/snakers4/silero-vad) for 16 kHz: 64 samples of
context and 512 new ones → a short-time Fourier transform as a convolution → four convolutions →
one step of an LSTM → one number. It is small, and onnxruntime is not: without it the process that
is always there weighs 30 MB less.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided

from vivavoce.actors.vad.onnx_weights import NotUnderstood, OnnxFile, Weights
from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.messages import Pcm

FRAME = 512
"""Samples in a frame: 32 ms at 16 kHz."""

_CONTEXT = 64
_WINDOW, _HOP, _BINS = 256, 128, 129
_SPECTRA = 4  # of a frame
_MIRRORED = 64  # samples that the last window is short of
_STATE = 128
_FULL_SCALE = np.float32(1 / 32768)


class SpeechDetector(Protocol):
    """Tells how likely a frame holds speech; carries state from frame to frame."""

    def probability(self, pcm: Pcm) -> float:
        """The probability of speech in ``pcm``, shape ``(512,)`` or shorter, int16."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


class DetectorMissing(VivavoceError):  # noqa: N818 - what is wrong: the detector is missing
    """Silero's weights are not installed, or not those that are known here."""


def weights_path() -> Path:
    """Where faster-whisper's package keeps the weights; the package itself is not imported.

    Raises:
        DetectorMissing: it is not installed, or holds no weights.
    """
    spec = find_spec("faster_whisper")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for path in sorted((Path(folder) / "assets").glob("silero_vad*.onnx"), reverse=True):
            return path
    raise DetectorMissing(
        "the Silero weights of faster-whisper are not installed: run `pip install faster-whisper`"
    )


class Silero:
    """Silero VAD with its state (two vectors of 128) and 64 samples of context.

    Everything is multiplied with ``einsum``, which never leaves the calling thread: BLAS would
    share matrices of this size out to all cores, and wake them 31 times a second.

    Args:
        path: the ONNX file; by default the one of faster-whisper.

    Raises:
        DetectorMissing: the weights are not installed, or are not of the version known here.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._load(path or weights_path())
        self._samples = np.zeros(_CONTEXT + FRAME + _MIRRORED, dtype=np.float32)
        self._windows = as_strided(
            self._samples, (_SPECTRA, _WINDOW), (4 * _HOP, 4), writeable=False
        )
        self._spectra = np.zeros((_SPECTRA, 2 * _BINS), dtype=np.float32)
        # Rows of zeros around each layer's input are the padding of its convolution.
        self._layer0 = np.zeros((_SPECTRA + 2, _BINS), dtype=np.float32)
        self._layer1 = np.zeros((_SPECTRA + 2, 128), dtype=np.float32)
        self._layer2 = np.zeros(2 * 64, dtype=np.float32)
        self._layer3 = np.zeros(64, dtype=np.float32)
        # Three rows in a row are what a kernel of width 3 sees; a stride of two skips every other.
        self._kernels0 = as_strided(self._layer0, (4, 3 * _BINS), (4 * _BINS, 4), writeable=False)
        self._kernels1 = as_strided(self._layer1, (2, 3 * 128), (8 * 128, 4), writeable=False)
        self._out1 = np.zeros((2, 64), dtype=np.float32)
        self._lstm_input = np.zeros(2 * _STATE, dtype=np.float32)  # the layers' output, then h
        self._cell = np.zeros(_STATE, dtype=np.float32)
        self._gates = np.zeros(4 * _STATE, dtype=np.float32)
        self._scratch = np.zeros(_STATE, dtype=np.float32)

    def reset(self) -> None:
        """Forget what was heard."""
        self._samples.fill(0.0)
        self._lstm_input.fill(0.0)
        self._cell.fill(0.0)

    def probability(self, pcm: Pcm) -> float:
        """The probability of speech in ``pcm``, int16, at most 512 samples (zeros follow)."""
        samples = self._samples
        end = _CONTEXT + FRAME
        samples[:_CONTEXT] = samples[FRAME:end]
        np.multiply(pcm, _FULL_SCALE, out=samples[_CONTEXT : _CONTEXT + len(pcm)])
        samples[_CONTEXT + len(pcm) : end] = 0.0
        samples[end:] = samples[end - 2 : end - 2 - _MIRRORED : -1]
        self._encode()
        return self._decode()

    def _encode(self) -> None:
        """From samples to the first half of the LSTM's input."""
        spectra, magnitude = self._spectra, self._layer0[1:-1]
        np.einsum("ij,jk->ik", self._windows, self._basis, out=spectra)
        np.square(spectra, out=spectra)
        np.add(spectra[:, :_BINS], spectra[:, _BINS:], out=magnitude)
        np.sqrt(magnitude, out=magnitude)
        inner = self._layer1[1:-1]
        np.einsum("ij,jk->ik", self._kernels0, self._weight0, out=inner)
        _rectify(inner, self._bias0)
        np.einsum("ij,jk->ik", self._kernels1, self._weight1, out=self._out1)
        _rectify(self._out1, self._bias1)
        # Of the last two layers' kernels, all that lies beside the sound meets zeros.
        self._layer2[:] = self._out1.reshape(-1)
        np.einsum("j,jk->k", self._layer2, self._weight2, out=self._layer3)
        _rectify(self._layer3, self._bias2)
        encoded = self._lstm_input[:_STATE]
        np.einsum("j,jk->k", self._layer3, self._weight3, out=encoded)
        _rectify(encoded, self._bias3)

    def _decode(self) -> float:
        """One step of the LSTM (gates in the order input, output, forget, cell), and its head."""
        gates, cell, scratch = self._gates, self._cell, self._scratch
        np.einsum("j,jk->k", self._lstm_input, self._lstm_weight, out=gates)
        gates += self._lstm_bias
        # σ(x) = ½ + ½·tanh(x/2); the halving of x is in the weights.
        np.tanh(gates, out=gates)
        sigmoids = gates[: 3 * _STATE]
        sigmoids *= np.float32(0.5)
        sigmoids += np.float32(0.5)
        cell *= gates[2 * _STATE : 3 * _STATE]
        np.multiply(gates[:_STATE], gates[3 * _STATE :], out=scratch)
        cell += scratch
        hidden = self._lstm_input[_STATE:]
        np.tanh(cell, out=hidden)
        hidden *= gates[_STATE : 2 * _STATE]
        np.maximum(hidden, 0.0, out=scratch)
        scratch *= self._head_weight
        return 0.5 + 0.5 * math.tanh(0.5 * (float(scratch.sum()) + self._head_bias))

    def _load(self, path: Path) -> None:
        try:
            file = OnnxFile(path.read_bytes())
            self._take_weights(file)
        except (NotUnderstood, OSError) as error:
            raise DetectorMissing(
                f"the speech detector's weights in {path} are not those of Silero v6 ({error}): "
                "run `pip install --force-reinstall 'faster-whisper>=1.2,<1.3'`"
            ) from error

    def _take_weights(self, file: OnnxFile) -> None:
        """Copy the weights as they are multiplied with: (inputs, outputs)."""
        basis = file.tensor("encoder.feature_extractor.forward_basis_buffer", 258, 1, _WINDOW)
        self._basis: Weights = np.ascontiguousarray(basis[:, 0].T)
        layers = "encoder.conv_layers"
        self._weight0 = _kernel(file.tensor(f"{layers}.0.weight", 128, _BINS, 3))
        self._weight1 = _kernel(file.tensor(f"{layers}.1.weight", 64, 128, 3))
        self._weight2 = _kernel(file.tensor(f"{layers}.2.weight", 64, 64, 3)[:, :, 1:])
        self._weight3 = _kernel(file.tensor(f"{layers}.3.weight", 128, 64, 3)[:, :, 1:2])
        self._bias0, self._bias1, self._bias2, self._bias3 = (
            file.tensor(f"{layers}.{number}.bias", size).copy()
            for number, size in enumerate((128, 64, 64, 128))
        )
        _, inputs, recurrent, bias = file.inputs("LSTM")[:4]
        halved = np.repeat(np.array([0.5, 1.0], dtype=np.float32), [3 * _STATE, _STATE])
        self._lstm_weight: Weights = np.concatenate(
            [file.tensor(name, 1, 4 * _STATE, _STATE)[0].T for name in (inputs, recurrent)]
        )
        self._lstm_weight *= halved
        biases = file.tensor(bias, 1, 8 * _STATE)[0]
        self._lstm_bias: Weights = (biases[: 4 * _STATE] + biases[4 * _STATE :]) * halved
        self._head_weight = file.tensor("decoder.conv1d.weight", 1, _STATE, 1)[0, :, 0].copy()
        self._head_bias = float(file.tensor("decoder.conv1d.bias", 1)[0])


def _kernel(weight: Weights) -> Weights:
    """From (outputs, channels, width) to (width · channels, outputs)."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(weight)))


def _rectify(values: Weights, bias: Weights) -> None:
    values += bias
    np.maximum(values, 0.0, out=values)
