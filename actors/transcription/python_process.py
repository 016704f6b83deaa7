"""A Python that runs a module of ours in a session of its own: started, greeted, ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from vivavoce.actors.transcription.engines.base import EngineDied
from vivavoce.actors.transcription.interpreter import (
    InterpreterError,
    host_program,
    python_command,
)

GREETING = "vivavoce: this is Python"
_LINES = 100
"""That a wrapper, or what `site` runs, may print before the greeting."""


async def start_python(
    module: str,
    *,
    python: str | None,
    environ: Mapping[str, str],
    greeting: str = "",
    **streams: Any,
) -> tuple[asyncio.subprocess.Process, str]:
    """Start a module in a process of its own; see :func:`python_command`.

    Args:
        module: by its full name.
        python: the interpreter that the user named, if any.
        environ: the environment, this program's and more.
        greeting: see :func:`greeted`.
        streams: ``stdin``, ``stdout`` and ``stderr``, as of a subprocess.

    Returns:
        the process, and the path of its interpreter.

    Raises:
        InterpreterError: there is none, or it cannot be run.
    """
    command, environment = python_command(
        module, python=python, host=host_program(), environ=environ, greeting=greeting
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            **streams,
            env=environment,
            start_new_session=True,  # Ctrl-C in the terminal is ours to handle, not the child's
        )
    except OSError as error:
        why = f"{command[0]!r} cannot be run ({error.strerror})"
        raise InterpreterError(why) from error
    return process, command[0]


async def greeted(
    process: asyncio.subprocess.Process,
    interpreter: str,
    complaint: Callable[[], Awaitable[str]],
    limit_s: float | None,
) -> None:
    """Wait until Python has printed :data:`GREETING`: it runs, and nothing was imported yet.

    Args:
        process: just started with that greeting, its standard output a pipe.
        interpreter: its path, for the errors.
        complaint: what the process has said on standard error, once it has ended.
        limit_s: how long to wait; None is for ever.

    Raises:
        InterpreterError: it ends, or says something else, or nothing.
        EngineDied: it was killed before.
    """
    assert process.stdout is not None
    none = f"{interpreter!r} is no Python 3.11 or later"
    try:
        async with asyncio.timeout(limit_s):
            for _ in range(_LINES):
                line = await process.stdout.readline()
                if line.strip() == GREETING.encode():
                    return
                if not line:
                    break
            else:
                raise InterpreterError(none)
            code = await process.wait()
    except TimeoutError:
        why = f"{interpreter!r} does not answer as a Python would within {limit_s:g} s"
        raise InterpreterError(why) from None
    except ValueError:  # a line without an end
        raise InterpreterError(none) from None
    if code < 0:
        raise EngineDied(f"Python was ended before it ran anything ({how_it_ended(code)})", code)
    said = await complaint()
    raise InterpreterError(f"{none} ({how_it_ended(code)}{said and f': {said}'})")


def kill_session(process: asyncio.subprocess.Process) -> None:
    """End a process that still runs, and all that it started: it may be a wrapper, or no Python."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own
        else:
            process.kill()


def how_it_ended(code: int) -> str:
    """An exit status in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
