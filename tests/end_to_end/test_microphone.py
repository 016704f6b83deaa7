"""The microphone, for real: PulseAudio's null sink through ALSA and PortAudio."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
from support.program import SPEECH, WHISPER, Outcome, command, isolated

pytestmark = [pytest.mark.device, pytest.mark.engine]


def test_a_recording_spoken_into_the_microphone_is_captioned(
    pulse_microphone, tmp_path: Path
) -> None:
    program = subprocess.Popen(
        command("--format", "jsonl", "--stats", *WHISPER),
        env={**isolated(tmp_path), **pulse_microphone.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    lines = []
    try:
        pulse_microphone.wait_for_listener()
        pulse_microphone.play(SPEECH / "utt-025-rms.wav")
        for line in program.stdout:
            lines.append(line.decode())
            if json.loads(line)["type"] == "final":
                break
        program.send_signal(signal.SIGINT)
        rest, err = program.communicate(timeout=30)
    finally:
        program.kill()
    outcome = Outcome(program.returncode, "".join(lines) + rest.decode(), err.decode())
    assert outcome.code == 0, outcome.err
    assert "examined three of them with no result" in outcome.finals[0]["text"]
    assert any(event["type"] == "partial" for event in outcome.events)
    assert outcome.assert_balanced()["dropped"] == 0
    assert "startup: first sample after" in outcome.err


def test_a_microphone_that_goes_away_still_gives_what_was_said(
    pulse_microphone, tmp_path: Path
) -> None:
    program = subprocess.Popen(
        command("--format", "jsonl", "--set", "vad.end_silence_ms=20000", *WHISPER),
        env={**isolated(tmp_path), **pulse_microphone.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        pulse_microphone.wait_for_listener()
        pulse_microphone.play(SPEECH / "utt-025-rms.wav")
        pulse_microphone.kill()
        out, err = program.communicate(timeout=60)
    finally:
        program.kill()
    outcome = Outcome(program.returncode, out.decode(), err.decode())
    assert outcome.code == 1
    assert "delivers no more sound" in outcome.err
    assert "Traceback" not in outcome.err
    assert "examined three of them" in outcome.finals[-1]["text"]
    outcome.assert_balanced()
