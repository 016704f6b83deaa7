"""Figures for Prometheus and a health check, over HTTP in the pipeline's own event loop.

While nobody asks, this is one listening socket: no thread, no timer. ``prometheus-client`` (the
optional extra ``metrics``) renders the page; it is imported with the first one, in a thread.
"""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Final

import msgspec

from vivavoce.config.errors import VivavoceError
from vivavoce.config.monitoring import MetricsSettings, is_loopback, listen_address
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.metrics import Instrument

_HEADER_BYTES: Final = 8_192
_PATIENCE_S: Final = 5.0
_LINGER_S: Final = 0.2
_CONNECTIONS: Final = 8
_TEXT: Final = "text/plain; charset=utf-8"

log = get_logger("monitor")


class ExporterError(VivavoceError):
    """The address cannot be served, or prometheus-client is missing."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What ``/health`` says, as JSON.

    ``live``: the event loop turns, and audio arrives where it should. ``ready``: it captions what
    is said now; the engine is there, or is parked and will be. Ages are in seconds, None before the
    first.
    """

    live: bool
    ready: bool
    power_mode: str
    engine: str
    last_caption_age_s: float | None
    audio_age_s: float | None
    captured_s: float
    lag_s: float


class Exporter:
    """Serves ``/metrics`` and ``/health``.

    Args:
        settings: where to listen.
        page: takes the snapshot that ``/metrics`` shows.
        health: what ``/health`` says.
    """

    def __init__(
        self,
        settings: MetricsSettings,
        page: Callable[[], Awaitable[list[Instrument]]],
        health: Callable[[], Health],
    ) -> None:
        self._settings = settings
        self._page = page
        self._health = health
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens."""
        sockets = self._server.sockets if self._server is not None else ()
        return [one.getsockname()[:2] for one in sockets]

    async def start(self) -> None:
        """Listen.

        Raises:
            ExporterError: one line: the address is taken, not here, or may not be used.
        """
        text = self._settings.listen
        if text is None:
            return
        try:
            host, port = listen_address(text)
        except ValueError as error:
            raise ExporterError(f"metrics.listen: {text!r}: {error}") from None
        if not (is_loopback(host) or self._settings.listen_beyond_loopback):
            raise ExporterError(
                f"metrics.listen: {text}: other machines could read it; use 127.0.0.1:{port}, or "
                "allow it with metrics.listen_beyond_loopback: true"
            )
        if find_spec("prometheus_client") is None:
            raise ExporterError(
                "metrics.listen needs prometheus-client: run `pip install 'vivavoce[metrics]'`"
            )
        try:
            self._server = await asyncio.start_server(
                self._serve, host, port, limit=_HEADER_BYTES, backlog=_CONNECTIONS
            )
        except OSError as error:
            raise ExporterError(_explain(text, error)) from error
        log.info(
            "figures are served",
            address=", ".join(f"{host}:{port}" for host, port in self.addresses),
        )

    async def stop(self) -> None:
        """Close the port and every connection. Idempotent."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for writer in self._open.values():
            writer.transport.abort()
        if self._open:
            await asyncio.wait(tuple(self._open))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this is not None
        self._open[this] = writer
        try:
            async with asyncio.timeout(_PATIENCE_S):
                if len(self._open) > _CONNECTIONS:
                    answer = _response(503, _TEXT, b"too many connections\n")
                else:
                    answer = await self._answer(reader)
                writer.write(answer)
                await writer.drain()
                if not answer.startswith(b"HTTP/1.1 200"):
                    await _hear_out(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            pass  # it went away, or says nothing
        finally:
            del self._open[this]
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _response(431, _TEXT, b"the header is too long\n")
        request = head.partition(b"\r\n")[0].split(b" ")
        if len(request) != 3 or not request[2].startswith(b"HTTP/1."):
            return _response(400, _TEXT, b"this is not HTTP/1.1\n")
        method, target, _ = request
        path = target.partition(b"?")[0]
        if path not in (b"/metrics", b"/health"):
            return _response(404, _TEXT, b"there are /metrics and /health\n")
        if method not in (b"GET", b"HEAD"):
            return _response(405, _TEXT, b"only GET\n")
        answer = await self._metrics() if path == b"/metrics" else self._healthy()
        return answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == b"HEAD" else answer

    async def _metrics(self) -> bytes:
        kind, body = await asyncio.to_thread(rendered, await self._page())
        return _response(200, kind, body)

    def _healthy(self) -> bytes:
        health = self._health()
        body = json.dumps(msgspec.to_builtins(health)).encode() + b"\n"
        return _response(200 if health.live and health.ready else 503, "application/json", body)


async def _hear_out(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read what a request still had to say, for a moment: closing on unread data would reset the
    connection, and the other side might never see its answer."""
    writer.write_eof()
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while await reader.read(_HEADER_BYTES):
                pass


def rendered(instruments: list[Instrument]) -> tuple[str, bytes]:
    """The page for Prometheus: its content type and its bytes."""
    from vivavoce.actors.monitor.prometheus import page

    return page(instruments)


def _explain(text: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"metrics.listen: {text} is in use by another program: choose another port"
    if error.errno == errno.EACCES:
        return f"metrics.listen: {text}: this user may not listen there: use a port above 1023"
    reason = error.strerror or str(error)
    return f"metrics.listen: {text}: {reason}: expected an address of this machine, as 127.0.0.1"


_REASONS: Final[dict[int, str]] = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


def _response(status: int, kind: str, body: bytes) -> bytes:
    head: dict[str, Any] = {
        "Content-Type": kind,
        "Content-Length": len(body),
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    if status == 405:
        head["Allow"] = "GET, HEAD"
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", *(f"{key}: {head[key]}" for key in head)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
