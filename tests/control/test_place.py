"""Where an instance is found, and who may tamper with it: nobody."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from vivavoce.config import VivavoceError
from vivavoce.config.trigger import ControlSettings
from vivavoce.control import transport
from vivavoce.control.place import _NAME, Place

NOBODY = 65_534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of others")


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def place_in(runtime: Path, instance: str = "default") -> Place:
    return Place(instance, {"XDG_RUNTIME_DIR": str(runtime)})


def test_it_lies_in_the_runtime_directory(tmp_path: Path) -> None:
    place = place_in(tmp_path, "left")
    assert place.socket == tmp_path / "vivavoce" / "left.sock"
    assert place.lock == tmp_path / "vivavoce" / "left.lock"
    assert place.check() is False
    old = os.umask(0)
    try:
        place.make()
    finally:
        os.umask(old)
    assert place.check() is True
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("runtime", ["", "relative/path", "/nowhere/at/all"])
def test_without_a_runtime_directory_it_is_a_folder_of_the_users_own(
    tmp_path: Path, runtime: str
) -> None:
    place = Place("default", {"XDG_RUNTIME_DIR": runtime, "TMPDIR": str(tmp_path)})
    place.make()
    assert place.folder == tmp_path / f"vivavoce-{os.geteuid()}"
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700


@as_root
def test_the_runtime_directory_of_another_user_is_left_alone(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    os.chown(runtime, NOBODY, NOBODY)
    place = Place("default", {"XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(tmp_path)})
    place.make()
    assert place.folder.parent == tmp_path
    assert not list(runtime.iterdir())


def test_a_link_is_refused_whatever_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "trap").mkdir(mode=0o700)
    (tmp_path / "vivavoce").symlink_to(tmp_path / "trap")
    for attempt in (place_in(tmp_path).make, place_in(tmp_path).check):
        with pytest.raises(VivavoceError, match=r"vivavoce: is a symbolic link.*remove it"):
            attempt()


@as_root
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vivavoce").mkdir(mode=0o700)
    os.chown(tmp_path / "vivavoce", NOBODY, NOBODY)
    with pytest.raises(VivavoceError, match="belongs to another user"):
        place_in(tmp_path).make()


@pytest.mark.parametrize("mode", [0o770, 0o701, 0o755, 0o777])
def test_a_folder_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "vivavoce").mkdir()
    (tmp_path / "vivavoce").chmod(mode)
    with pytest.raises(VivavoceError, match="open to other users: run `chmod 700`") as caught:
        place_in(tmp_path).make()
    assert "\n" not in str(caught.value)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vivavoce").touch()
    with pytest.raises(VivavoceError, match="not a folder"):
        place_in(tmp_path).make()


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "-x", "x" * 33, "a\n", "é", "a.b"])
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(VivavoceError, match="no name of an instance"):
        Place(name, {})


def test_names_are_those_that_a_profile_may_have() -> None:
    found = msgspec.json.schema(ControlSettings)["$defs"]["ControlSettings"]["properties"]
    assert found["instance"]["pattern"] == f"^{_NAME.pattern}$"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system has no short way")
def test_a_path_that_is_too_long_for_a_socket_works(tmp_path: Path) -> None:
    runtime = tmp_path / ("long" * 30)
    runtime.mkdir()
    place = place_in(runtime)
    place.make()
    before = descriptors()
    with transport.listen(place), transport.connect(place, 1.0) or pytest.fail("no connection"):
        assert place.socket.is_socket()
        assert stat.S_IMODE(place.socket.stat().st_mode) == 0o600
    assert descriptors() == before


@as_root
def test_a_socket_of_another_user_is_not_talked_to(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    place.make()
    tmp_path.chmod(0o711)
    place.folder.chmod(0o777)
    listener = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, socket; os.setgroups([]); os.setuid(65534);"
            "s = socket.socket(socket.AF_UNIX); s.bind('default.sock');"
            "s.listen(); print('ready', flush=True); s.accept()",
        ],
        cwd=place.folder,
        stdout=subprocess.PIPE,
    )
    try:
        assert listener.stdout is not None
        assert listener.stdout.readline() == b"ready\n"
        place.folder.chmod(0o700)
        with pytest.raises(VivavoceError, match="another user listens there"):
            transport.connect(place, 1.0)
    finally:
        listener.kill()
        listener.communicate()


def test_windows_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.delattr(os, "geteuid")  # it has none of what is for Unix
    with pytest.raises(VivavoceError, match="cannot be controlled on Windows"):
        Place("default", {})
