"""What a newcomer does with a clone: install it either way, and use it from anywhere."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from support import installing
from support.installing import Environment
from support.program import SPEECH, isolated

import vivavoce
from vivavoce.bench.registry import INSTALLED, PACKAGES

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.timeout(300),  # a busy machine builds slowly
    pytest.mark.xdist_group("packaging"),  # what these tests share is made once
]

ROOMS = ("config", "pipeline", "actors", "profiles", "bench", "cli", "control")
WHERE = f"import vivavoce; print(vivavoce.__file__); from vivavoce import {', '.join(ROOMS)}; " + (
    "print(*(room.__file__ for room in (" + ", ".join(ROOMS) + ")), sep='\\n')"
)


def places(environment: Environment, cwd: Path) -> list[Path]:
    """Where Python finds the package and its rooms when it is started in a folder."""
    told = installing.run([environment.python, "-c", WHERE], cwd=cwd).stdout
    return [Path(line) for line in told.splitlines()]


def tells_its_version(environment: Environment, cwd: Path) -> None:
    expected = f"vivavoce, version {vivavoce.__version__}\n"
    assert environment.vivavoce("--version", cwd=cwd)[0] == expected
    line = [environment.python, "-m", "vivavoce", "--version"]
    assert installing.run(line, cwd=cwd).stdout == expected


class TestEditable:
    def test_it_is_one_plain_path(self, editable: Environment) -> None:
        clone = editable.folder.with_name("clone")
        made = [path for path in editable.packages.iterdir() if path.suffix != ".dist-info"]
        (pointer,) = [path for path in made if path.name != "dependencies.pth"]
        assert pointer.suffix == ".pth", "an import hook would be a Python file beside it"
        assert pointer.read_text().strip() == str(clone / "src")

    def test_it_is_found_from_anywhere_and_from_the_checkout(
        self, editable: Environment, tmp_path: Path
    ) -> None:
        clone = editable.folder.with_name("clone")
        for cwd in (tmp_path, clone, clone / "src", clone / "tests"):
            tells_its_version(editable, cwd)
            assert all(path.is_relative_to(clone / "src") for path in places(editable, cwd))

    def test_it_has_all_benchmarks(self, editable: Environment, tmp_path: Path) -> None:
        listing, _ = editable.vivavoce("bench", cwd=tmp_path)
        assert [line.split()[0] for line in listing.splitlines()[1:]] == list(PACKAGES)
        clone = editable.folder.with_name("clone")
        same = installing.run([editable.python, "-m", "bench"], cwd=clone).stdout
        assert same == listing


class TestInstalled:
    def test_it_is_found_from_anywhere(self, installed: Environment, tmp_path: Path) -> None:
        tells_its_version(installed, tmp_path)
        assert all(path.is_relative_to(installed.packages) for path in places(installed, tmp_path))

    def test_nothing_at_the_root_of_a_checkout_shadows_it(
        self, installed: Environment, clone: Path
    ) -> None:
        tells_its_version(installed, clone)
        assert all(path.is_relative_to(installed.packages) for path in places(installed, clone))
        names = {path.stem for path in clone.iterdir()}
        assert not names & (sys.stdlib_module_names | {"vivavoce"})

    def test_only_its_own_benchmarks_are_listed(
        self, installed: Environment, tmp_path: Path
    ) -> None:
        listing, _ = installed.vivavoce("bench", cwd=tmp_path)
        assert [line.split()[0] for line in listing.splitlines()[1:]] == list(INSTALLED.names)

    @pytest.mark.engine
    @pytest.mark.parametrize("name", INSTALLED.names)
    def test_each_of_them_runs(self, name: str, installed: Environment, tmp_path: Path) -> None:
        environ = isolated(tmp_path)
        shown, _ = installed.vivavoce(
            "bench", name, "--quick", "--json", cwd=tmp_path, environ=environ
        )
        (result,) = json.loads(shown)["results"]
        assert result["figures"]
        if name != "channel":
            assert "pocketsphinx" in " ".join(result["notes"])

    def test_another_gets_one_line(self, installed: Environment, clone: Path) -> None:
        shown, said = installed.vivavoce("bench", "soak", cwd=clone, code=2)
        assert shown == ""
        (line,) = said.splitlines()
        assert "in a checkout" in line

    def test_the_developers_benchmarks_refuse_another_package_than_their_own(
        self, installed: Environment, clone: Path
    ) -> None:
        done = installing.run([installed.python, "-m", "bench"], cwd=clone, code=1)
        (line,) = done.stderr.splitlines()
        assert line.startswith("python -m bench: the vivavoce that Python finds is ")
        assert "make install" in line

    @pytest.mark.engine
    @pytest.mark.parametrize("example", installing.examples("python"))
    def test_the_examples_of_the_readme_run(
        self, example: str, installed: Environment, tmp_path: Path
    ) -> None:
        shutil.copy(SPEECH / "utt-007-kal16.wav", tmp_path / "talk.wav")
        done = installing.run(
            [installed.python, "-c", example], cwd=tmp_path, environ=isolated(tmp_path)
        )
        assert "she has her freedom" in done.stdout.lower()

    def test_the_example_of_a_test_passes(self, installed: Environment, tmp_path: Path) -> None:
        page = (installing.ROOT / "docs/embedding.md").read_text()
        (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        tests = re.findall(r"^def (test_\w+)", example, re.MULTILINE)
        assert len(tests) == 2
        calls = "".join(f"{test}()\n" for test in tests)
        (tmp_path / "shout.py").write_text(f"{example}\n{calls}")
        installing.run([installed.python, "shout.py"], cwd=tmp_path, environ=isolated(tmp_path))


def test_a_source_distribution_installs(sdist: Path, tmp_path: Path) -> None:
    made = installing.environment(tmp_path / "environment")
    made.install(sdist)
    tells_its_version(made, tmp_path)
    assert all(path.is_relative_to(made.packages) for path in places(made, tmp_path))
