"""An X server of the test's own, terminals whose input lands in files, and a user's fingers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from support.waiting import a_moment, wait_until
from support.xvfb import start_xvfb

_PASTE = "*VT100.translations: #override Ctrl <Key>v: insert-selection(CLIPBOARD)"
NEEDED = ("Xvfb", "xdotool", "xterm", "xclip")


def missing() -> str | None:
    """What keeps X11 from being tested here, if anything does."""
    tools = [tool for tool in NEEDED if shutil.which(tool) is None]
    return f"not installed: {', '.join(tools)}" if tools else None


class Terminal:
    """An xterm; every byte typed into it is appended to ``file`` at once and as it came."""

    def __init__(self, display: XDisplay, name: str, resource: str) -> None:
        self.name = name
        number = len(list(display.folder.iterdir()))
        self.file = display.folder / f"{number}.typed"
        self._display = display
        told = display.folder / f"{number}.window"
        # Without -icanon the terminal driver cuts lines at 4,096 bytes; with echo, what is typed
        # would be painted, and a long text takes its time.
        script = (
            "stty -icanon -echo -isig -ixon -icrnl -iexten min 1; "
            f"exec > '{self.file}'; echo $WINDOWID. > '{told}'; exec cat"
        )
        self._process = subprocess.Popen(
            [
                "xterm",
                "-u8",
                "-name",
                name,
                "-class",
                name,
                "-xrm",
                _PASTE,
                "-xrm",
                resource,
                "-e",
                "sh",
                "-c",
                script,
            ],
            env=display.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: told.exists() and told.read_text().endswith(".\n"), "no xterm")
        self.window = told.read_text().strip(".\n")

    def focus(self) -> None:
        """Give it the keyboard, and return when it has it."""
        self._display.focus(self.window)

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


class XDisplay:
    """A virtual X server, and what programs need in their environment to find it.

    Args:
        folder: for the terminals' files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server, self.display = start_xvfb()
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        self.environ = {**kept, "DISPLAY": self.display, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}
        self._terminals: list[Terminal] = []
        self._place: socket.socket | None = None

    def terminal(self, name: str = "editor", *, credulous: bool = False) -> Terminal:
        """Open a terminal and give it the keyboard; ``name`` is its class, too.

        A ``credulous`` one obeys keys that a program pretends were pressed.
        """
        terminal = Terminal(self, name, f"*allowSendEvents: {str(credulous).lower()}")
        self._terminals.append(terminal)
        terminal.focus()
        return terminal

    def focus(self, window: str) -> None:
        """Give a window the keyboard, and return when it has it."""

        def has_it() -> bool:
            self.xdotool("windowfocus", window)  # refused while the window is not yet shown
            return self.focused() == window

        wait_until(has_it, "the window does not get the focus")

    def focused(self) -> str:
        """The number of the window that has the keyboard."""
        return self.xdotool("getwindowfocus").strip()

    def xdotool(self, *arguments: str) -> str:
        """What the user's fingers do."""
        return self.run(["xdotool", *arguments]).decode()

    def pressed_keys(self) -> int:
        """How many keys are down."""
        from Xlib.display import Display

        connection = Display(self.display)
        try:
            return sum(byte.bit_count() for byte in connection.query_keymap())
        finally:
            connection.close()

    def run(self, command: Sequence[str], stdin: bytes = b"") -> bytes:
        """Run a program on this display; what it wrote to standard output."""
        done = subprocess.run(
            command, env=self.environ, input=stdin, stdout=subprocess.PIPE, timeout=60, check=False
        )
        return done.stdout

    def copy(self, data: bytes, kind: str = "UTF8_STRING") -> None:
        """Another program puts something into the clipboard."""
        subprocess.run(
            ["xclip", "-selection", "clipboard", "-t", kind],
            env=self.environ,
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=True,
        )

    def clipboard(self, kind: str = "UTF8_STRING") -> bytes:
        """What is in the clipboard now."""
        return self.run(["xclip", "-selection", "clipboard", "-o", "-t", kind])

    def kill(self) -> None:
        """The server dies at once, and no other takes its place."""
        self._server.kill()
        self._server.wait()
        self._place = socket.socket(socket.AF_UNIX)
        self._place.bind(f"\0/tmp/.X11-unix/X{self.display[1:]}")  # which refuses connections

    def close(self) -> None:
        """End the server and all windows."""
        for terminal in self._terminals:
            terminal.close()
        self._server.terminate()
        self._server.wait()
        if self._place is not None:
            self._place.close()
