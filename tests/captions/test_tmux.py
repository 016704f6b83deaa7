"""The live view in a real terminal emulator that reflows: tmux, on a private socket."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

# Shows "stable|tail" lines as partials, "=text" lines as finals; an empty line ends it.
PROGRAM = """
import os, sys
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.pipeline.messages import Final, Partial
writer = TerminalWriter(lambda: tuple(os.get_terminal_size(1)), colour=True)
for line in open(sys.argv[1], encoding="utf-8"):
    stable, _, tail = line.strip().partition("|")
    if not stable:
        os.write(1, writer.abandon())
    elif stable[0] == "=":
        os.write(1, writer.render(Final(utterance=1, start=0, end=1, text=stable[1:]), 0.0))
    else:
        os.write(1, writer.render(
            Partial(utterance=1, revision=1, start=0, end=1, stable=stable, tail=tail), 0.0))
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
            capture_output=True, timeout=10, check=True,
        )  # fmt: skip
        return done.stdout.decode()

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def send(self, line: str) -> None:
        self._events.write(line + "\n")
        self._events.flush()

    def lines(self) -> list[str]:
        """What was ever shown, from the first line of the scroll-back on."""
        shown = self._tmux("capture-pane", "-p", "-S", "-", "-J").split("\n")
        return [line.rstrip() for line in shown if line.strip()]

    def scrolled(self) -> list[str]:
        """What has left the screen, once the terminal has reflowed."""
        time.sleep(0.2)
        shown = self._tmux("capture-pane", "-p", "-S", "-", "-E", "-1", "-J").split("\n")
        history = int(self._tmux("display-message", "-p", "#{history_size}"))
        return [line.rstrip() for line in shown if line.strip()] if history else []

    def shows(self, expected: Callable[[list[str]], bool]) -> list[str]:
        deadline = time.monotonic() + 10
        while not expected(self.lines()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.lines()

    def close(self) -> None:
        self._events.close()
        subprocess.run(
            ["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False
        )


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


LONG = "one two three four five six seven eight nine ten eleven twelve thirteen"


def test_partials_are_rewritten_and_finals_stay(terminal: Terminal) -> None:
    terminal.send("=First sentence.")
    terminal.send("the quick|brown")
    terminal.send(f"{LONG}|fourteen")
    terminal.send("=Second sentence.")
    terminal.send("third|one")
    expected = ["First sentence.", "Second sentence.", "third one"]
    assert terminal.shows(lambda lines: lines == expected) == expected


@pytest.mark.parametrize(("columns", "rows"), [(22, 8), (80, 8), (13, 12), (40, 12)])
@pytest.mark.parametrize("text", [LONG, "漢字" * 30], ids=["narrow", "wide"])
def test_a_resize_leaves_no_trace_of_the_partial(
    terminal: Terminal, columns: int, rows: int, text: str
) -> None:
    terminal.send("=Before it.")
    terminal.send(f"{text}|end")
    terminal.shows(lambda lines: bool(lines) and lines[-1].endswith("end"))
    terminal.resize(columns, rows)
    pushed_off = terminal.scrolled()
    terminal.send("short|one")
    expected = [*pushed_off, "short one"] if pushed_off else ["Before it.", "short one"]
    assert terminal.shows(lambda lines: lines == expected) == expected
    terminal.send("=After it.")
    expected[-1] = "After it."
    assert terminal.shows(lambda lines: lines == expected) == expected
    # tmux pushes what a narrower window has no room for into its scroll-back, out of reach; where
    # it pushed nothing, the screen shows the finals and nothing else.
    assert expected[0] == "Before it."
    assert columns < 40 or not pushed_off


def test_a_partial_longer_than_the_screen_does_not_fill_the_scroll_back(
    terminal: Terminal,
) -> None:
    words = [f"word{n}" for n in range(120)]
    for count in range(1, 120, 7):
        terminal.send(f"{' '.join(words[:count])}|{words[count]}")
    terminal.send("=All of it.")
    assert terminal.shows(lambda lines: lines == ["All of it."]) == ["All of it."]


def test_at_the_end_the_screen_is_left_clean(terminal: Terminal) -> None:
    terminal.send("=Done.")
    terminal.send(f"{LONG}|more")
    terminal.send("")
    assert terminal.shows(lambda lines: lines == ["Done."]) == ["Done."]
