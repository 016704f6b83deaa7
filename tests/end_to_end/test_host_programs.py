"""Programs that are not a plain `python program.py`: packaged, embedding, with a path of their own.

Right is: the recording is heard; or one error of ours says at once how to name a Python. Whatever
the host does, it is never started again as if it were Python.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.program import MODEL, SPEECH, isolated

pytestmark = pytest.mark.engine

RECORDING = SPEECH / "utt-025-rms.wav"
HEARD = "The boys"
LIMIT_S = 60
NOWHERE = "sys.prefix = sys.base_prefix = sys.exec_prefix = '/nowhere'"
FIX = "transcription.python"

BODY = f"""
import asyncio, json, time
import vivavoce

def say(**told):
    print(json.dumps(told), flush=True)

async def main():
    settings = ["transcription.engine=faster-whisper", "transcription.model={MODEL}",
                "transcription.device=cpu", "capture.source={RECORDING}", "capture.pace=max"]
    async with vivavoce.Pipeline("captions", overrides=settings + MORE) as pipeline:
        async for event in pipeline.events():
            if isinstance(event, vivavoce.Final):
                say(final=event.text)

try:
    asyncio.run(main())
except BaseException as error:
    kinds = [kind.__name__ for kind in type(error).__mro__]
    say(raised=str(error), kinds=kinds)
"""


@dataclass
class Told:
    finals: list[str]
    raised: str
    kinds: list[str]
    output: str

    def assert_heard(self) -> None:
        assert self.finals, self.output
        assert self.finals[0].startswith(HEARD)

    def assert_refused(self, *words: str) -> None:
        """One line of ours, which names the fix; no crash, and no retries."""
        assert not self.finals
        assert "InterpreterError" in self.kinds, self.output
        assert "VivavoceError" in self.kinds
        assert "\n" not in self.raised
        for word in (*words, FIX):
            assert word in self.raised


def ran(command: Sequence[str], home: Path, cwd: Path | None = None, **environ: str) -> Told:
    process = subprocess.Popen(
        command,
        env=isolated(home, **environ),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out = process.communicate(timeout=LIMIT_S)[0].decode()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in out.splitlines() if line.startswith("{")
    ]
    failed: dict[str, Any] = next((line for line in lines if "raised" in line), {})
    finals = [line["final"] for line in lines if "final" in line]
    return Told(finals, failed.get("raised", ""), failed.get("kinds", []), out)


class Host:
    """A program in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "host"
        self.folder.mkdir()
        self.home = folder / "home"
        self.script = self.folder / "program.py"

    def run(
        self,
        head: str,
        *,
        python: Sequence[str] = (sys.executable,),
        overrides: Sequence[str] = (),
        cwd: Path | None = None,
        **environ: str,
    ) -> Told:
        """The program, which begins with ``head``."""
        more = f"MORE = {list(overrides)!r}\n"
        self.script.write_text(f"import os, sys\n{head}\n{more}{BODY}", encoding="utf-8")
        return ran([*python, str(self.script)], self.home, cwd, **environ)

    def application(self, name: str = "application") -> Path:
        """An executable that is this program, and counts how often it is started."""
        path = self.folder / name
        path.write_text(
            f'#!/bin/sh\nprintf x >>"{self.folder}/starts"\n'
            f'[ "$(wc -c <"{self.folder}/starts")" -gt 8 ] && exit 9\n'
            f'exec "{sys.executable}" "{self.script}" "$@"\n',
            encoding="utf-8",
        )
        path.chmod(0o755)
        return path

    @property
    def starts(self) -> int:
        return len((self.folder / "starts").read_text())


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def own_path() -> list[str]:
    """Where this process finds vivavoce and what it needs."""
    return [
        entry for entry in sys.path if "site-packages" in entry or Path(entry, "vivavoce").is_dir()
    ]


def base_python() -> str:
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    if sys.prefix == sys.base_prefix or not base.exists():
        pytest.skip("needs an interpreter that does not know where vivavoce lies")
    return str(base)


# -- the path


def test_a_host_that_finds_everything_by_its_own_path_is_heard(host: Host) -> None:
    head = f"sys.path[1:1] = {own_path()!r}"
    host.run(head, python=[base_python()]).assert_heard()


def test_a_host_without_site_packages_is_heard(host: Host) -> None:
    host.run(f"sys.path += {own_path()!r}", python=[sys.executable, "-S"]).assert_heard()


def test_relative_zipped_and_odd_entries_mean_the_same_to_the_engine(host: Host) -> None:
    """The engine needs huggingface_hub, which is in the archive alone."""
    zipped = "huggingface_hub"
    parts = host.folder / "parts"
    parts.mkdir()
    for entry in own_path():
        for path in Path(entry).iterdir():
            link = parts / path.name
            if path.name != zipped and path.suffix != ".pth" and not link.exists():
                link.symlink_to(path)
    found = importlib.util.find_spec(zipped)
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    with zipfile.ZipFile(host.folder / "library.zip", "w") as archive:
        for path in package.rglob("*.py"):
            archive.write(path, Path(zipped, path.relative_to(package)))
    head = (
        "from pathlib import Path\n"
        "sys.path += ['', '.', Path('/nowhere'), b'/nowhere', 'nowhere', 'library.zip', 'parts']"
    )
    told = host.run(head, python=[sys.executable, "-S"], cwd=host.folder)
    told.assert_heard()


def test_what_lies_in_the_current_folder_shadows_nothing(host: Host) -> None:
    """`''` is no part of what is handed on; the folder of the program comes last."""
    for name in ("av.py", "ctranslate2.py", "tokenizers.py", "huggingface_hub.py"):
        (host.folder / name).write_text("raise SystemExit('the wrong module was imported')\n")
    host.run("sys.path[:0] = ['', '.']", cwd=host.folder).assert_heard()


def test_a_python_home_that_the_host_sets_for_others_does_not_break_the_engine(host: Host) -> None:
    host.run("os.environ['PYTHONHOME'] = '/nowhere'").assert_heard()


def test_a_host_that_does_not_heed_the_environment_hands_that_on(host: Host) -> None:
    python = [sys.executable, "-E"]
    host.run("", python=python, PYTHONHOME="/nowhere", PYTHONPATH="/nowhere").assert_heard()


# -- the interpreter


@pytest.mark.parametrize("value", [None, "/nowhere/python3"])
def test_a_host_whose_executable_is_none_is_heard_by_the_python_it_stands_on(
    host: Host, value: str | None
) -> None:
    host.run(f"sys.executable = {value!r}").assert_heard()


@pytest.mark.parametrize("value", [None, "", "/"])
def test_where_there_is_no_python_at_all_it_says_what_to_do(host: Host, value: str | None) -> None:
    head = (
        f"sys.executable = {value!r}\nsys.prefix = sys.base_prefix = sys.exec_prefix = '/nowhere'"
    )
    host.run(head).assert_refused("sys.executable")


FROZEN = {
    "PyInstaller": "sys.frozen = True; sys._MEIPASS = '/nowhere'",
    "cx_Freeze, py2exe": "sys.frozen = True",
    "py2app": "sys.frozen = 'macosx_app'",
    "Nuitka": "__compiled__ = object()",
    "PyOxidizer": "sys.oxidized = True",
}


@pytest.mark.parametrize("head", FROZEN.values(), ids=FROZEN.keys())
def test_a_packaged_program_is_never_started_again(host: Host, head: str) -> None:
    app = host.application()
    told = host.run(f"{head}\nsys.executable = {str(app)!r}", python=["/bin/sh", str(app)])
    told.assert_refused("packaged")
    assert host.starts == 1


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_a_packaged_program_is_heard_by_the_python_that_is_named(host: Host, how: str) -> None:
    app = host.application()
    overrides = [f"transcription.python={sys.executable}"] if how == "setting" else []
    environ = {"VIVAVOCE_TRANSCRIPTION__PYTHON": sys.executable} if how == "environment" else {}
    environ |= {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere"}
    bundle = "sys.frozen = True; sys._MEIPASS = os.path.dirname(sys.executable)"
    told = host.run(
        f"{bundle}\nsys.executable = {str(app)!r}",
        python=[sys.executable, "-E"],
        overrides=overrides,
        **environ,
    )
    told.assert_heard()


def test_a_packaged_program_that_names_itself_is_refused(host: Host) -> None:
    app = host.application()
    head = f"sys.frozen = True\nsys.executable = {str(app)!r}"
    told = host.run(head, python=["/bin/sh", str(app)], overrides=[f"transcription.python={app}"])
    told.assert_refused("packaged")
    assert host.starts == 1


def test_an_embedding_application_is_not_taken_for_python(host: Host) -> None:
    """It has no `sys.frozen`, and its name is its own."""
    app = host.application()
    head = f"sys.executable = {str(app)!r}"
    host.run(head, python=["/bin/sh", str(app)]).assert_heard()
    assert host.starts == 1
    host.run(f"{head}\n{NOWHERE}", python=["/bin/sh", str(app)]).assert_refused("application")
    assert host.starts == 2


def test_an_application_that_calls_itself_python_is_started_once_at_most(host: Host) -> None:
    app = host.application("python3")
    told = host.run(f"sys.executable = {str(app)!r}", python=["/bin/sh", str(app)])
    told.assert_refused("python3")
    assert host.starts == 2  # by us, and by it; what is started so starts nothing
