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
from support.waiting import wait_until

pytestmark = [pytest.mark.device, pytest.mark.pace]

RECORDER = Path(__file__).parents[1] / "support" / "recorder.py"

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


@pytest.mark.smoke
@pytest.mark.parametrize("options", [(), ("fixed",)], ids=["16 kHz mono", "48 kHz stereo"])
def test_what_is_spoken_is_heard_without_a_hole(pulse_microphone, tmp_path: Path, options) -> None:
    recorder = record(pulse_microphone, tmp_path, 5, *options)
    assert recorder.stdout.readline() == "listening\n"
    name = SPEECH / "utt-002-awb.wav"
    pulse_microphone.play(name)
    out, err = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, err
    result = json.loads(out)
    assert result["lost"] == 0
    heard = np.fromfile(tmp_path / "heard.raw", dtype=np.int16)
    assert likeness(heard, np.frombuffer(read_wave(name), dtype=np.int16)) > 0.99


class Recording:
    """A program that records, told what to do by lines on its input."""

    def __init__(self, microphone, tmp_path: Path, device: str | None = None) -> None:
        self.out = tmp_path / "heard.raw"
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(RECORDER), str(self.out), json.dumps(device)],
            env={**isolated(tmp_path), **microphone.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.wait_for("first")

    def wait_for(self, name: str) -> dict:
        while True:
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            event = json.loads(line)
            if event["event"] == name:
                return event

    def say(self, *words: object) -> None:
        print(*words, file=self.process.stdin, flush=True)

    def ask(self, question: str) -> dict:
        self.say(question)
        return self.wait_for(question)

    def wait_until_it_listens(self) -> None:
        wait_until(
            lambda: self.ask("gauges")["vivavoce_capture_block_seconds"] > 0, "it did not come back"
        )

    def end(self) -> dict:
        self.say("stop")
        result = self.wait_for("end")
        _, self.err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, self.err
        assert result["threads"] == ["MainThread"]
        self.heard = np.fromfile(self.out, dtype=np.int16)
        assert len(self.heard) == result["samples"]
        return result


def seconds_of(gaps: list) -> float:
    return sum(end - start for start, end, _ in gaps) / 16_000


def assert_equal_where_played(heard: np.ndarray, played: np.ndarray, *, at_least_s: float) -> None:
    """Every sample from the first that was played on is the one that was played."""
    begin = int(np.flatnonzero(heard)[0])
    piece = heard[begin : begin + 400]
    found = [
        place
        for place in np.flatnonzero(played == piece[0])
        if np.array_equal(played[place : place + 400], piece)
    ]
    assert len(found) == 1
    common = min(len(heard) - begin, len(played) - found[0])
    differing = heard[begin : begin + common] != played[found[0] : found[0] + common]
    assert not differing.any(), f"first at {np.argmax(differing)} of {common}"
    assert common > at_least_s * 16_000


@pytest.mark.parametrize(
    ("awake", "lengths"),
    [(True, (512, 32, 128, 64)), (False, (512, 32))],
    ids=["steady source", "bursting source"],
)
def test_block_lengths_change_without_a_sample_lost_or_doubled(
    pulse_microphone, tmp_path: Path, awake: bool, lengths: tuple[int, ...]
) -> None:
    if awake:
        pulse_microphone.keep_awake()
    recording = Recording(pulse_microphone, tmp_path)
    played = np.random.default_rng(7).normal(0, 2_000, 16_000 * 12).astype(np.int16)
    player = pulse_microphone.play_samples(played.tobytes())
    try:
        time.sleep(0.5)
        for block_ms in lengths:
            recording.say("power", "listening", block_ms, "open")
            time.sleep(1.6)
            assert recording.ask("gauges")["vivavoce_capture_block_seconds"] == block_ms / 1_000
        result = recording.end()
    finally:
        player.kill()
        player.wait()
    assert result["gaps"] == []
    assert result["counters"]["vivavoce_capture_handovers_total"] == len(lengths)
    assert result["handover_s"][1] < 1.6
    assert_equal_where_played(recording.heard, played, at_least_s=1.5 * len(lengths))


def test_a_released_microphone_costs_nothing_and_is_back_at_once(
    pulse_microphone, tmp_path: Path
) -> None:
    pulse_microphone.keep_awake()
    recording = Recording(pulse_microphone, tmp_path)
    listening = recording.ask("threads")["count"]
    recording.say("power", "closed", 512, "closed")
    time.sleep(0.5)
    assert recording.ask("threads")["count"] <= listening - 2  # PortAudio's and PulseAudio's
    before = recording.ask("cost")
    time.sleep(1)
    after = recording.ask("cost")
    assert sum(after["wakeups"].values()) - sum(before["wakeups"].values()) <= 2  # it was asked
    assert after["cpu"] - before["cpu"] < 0.004
    recording.say("power", "active", 32, "open")
    gap = recording.wait_for("gap")
    assert gap["reason"] == "closed"
    assert seconds_of([[gap["start"], gap["end"], ""]]) == pytest.approx(1.5, abs=0.4)
    time.sleep(0.5)
    assert len(recording.end()["gaps"]) == 1


def test_a_program_that_was_suspended_loses_nothing_that_was_kept_for_it(
    pulse_microphone, tmp_path: Path
) -> None:
    pulse_microphone.keep_awake()
    recording = Recording(pulse_microphone, tmp_path)
    played = np.random.default_rng(8).normal(0, 2_000, 16_000 * 12).astype(np.int16)
    player = pulse_microphone.play_samples(played.tobytes())
    try:
        time.sleep(0.5)
        recording.process.send_signal(signal.SIGSTOP)
        time.sleep(3.5)  # longer than a device may be silent
        recording.process.send_signal(signal.SIGCONT)
        time.sleep(1.5)
        result = recording.end()
    finally:
        player.kill()
        player.wait()
    assert result["gaps"] == []
    assert_equal_where_played(recording.heard, played, at_least_s=5)


def test_a_sound_server_that_dies_is_listened_to_again(pulse_microphone, tmp_path: Path) -> None:
    recording = Recording(pulse_microphone, tmp_path)
    name = SPEECH / "utt-002-awb.wav"
    pulse_microphone.play(name)
    began = time.monotonic()
    pulse_microphone.kill()
    time.sleep(0.2)
    pulse_microphone.start()
    pulse_microphone.keep_awake()
    recording.wait_until_it_listens()
    away = time.monotonic() - began
    pulse_microphone.play(name)
    result = recording.end()
    gaps = result["gaps"]
    assert {reason for _, _, reason in gaps} == {"device_lost"}
    assert len(gaps) <= 2
    assert seconds_of(gaps) == pytest.approx(away, abs=2.2)  # this source renders 2 s at once
    assert "delivers no more sound; trying again" in recording.err
    assert "is back after" in recording.err
    spoken = np.frombuffer(read_wave(name), dtype=np.int16)
    lost_at, back_at = gaps[0][0], gaps[-1][1]
    assert likeness(recording.heard[:lost_at], spoken) > 0.99
    assert likeness(recording.heard[back_at:], spoken) > 0.99


def test_a_device_that_vanishes_from_a_living_server_is_listened_to_again(
    pulse_microphone, tmp_path: Path
) -> None:
    pulse_microphone.keep_awake()
    recording = Recording(pulse_microphone, tmp_path)
    pulse_microphone.unload("module-null-sink")
    time.sleep(1)  # two attempts
    pulse_microphone.load_sink("mic")
    assert recording.wait_for("gap")["reason"] == "device_lost"
    recording.wait_until_it_listens()
    pulse_microphone.play(SPEECH / "utt-002-awb.wav")
    result = recording.end()
    spoken = np.frombuffer(read_wave(SPEECH / "utt-002-awb.wav"), dtype=np.int16)
    assert likeness(recording.heard[result["gaps"][-1][1] :], spoken) > 0.99
    assert "ALSA lib" not in recording.err  # not one line for each attempt
