"""faster-whisper on CTranslate2: exact decodings, cheap partials."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vivavoce.actors.transcription.engines.base import (
    SAMPLE_RATE,
    EngineError,
    EngineInfo,
    EngineSpec,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.whisper_files import find_model
from vivavoce.actors.transcription.engines.whisper_language import refuse_what_it_does_not_know
from vivavoce.actors.transcription.engines.whisper_replicas import BatchedWhisper
from vivavoce.actors.transcription.engines.whisper_session import WhisperSession, WholeAudio
from vivavoce.pipeline.cores import cores_available

_SEED = 1
_MOST_THREADS = 4  # a decoder goes through small matrices: more only wait for each other


class FasterWhisperEngine:
    """A loaded ``faster_whisper.WhisperModel``."""

    concurrent = True

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self.side_by_side = spec.side_by_side
        self._model: Any = None
        self._batch = False

    def load(self, progress: Callable[[str, int, int], None]) -> EngineInfo:
        """Find (or fetch), load and warm up the model.

        Raises:
            EngineError: ``model_not_found``, ``model_corrupt``, ``missing_dependency``, or
                ``bad_option``: the model does not know a language, or no other than English.
        """
        try:
            import ctranslate2
            import faster_whisper  # noqa: F401 - only to know that it can be
        except ImportError as error:
            raise EngineError(
                f"faster-whisper cannot be used ({error}): run `pip install faster-whisper`",
                "missing_dependency",
            ) from error
        folder = find_model(self._spec.model, offline=self._spec.offline, progress=progress)
        # What is sampled at a higher temperature is the same in each run.
        ctranslate2.set_random_seed(_SEED)
        began = time.perf_counter()
        notes: list[str] = []
        for device in _devices(self._spec.device, ctranslate2.get_cuda_device_count()):
            compute_type = _compute_type(self._spec.compute_type, device)
            try:
                self._model = self._load(folder, device, compute_type)
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
        refuse_what_it_does_not_know(self._model, self._spec)
        return EngineInfo(
            engine="faster-whisper",
            model=self._spec.model,
            device=device,
            compute_type=compute_type,
            streams_natively=False,
            multilingual=bool(self._model.model.is_multilingual),
            load_s=loaded - began,
            warm_up_s=time.perf_counter() - loaded,
            notes=tuple(notes),
        )

    def open(self, options: SessionOptions, at: int) -> WhisperSession:
        """Begin a window whose first sample is ``at``."""
        return WhisperSession(self._model, options, at, batch=self._batch)

    def _load(self, folder: Path, device: str, compute_type: str) -> Any:
        import faster_whisper

        threads = self._spec.threads or cores_available()
        # Workers share the weights. A core for each of several exact decodings serves them better
        # than a batch on all cores; beside a single one there is room for a partial.
        workers = 1 if device == "cuda" else min(threads, max(2, self.side_by_side))
        single = self.side_by_side == 1
        model = faster_whisper.WhisperModel(
            str(folder),
            device=device,
            compute_type=compute_type,
            cpu_threads=min(threads, _MOST_THREADS) if single else threads // workers,
            num_workers=workers,
            local_files_only=True,
        )
        batch = self._spec.batch  # a GPU likes batches
        self._batch = not single and (device == "cuda" if batch is None else batch)
        model.model = BatchedWhisper(model.model)
        return model

    def _warm_up(self) -> None:
        session = WhisperSession(self._model, SessionOptions(beam_size=1, language="en"))
        session.feed(bytes(2 * SAMPLE_RATE))
        everything = WholeAudio(SAMPLE_RATE)
        session.partial(everything, ())
        session.exact(everything, cheap=False)


def _devices(wanted: str, cuda_devices: int) -> list[str]:
    """The devices to try, in order."""
    if wanted != "auto":
        return [wanted]
    return ["cuda", "cpu"] if cuda_devices else ["cpu"]


def _compute_type(wanted: str, device: str) -> str:
    if wanted != "auto":
        return wanted
    return "float16" if device == "cuda" else "int8"
