"""One instance of a name at a time; what a killed one left is cleared up."""

import os
import socket
import stat
from pathlib import Path

import pytest
from support.controlled import Process
from support.program import isolated

from vivavoce.config import VivavoceError
from vivavoce.control import client
from vivavoce.control.claim import AlreadyRunning, InstanceClaim
from vivavoce.control.place import Place

pytestmark = pytest.mark.process


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place("default", isolated(tmp_path))


def test_the_second_instance_is_told_who_is_there_and_what_to_do(place: Place) -> None:
    with InstanceClaim.acquire(place):
        with pytest.raises(AlreadyRunning) as caught:
            InstanceClaim.acquire(place)
    assert caught.value.process == os.getpid()
    assert str(caught.value) == (
        f"instance 'default' is running already (process {os.getpid()}): end it with "
        "`vivavoce ctl quit`, or run this one beside it with --set control.instance=NAME"
    )
    InstanceClaim.acquire(place).release()


def test_two_names_run_side_by_side(place: Place, tmp_path: Path) -> None:
    with InstanceClaim.acquire(place):
        with InstanceClaim.acquire(Place("other", isolated(tmp_path))) as other:
            with pytest.raises(AlreadyRunning, match="`vivavoce ctl --instance other quit`"):
                InstanceClaim.acquire(other.place)


def test_the_socket_is_the_users_alone_whatever_the_umask(place: Place) -> None:
    old = os.umask(0)
    try:
        with InstanceClaim.acquire(place) as claim:
            claim.listen()
            for path in (place.socket, place.lock):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(old)


def test_what_a_killed_instance_left_is_cleared_up(place: Place, tmp_path: Path) -> None:
    first = Process.begin(isolated(tmp_path))
    try:
        with pytest.raises(AlreadyRunning, match=f"process {first.child.pid}"):
            InstanceClaim.acquire(place)
        first.kill()
        assert place.socket.is_socket(), "it had no time to remove it"
        with pytest.raises(client.NotRunning):
            client.ask(place, "status")
        second = Process.begin(isolated(tmp_path))
        try:
            assert client.ask(place, "status")["status"]["pid"] == second.child.pid
        finally:
            second.end()
    finally:
        first.end()


def test_the_end_removes_the_socket_but_none_of_somebody_elses(place: Place) -> None:
    with InstanceClaim.acquire(place) as claim:
        claim.listen()
        assert place.socket.exists()
    assert not place.socket.exists()
    with InstanceClaim.acquire(place) as claim:
        claim.listen()
        place.socket.unlink()
        place.socket.write_text("not a socket of ours")
    assert place.socket.read_text()


def test_a_lock_that_is_a_link_is_not_followed(place: Place, tmp_path: Path) -> None:
    place.make()
    (tmp_path / "precious").write_text("keep me")
    place.lock.symlink_to(tmp_path / "precious")
    with pytest.raises(VivavoceError, match=r"default\.lock: cannot be opened"):
        InstanceClaim.acquire(place)
    assert (tmp_path / "precious").read_text() == "keep me"


def test_a_claim_that_lost_its_folder_is_taken_over(place: Place) -> None:
    with InstanceClaim.acquire(place) as first:
        first.listen()
        place.lock.unlink()
        place.socket.unlink()
        with InstanceClaim.acquire(place) as second:
            second.listen()
            first.release()
            assert place.socket.is_socket(), "it is the other's"


def test_who_waits_for_the_end_is_told_after_the_name_is_free(place: Place) -> None:
    claim = InstanceClaim.acquire(place)
    pairs = [socket.socketpair() for _ in range(70)]
    for _, kept in pairs:
        claim.keep(kept)
    assert pairs[0][0].recv(1) == b"", "they are no more than a few: the oldest go"
    claim.release()
    for waiting, _ in pairs:
        assert waiting.recv(1) == b""
        waiting.close()


def test_the_lock_is_not_handed_on_to_children(place: Place) -> None:
    import subprocess

    with InstanceClaim.acquire(place):
        child = subprocess.Popen(["sleep", "30"])
    try:
        InstanceClaim.acquire(place).release()
    finally:
        child.kill()
        child.wait()
