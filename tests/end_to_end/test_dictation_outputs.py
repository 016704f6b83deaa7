"""Dictation without a desktop: texts on standard output, to a program, and in the history."""

import json
import stat
import sys
from pathlib import Path

import pytest
from support.program import SPEECH, WHISPER, run

pytestmark = pytest.mark.engine

BOYS = ["dictation", "--source", str(SPEECH / "utt-025-rms.wav"), "--pace", "max", *WHISPER]
KEEP = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write(sys.stdin.read() + chr(10))"


def test_each_text_once_on_standard_output_and_nothing_on_disk(tmp_path: Path) -> None:
    outcome = run(
        tmp_path, *BOYS, "--set", "injection.backend=stdout", "--set", "persistence=false"
    )
    assert outcome.code == 0, outcome.err
    (line,) = outcome.out.splitlines()
    assert line.startswith("The boys examined")
    written = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert written == []


def test_a_program_of_the_users_gets_each_text_and_the_history_knows(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    program = json.dumps([sys.executable, "-c", KEEP, str(kept)])
    outcome = run(
        tmp_path,
        *BOYS,
        *("--set", "injection.backend=command", "--set", f"injection.command={program}"),
    )
    assert outcome.code == 0, outcome.err
    assert kept.read_text().splitlines() == outcome.out.splitlines()
    listed = json.loads(run(tmp_path, "history", "list", "--json").out)
    assert [(row["text"], row["outcome"], row["back_end"]) for row in listed] == [
        (outcome.out.strip(), "typed", "command")
    ]
    database = tmp_path / "data" / "vivavoce" / "history.sqlite3"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
