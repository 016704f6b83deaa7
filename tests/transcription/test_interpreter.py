"""Which Python an engine's process is started with: a table; then real programs that are none."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from vivavoce.actors.transcription.engine_process import EngineProcess
from vivavoce.actors.transcription.engines.base import EngineDied, EngineSpec
from vivavoce.actors.transcription.interpreter import (
    HostProgram,
    InterpreterError,
    handed_path,
    host_program,
    python_command,
)
from vivavoce.actors.transcription.machine import calibrate
from vivavoce.actors.transcription.selection import engine_settings
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.metrics import Metrics

PLAIN = HostProgram(
    executable="/usr/bin/python3.11",
    version="3.11",
    frozen=False,
    path=("/app/parts", "/usr/lib/python3.11", "/site"),
    home="/site",
    prefixes=("/venv", "/usr"),
    library="/usr/lib/python3.11",
    flags=(),
    tag="cpython-311",
)
THERE = {"/usr/bin/python3.11", "/venv/bin/python3.11", "/opt/app/app", "/named/python"}
SPHINX = EngineSpec(engine="pocketsphinx")


def command_of(
    host: HostProgram,
    python: str | None = None,
    there: set[str] = THERE,
    environ: dict[str, str] | None = None,
) -> tuple[list[str], dict[str, str]]:
    return python_command(
        "a.module",
        ["argument"],
        python=python,
        host=host,
        environ={} if environ is None else environ,
        runnable=there.__contains__,
    )


@pytest.mark.parametrize(
    ("changes", "python", "expected"),
    [
        ({}, None, "/usr/bin/python3.11"),
        ({"executable": "/opt/pythonw3.exe"}, None, "/venv/bin/python3.11"),  # it is not there
        ({"executable": ""}, None, "/venv/bin/python3.11"),
        ({"executable": "python3.11"}, None, "/venv/bin/python3.11"),  # no path: whose is it?
        ({"executable": "/opt/app/app"}, None, "/venv/bin/python3.11"),  # the host itself
        ({"executable": "", "prefixes": ("/nowhere", "/usr")}, None, "/usr/bin/python3.11"),
        ({}, "/named/python", "/named/python"),
        ({"frozen": True}, "/named/python", "/named/python"),
        ({"executable": ""}, "/named/python", "/named/python"),
    ],
)
def test_which_interpreter(changes: dict[str, object], python: str | None, expected: str) -> None:
    command, _ = command_of(replace(PLAIN, **changes), python)
    assert command[:2] == [expected, "-P"]
    assert "a.module" in command
    assert command[-1] == "argument"


@pytest.mark.parametrize(
    ("changes", "python", "words"),
    [
        ({"frozen": True}, None, "packaged (frozen): its executable '/usr/bin/python3.11'"),
        ({"frozen": True, "executable": "/opt/app/app"}, "/opt/app/app", "packaged"),
        ({"executable": "", "prefixes": ()}, None, "sys.executable is empty"),
        ({"executable": "/gone/python3", "prefixes": ()}, None, "'/gone/python3' cannot be run"),
        ({"executable": "/opt/app/app", "prefixes": ()}, None, "'/opt/app/app' is no Python by"),
        ({}, "/nowhere/python", "'/nowhere/python' cannot be run"),
        ({}, "no-such-python", "'no-such-python' cannot be run"),
        ({}, "", "'' cannot be run"),
    ],
)
def test_what_cannot_be_one_line_says_what_to_do(
    changes: dict[str, object], python: str | None, words: str
) -> None:
    with pytest.raises(InterpreterError) as refused:
        command_of(replace(PLAIN, **changes), python)
    text = str(refused.value)
    assert words in text
    assert "transcription.python" in text
    assert "VIVAVOCE_TRANSCRIPTION__PYTHON" in text
    assert "\n" not in text
    assert not isinstance(refused.value, EngineDied)


def test_names_are_looked_up_as_a_shell_does(tmp_path: Path) -> None:
    python = tmp_path / "my-python"
    python.touch(0o755)
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    there = {str(python)}
    assert command_of(PLAIN, "my-python", there, environ)[0][0] == str(python)
    here = os.path.relpath(python)
    assert command_of(PLAIN, here, there, environ)[0][0] == str(python)


def test_a_program_that_was_started_as_an_engine_starts_none() -> None:
    _, environ = command_of(PLAIN)
    with pytest.raises(InterpreterError, match="as if it were Python"):
        command_of(PLAIN, environ=environ)


@pytest.mark.parametrize(
    ("changes", "python", "before", "after"),
    [
        # This program stands there itself: its own Python needs it.
        ({}, None, {"PYTHONHOME": "/usr"}, {"PYTHONHOME": "/usr"}),
        ({}, None, {"PYTHONHOME": "/usr:/usr"}, {"PYTHONHOME": "/usr:/usr"}),
        ({}, None, {"PYTHONHOME": "/elsewhere"}, {}),
        ({}, None, {"PYTHONPATH": "/a", "LANG": "C"}, {"PYTHONPATH": "/a", "LANG": "C"}),
        # Another Python: what was meant for ours is none of its business.
        (
            {},
            "/named/python",
            {"PYTHONHOME": "/usr", "PYTHONPATH": "/a", "LANG": "C"},
            {"LANG": "C"},
        ),
        # PyInstaller's loader puts the bundle's libraries before all others.
        (
            {"frozen": True},
            "/named/python",
            {"LD_LIBRARY_PATH": "/bundle", "LD_LIBRARY_PATH_ORIG": "/lib"},
            {"LD_LIBRARY_PATH": "/lib"},
        ),
        ({"frozen": True}, "/named/python", {"LD_LIBRARY_PATH": "/a"}, {"LD_LIBRARY_PATH": "/a"}),
    ],
)
def test_the_environment(
    changes: dict[str, object], python: str | None, before: dict[str, str], after: dict[str, str]
) -> None:
    _, environ = command_of(replace(PLAIN, **changes), python, environ=before)
    known = ("PYTHON", "LD_", "LANG")
    assert {name: value for name, value in environ.items() if name.startswith(known)} == after


def test_our_own_python_gets_the_whole_path_and_another_what_is_not_of_a_python() -> None:
    own, _ = command_of(PLAIN)
    assert own[-5:] == ["3", *PLAIN.path, "argument"]
    other, _ = command_of(PLAIN, "/named/python")
    assert other[-4:] == ["2", "/app/parts", "/site", "argument"]
    bundle = replace(
        PLAIN, frozen=True, prefixes=("/app",), executable="/app/program", home="/app/x"
    )
    packaged, _ = command_of(bundle, "/named/python")
    assert packaged[-3:] == ["1", "/site", "argument"]


def test_flags_are_those_of_this_program_for_its_own_python_only() -> None:
    strict = replace(PLAIN, flags=("-E", "-S"))
    assert command_of(strict)[0][1:4] == ["-P", "-E", "-S"]
    assert "-S" not in command_of(strict, "/named/python")[0]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (["/a", "", "/b"], ("/a", "/b")),
        (["", ".", "/a"], ("/a", "/now")),  # asked for by name, but it shadows nothing
        (["/script", "/a"], ("/a", "/script")),
        (["parts", "absent", "/a"], ("/now/parts", "absent", "/a")),
        (["/x.zip/inside", "/a"], ("/x.zip/inside", "/a")),
        (["__editable__.finder.__path_hook__"], ("__editable__.finder.__path_hook__",)),
        ([Path("/p"), b"/b", None, 7, "/a\0b", "/a"], ("/a",)),
        (["/a", "/a"], ("/a",)),
    ],
)
def test_the_path_that_is_handed_on(path: list[object], expected: tuple[str, ...]) -> None:
    exists = {"/now/parts", "/now/."}.__contains__
    assert handed_path(path, here="/now", script="/script", exists=exists) == expected


def test_without_a_current_folder_nothing_is_relative_to_it() -> None:
    found = handed_path(["", ".", "/a"], here="", script="", exists=lambda path: True)
    assert found == ("/a",)


def test_this_very_program_is_plain() -> None:
    host = host_program()
    assert not host.frozen
    assert host.executable == sys.executable
    assert Path(host.home, "vivavoce", "__init__.py").exists()
    assert "" not in host.path


@pytest.mark.parametrize("value", [None, "", b"", "absent"])
def test_an_embedding_program_may_have_no_executable(
    value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value == "absent":
        monkeypatch.delattr(sys, "executable")
    else:
        monkeypatch.setattr(sys, "executable", value)
    assert host_program().executable == ""


def test_a_current_folder_that_was_removed_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    host = host_program()
    assert Path(host.home, "vivavoce", "__init__.py").exists()
    assert "" not in host.path


def test_another_python_is_another_engine() -> None:
    settings = TranscriptionSettings()
    named = replace(settings, python="/named/python")
    assert engine_settings(settings) != engine_settings(named)


# -- real processes


@pytest.mark.engine
async def test_the_speed_is_not_measured_without_a_python() -> None:
    with pytest.raises(InterpreterError, match="nowhere"):
        await calibrate(1, python="/nowhere/python")


def script(text: str) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        path = folder / "named"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    return made


def folder(path: Path) -> Path:
    return path


def absent(path: Path) -> Path:
    return path / "absent"


def locked(path: Path) -> Path:
    made = script("#!/bin/sh\n")(path)
    made.chmod(0o644)
    return made


@pytest.mark.engine
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (absent, "cannot be run"),
        (folder, "cannot be run"),
        (locked, "cannot be run"),
        (script("#!/nowhere/interpreter\n"), "cannot be run (No such file or directory)"),
        (script(""), "cannot be run (Exec format error)"),
        (script("#!/bin/sh\nexit 0\n"), "is no Python 3.11 or later"),
        (
            script("#!/bin/sh\necho 'Unknown option: -P' >&2\necho 'usage: …' >&2\nexit 2\n"),
            "(exit code 2: Unknown option: -P)",
        ),
        (script("#!/bin/sh\nyes\n"), "is no Python 3.11 or later"),
        (script(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n'), "cannot run the engine"),
    ],
    ids=["absent", "folder", "locked", "no-shebang", "empty", "silent", "old", "endless", "bare"],
)
async def test_what_is_named_and_no_python_is_one_error(
    make: Callable[[Path], Path], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])  # nothing is handed on
    engine = EngineProcess(SPHINX, metrics=Metrics(), python=str(make(tmp_path)))
    with pytest.raises(InterpreterError) as refused:
        await engine.start()
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not engine.alive
    assert not psutil.Process().children(recursive=True)


@pytest.mark.engine
async def test_what_never_answers_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    named = script(f'#!/bin/sh\nsleep 1000 &\necho $! >"{pid}"\nwait\n')(tmp_path)
    engine = EngineProcess(SPHINX, metrics=Metrics(), python=str(named), greeting_s=1.0)
    with pytest.raises(InterpreterError, match="does not answer"):
        await engine.start()
    left = int(pid.read_text())
    alive = [psutil.Process(left)] if psutil.pid_exists(left) else []
    assert not psutil.wait_procs(alive, timeout=5)[1]
    assert not engine.alive


@pytest.mark.engine
async def test_a_python_that_is_named_by_a_wrapper_hears(tmp_path: Path) -> None:
    named = script(f'#!/bin/sh\necho hello from a wrapper\nexec "{sys.executable}" "$@"\n')(
        tmp_path
    )
    engine = EngineProcess(SPHINX, metrics=Metrics(), python=str(named))
    info = await engine.start()
    assert info.engine == "pocketsphinx"
    await engine.stop()
