"""What a user can do to a run that goes on: ask how it is doing, edit its profile, read figures."""

import json
import re
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.fed import FedProgram
from support.program import MODEL, SPEECH, read_wave

pytestmark = pytest.mark.engine


PROFILE = f"""\
extends: captions
transcription:
  engine: faster-whisper
  model: {MODEL}
log:
  level: info
"""
SILENCE = np.random.default_rng(1).normal(0, 3, 16_000).astype("<i2").tobytes()
BOYS = read_wave(SPEECH / "utt-025-rms.wav")


class Program(FedProgram):
    """A run over endless quiet, and the file of its profile."""

    def __init__(self, home: Path, profile: str, *arguments: str) -> None:
        self.profile = home / "mine.yaml"
        self.profile.write_text(profile)
        super().__init__(home, str(self.profile), *arguments)


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[list[Program]]:
    started: list[Program] = []
    yield started
    for program in started:
        program.close()


def start(programs: list[Program], home: Path, profile: str = PROFILE, *arguments: str) -> Program:
    programs.append(Program(home, profile, *arguments))
    program = programs[-1]
    program.say(SILENCE)
    program.say(BOYS + SILENCE * 2)
    program.wait_for(lambda: finals(program) == 1, "no final")
    return program


def finals(program: Program) -> int:
    return len(program.of_type("final"))


def test_the_report_is_said_on_request_and_captions_go_on(programs, tmp_path: Path) -> None:
    program = start(programs, tmp_path)
    program.process.send_signal(signal.SIGUSR1)
    program.wait_for_words("startup: first sample after")
    assert "engine: keeping up" in program.err
    assert "vivavoce_" not in program.err, "raw names are for Prometheus"
    program.say(BOYS + SILENCE * 2)
    program.wait_for(lambda: finals(program) == 2, "no second final")
    assert program.end().code == 0


@pytest.mark.smoke
def test_an_edited_profile_holds_from_then_on(programs, tmp_path: Path) -> None:
    program = start(programs, tmp_path)
    program.profile.write_text(PROFILE + "cleanup:\n  replacements: {boys: girls}\n")
    program.wait_for_words("the profile has changed: cleanup.replacements")
    program.wait_for_words("another profile holds")
    program.say(BOYS + SILENCE * 2)
    program.wait_for(lambda: finals(program) == 2, "no second final")
    texts = [event["text"] for event in program.events if event["type"] == "final"]
    assert texts == [
        f"The {who} examined three of them with no result." for who in ("boys", "girls")
    ]
    assert program.end().code == 0


def test_a_wrong_edit_is_one_line_and_changes_nothing(programs, tmp_path: Path) -> None:
    program = start(programs, tmp_path)
    program.profile.write_text(PROFILE + "vad:\n  treshold: 0.4\n")
    program.wait_for_words("the profile stays as it was")
    line = next(line for line in program.err.splitlines() if "stays as it was" in line)
    assert "mine.yaml:" in line
    assert "did you mean 'threshold'?" in line
    assert "Traceback" not in program.err
    program.say(BOYS + SILENCE * 2)
    program.wait_for(lambda: finals(program) == 2, "no second final")


def test_another_model_is_loaded_while_it_runs_and_a_wrong_one_is_told(
    programs, tmp_path: Path
) -> None:
    program = start(programs, tmp_path)
    other = tmp_path / "other-model"
    other.symlink_to(MODEL)
    program.profile.write_text(PROFILE.replace(str(MODEL), str(tmp_path / "nothing-there")))
    program.wait_for_words("the engine stays as it is")
    program.profile.write_text(PROFILE.replace(str(MODEL), str(other)))
    program.wait_for(lambda: program.err.count("another profile holds") == 2, "not read")
    while program.events[-1].get("model") != str(other):
        before = finals(program)
        program.say(BOYS + SILENCE * 2)
        program.wait_for(lambda before=before: finals(program) > before, "no final")
    assert program.end().code == 0
    assert program.events[-1]["ledger"]["dropped"] == 0


def test_an_engine_that_is_killed_in_silence_is_started_again_at_once(
    programs, tmp_path: Path
) -> None:
    program = start(programs, tmp_path)
    (engine,) = program.engines
    engine.kill()
    program.wait_for_words("killed by SIGKILL")
    program.wait_for(lambda: program.engines not in ([], [engine]), "not started again")
    program.say(BOYS + SILENCE * 2)
    program.wait_for(lambda: finals(program) == 2, "no second final")
    assert program.end().code == 0


def test_a_mode_can_be_forced_by_an_edit(programs, tmp_path: Path) -> None:
    program = start(programs, tmp_path)
    program.profile.write_text(PROFILE + "power:\n  mode: parked\n")
    program.wait_for(
        lambda: program.events[-1] == {**program.events[-1], "type": "power", "mode": "parked"},
        "not parked",
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_prometheus_and_health_are_served_where_the_profile_says_so(
    programs, tmp_path: Path
) -> None:
    port = free_port()
    program = start(programs, tmp_path, PROFILE + f"metrics:\n  listen: 127.0.0.1:{port}\n")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        page = answer.read().decode()
    assert "vivavoce_finals_total 1.0" in page
    assert "# TYPE vivavoce_endpoint_to_final_seconds histogram" in page
    stages = re.findall(r'vivavoce_stage_seconds_count{stage="(\w+)"} [1-9]', page)
    assert sorted(stages) == ["capture", "decode", "delivery", "endpoint", "queue"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as answer:
        health = json.load(answer)
    assert health["live"]
    assert health["ready"]
    assert health["power_mode"] == "active"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60)
    assert program.end().code == 0


def test_a_port_that_is_taken_is_one_line(tmp_path: Path, programs) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        programs.append(Program(tmp_path, PROFILE + f"metrics:\n  listen: 127.0.0.1:{port}\n"))
        programs[-1].say(SILENCE)
        assert programs[-1].outcome().code == 1
    assert f"127.0.0.1:{port}" in programs[-1].err
    assert "Traceback" not in programs[-1].err
