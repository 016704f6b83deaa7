"""Small programs in the place of tools: recorders of what they are given, and faults."""

from __future__ import annotations

import os
from pathlib import Path

from vivavoce.actors.injection.tool import ToolRunner

_RECORDER = """\
for argument in "$@"; do printf '%s\\0' "$argument"; done > '{arguments}'
cat > '{stdin}'
"""


class FakeTools:
    """A folder of programs, the only one in which :attr:`runner` finds any.

    Args:
        folder: for the programs and what they record.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bin = folder / "bin"
        self._bin.mkdir()
        self.runner = ToolRunner({"PATH": str(self._bin), "HOME": str(folder)})

    def add(self, name: str, script: str) -> None:
        """A program that runs ``script`` (sh); a second one of a name replaces the first."""
        program = self._bin / name
        # The script, but not who runs it, finds the usual programs.
        program.write_text(f"#!/bin/sh\nPATH='{os.environ['PATH']}'\n{script}\n")
        program.chmod(0o755)

    def recorder(self, name: str, then: str = "") -> None:
        """A program that records what it is given, then runs ``then``."""
        self.add(
            name,
            _RECORDER.format(
                arguments=self._folder / f"{name}.arguments", stdin=self._folder / f"{name}.stdin"
            )
            + then,
        )

    def arguments_of(self, name: str) -> list[str]:
        """The arguments of the recorder's last run."""
        return (self._folder / f"{name}.arguments").read_text().split("\0")[:-1]

    def input_of(self, name: str) -> str:
        """What the recorder's last run found on standard input."""
        return (self._folder / f"{name}.stdin").read_text()
