"""Logging that costs nothing where it is not shown and never blocks where it is.

A log call below its component's level is a look at the settings. One that passes is appended to a
bounded buffer; while the pipeline runs, a thread of the sink renders it (structlog) and writes it
to standard error. When nobody reads there and the buffer overflows, the oldest lines are dropped
and their number is told in the place where they are missing.

Where nobody drains (before a pipeline runs, or in a program that embeds none) lines are written at
once. The sink is a context variable: each pipeline, and each test, can have its own.
"""

from __future__ import annotations

import asyncio
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from queue import SimpleQueue
from typing import Any, Literal, TextIO, TypeAlias

from vivavoce.config.schema import LogSettings

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
_SEVERITY: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_CAPACITY = 1_000
_PATIENCE_S = 0.5
"""How long the end of a run waits for a standard error that takes nothing."""


class LogSink:
    """Where log lines of one pipeline go.

    Args:
        settings: levels, read anew for each line; ``captions`` allows the key ``caption_text``. The
            format stays as it is at the beginning: who reads JSON lines cannot read others.
        stream: a text stream, written past its buffer where it has a descriptor; standard error as
            it is at the time of writing when not given.

    Attributes:
        dropped: lines lost so far because the stream was too slow.
    """

    def __init__(
        self, settings: Callable[[], LogSettings] = LogSettings, stream: TextIO | None = None
    ) -> None:
        self._stream = stream
        self._lines: deque[tuple[float, str, str, str, dict[str, Any]]] = deque()
        self.dropped = 0
        self._untold = 0
        self._bell: SimpleQueue[bool] | None = None
        self._rung = False
        self._outlet: Callable[[str], bool] | None = None
        self._settings = settings
        self._format = settings().format

    def divert(self, outlet: Callable[[str], bool] | None) -> None:
        """Give rendered lines to ``outlet`` first; None: to nobody else any more.

        Args:
            outlet: whoever else writes to the same terminal. It is called from the sink's thread
                and returns at once, True where it will show the lines.
        """
        self._outlet = outlet

    def threshold(self, component: str) -> int:
        """The least severity that ``component`` logs."""
        settings = self._settings()
        return _SEVERITY[settings.levels.get(component, settings.level)]

    def put(self, level: Level, component: str, event: str, values: dict[str, Any]) -> None:
        """Take one line: buffered while :meth:`drain` runs, written at once otherwise.

        Callable from any thread.
        """
        if "caption_text" in values and not self._settings().captions:
            values = {key: value for key, value in values.items() if key != "caption_text"}
        if len(self._lines) >= _CAPACITY:
            self._lines.popleft()
            self.dropped += 1
            self._untold += 1
        self._lines.append((time.time(), level, component, event, values))
        self._wake()

    def say(self, event: str, text: str) -> None:
        """Write what a person asked for, whatever the level: ``text`` as it is, line by line."""
        self._lines.append((time.time(), "said", event, text, {}))
        self._wake()

    def _wake(self) -> None:
        bell = self._bell
        if bell is None:
            self.write_waiting()
        elif not self._rung:
            self._rung = True
            bell.put(True)

    async def drain(self) -> None:
        """Have a thread write what arrives, until cancelled; the rest is written on the way out.

        A stream that nobody reads holds up that thread alone. At the end it is waited for briefly.
        """
        bell = self._bell = SimpleQueue()
        # Not of the loop's executor: that one is waited for at the end, however long it takes.
        writer = threading.Thread(
            target=self._write_when_told, args=(bell,), name="vivavoce log", daemon=True
        )
        writer.start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._bell = None
            bell.put(False)
            writer.join(_PATIENCE_S)
            if not writer.is_alive():
                self.write_waiting()

    def _write_when_told(self, bell: SimpleQueue[bool]) -> None:
        while bell.get():
            self._rung = False
            self.write_waiting()

    def write_waiting(self) -> None:
        """Render and write the buffered lines."""
        lines: list[str] = []
        if self._untold:
            untold, self._untold = self._untold, 0
            told = f"{untold} log lines were dropped: standard error is too slow"
            lines.append(self._render(time.time(), "warning", "log", told, {}))
        while self._lines:
            lines.append(self._render(*self._lines.popleft()))
        stream = self._stream or sys.stderr
        if not lines or stream is None:
            return
        text = "\n".join(lines) + "\n"
        if self._outlet is not None and self._outlet(text):
            return
        try:
            _write(stream, text)
        except (OSError, ValueError):
            self._untold = 0  # standard error is closed: there is nobody left to tell

    def _render(
        self, at: float, level: str, component: str, event: str, values: dict[str, Any]
    ) -> str:
        import structlog

        if level == "said" and self._format != "json":
            return event
        if level == "said":
            component, event, values = "vivavoce", component, {"text": event}
        line = {"event": event, "level": level, "component": component, **values}
        if self._format == "json":
            rendered = structlog.processors.JSONRenderer()(None, level, {"time": at, **line})
            return rendered if isinstance(rendered, str) else rendered.decode()
        pairs = structlog.processors.KeyValueRenderer(key_order=[], drop_missing=True)
        details = pairs(None, level, dict(values)) if values else ""
        shown = f"vivavoce: {level}: {component}: {event}" + (f" ({details})" if details else "")
        # What others wrote (the name of a device, a path) must not steer the terminal.
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)


def _write(stream: TextIO, text: str) -> None:
    """Write all of ``text``, past the stream's own buffer: a thread that is stuck there would hold
    its lock, and the interpreter could not end."""
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError, ValueError):  # there is none
        stream.write(text)
        stream.flush()
        return
    data = text.encode(errors="backslashreplace")
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # whoever shares the descriptor has made it non-blocking
            select.select([], [descriptor], [])


_sink: ContextVar[LogSink | None] = ContextVar("vivavoce_log_sink", default=None)


def use_sink(sink: LogSink) -> None:
    """Log to ``sink`` in this context and in the tasks that it starts from now on."""
    _sink.set(sink)


def current_sink() -> LogSink | None:
    """The sink of this context; None where none was set, and lines go to standard error."""
    return _sink.get()


class Logger:
    """Logs for one component; ``event`` is a short sentence, details are keyword arguments."""

    __slots__ = ("component",)

    def __init__(self, component: str) -> None:
        self.component = component

    def debug(self, event: str, **values: Any) -> None:
        """For those who hunt a bug."""
        self._log("debug", event, values)

    def info(self, event: str, **values: Any) -> None:
        """Worth knowing when asked for."""
        self._log("info", event, values)

    def warning(self, event: str, **values: Any) -> None:
        """Something a user should know; the program goes on."""
        self._log("warning", event, values)

    def error(self, event: str, **values: Any) -> None:
        """Something was lost or does not work."""
        self._log("error", event, values)

    def _log(self, level: Level, event: str, values: dict[str, Any]) -> None:
        sink = _sink.get() or LogSink()
        if _SEVERITY[level] >= sink.threshold(self.component):
            sink.put(level, self.component, event, values)


def get_logger(component: str) -> Logger:
    """A logger that names ``component`` in each line.

    The names are listed in :data:`vivavoce.config.components.COMPONENTS`, which a test compares.
    """
    return Logger(component)
