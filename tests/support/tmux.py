"""A real terminal emulator that reflows: tmux, on a private socket."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from support.waiting import wait_until

# Shows "stable|tail" lines as partials, "=text" lines as finals, "~2 text" as the revision of the
# second final; an empty line ends it.
PROGRAM = """
import os, sys
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.pipeline.messages import Final, Partial, Revision
finals = 0
writer = TerminalWriter(lambda: tuple(os.get_terminal_size(1)), colour=True)
for line in open(sys.argv[1], encoding="utf-8"):
    stable, _, tail = line.strip().partition("|")
    if not stable:
        os.write(1, writer.abandon())
    elif stable[0] == "=":
        finals += 1
        os.write(1, writer.render(Final(utterance=finals, start=0, end=1, text=stable[1:]), 0.0))
    elif stable[0] == "~":
        number, _, text = stable[1:].partition(" ")
        os.write(1, writer.render(Revision(utterance=int(number), text=text), 0.0))
    else:
        os.write(1, writer.render(Partial(
            utterance=finals + 1, revision=1, start=0, end=1, stable=stable, tail=tail), 0.0))
"""


class Terminal:
    """A tmux session of its own; what is sent is shown by a program that runs in it."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "tmux"
        self._pipe = folder / "events"
        os.mkfifo(self._pipe)
        (folder / "program.py").write_text(PROGRAM)
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "40", "-y", "8",
                   sys.executable, str(folder / "program.py"), str(self._pipe))  # fmt: skip
        self._tmux("set-option", "-g", "window-size", "manual")
        self._tmux("set-option", "-g", "status", "off")
        self.resize(40, 8)
        self._events = self._pipe.open("w", encoding="utf-8")

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-S", str(self._socket), *arguments],
            capture_output=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout.decode()

    def resize(self, columns: int, rows: int) -> None:
        """Return when the program is told as well, which tmux does a while later."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))
        tty = os.open(
            self._tmux("display-message", "-p", "#{pane_tty}").strip(), os.O_RDONLY | os.O_NOCTTY
        )
        try:
            wait_until(lambda: os.get_terminal_size(tty) == (columns, rows), "no such size")
        finally:
            os.close(tty)

    def send(self, line: str) -> None:
        self._events.write(line + "\n")
        self._events.flush()

    def lines(self) -> list[str]:
        """What was ever shown, from the first line of the scroll-back on."""
        shown = self._tmux("capture-pane", "-p", "-S", "-", "-J").split("\n")
        return [line.rstrip() for line in shown if line.strip()]

    def scrolled(self) -> list[str]:
        """What has left the screen."""
        shown = self._tmux("capture-pane", "-p", "-S", "-", "-E", "-1", "-J").split("\n")
        history = int(self._tmux("display-message", "-p", "#{history_size}"))
        return [line.rstrip() for line in shown if line.strip()] if history else []

    def shows(self, expected: Callable[[list[str]], bool]) -> list[str]:
        wait_until(lambda: expected(self.lines()), lambda: f"shown: {self.lines()}")
        return self.lines()

    def close(self) -> None:
        self._events.close()
        subprocess.run(
            ["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False
        )
