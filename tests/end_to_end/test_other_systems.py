"""Systems that are not Linux: what only Linux has is taken out of every Python that is started."""

import subprocess
from pathlib import Path

import pytest
from support.program import SPEECH, WHISPER, command, isolated

pytestmark = pytest.mark.engine

WITHOUT_LINUX = """
import os, select, signal, socket, time

ONLY_LINUX = {
    os: [
        "sched_", "pidfd_open", "eventfd", "memfd_create", "posix_fadvise", "splice", "pipe2",
        "getresuid", "setns", "unshare", "O_PATH", "O_TMPFILE", "O_DIRECT", "getrandom",
        "copy_file_range", "listxattr", "getxattr", "setxattr",
    ],
    time: ["CLOCK_BOOTTIME", "CLOCK_TAI"],
    socket: ["SO_PEERCRED", "AF_NETLINK"],
    select: ["epoll"],
    signal: ["sigtimedwait", "sigwaitinfo", "SIGRTMIN", "SIGPWR"],
}
for module, names in ONLY_LINUX.items():
    for name in [one for one in dir(module) if one.startswith(tuple(names))]:
        if name != "sched_yield":  # every POSIX system has it
            delattr(module, name)
"""


def test_a_system_without_what_only_linux_has_hears_as_well(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(WITHOUT_LINUX, encoding="utf-8")
    recording = str(SPEECH / "utt-025-rms.wav")
    probe = "import os; print(hasattr(os, 'sched_getaffinity'))"
    environ = isolated(tmp_path, PYTHONPATH=str(site))
    python = command()[0]
    there = subprocess.run(
        [python, "-P", "-c", probe], env=environ, capture_output=True, text=True, check=False
    )
    if there.stdout.strip() == "True":
        pytest.skip("this Python has a sitecustomize of its own, which comes first")
    done = subprocess.run(
        command("run", *WHISPER, "--source", recording, "--pace", "max", "--stats"),
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "The boys" in done.stdout
