"""The program itself, whose engine is stopped while somebody speaks."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from support.program import WHISPER, Outcome, command, isolated, join_waves

from vivavoce.actors.transcription.engine_process import _HOST

pytestmark = pytest.mark.engine

CLIPS = ("utt-002-awb.wav", "utt-025-rms.wav")
LIMIT_S = 120


class Live:
    """The program on a recording in real time."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._lines: list[bytes] = []

    def wait_for(self, kind: str) -> None:
        """Read until an event of that kind is written."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self._lines.append(line)
            if json.loads(line)["type"] == kind:
                return
        raise AssertionError(f"the program ended without a {kind}")

    def stop_engine(self) -> None:
        engines = [
            child
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if _HOST in child.cmdline()
        ]
        assert len(engines) == 1
        engines[0].send_signal(signal.SIGSTOP)

    def ended(self) -> Outcome:
        out, err = self.process.communicate(timeout=LIMIT_S)
        whole = b"".join(self._lines) + out
        return Outcome(self.process.returncode, whole.decode(), err.decode())


@contextmanager
def live(tmp_path: Path) -> Iterator[Live]:
    source = join_waves(
        tmp_path / "said.wav", *CLIPS, gap_s=1.7
    )  # a final is written while the next speaks
    options = ["--source", str(source), "--pace", "realtime", "--format", "jsonl", *WHISPER]
    with subprocess.Popen(
        command(*options),
        env=isolated(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield Live(process)
        finally:
            process.kill()


def test_captions_go_on_and_nothing_is_lost(tmp_path: Path) -> None:
    with live(tmp_path) as program:
        program.wait_for("final")
        program.stop_engine()
        outcome = program.ended()
    assert outcome.code == 0, outcome.err
    said = " ".join(outcome.texts).lower()
    for word in ("boys", "examined", "three"):
        assert word in said
    assert outcome.of_type("gap") == []
    outcome.assert_balanced()
    assert "did not answer for" in outcome.err
    assert "Traceback" not in outcome.err


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with live(tmp_path) as program:
        program.wait_for("final")
        program.stop_engine()
        program.process.send_signal(signal.SIGTERM)
        outcome = program.ended()
    assert outcome.code == 0, outcome.err
    assert outcome.texts, "what was said until then"
    assert outcome.of_type("gap") == []
    outcome.assert_balanced()
    assert "Traceback" not in outcome.err
