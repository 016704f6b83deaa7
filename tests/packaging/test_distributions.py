"""What is in the wheel and in the source distribution: the package, all of it and nothing else."""

import tarfile
import zipfile
from pathlib import Path

import pytest
from support import installing

import vivavoce

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.timeout(300),  # a busy machine builds slowly
    pytest.mark.xdist_group("packaging"),  # what these tests share is made once
]

ROOMS = ("config", "pipeline", "actors", "profiles")


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packaged(clone: Path) -> set[str]:
    """The files of the package: what git has in `src/vivavoce` and in the rooms linked into it."""
    listed = installing.run(["git", "ls-files", "src/vivavoce", *ROOMS], cwd=clone)
    paths = [path for path in listed.stdout.splitlines() if not (clone / path).is_symlink()]
    return {
        path.removeprefix("src/") if path.startswith("src/") else f"vivavoce/{path}"
        for path in paths
    }


def test_the_wheel_has_every_file_of_the_package_and_no_other(clone: Path, wheel: Path) -> None:
    found = {name for name in contents(wheel) if ".dist-info/" not in name}
    assert found == packaged(clone)


def test_the_wheel_has_what_is_no_python_and_nothing_of_the_developers(wheel: Path) -> None:
    found = contents(wheel)
    assert {name.split("/")[0] for name in found} == {
        "vivavoce",
        f"vivavoce-{vivavoce.__version__}.dist-info",
    }
    assert "vivavoce/py.typed" in found
    assert "vivavoce/assets/demo.wav" in found
    assert "vivavoce/profiles/captions.yaml" in found
    assert any(name.startswith("vivavoce/actors/cleanup/rules/") for name in found)
    assert sorted(Path(name).name for name in found if name.startswith("vivavoce/bench/")) == [
        "__init__.py",
        "channel.py",
        "child.py",
        "command.py",
        "floor.py",
        "idle.py",
        "idle_report.py",
        "loop.py",
        "measure.py",
        "microphone.py",
        "proc.py",
        "registry.py",
        "results.py",
        "ring.py",
        "sound.py",
        "startup.py",
        "table.py",
    ]


def test_the_source_distribution_has_files_where_the_checkout_has_links(
    sdist: Path, clone: Path
) -> None:
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert all(member.isfile() or member.isdir() for member in members)
    names = {member.name.partition("/")[2] for member in members if member.isfile()}
    assert {f"src/{path}" for path in packaged(clone)} <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]


def test_the_source_distribution_makes_the_same_wheel(
    sdist: Path, wheel: Path, tmp_path: Path
) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    again = installing.build(source, "wheel", tmp_path / "dist")
    assert contents(again) == contents(wheel)


def test_links_of_the_checkout_are_links_in_a_clone_and_point_into_it(clone: Path) -> None:
    links = {
        path.name: path for path in (clone / "src" / "vivavoce").iterdir() if path.is_symlink()
    }
    assert sorted(links) == sorted(ROOMS)
    for name, link in links.items():
        assert not link.readlink().is_absolute()
        assert link.resolve() == (clone / name).resolve()
        assert (link / "__init__.py").is_file()
