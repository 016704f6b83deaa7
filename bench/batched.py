"""faster-whisper's own way with long recordings, in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import program
from bench.offline import BaselineFailed
from vivavoce.pipeline.messages import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Batched:
    """What ``BatchedInferencePipeline`` makes of a recording.

    Attributes:
        batch_size: windows that were decoded at once.
        segments: start and end (seconds) and text of each.
        wall_s: how long it took, without imports, loading the model and a warm-up.
        cpu_s: CPU seconds (user and system, all threads) of the same.
        peak_mb: the most memory that the process had resident until then, in MB (10⁶ bytes).
    """

    batch_size: int
    segments: tuple[tuple[float, float, str], ...]
    wall_s: float
    cpu_s: float
    peak_mb: float

    @property
    def text(self) -> str:
        """Of the whole recording."""
        return " ".join(text for _, _, text in self.segments)


def transcribe(
    recording: Path, model: str, language: str, batch_sizes: Sequence[int]
) -> list[Batched]:
    """Transcribe a mono 16 kHz int16 WAV file: int8 on the CPU, beam 5, with word times.

    One process does it with each size of batches, after a warm-up of half a minute of the recording
    with that size. ``num_workers`` and ``cpu_threads`` are left at the library's defaults.

    Args:
        recording: the file.
        model: a CTranslate2 directory or the name of a model that is on this machine.
        language: of the recording.
        batch_sizes: windows that are decoded at once; ascending, so that the peak memory of each
            is its own and not that of a larger one before it.

    Returns:
        One for each size, in that order.

    Raises:
        BaselineFailed: the process failed; its last line says why.
    """
    task = {
        "recording": str(recording),
        "model": model,
        "language": language,
        "batch_sizes": list(batch_sizes),
    }
    done = subprocess.run(
        program("batched"),
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or "nothing on standard error").splitlines()[-1]
        raise BaselineFailed(f"BatchedInferencePipeline ended with {done.returncode}: {said}")
    return [
        Batched(**{**found, "segments": tuple(map(tuple, found["segments"]))})
        for found in json.loads(done.stdout)
    ]


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

    def segments_of(
        samples: npt.NDArray[np.float32], batch_size: int
    ) -> list[tuple[float, float, str]]:
        segments, _ = pipeline.transcribe(
            samples,
            language=task["language"],
            beam_size=5,
            word_timestamps=True,
            batch_size=batch_size,
        )
        return [(segment.start, segment.end, segment.text.strip()) for segment in segments]

    found = []
    for batch_size in task["batch_sizes"]:
        segments_of(audio[: 30 * SAMPLE_RATE], batch_size)
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        said = segments_of(audio, batch_size)
        wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
        found.append(
            {
                "batch_size": batch_size,
                "segments": said,
                "wall_s": wall_s,
                "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                "peak_mb": after.ru_maxrss * 1024 / 1e6,
            }
        )
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
