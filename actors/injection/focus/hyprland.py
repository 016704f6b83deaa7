"""The focus of Hyprland, over its request socket."""

from __future__ import annotations

import asyncio

import msgspec

from vivavoce.actors.injection.focus.probe import Probe
from vivavoce.pipeline.messages import Focus

_MOST_BYTES = 1 << 20


class _Window(msgspec.Struct):
    """What ``activewindow`` answers; all of it is missing where no window is active."""

    address: str = ""
    class_: str = msgspec.field(name="class", default="")


class HyprlandFocus(Probe):
    """Asks for the active window.

    Args:
        socket: path of ``.socket.sock`` of the running instance.
    """

    def __init__(self, socket: str) -> None:
        super().__init__()
        self._socket = socket

    async def ask(self) -> Focus | None:
        """The active window; nobody where there is none."""
        reader, writer = await asyncio.open_unix_connection(self._socket)
        try:
            writer.write(b"j/activewindow")
            answer = b""
            while data := await reader.read(_MOST_BYTES):  # the end of the answer is its hanging up
                answer += data
                if len(answer) > _MOST_BYTES:
                    raise ValueError("that is no answer of Hyprland")
        finally:
            writer.close()
        window = msgspec.json.decode(answer, type=_Window)
        return Focus(window=window.address, application=window.class_ if window.address else "")
