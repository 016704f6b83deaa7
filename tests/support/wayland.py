"""A Wayland session without a screen: headless sway, terminals whose input lands in files."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.waiting import a_moment, wait_until

NEEDED = ("sway", "swaymsg", "foot", "wtype", "wl-copy", "wl-paste")

CONFIGURATION = """\
output * resolution 1280x720
xwayland disable
focus_on_window_activation none
"""


def missing() -> str | None:
    """What keeps Wayland from being tested here, if anything does."""
    needed = (*NEEDED, "setpriv") if os.geteuid() == 0 else NEEDED
    tools = [tool for tool in needed if shutil.which(tool) is None]
    return f"not installed: {', '.join(tools)}" if tools else None


class Terminal:
    """A foot window; every byte typed into it is appended to ``file`` at once and as it came.

    Enter arrives as ``\\r``, as in any terminal in raw mode.
    """

    def __init__(self, session: SwaySession, name: str, folder: Path) -> None:
        self.name = name
        self.file = folder / f"{name}.typed"
        self.file.touch()
        self._session = session
        ready = folder / f"{name}.ready"
        script = 'stty raw -echo; echo > "$1"; exec cat >> "$2"'
        self._process = subprocess.Popen(
            [
                *("foot", "--config=/dev/null", f"--app-id={name}", "--log-level=none"),
                *("sh", "-c", script, "sh", str(ready), str(self.file)),
            ],
            env=session.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(ready.exists, "foot did not start")
        wait_until(lambda: self._node is not None, "foot has no window")

    @property
    def window(self) -> str:
        """Its number in sway's tree."""
        assert self._node is not None
        return str(self._node["id"])

    @property
    def _node(self) -> dict[str, Any] | None:
        return next((n for n in self._session.nodes() if n.get("app_id") == self.name), None)

    def focus(self) -> None:
        """Give it the keyboard, and return when it has it."""
        self._session.swaymsg(f"[con_id={self.window}] focus")
        wait_until(lambda: self._node is not None and self._node["focused"], "no focus")

    @property
    def typed(self) -> str:
        """What has arrived in it, decoded strictly."""
        return self.file.read_bytes().decode()

    def wait_for(self, expected: str) -> None:
        """Return when exactly ``expected`` has arrived and nothing more comes."""
        size = len(expected.encode())
        wait_until(
            lambda: self.file.stat().st_size >= size,
            lambda: f"only {self.file.read_bytes()!r} of {expected!r} arrived",
        )
        a_moment()
        assert self.file.read_bytes().decode(errors="replace") == expected

    def close(self) -> None:
        """Close the window."""
        self._process.kill()
        self._process.wait()


class SwaySession:
    """A compositor, and what programs need in their environment to find it.

    sway refuses to run as root, so that root has it run by ``nobody``; root's own programs may use
    its socket all the same.

    Args:
        folder: for the terminals' files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Of its own, and not pytest's: another user cannot reach that.
        self._runtime = Path(tempfile.mkdtemp(prefix="vivavoce-sway-"))
        self._terminals: list[Terminal] = []
        socket = self._runtime / "sway.sock"
        configuration = self._runtime / "config"
        configuration.write_text(CONFIGURATION)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._runtime),
            "XDG_RUNTIME_DIR": str(self._runtime),
            "SWAYSOCK": str(socket),
            "LC_ALL": "C.UTF-8",
        }
        headless = {
            "WLR_BACKENDS": "headless",
            "WLR_LIBINPUT_NO_DEVICES": "1",
            "WLR_RENDERER": "pixman",
        }
        self._sway = subprocess.Popen(
            [*self._as_another_user(configuration), "sway", "-c", str(configuration)],
            env={**self.environ, **headless},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: socket.exists() and bool(self._displays()), "sway did not start")
        self.environ["WAYLAND_DISPLAY"] = self._displays()[0].name
        # A keyboard of the user's, as every desktop has one: programs bind to it once and for all.
        self._keyboard = subprocess.Popen(
            ["wtype", "-s", "4000000"], env=self.environ, stdin=subprocess.DEVNULL
        )

    def _as_another_user(self, configuration: Path) -> list[str]:
        if os.geteuid() != 0:
            return []
        nobody = pwd.getpwnam("nobody")
        for path in (self._runtime, configuration):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        user = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        return ["setpriv", *user]

    def _displays(self) -> list[Path]:
        return [path for path in self._runtime.glob("wayland-*") if path.suffix != ".lock"]

    def terminal(self, name: str = "editor") -> Terminal:
        """Open a terminal and give it the keyboard; ``name`` is its app_id, too."""
        terminal = Terminal(self, name, self._folder)
        self._terminals.append(terminal)
        terminal.focus()
        return terminal

    def swaymsg(self, *arguments: str) -> str:
        """Ask or command the compositor."""
        done = subprocess.run(
            ["swaymsg", *arguments], env=self.environ, capture_output=True, text=True, timeout=60,
            check=True,
        )  # fmt: skip
        return done.stdout

    def nodes(self) -> Iterator[dict[str, Any]]:
        """All containers of the tree."""
        waiting = [json.loads(self.swaymsg("-t", "get_tree"))]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node["nodes"] + node["floating_nodes"]

    def hang(self) -> None:
        """The compositor stands still, and answers nobody."""
        self._sway.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It goes on."""
        self._sway.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End all that was started."""
        for terminal in self._terminals:
            terminal.close()
        for process in (self._keyboard, self._sway):
            process.kill()
            process.wait()
        shutil.rmtree(self._runtime, ignore_errors=True)
