"""Silero's speech detector: the ONNX weights that faster-whisper ships, on one thread."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.messages import Pcm

FRAME = 512
"""Samples in a frame: 32 ms at 16 kHz."""

_CONTEXT = 64


class SpeechDetector(Protocol):
    """Tells how likely a frame holds speech; carries state from frame to frame."""

    def probability(self, pcm: Pcm) -> float:
        """The probability of speech in ``pcm``, shape ``(512,)`` or shorter, int16."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


class DetectorMissing(VivavoceError):  # noqa: N818 - what is wrong: the detector is missing
    """Silero's weights or onnxruntime are not installed."""


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

    Raises:
        DetectorMissing: onnxruntime or the weights are not installed.
    """

    def __init__(self) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise DetectorMissing(
                "speech detection needs onnxruntime: run `pip install onnxruntime`"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(weights_path()), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._input = np.zeros((1, _CONTEXT + FRAME), dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._h = np.zeros((1, 1, 128), dtype=np.float32)
        self._c = np.zeros((1, 1, 128), dtype=np.float32)
        self._input[:] = 0.0

    def probability(self, pcm: Pcm) -> float:
        """The probability of speech in ``pcm``, int16, at most 512 samples (zeros follow)."""
        frame = self._input[0]
        frame[:_CONTEXT] = frame[FRAME:]
        count = len(pcm)
        np.multiply(pcm, np.float32(1 / 32768), out=frame[_CONTEXT : _CONTEXT + count])
        frame[_CONTEXT + count :] = 0.0
        out, self._h, self._c = self._session.run(
            None, {"input": self._input, "h": self._h, "c": self._c}
        )
        return float(out[0])
