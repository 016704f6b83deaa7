"""The tiers of the tests leave nothing out, and tell of what was skipped."""

import ast
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from support.tiers import NOT_QUICK, in_tier

KINDS = [
    set(kinds)
    for count in range(len(NOT_QUICK) + 2)
    for kinds in combinations([*sorted(NOT_QUICK), "smoke"], count)
]


def test_each_test_runs_exactly_once_in_test_and_rest() -> None:
    for kinds in KINDS:
        assert in_tier("all", kinds)
        assert in_tier("test", kinds) is not in_tier("rest", kinds), kinds
        assert in_tier("test", kinds) or not in_tier("quick", kinds), kinds
        assert in_tier("quick", kinds) is (not kinds & NOT_QUICK), kinds


MAY_SLEEP = {
    "support/waiting.py",  # all others wait there, for something
    "capture/test_microphone.py",  # at the pace of sound
    "capture/test_ring.py",  # another thread's turn
    "monitor/test_sensors.py",  # what wakes up is counted
}


def test_nobody_else_sleeps() -> None:
    here = Path(__file__).parent
    calls = {
        path.relative_to(here).as_posix()
        for path in here.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    }
    assert calls <= MAY_SLEEP, "use support.waiting"


SKIPPED = """
import pytest

@pytest.mark.device
@pytest.mark.parametrize("number", [1, 2])
def test_of_a_microphone(number):
    pytest.skip("no microphone")

@pytest.fixture
def sway():
    pytest.skip("no sway")

def test_of_a_desktop(sway):
    pass

def test_of_neither():
    pytest.skip("no model")

def test_that_runs():
    pass
"""


@pytest.mark.process
@pytest.mark.parametrize(("options", "code"), [((), 0), (("--require-devices",), 1)])
@pytest.mark.parametrize("processes", ["0", "2"])
def test_skipped_device_and_desktop_tests_are_counted(
    tmp_path: Path, options: tuple[str, ...], code: int, processes: str
) -> None:
    (tmp_path / "test_skipped.py").write_text(SKIPPED)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "support.tiers", "-c", os.devnull),
            *("--rootdir", str(tmp_path), "-n", processes, *options, str(tmp_path)),
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    line = "3 device and desktop tests were skipped: Skipped: no microphone; Skipped: no sway"
    assert line in done.stdout, done.stdout + done.stderr
    assert done.returncode == code, done.stdout
