"""Runs a tool for a moment: never through a shell, never for longer than it may take."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import struct
import termios
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress

import msgspec

_MOST_SAID = 4_096
_PIPE = 65_536
_TAKEN_S = 0.0003
"""How often it is looked whether a tool that is fed bit by bit has taken the last bit."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """How a tool ended.

    Attributes:
        code: exit status, negative for a signal; None where it never ran.
        error: why it never ran, in a few words.
        output: the beginning of its standard output.
        said: the first line of its standard error, control characters removed.
        timed_out: it took too long and was killed, with all that it had started.
        unread: it was given text on standard input, and took nothing of it.
    """

    code: int | None = None
    error: str = ""
    output: bytes = b""
    said: str = ""
    timed_out: bool = False
    unread: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended by itself and calls it a success."""
        return self.code == 0 and not self.timed_out

    def complaint(self, tool: str) -> str:
        """One line about a tool that did not end well."""
        if self.error:
            return f"{tool}: {self.error}"
        if self.timed_out:
            return f"{tool} did not end in time and was stopped"
        ended = f"signal {-self.code}" if self.code is not None and self.code < 0 else "an error"
        return f"{tool} ended with {ended}" + (f": {self.said}" if self.said else "")


class ToolRunner:
    """Runs programs in an environment; POSIX systems only.

    Args:
        environ: of the programs, ``PATH`` for finding them among it; the process's own by default.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self.environ: Mapping[str, str] = os.environ if environ is None else environ

    def find(self, name: str) -> str | None:
        """Where the program is; None: it is not installed."""
        return shutil.which(name, path=self.environ.get("PATH", os.defpath))

    async def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes | AsyncIterator[bytes] | None = None,
        timeout_s: float,
        most_output: int = _MOST_SAID,
    ) -> Finished:
        """Run a program to its end; killed with its whole process group when it takes too long.

        It counts as ended when the program itself has ended: what it leaves in the background (the
        owner of a selection) lives on, even with our pipes open.

        Args:
            arguments: the program and its arguments, each as it is.
            stdin: what it finds on standard input, at once or as it comes; None: nothing.
            timeout_s: seconds after which it is killed.
            most_output: bytes of its standard output that are kept; more are read and dropped.
        """
        program = self.find(arguments[0])
        if program is None:
            return Finished(error="not installed")
        out, said = _Drain(most_output), _Drain(_MOST_SAID)
        feed = None
        if stdin is not None:
            feed = _Feed(stdin) if isinstance(stdin, bytes) else _Feed(b"", ends=False)
        try:
            process = await create_subprocess_exec(
                program,
                *arguments[1:],
                stdin=DEVNULL if feed is None else feed.theirs,
                stdout=out.theirs,
                stderr=said.theirs,
                env=dict(self.environ),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            for pipe in (out, said, feed):
                if pipe is not None:
                    pipe.close()
            return Finished(error=getattr(error, "strerror", None) or str(error))
        try:
            began = asyncio.get_running_loop().time()
            if feed is not None and not isinstance(stdin, bytes | None):
                await _pass_on(stdin, feed, process, timeout_s)
            left = timeout_s - (asyncio.get_running_loop().time() - began)
            timed_out = await _ended(process, max(0.0, left))
            unread = feed is not None and feed.untouched()
            return Finished(
                code=process.returncode,
                output=out.rest(),
                said=_one_line(said.rest()),
                timed_out=timed_out,
                unread=unread,
            )
        finally:
            for pipe in (out, said, feed):
                if pipe is not None:
                    pipe.close()


async def _ended(process: Process, timeout_s: float) -> bool:
    """Wait for the end; whether it had to be brought about. A cancelled wait kills, too."""
    try:
        async with asyncio.timeout(timeout_s):
            await process.wait()
    except TimeoutError:
        await _kill(process)
        return True
    except asyncio.CancelledError:
        await _kill(process)
        raise
    return False


async def _pass_on(
    lines: AsyncIterator[bytes], feed: _Feed, process: Process, timeout_s: float
) -> None:
    """Feed what comes, each when what came before is taken, until no more does or nobody takes it
    in time."""
    try:
        async with asyncio.timeout(timeout_s):
            async for line in lines:
                if process.returncode is not None:
                    break
                feed.put(line)
                # A pipe tells nobody when it is read.
                while feed.waiting() and process.returncode is None:  # noqa: ASYNC110
                    await asyncio.sleep(_TAKEN_S)
    except TimeoutError:
        pass  # it is killed for that
    except asyncio.CancelledError:
        await _kill(process)
        raise
    finally:
        feed.end()


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):  # it ended in this very moment
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


class _Feed:
    """A pipe that is filled as fast as the reader takes it.

    This end keeps the reading side open as well: only so can be seen, after the reader's end,
    whether it took anything.
    """

    def __init__(self, data: bytes, *, ends: bool = True) -> None:
        self.theirs, self._ours = os.pipe()
        self._rest = memoryview(data)
        self._ends = ends
        self._written = 0
        self._loop = asyncio.get_running_loop()
        os.set_blocking(self._ours, False)
        if ends:
            self._loop.add_writer(self._ours, self._write)
        self._write()

    def put(self, data: bytes) -> None:
        """Add to what it is filled with."""
        self._rest = memoryview(bytes(self._rest) + data)
        self._write()

    def end(self) -> None:
        """Nothing more is put."""
        self._ends = True
        if self._ours >= 0:
            self._loop.add_writer(self._ours, self._write)
            self._write()

    def waiting(self) -> int:
        """Bytes that nobody has taken yet."""
        in_pipe = struct.unpack("i", fcntl.ioctl(self.theirs, termios.FIONREAD, b"\0\0\0\0"))[0]
        return int(in_pipe) + len(self._rest)

    def untouched(self) -> bool:
        """Whether there was something to take, and nothing of it was taken."""
        return self._written > 0 and self.waiting() - len(self._rest) == self._written

    def close(self) -> None:
        self._end()
        os.close(self.theirs)

    def _write(self) -> None:
        while self._rest:
            try:
                count = os.write(self._ours, self._rest[:_PIPE])
            except BlockingIOError:
                return
            self._written += count
            self._rest = self._rest[count:]
        if self._ends:
            self._end()

    def _end(self) -> None:
        if self._ours >= 0:
            self._loop.remove_writer(self._ours)
            os.close(self._ours)
            self._ours = -1


class _Drain:
    """A pipe whose beginning is kept and whose rest is read and dropped."""

    def __init__(self, most: int) -> None:
        self._ours, self.theirs = os.pipe()
        self._most = most
        self._kept = bytearray()
        self._loop = asyncio.get_running_loop()
        os.set_blocking(self._ours, False)
        self._loop.add_reader(self._ours, self._read)

    def rest(self) -> bytes:
        """What was kept, with what lies in the pipe now."""
        self._close_theirs()
        for _ in range(2 + self._most // _PIPE):  # bounded: a background child may write for ever
            if not self._read():
                break
        return bytes(self._kept)

    def close(self) -> None:
        self._close_theirs()
        self._loop.remove_reader(self._ours)
        os.close(self._ours)

    def _close_theirs(self) -> None:
        if self.theirs >= 0:
            os.close(self.theirs)
            self.theirs = -1

    def _read(self) -> bool:
        try:
            data = os.read(self._ours, _PIPE)
        except BlockingIOError:
            return False
        self._kept += data[: self._most - len(self._kept)]
        if not data:
            self._loop.remove_reader(self._ours)
        return bool(data)


def _one_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return "".join(c for c in lines[0][:200] if c.isprintable()) if lines else ""
