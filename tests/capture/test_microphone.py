"""PortAudio for real: every sample in place, and a device that goes away."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.program import SPEECH, isolated, read_wave

pytestmark = pytest.mark.device

RECORD = """
import asyncio, json, sys, time
import numpy as np
from vivavoce.actors.capture.microphone import MicrophoneSource
from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.messages import Gap

async def main(seconds, out):
    source = MicrophoneSource(None, block_ms=32, ring_s=30)
    began = time.perf_counter()
    await source.open()
    blocks, first, lost, expected = [], None, 0, 0
    error = None
    try:
        async for item in source.blocks():
            if first is None:
                first = time.perf_counter() - began
                print("listening", flush=True)
            assert item.start == expected, (item.start, expected)
            expected = item.end
            if isinstance(item, Gap):
                lost += item.end - item.start
            else:
                blocks.append(item.pcm)
            if item.end > seconds * 16000:
                source.stop()
    except SourceError as failed:
        error = str(failed)
    await source.close()
    np.concatenate(blocks).tofile(out)
    print(json.dumps({"first": first, "lost": lost, "samples": expected, "error": error}))

asyncio.run(main(float(sys.argv[1]), sys.argv[2]))
"""


def record(microphone, tmp_path: Path, seconds: float) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", RECORD, str(seconds), str(tmp_path / "heard.raw")],
        env={**isolated(tmp_path), **microphone.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_is_spoken_is_heard_without_a_hole(pulse_microphone, tmp_path: Path) -> None:
    recorder = record(pulse_microphone, tmp_path, 6)
    assert recorder.stdout.readline() == "listening\n"
    name = SPEECH / "utt-002-awb.wav"
    pulse_microphone.play(name)
    out, err = recorder.communicate(timeout=40)
    assert recorder.returncode == 0, err
    result = json.loads(out)
    assert result["lost"] == 0
    heard = np.fromfile(tmp_path / "heard.raw", dtype=np.int16).astype(float)
    spoken = np.frombuffer(read_wave(name), dtype=np.int16).astype(float)
    size = 1 << int(np.ceil(np.log2(len(heard) + len(spoken))))
    correlation = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size)))
    lag = int(np.argmax(correlation[: len(heard)]))
    found = heard[lag : lag + len(spoken)]
    spoken = spoken[: len(found)]
    likeness = found @ spoken / np.sqrt((found @ found) * (spoken @ spoken))
    assert likeness > 0.99


def test_a_device_that_goes_away_ends_in_one_line_and_keeps_what_was_heard(
    pulse_microphone, tmp_path: Path
) -> None:
    recorder = record(pulse_microphone, tmp_path, 60)
    assert recorder.stdout.readline() == "listening\n"
    pulse_microphone.play(SPEECH / "utt-002-awb.wav")
    pulse_microphone.kill()
    out, err = recorder.communicate(timeout=40)
    assert recorder.returncode == 0, err
    result = json.loads(out)
    assert "no more sound" in result["error"]
    assert result["samples"] > 16_000
