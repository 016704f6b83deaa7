"""The real program, fed through its standard input: a test decides what is heard, and when."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from support.program import Outcome, command, isolated
from support.waiting import PATIENCE_S, wait_until


class FedProgram:
    """`vivavoce ARGUMENTS --source - --format jsonl`, running, and what it says on both outputs.

    Args:
        home: an empty folder, the home of its user.
    """

    def __init__(self, home: Path, *arguments: str) -> None:
        self._said = home / "out.jsonl", home / "err.txt"
        out, err = self._said
        with out.open("w") as theirs, err.open("w") as errors:
            self.process = subprocess.Popen(
                command(*arguments, "--source", "-", "--format", "jsonl"),
                env=isolated(home),
                stdin=subprocess.PIPE,
                stdout=theirs,
                stderr=errors,
            )

    @property
    def err(self) -> str:
        """What it said on standard error so far."""
        return self._said[1].read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it captioned so far."""
        lines = self._said[0].read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def engines(self) -> list[psutil.Process]:
        """Its engine's processes."""
        return psutil.Process(self.process.pid).children()

    def say(self, pcm: bytes) -> None:
        """It hears this now: s16le 16 kHz mono."""
        assert self.process.stdin is not None
        self.process.stdin.write(pcm)
        self.process.stdin.flush()

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Return when that is so; an assertion fails where the program ends before."""

        def has_come() -> object:
            assert self.process.poll() is None, self.err
            return condition()

        wait_until(has_come, lambda: f"{what}\n{self.err}")

    def wait_for_event(self, kind: str, count: int = 1) -> None:
        """Return when it has told so many events of a kind."""
        self.wait_for(lambda: len(self.of_type(kind)) >= count, f"no {kind} number {count}")

    def wait_for_words(self, words: str) -> None:
        """Return when it has said that on standard error."""
        self.wait_for(lambda: words in self.err, f"{words!r} was not said")

    def end(self) -> Outcome:
        """Nothing more is heard: what became of the run."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.outcome()

    def outcome(self) -> Outcome:
        """Wait for its end."""
        code = self.process.wait(PATIENCE_S)
        return Outcome(code, self._said[0].read_text(), self.err)

    def close(self) -> None:
        """Kill it, if it runs."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()


@contextmanager
def fed(home: Path, *arguments: str) -> Iterator[FedProgram]:
    """A program that is killed at the end, where it has not ended itself."""
    program = FedProgram(home, *arguments)
    try:
        yield program
    finally:
        program.close()
