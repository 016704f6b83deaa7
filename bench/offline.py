"""The baseline: plain faster-whisper on pieces of a recording, in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import program
from vivavoce.actors.transcription import engine_process
from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.messages import SAMPLE_RATE


class BaselineFailed(VivavoceError):  # noqa: N818 - what happened
    """The process of the offline baseline did not end with exit code 0."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What offline transcription gives: a text for each piece, and the time of all of them."""

    texts: tuple[str, ...]
    cpu_s: float
    wall_s: float = 0.0


def transcribe(
    recording: Path,
    pieces: Sequence[tuple[float, float]],
    model: str,
    language: str,
    *,
    conditioned: bool = False,
    as_our_engine: bool = False,
) -> Baseline:
    """Transcribe pieces of a recording (mono 16 kHz int16 WAV; seconds) with faster-whisper.

    ``WhisperModel.transcribe`` with int8 weights on the CPU, its default number of threads, beam 5
    and word times. The times (CPU: user and system, all threads) are those of transcribing:
    imports, loading the model and one second of warm-up are not in them.

    Args:
        recording: the file.
        pieces: start and end of each; a piece begins without the text of another.
        model: a CTranslate2 directory or the name of a model that is on this machine.
        language: of the recording.
        conditioned: each window of a piece is decoded with the text of those before it.
        as_our_engine: with the environment of our engine's process (its settings of the memory
            allocator, above all) and with one thread. Our engine decodes with one thread, too, but
            encodes with all of them.

    Raises:
        BaselineFailed: the process failed; its last line says why.
    """
    task = {
        "recording": str(recording),
        "pieces": [list(piece) for piece in pieces],
        "model": model,
        "language": language,
        "conditioned": conditioned,
        "cpu_threads": 1 if as_our_engine else 0,
    }
    environ = engine_process._ENVIRON if as_our_engine else {}
    done = subprocess.run(
        program("offline"),
        input=json.dumps(task),
        env={**environ, **os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or "nothing on standard error").splitlines()[-1]
        raise BaselineFailed(f"the offline baseline ended with {done.returncode}: {said}")
    answer = json.loads(done.stdout)
    return Baseline(tuple(answer["texts"]), answer["cpu_s"], answer["wall_s"])


def main() -> None:
    """The child: a task as JSON on standard input, the answer as JSON on standard output."""
    import numpy as np
    import numpy.typing as npt
    from faster_whisper import WhisperModel

    from vivavoce.actors.transcription.engines.whisper_files import find_model

    task = json.load(sys.stdin)
    with wave.open(task["recording"]) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    audio = pcm.astype(np.float32) / np.float32(32_768)
    folder = find_model(task["model"], offline=True, progress=lambda *_: None)
    model = WhisperModel(
        str(folder),
        device="cpu",
        compute_type="int8",
        cpu_threads=task["cpu_threads"],
        local_files_only=True,
    )

    def text(samples: npt.NDArray[np.float32]) -> str:
        segments, _ = model.transcribe(
            samples,
            language=task["language"],
            beam_size=5,
            word_timestamps=True,
            condition_on_previous_text=task["conditioned"],
        )
        return "".join(segment.text for segment in segments).strip()

    text(np.zeros_like(audio, shape=(SAMPLE_RATE,)))
    began, at = _cpu_s(), time.perf_counter()
    texts = [
        text(audio[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])
        for start, end in task["pieces"]
    ]
    took = {"cpu_s": _cpu_s() - began, "wall_s": time.perf_counter() - at}
    json.dump({"texts": texts, **took}, sys.stdout)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
