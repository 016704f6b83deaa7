"""The focus of sway, over its IPC socket.

The protocol is that of i3 (``man 7 sway-ipc``): ``i3-ipc``, length and type as native 32 bit
integers, then JSON.
"""

from __future__ import annotations

import asyncio
import struct

import msgspec

from vivavoce.actors.injection.focus.probe import Probe
from vivavoce.pipeline.messages import Focus

_MAGIC = b"i3-ipc"
_HEADER = struct.Struct("=6sII")
_GET_TREE = 4
_MOST_BYTES = 1 << 24


class _X11Properties(msgspec.Struct):
    class_: str | None = msgspec.field(name="class", default=None)


class _Node(msgspec.Struct):
    """A container of sway's tree; a window has a ``pid``."""

    id: int
    type: str = ""
    focused: bool = False
    pid: int | None = None
    app_id: str | None = None
    window_properties: _X11Properties | None = None
    nodes: list[_Node] = []
    floating_nodes: list[_Node] = []


class SwayFocus(Probe):
    """Asks for the tree of windows.

    Args:
        socket: path of the socket, from ``SWAYSOCK``.
    """

    def __init__(self, socket: str) -> None:
        super().__init__()
        self._socket = socket

    async def ask(self) -> Focus | None:
        """The focused window; nobody where an empty workspace has it; None where nothing of the
        tree has it (a launcher, a screen lock)."""
        reader, writer = await asyncio.open_unix_connection(self._socket)
        try:
            writer.write(_HEADER.pack(_MAGIC, 0, _GET_TREE))
            magic, length, kind = _HEADER.unpack(await reader.readexactly(_HEADER.size))
            if magic != _MAGIC or kind != _GET_TREE or length > _MOST_BYTES:
                raise ValueError("that is no answer of sway")
            tree = msgspec.json.decode(await reader.readexactly(length), type=_Node)
        finally:
            writer.close()
        return _focus_of(tree)


def _focus_of(tree: _Node) -> Focus | None:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node.focused:
            return _of_window(node) if node.pid else Focus()
        waiting += node.nodes
        waiting += node.floating_nodes
    return None


def _of_window(node: _Node) -> Focus:
    x11 = node.window_properties
    application = node.app_id or (x11.class_ if x11 else None) or ""
    return Focus(window=str(node.id), application=application)
