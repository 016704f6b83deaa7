"""The least that listening can cost here: a PortAudio stream whose callback does nothing.

Run as a program, it opens the stream and says ``ready``, and ends with its standard input. With 0
as the block length it opens none: what a Python program costs that waits.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping

from vivavoce.pipeline.messages import SAMPLE_RATE

LOW_LATENCY_UP_TO_MS = 64
"""Longer blocks are asked for with high latency, as the microphone does it."""


@contextlib.contextmanager
def floor(block_ms: int, environ: Mapping[str, str]) -> Iterator[int]:
    """Run the program; yields its process id once the stream is open."""
    program = subprocess.Popen(
        [sys.executable, "-P", "-m", "vivavoce.bench.floor", str(block_ms)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(environ),
    )
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        if program.stdout.readline() != b"ready\n":
            raise OSError("PortAudio opened no stream for the floor")
        yield program.pid
    finally:
        program.stdin.close()
        program.stdout.close()
        program.wait()


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("block_ms", type=int)
    block_ms = parser.parse_args().block_ms
    with _stream(block_ms) if block_ms else contextlib.nullcontext():
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextlib.contextmanager
def _stream(block_ms: int) -> Iterator[None]:
    import sounddevice

    with sounddevice.RawInputStream(
        samplerate=SAMPLE_RATE,
        channels=1,
        dtype="int16",
        blocksize=SAMPLE_RATE * block_ms // 1000,
        latency="low" if block_ms <= LOW_LATENCY_UP_TO_MS else "high",
        callback=lambda *_: None,
    ):
        yield


if __name__ == "__main__":
    main()
