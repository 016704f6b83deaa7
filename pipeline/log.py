"""Logging that costs nothing where it is not shown and never blocks where it is.

A log call below its component's level is a look at the settings. One that passes goes to the sink
of its pipeline, and there are two kinds of these:

- :class:`HostLog` hands it to Python's ``logging``, as any library does. That is where lines go by
  default, and where those go that are written outside of a pipeline.
- :class:`LogSink` is the command line's. It appends to a bounded buffer; while the pipeline runs, a
  thread of the sink renders the lines (structlog) and writes them to standard error. When nobody
  reads there and the buffer overflows, the oldest lines are dropped and their number is told in the
  place where they are missing. Where nobody drains it, lines are written at once.

The sink is a context variable: each pipeline, and each test, can have its own.
"""

from __future__ import annotations

import asyncio
import logging
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
_SEVERITY: dict[Level, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_TO_CALLER = 4
"""Frames from ``logging`` back to who writes a line: put(), _log(), and the level's own method."""
_CAPACITY = 1_000
_PATIENCE_S = 0.5
"""How long the end of a run waits for a standard error that takes nothing."""


class Sink:
    """Where the log lines of one pipeline go, and which ones.

    Args:
        settings: levels, read anew for each line; ``captions`` allows the key ``caption_text``.
    """

    by_default = _SEVERITY["warning"]
    """The least severity that is logged where the settings name none."""

    def __init__(self, settings: Callable[[], LogSettings] = LogSettings) -> None:
        self._settings = settings

    def threshold(self, component: str) -> int:
        """The least severity that ``component`` logs."""
        settings = self._settings()
        level = settings.levels.get(component, settings.level)
        return self.by_default if level is None else _SEVERITY[level]

    def put(self, level: Level, component: str, event: str, values: dict[str, Any]) -> None:
        """Take one line. Callable from any thread."""
        raise NotImplementedError

    def say(self, event: str, text: str) -> None:
        """Write what a person asked for: ``text`` as it is, line by line."""
        raise NotImplementedError

    async def drain(self) -> None:
        """See to what waits to be written while the pipeline runs, until cancelled."""

    def _allowed(self, values: dict[str, Any]) -> dict[str, Any]:
        if "caption_text" not in values or self._settings().captions:
            return values
        return {key: value for key, value in values.items() if key != "caption_text"}


class HostLog(Sink):
    """Python's ``logging``, as the program around the pipeline has configured it.

    The loggers are ``vivavoce.<component>``. The message is the sentence and its values; a record
    has both apart, too, as the dictionary ``record.vivavoce`` (the sentence is its ``event``).
    Handlers run where the line is written, as ever: a slow one holds up the event loop unless it
    stands behind a ``logging.handlers.QueueHandler``.

    Which lines there are is the configuration's to say; a level of the profile keeps those below it
    away from it.
    """

    by_default = 0

    def __init__(self, settings: Callable[[], LogSettings] = LogSettings) -> None:
        super().__init__(settings)
        self._loggers: dict[str, logging.Logger] = {}  # looked up once: that takes a lock

    def put(self, level: Level, component: str, event: str, values: dict[str, Any]) -> None:
        """Give one line to its logger."""
        logger = self._loggers.get(component)
        if logger is None:
            logger = self._loggers[component] = logging.getLogger(f"vivavoce.{component}")
        severity = _SEVERITY[level]
        if logger.isEnabledFor(severity):
            values = self._allowed(values)
            details = " ".join(f"{key}={value!r}" for key, value in values.items())
            logger.log(
                severity,
                _harmless(event + (f" ({details})" if details else "")),
                extra={"vivavoce": {"event": event, **values}},
                stacklevel=_TO_CALLER,
            )

    def say(self, event: str, text: str) -> None:
        """Give ``text`` to the logger ``vivavoce``, at the level INFO."""
        logging.getLogger("vivavoce").info(text, extra={"vivavoce": {"event": event}})


class LogSink(Sink):
    """Standard error, or another stream, written by a thread that nobody waits for.

    Args:
        settings: as for every sink. The format stays as it is at the beginning: who reads JSON
            lines cannot read others.
        stream: a text stream, written past its buffer where it has a descriptor; standard error as
            it is at the time of writing when not given.

    Attributes:
        dropped: lines lost so far because the stream was too slow.
    """

    def __init__(
        self, settings: Callable[[], LogSettings] = LogSettings, stream: TextIO | None = None
    ) -> None:
        super().__init__(settings)
        self._stream = stream
        self._lines: deque[tuple[float, str, str, str, dict[str, Any]]] = deque()
        self.dropped = 0
        self._untold = 0
        self._bell: SimpleQueue[bool] | None = None
        self._rung = False
        self._outlet: Callable[[str], bool] | None = None
        self._format = settings().format

    def divert(self, outlet: Callable[[str], bool] | None) -> None:
        """Give rendered lines to ``outlet`` first; None: to nobody else any more.

        Args:
            outlet: whoever else writes to the same terminal. It is called from the sink's thread
                and returns at once, True where it will show the lines.
        """
        self._outlet = outlet

    def put(self, level: Level, component: str, event: str, values: dict[str, Any]) -> None:
        """Take one line: buffered while :meth:`drain` runs, written at once otherwise."""
        values = self._allowed(values)
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
        return _harmless(shown)


def _harmless(line: str) -> str:
    """``line`` without what steers a terminal: others wrote the name of a device, or a path."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


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


def level_of(severity: int) -> Level:
    """The level of a record of Python's ``logging``."""
    return next((level for level, least in _SEVERITY.items() if severity <= least), "error")


_sink: ContextVar[Sink] = ContextVar("vivavoce_log_sink", default=HostLog())  # noqa: B039 - nobody changes it


def use_sink(sink: Sink) -> None:
    """Log to ``sink`` in this context and in the tasks that it starts from now on."""
    _sink.set(sink)


def current_sink() -> Sink:
    """The sink of this context; Python's ``logging`` where none was set."""
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
        sink = _sink.get()
        if _SEVERITY[level] >= sink.threshold(self.component):
            sink.put(level, self.component, event, values)


def get_logger(component: str) -> Logger:
    """A logger that names ``component`` in each line.

    The names are listed in :data:`vivavoce.config.components.COMPONENTS`, which a test compares.
    """
    return Logger(component)
