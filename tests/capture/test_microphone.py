"""PortAudio for real: every sample in place, and a device that goes away."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.program import SPEECH, isolated, read_wave

pytestmark = pytest.mark.device

RECORD = """
import asyncio, json, sys, time
import numpy as np
import sounddevice
from vivavoce.actors.capture.microphone import MicrophoneSource
from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.messages import Gap

class FixedDevice(sounddevice.InputStream):
    # The real device, as if it could do nothing but 48 kHz stereo.

    def __init__(self, **options):
        if (options["samplerate"], options["channels"]) != (48000, 2):
            raise sounddevice.PortAudioError("Invalid sample rate")
        super().__init__(**options)

async def main(seconds, out, fixed):
    if fixed:
        real = sounddevice.query_devices
        def query(*index):  # without an index it calls itself with each
            found = real(*index)
            fixed = {"max_input_channels": 2, "default_samplerate": 48000.0}
            return {**found, **fixed} if index else found
        sounddevice.query_devices = query
        sounddevice.InputStream = FixedDevice
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

asyncio.run(main(float(sys.argv[1]), sys.argv[2], len(sys.argv) > 3))
"""


def record(microphone, tmp_path: Path, seconds: float, *options: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", RECORD, str(seconds), str(tmp_path / "heard.raw"), *options],
        env={**isolated(tmp_path), **microphone.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def likeness(heard: np.ndarray, spoken: np.ndarray) -> float:
    """The correlation of ``spoken`` with the place in ``heard`` that is most like it."""
    heard, spoken = heard.astype(float), spoken.astype(float)
    size = 1 << int(np.ceil(np.log2(len(heard) + len(spoken))))
    correlation = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size)))
    lag = int(np.argmax(correlation[: len(heard)]))
    found = heard[lag : lag + len(spoken)]
    spoken = spoken[: len(found)]
    return float(found @ spoken / np.sqrt((found @ found) * (spoken @ spoken)))


@pytest.mark.parametrize("options", [(), ("fixed",)], ids=["16 kHz mono", "48 kHz stereo"])
def test_what_is_spoken_is_heard_without_a_hole(pulse_microphone, tmp_path: Path, options) -> None:
    recorder = record(pulse_microphone, tmp_path, 5, *options)
    assert recorder.stdout.readline() == "listening\n"
    name = SPEECH / "utt-002-awb.wav"
    pulse_microphone.play(name)
    out, err = recorder.communicate(timeout=40)
    assert recorder.returncode == 0, err
    result = json.loads(out)
    assert result["lost"] == 0
    heard = np.fromfile(tmp_path / "heard.raw", dtype=np.int16)
    assert likeness(heard, np.frombuffer(read_wave(name), dtype=np.int16)) > 0.99


def test_a_program_that_was_suspended_goes_on_listening(pulse_microphone, tmp_path: Path) -> None:
    recorder = record(pulse_microphone, tmp_path, 6.5)
    assert recorder.stdout.readline() == "listening\n"
    recorder.send_signal(signal.SIGSTOP)
    time.sleep(4)  # longer than a device may be silent
    recorder.send_signal(signal.SIGCONT)
    out, err = recorder.communicate(timeout=40)
    assert recorder.returncode == 0, err
    assert json.loads(out)["error"] is None


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
