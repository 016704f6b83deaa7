"""`vivavoce ctl` as a user calls it, against a process that is controlled."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.controlled import Process
from support.program import Outcome, command, isolated, run
from support.waiting import a_moment

from vivavoce.control.claim import AlreadyRunning, InstanceClaim
from vivavoce.control.place import Place

pytestmark = pytest.mark.process


def ctl(home: Path, *arguments: str) -> Outcome:
    return run(home, "ctl", *arguments, timeout=60)


def begin_ctl(home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("ctl", *arguments),
        env=isolated(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Process]:
    process = Process.begin(isolated(tmp_path))
    yield process
    process.end()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_where_nothing_runs_it_says_what_to_start(tmp_path: Path) -> None:
    for arguments in (["toggle"], ["status", "--follow"]):
        done = ctl(tmp_path, *arguments)
        assert (done.code, done.out) == (1, "")
        assert done.err == (
            "vivavoce: error: no instance is running: start one with `vivavoce dictation`\n"
        )


def test_recording_is_commanded(tmp_path: Path, program: Process) -> None:
    said = [ctl(tmp_path, what) for what in ("toggle", "toggle", "start", "cancel", "stop")]
    assert [(done.code, done.out, done.err) for done in said] == [
        (0, "recording\n", ""),
        (0, "not recording\n", ""),
        (0, "recording\n", ""),
        (0, "not recording\n", ""),
        (0, "not recording\n", ""),
    ]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no start of a process is told")
def test_a_key_that_is_only_tapped_leaves_nothing_recording(
    tmp_path: Path, program: Process
) -> None:
    """Its two processes may overtake each other."""
    pressed = begin_ctl(tmp_path, "start")
    pressed.send_signal(signal.SIGSTOP)  # the machine is busy
    a_moment()  # starts of processes are told in ticks of 10 ms
    assert ctl(tmp_path, "stop").out == "not recording\n"
    pressed.send_signal(signal.SIGCONT)
    assert pressed.communicate(timeout=60)[0] == "not recording\n"


def test_the_status_for_programs_is_one_line_of_json(tmp_path: Path, program: Process) -> None:
    done = ctl(tmp_path, "status", "--json")
    found = json.loads(done.out)
    assert done.out.count("\n") == 1
    assert found["pid"] == program.child.pid
    assert found["engine"] == {"name": "faster-whisper", "model": "base.en", "ready": True}


def test_the_status_for_people_steers_no_terminal(tmp_path: Path, program: Process) -> None:
    done = ctl(tmp_path, "status")
    assert "\x1b" not in done.out
    assert "microphone  USB \\x1b[2J mic" in done.out
    assert "last text   typed wtype foot" in done.out
    assert done.out.startswith("state       not recording\n")


def test_settings_are_shown_and_changed(tmp_path: Path, program: Process) -> None:
    assert ctl(tmp_path, "mode", "manual").out == "manual\n"
    assert ctl(tmp_path, "mode", "auto").out == "hold\n"
    assert ctl(tmp_path, "power", "parked").out == "parked\n"
    assert ctl(tmp_path, "power", "auto").out == "auto\n"
    assert ctl(tmp_path, "power").out == "listening\n"
    assert ctl(tmp_path, "profile", "meeting").out == "meeting\n"


def test_a_profile_that_is_a_file_is_found_from_where_the_user_is(
    tmp_path: Path, program: Process
) -> None:
    done = subprocess.run(
        command("ctl", "profile", "mine.yaml"),
        env=isolated(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"{tmp_path}/mine.yaml\n"


def test_wrong_profiles_and_wrong_usage_exit_with_2(tmp_path: Path, program: Process) -> None:
    done = ctl(tmp_path, "profile", "wrong")
    assert done.code == 2
    assert done.err == "vivavoce: error: wrong.yaml:3: vad.pause: unknown setting\n"
    done = ctl(tmp_path, "mode", "sometimes")
    assert done.code == 2
    assert "'sometimes' is not one of" in done.err


def test_instances_are_told_apart_by_name(tmp_path: Path, program: Process) -> None:
    left = Process.begin(isolated(tmp_path), instance="left")
    try:
        for arguments in (["--instance", "left", "profile"], ["profile", "--instance", "left"]):
            assert ctl(tmp_path, *arguments).out == "dictation\n"
        ctl(tmp_path, "--instance", "left", "start")
        assert json.loads(ctl(tmp_path, "status", "--json").out)["recording"] is False
        named = begin_ctl(tmp_path, "stop", VIVAVOCE_CONTROL__INSTANCE="left")
        assert named.communicate()[0] == "not recording\n"
    finally:
        left.end()
    done = ctl(tmp_path, "toggle", "--instance", "right")
    assert done.code == 1
    assert "no instance 'right' is running" in done.err
    assert "--set control.instance=right" in done.err
    assert "(default, left)" in done.err


def test_a_second_instance_says_so_and_ends(tmp_path: Path, program: Process) -> None:
    with pytest.raises(AlreadyRunning, match=f"process {program.child.pid}"):
        InstanceClaim.acquire(Place("default", isolated(tmp_path)))
    assert ctl(tmp_path, "status").code == 0, "the first one goes on"


def test_quit_returns_when_it_has_ended_and_the_name_is_free(tmp_path: Path) -> None:
    program = Process.begin(isolated(tmp_path), waits=True)
    try:
        following = begin_ctl(tmp_path, "status", "--follow", "--json")
        assert json.loads(next_line(following))["finals"] == 0
        quitting = begin_ctl(tmp_path, "quit")
        program.wait_for("quitting")
        with pytest.raises(AlreadyRunning):
            InstanceClaim.acquire(Place("default", isolated(tmp_path)))
        assert quitting.poll() is None
        program.let_go()
        assert quitting.communicate(timeout=60) == ("", "")
        assert quitting.returncode == 0
        InstanceClaim.acquire(Place("default", isolated(tmp_path))).release()
        assert program.child.wait(timeout=60) == 0
        assert following.communicate(timeout=60) == ("", "")
        assert following.returncode == 0
    finally:
        program.end()


def test_who_follows_sees_changes_and_is_told_when_the_instance_is_lost(
    tmp_path: Path, program: Process
) -> None:
    following = begin_ctl(tmp_path, "status", "--follow")
    assert next_line(following) == "not recording  hold  faster-whisper base.en  0 finals\n"
    for change in (["profile", "other"], ["start"]):  # the line shows no profile
        ctl(tmp_path, *change)
    assert next_line(following) == "recording  hold  faster-whisper base.en  0 finals\n"
    program.kill()
    out, err = following.communicate(timeout=60)
    assert (following.returncode, out) == (1, "")
    assert err == ("vivavoce: error: the instance was lost: it ended without having been told to\n")


def test_who_follows_ends_quietly_when_nobody_reads(tmp_path: Path, program: Process) -> None:
    """And at once: the next change may be hours away."""
    following = begin_ctl(tmp_path, "status", "--follow")
    next_line(following)
    assert following.stdout is not None
    following.stdout.close()
    assert following.wait(timeout=60) == 0
    assert following.stderr is not None
    assert following.stderr.read() == ""
    following.stderr.close()


def test_an_instance_that_dies_in_the_middle_of_a_command(tmp_path: Path, program: Process) -> None:
    asking = begin_ctl(tmp_path, "profile", "hangs")
    program.wait_for("hangs")
    assert asking.poll() is None
    program.kill()
    out, err = asking.communicate(timeout=60)
    assert (asking.returncode, out) == (1, "")
    assert err == "vivavoce: error: the instance ended before it had answered\n"


def test_an_unsafe_folder_is_told_in_one_line(tmp_path: Path, program: Process) -> None:
    folder = tmp_path / "runtime" / "vivavoce"
    folder.chmod(0o755)
    done = ctl(tmp_path, "toggle")
    assert done.code == 1
    assert "is open to other users: run `chmod 700` on it" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("vivavoce ctl ", "toggle"),
        ("vivavoce ctl mode ", "manual"),
        ("vivavoce ctl profile c", "captions"),
    ],
)
def test_the_shell_completes(tmp_path: Path, words: str, expected: str) -> None:
    environ = isolated(
        tmp_path,
        _VIVAVOCE_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split(" ")) - 1),
    )
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            "from vivavoce.cli import command; command(prog_name='vivavoce')",
        ],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert f"plain,{expected}" in done.stdout, done.stderr


def test_a_key_press_pays_for_nothing_that_it_does_not_need() -> None:
    probe = (
        "import sys, vivavoce.config; before = set(sys.modules);"
        "import vivavoce.cli.ctl;"
        "print(sorted(m for m in set(sys.modules) - before if m.partition('.')[0] in "
        "('asyncio', 'anyio', 'numpy', 'msgspec', 'yaml', 'subprocess', 'tempfile', 'rich')"
        " or m.startswith(('vivavoce.pipeline', 'vivavoce.actors', 'vivavoce.control.server'))))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe],
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"
