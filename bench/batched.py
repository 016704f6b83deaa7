"""faster-whisper's own way with long recordings, in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import wave
from dataclasses import dataclass
from pathlib import Path

from vivavoce.bench.offline import BaselineFailed


@dataclass(frozen=True, slots=True)
class Batched:
    """What ``BatchedInferencePipeline`` makes of a recording.

    Attributes:
        text: of the whole recording.
        wall_s: how long it took, without imports, loading the model and a warm-up.
        cpu_s: CPU seconds (user and system, all threads) of the same.
        peak_mb: the most memory that the process had resident, in MB (10⁶ bytes).
    """

    text: str
    wall_s: float
    cpu_s: float
    peak_mb: float


def transcribe(recording: Path, model: str, language: str, batch_size: int) -> Batched:
    """Transcribe a mono 16 kHz int16 WAV file: int8 on the CPU, beam 5, with word times.

    Args:
        recording: the file.
        model: a CTranslate2 directory or the name of a model that is on this machine.
        language: of the recording.
        batch_size: windows that are decoded at once.

    Raises:
        BaselineFailed: the process failed; its last line says why.
    """
    task = {
        "recording": str(recording),
        "model": model,
        "language": language,
        "batch_size": batch_size,
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "vivavoce.bench.batched"],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or "nothing on standard error").splitlines()[-1]
        raise BaselineFailed(f"BatchedInferencePipeline ended with {done.returncode}: {said}")
    return Batched(**json.loads(done.stdout))


def main() -> None:
    """The child: a task as JSON on standard input, the answer as JSON on standard output."""
    import numpy as np
    import numpy.typing as npt
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    from vivavoce.actors.transcription.engines.whisper_files import find_model

    task = json.load(sys.stdin)
    with wave.open(task["recording"]) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    audio = pcm.astype(np.float32) / np.float32(32_768)
    del pcm
    folder = find_model(task["model"], offline=True, progress=lambda *_: None)
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", local_files_only=True)
    pipeline = BatchedInferencePipeline(model)

    def text(samples: npt.NDArray[np.float32]) -> str:
        segments, _ = pipeline.transcribe(
            samples,
            language=task["language"],
            beam_size=5,
            word_timestamps=True,
            batch_size=task["batch_size"],
        )
        return " ".join(segment.text.strip() for segment in segments)

    text(audio[: 10 * file.getframerate()])
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    said = text(audio)
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak_mb = after.ru_maxrss * 1024 / 1e6
    json.dump({"text": said, "wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": peak_mb}, sys.stdout)


if __name__ == "__main__":
    main()
