"""Clones, environments and distributions of the project, made without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What the environment of the test run says must not reach the programs of another environment.
_OWN = ("PYTHON", "VIRTUAL_ENV", "PIP_", "VIVAVOCE", "GIT_", "MYPYPATH", "COVERAGE", "COV_CORE")


def missing() -> str | None:
    """Why nothing can be cloned and installed here; None where it can."""
    if shutil.which("git") is None:
        return "git is not installed"
    if not (ROOT / ".git").exists():
        return "this is no git checkout"
    if int(version("setuptools").partition(".")[0]) < 77:
        return f"setuptools is {version('setuptools')}, and the project needs 77: make install"
    return None


def run(
    line: Sequence[str | Path],
    *,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    code: int = 0,
    timeout_s: float = 280.0,
) -> subprocess.CompletedProcess[str]:
    """Run a program away from the environment of the tests, and look at its exit code."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(_OWN)}
    done = subprocess.run(
        [str(part) for part in line],
        cwd=cwd,
        env=clean | dict(environ or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == code, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def clone(into: Path) -> Path:
    """A fresh clone of the checkout as it is now, what is not committed yet included.

    The index and the objects of what is not committed stand beside the clone: nothing is written
    to the checkout's own.
    """
    beside = into.with_name(f"{into.name}.uncommitted")
    (beside / "objects").mkdir(parents=True)
    kept = run(["git", "rev-parse", "--git-path", "objects"], cwd=ROOT).stdout.strip()
    environ = {
        "GIT_INDEX_FILE": str(beside / "index"),
        "GIT_OBJECT_DIRECTORY": str(beside / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str((ROOT / kept).resolve()),
    }
    run(["git", "read-tree", "HEAD"], cwd=ROOT, environ=environ)
    run(["git", "add", "--all"], cwd=ROOT, environ=environ)
    tree = run(["git", "write-tree"], cwd=ROOT, environ=environ).stdout.strip()
    run(["git", "clone", "--quiet", "--no-checkout", ROOT, into], cwd=into.parent)
    with (into / ".git" / "objects" / "info" / "alternates").open("a") as alternates:
        alternates.write(f"{beside / 'objects'}\n")
    run(["git", "read-tree", "-u", "--reset", tree], cwd=into)
    return into


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment that has the dependencies of the tests, and not vivavoce."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Where packages are installed in it."""
        paths = {"base": str(self.folder), "platbase": str(self.folder)}
        return Path(sysconfig.get_path("purelib", "venv", paths))

    def install(self, *what: str | Path) -> None:
        """``pip install`` without dependencies, without a network, in seconds.

        The build back end is that of the environment of the tests.
        """
        run(
            [
                *(self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"),
                *what,
            ],
            cwd=self.folder,
        )

    def vivavoce(
        self,
        *arguments: str,
        cwd: Path,
        environ: Mapping[str, str] | None = None,
        code: int = 0,
    ) -> tuple[str, str]:
        """Run the console script; returns standard output and standard error."""
        script = self.folder / "bin" / "vivavoce"
        done = run([script, *arguments], cwd=cwd, environ=environ, code=code)
        return done.stdout, done.stderr


def environment(folder: Path) -> Environment:
    """Make a fresh environment.

    Dependencies come from where the tests have them, by a line in a ``.pth``. Lines of ``.pth``
    files that lie there count for nothing, so an editable vivavoce of the tests is not in it.
    """
    run([sys.executable, "-m", "venv", "--without-pip", folder], cwd=folder.parent)
    made = Environment(folder)
    found = [place for place in sys.path if Path(place).name == "site-packages"]
    (made.packages / "dependencies.pth").write_text("".join(f"{place}\n" for place in found))
    return made


def build(source: Path, what: str, into: Path) -> Path:
    """Build a ``wheel`` or an ``sdist`` of a source tree, as any front end has it built."""
    into.mkdir(exist_ok=True)
    call = f"import sys; from setuptools import build_meta; build_meta.build_{what}(sys.argv[1])"
    run([sys.executable, "-c", call, into], cwd=source)
    (built,) = into.iterdir()
    return built


def examples(language: str) -> list[str]:
    """The examples of the README in a language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
