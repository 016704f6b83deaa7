"""Logging that costs nothing where it is not shown and never blocks where it is.

A log call below the level is one comparison. One that passes is appended to a bounded buffer; the
pipeline's drain task renders it (structlog) and writes it to standard error outside the event loop.
When the buffer overflows, the oldest lines are dropped and their number is told.

Where nobody drains (before a pipeline runs, or in a program that embeds none) lines are written at
once. The sink is a context variable: each pipeline, and each test, can have its own.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from contextvars import ContextVar
from typing import Any, Literal, TextIO, TypeAlias

from vivavoce.config.schema import LogSettings

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
_SEVERITY: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_CAPACITY = 1_000


class LogSink:
    """Where log lines of one pipeline go.

    Args:
        settings: level and format; ``captions`` allows the key ``caption_text``.
        stream: a text stream; standard error as it is at the time of writing when not given.
    """

    def __init__(self, settings: LogSettings | None = None, stream: TextIO | None = None) -> None:
        self.settings = settings or LogSettings()
        self.threshold = _SEVERITY[self.settings.level]
        self._stream = stream
        self._lines: deque[tuple[float, str, str, str, dict[str, Any]]] = deque()
        self._dropped = 0
        self._arrived: asyncio.Event | None = None

    def put(self, level: Level, component: str, event: str, values: dict[str, Any]) -> None:
        """Take one line: buffered while :meth:`drain` runs, written at once otherwise."""
        if not self.settings.captions and "caption_text" in values:
            values = {key: value for key, value in values.items() if key != "caption_text"}
        if len(self._lines) >= _CAPACITY:
            self._lines.popleft()
            self._dropped += 1
        self._lines.append((time.time(), level, component, event, values))
        if self._arrived is None:
            self.write_waiting()
        else:
            self._arrived.set()

    async def drain(self) -> None:
        """Write what arrives until cancelled; what is left is written on the way out."""
        self._arrived = asyncio.Event()
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                await asyncio.to_thread(self.write_waiting)
        finally:
            self._arrived = None
            self.write_waiting()

    def write_waiting(self) -> None:
        """Render and write the buffered lines."""
        lines: list[str] = []
        while self._lines:
            lines.append(self._render(*self._lines.popleft()))
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            lines.append(f"vivavoce: {dropped} log lines were dropped: standard error is too slow")
        if not lines:
            return
        stream = self._stream or sys.stderr
        try:
            stream.write("\n".join(lines) + "\n")
            stream.flush()
        except (OSError, ValueError):
            # Standard error is closed: there is nobody left to tell.
            self._dropped = 0

    def _render(
        self, at: float, level: str, component: str, event: str, values: dict[str, Any]
    ) -> str:
        import structlog

        line = {"event": event, "level": level, "component": component, **values}
        if self.settings.format == "json":
            rendered = structlog.processors.JSONRenderer()(None, level, {"time": at, **line})
            return rendered if isinstance(rendered, str) else rendered.decode()
        pairs = structlog.processors.KeyValueRenderer(key_order=[], drop_missing=True)
        details = pairs(None, level, dict(values)) if values else ""
        return f"vivavoce: {level}: {component}: {event}" + (f" ({details})" if details else "")


_sink: ContextVar[LogSink | None] = ContextVar("vivavoce_log_sink", default=None)


def use_sink(sink: LogSink) -> None:
    """Log to ``sink`` in this context and in the tasks that it starts from now on."""
    _sink.set(sink)


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
        if _SEVERITY[level] >= sink.threshold:
            sink.put(level, self.component, event, values)


def get_logger(component: str) -> Logger:
    """A logger that names ``component`` in each line."""
    return Logger(component)
