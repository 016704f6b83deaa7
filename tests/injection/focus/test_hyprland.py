"""The focus of Hyprland: its socket is played by the test, as Hyprland needs a graphics card."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from vivavoce.actors.injection.focus import HyprlandFocus, UnknownFocus, X11Focus, make_probe
from vivavoce.pipeline.messages import Focus


@asynccontextmanager
async def fake_hyprland(folder: Path, answer: bytes) -> AsyncIterator[dict[str, str]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read(100) == b"j/activewindow"
        for byte in answer:
            writer.write(bytes([byte]))
            await writer.drain()
        writer.close()

    socket = folder / "hypr" / "signature" / ".socket.sock"
    socket.parent.mkdir(parents=True)
    async with await asyncio.start_unix_server(serve, socket):
        yield {
            "WAYLAND_DISPLAY": "wayland-1",
            "XDG_RUNTIME_DIR": str(folder),
            "HYPRLAND_INSTANCE_SIGNATURE": "signature",
        }


@pytest.mark.parametrize(
    ("answer", "focus"),
    [
        (
            b'{"address":"0x55d0","mapped":true,"class":"kitty","title":"ls"}',
            Focus(window="0x55d0", application="kitty"),
        ),
        (b"{}", Focus()),
        (b"unknown request", None),
        (b"[1, 2]", None),
        (b"", None),
    ],
)
async def test_the_active_window(tmp_path: Path, answer: bytes, focus: Focus | None) -> None:
    async with fake_hyprland(tmp_path, answer) as environ:
        probe = make_probe(environ)
        assert isinstance(probe, HyprlandFocus)
        assert await probe.focus() == focus


async def test_it_is_gone(tmp_path: Path) -> None:
    assert await HyprlandFocus(str(tmp_path / "none")).focus() is None


async def test_the_probe_fits_the_session() -> None:
    assert isinstance(make_probe({"DISPLAY": ":0"}), X11Focus)
    # XWayland knows only some of the windows: no answer is better than a wrong one.
    for environ in ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, {}):
        probe = make_probe(environ)
        assert isinstance(probe, UnknownFocus)
        assert await probe.focus() is None
