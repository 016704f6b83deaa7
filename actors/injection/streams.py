"""Texts to where no window is: a program of the user's, standard output, a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from vivavoce.actors.injection.back_end import DONE, Manner, Report, Result, report_of
from vivavoce.actors.injection.tool import ToolRunner
from vivavoce.actors.injection.worker import Worker
from vivavoce.config.injection import InjectionSettings


class _WithoutKeys:
    piece = 1_000_000
    pace = 100_000.0
    has_keys = False

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        """There are no keys here."""
        return Report(Result.NOTHING, "keys cannot be pressed there")


class _Written(_WithoutKeys):
    """Writes in a thread that the end of the program does not wait for: a pipe may have no reader,
    and then it hangs."""

    def __init__(self) -> None:
        self._worker = Worker()

    def close(self) -> None:
        """End the thread, if it can be ended."""
        self._worker.close()


class Command(_WithoutKeys):
    """A program of the user's: the text on its standard input, UTF-8, nothing added.

    Args:
        runner: its environment.
        settings: ``command``, run without a shell.
    """

    name = "command"

    def __init__(self, runner: ToolRunner, settings: InjectionSettings) -> None:
        self._runner = runner
        self._command = settings.command or []

    async def available(self) -> str | None:
        """Whether the program is there."""
        if not self._command:
            return "injection.command is not set: name the program and its arguments"
        if self._runner.find(self._command[0]) is None:
            return f"injection.command: there is no program {self._command[0]!r}"
        return None

    async def type(self, text: str, manner: Manner) -> Report:
        """Run the program on ``text``.

        Whether it reads that is its own business: one that only beeps has done what it was to do.
        """
        finished = await self._runner.run(
            self._command, stdin=text.encode(), timeout_s=manner.timeout_s
        )
        return DONE if finished.ok else report_of(finished, self._command[0])


class StandardOutput(_Written):
    """A line for each text on standard output."""

    name = "stdout"

    def __init__(self, runner: ToolRunner, settings: InjectionSettings) -> None:
        super().__init__()

    async def available(self) -> str | None:
        """Whether there is one."""
        return None if sys.stdout is not None else "there is no standard output"

    async def type(self, text: str, manner: Manner) -> Report:
        """Write ``text`` and a line break, past any buffer."""
        return await self._worker.do(_write_line, sys.stdout.fileno(), text)


class File(_Written):
    """A line for each text at the end of a file that only its owner reads.

    Args:
        runner: for ``HOME``.
        settings: ``file``.
    """

    name = "file"

    def __init__(self, runner: ToolRunner, settings: InjectionSettings) -> None:
        super().__init__()
        path = settings.file or ""
        home = runner.environ.get("HOME")
        at_home = home is not None and path.startswith("~/")
        self._path = Path(f"{home}{path[1:]}" if at_home else path)
        self._named = bool(path)

    async def available(self) -> str | None:
        """Whether its folder is there."""
        if not self._named:
            return "injection.file is not set: name the file"
        folder = self._path.parent
        return None if folder.is_dir() else f"injection.file: there is no folder {folder}"

    async def type(self, text: str, manner: Manner) -> Report:
        """Append ``text`` and a line break; the file is opened anew, so that it may be rotated."""
        return await self._worker.do(self._append, text)

    def _append(self, text: str) -> Report:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            return Report(Result.NOTHING, f"{self._path}: {error.strerror}")
        try:
            return _write_line(descriptor, text)
        finally:
            os.close(descriptor)


def _write_line(descriptor: int, text: str) -> Report:
    # It may have been meant to go on from what another back end typed.
    rest = memoryview(f"{text.lstrip(' ')}\n".encode())
    whole = len(rest)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except OSError as error:
            result = Result.NOTHING if len(rest) == whole else Result.UNCERTAIN
            return Report(result, error.strerror or str(error))
    return DONE
