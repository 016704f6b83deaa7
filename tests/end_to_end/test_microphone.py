"""The microphone, for real: PulseAudio's null sink through ALSA and PortAudio."""

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.program import SPEECH, WHISPER, Outcome, command, isolated
from support.waiting import a_moment

pytestmark = [pytest.mark.device, pytest.mark.engine]


@pytest.mark.smoke
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
        rest, err = program.communicate(timeout=60)
    finally:
        program.kill()
    outcome = Outcome(program.returncode, "".join(lines) + rest.decode(), err.decode())
    assert outcome.code == 0, outcome.err
    assert "examined three of them with no result" in outcome.finals[0]["text"]
    assert outcome.assert_balanced()["dropped"] == 0
    assert "startup: first sample after" in outcome.err


class Listening:
    """The program, captioning the microphone."""

    def __init__(self, microphone, tmp_path: Path, *options: str) -> None:
        self.lines: list[str] = []
        self.errors = tmp_path / "errors"
        self.process = subprocess.Popen(
            command("--format", "jsonl", *options, *WHISPER),
            env={**isolated(tmp_path), **microphone.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors.open("wb"),
        )

    def wait_for(self, kind: str) -> dict:
        for line in self.process.stdout:
            self.lines.append(line.decode())
            event = json.loads(line)
            if event["type"] == kind:
                return event
        raise AssertionError(self.errors.read_text())

    def end(self) -> Outcome:
        self.process.send_signal(signal.SIGINT)
        rest = self.process.stdout.read().decode()  # not communicate(): lines wait in the buffer
        code = self.process.wait(timeout=60)
        return Outcome(code, "".join(self.lines) + rest, self.errors.read_text())


@pytest.fixture
def listen(pulse_microphone, tmp_path: Path) -> Iterator[Callable[..., Listening]]:
    running: list[Listening] = []

    def start(*options: str) -> Listening:
        running.append(Listening(pulse_microphone, tmp_path, *options))
        pulse_microphone.wait_for_listener()
        return running[-1]

    yield start
    for program in running:
        program.process.kill()


SPOKEN = SPEECH / "utt-025-rms.wav"
WORDS = "examined three of them with no result"


def assert_well_ended(outcome: Outcome) -> None:
    assert outcome.code == 0, outcome.err
    assert "Traceback" not in outcome.err
    ledger = outcome.assert_balanced()
    lost = sum(round(16_000 * (gap["end"] - gap["start"])) for gap in outcome.of_type("gap"))
    assert abs(ledger["dropped"] - lost) <= 16 * len(outcome.of_type("gap"))  # milliseconds
    times = [event["t"] for event in outcome.events]
    assert times == sorted(times)


def test_a_sound_server_that_dies_and_comes_back_is_captioned_again(
    pulse_microphone, listen
) -> None:
    program = listen("--set", "vad.end_silence_ms=20000")
    pulse_microphone.play(SPOKEN)
    pulse_microphone.kill()
    assert WORDS in program.wait_for("final")["text"]  # the loss ends what was being said
    pulse_microphone.start()
    pulse_microphone.wait_for_listener()
    pulse_microphone.play(SPOKEN)
    pulse_microphone.kill()
    assert WORDS in program.wait_for("final")["text"]
    outcome = program.end()
    assert_well_ended(outcome)
    assert {gap["reason"] for gap in outcome.of_type("gap")} == {"device_lost"}
    # Of the second loss the program may be ended before it tries again.
    assert outcome.err.count("delivers no more sound; trying again") in (1, 2)
    assert outcome.err.count("is back after") == 1


def test_a_device_that_vanishes_and_comes_back_is_captioned_again(pulse_microphone, listen) -> None:
    program = listen()
    pulse_microphone.unload("module-null-sink")
    assert program.wait_for("gap")["reason"] == "device_lost"
    pulse_microphone.load_sink("mic")
    pulse_microphone.wait_for_listener()
    pulse_microphone.play(SPOKEN)
    assert WORDS in program.wait_for("final")["text"]
    assert_well_ended(program.end())


def test_a_program_that_was_stopped_in_the_middle_of_a_sentence_captions_all_of_it(
    pulse_microphone, listen
) -> None:
    program = listen()
    threading.Timer(1.0, program.process.send_signal, [signal.SIGSTOP]).start()
    threading.Timer(4.0, program.process.send_signal, [signal.SIGCONT]).start()
    pulse_microphone.play(SPOKEN)
    assert WORDS in program.wait_for("final")["text"]
    outcome = program.end()
    assert_well_ended(outcome)
    assert outcome.of_type("gap") == []  # the sound server had kept it


def test_it_can_be_ended_while_there_is_no_device(pulse_microphone, listen) -> None:
    program = listen()
    pulse_microphone.kill()
    program.wait_for("gap")
    assert_well_ended(program.end())


def test_closed_from_the_start_nobody_listens_until_it_is_woken(
    pulse_microphone, tmp_path: Path
) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text("power: {mode: closed}")
    program = subprocess.Popen(
        command(str(profile), "--format", "jsonl", *WHISPER),
        env={**isolated(tmp_path), **pulse_microphone.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        seen = [json.loads(program.stdout.readline()) for _ in range(2)]
        assert [event["type"] for event in seen] == ["power", "gap"]
        assert (seen[0]["mode"], seen[1]["reason"]) == ("closed", "closed")
        assert not pulse_microphone.listeners()
        profile.write_text("power: {mode: auto}")
        pulse_microphone.wait_for_listener()
        pulse_microphone.play(SPEECH / "utt-025-rms.wav")
        rest = []
        while not rest or rest[-1]["type"] != "final":
            rest.append(json.loads(program.stdout.readline()))
        assert "examined three of them" in rest[-1]["text"]
    finally:
        program.kill()
        program.communicate()


@pytest.mark.parametrize("hung_for_s", [0.1, 3.0])
def test_a_sound_server_that_hangs_does_not_keep_the_program_from_its_end(
    pulse_microphone, listen, hung_for_s
) -> None:
    program = listen("--set", "vad.end_silence_ms=20000")
    pulse_microphone.wait_for_listener()
    pulse_microphone.play(SPEECH / "utt-025-rms.wav")
    program.wait_for("partial")
    pulse_microphone.hang()
    a_moment(hung_for_s)  # until it is looked for, or before
    outcome = program.end()
    pulse_microphone.go_on()
    assert outcome.code == 0, outcome.err
    assert "examined three of them" in outcome.finals[0]["text"]
    assert "the sound server does not answer" in outcome.err
    outcome.assert_balanced()
