"""The focus on a real X server, seen through python-xlib and through the tools."""

import asyncio
import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S, moment
from support.x11 import XDisplay, missing

from vivavoce.actors.injection.focus import X11Focus, make_probe
from vivavoce.pipeline.messages import Focus

pytestmark = [pytest.mark.desktop, pytest.mark.patient]


@pytest.fixture
def display(tmp_path: Path) -> Iterator[XDisplay]:
    reason = missing()
    if reason:
        pytest.skip(f"no X server can be had here: {reason}")
    display = XDisplay(tmp_path)
    yield display
    display.close()


@pytest.fixture(params=["python-xlib", "tools"])
def probe(request: pytest.FixtureRequest, display: XDisplay) -> X11Focus:
    if request.param == "python-xlib":
        pytest.importorskip("Xlib")
    return X11Focus(display.environ, tools=request.param == "tools")


async def first_answer(probe: X11Focus) -> Focus | None:
    # Where the machine is busy, the first answer may need longer than a probe has.
    for _ in range(50):
        focus = await probe.focus()
        if focus is not None:
            return focus
        await moment()
    return None


@pytest.mark.smoke
async def test_it_tells_the_window_that_has_the_focus(display: XDisplay, probe: X11Focus) -> None:
    editor = display.terminal("editor")
    display.terminal("chat")
    found = await first_answer(probe)
    assert found is not None
    assert found.application == "chat"
    editor.focus()
    other = await first_answer(probe)
    assert other is not None
    assert other.application == "editor"
    assert other.window != found.window
    assert await first_answer(probe) == other


async def test_a_server_that_is_gone_is_no_news(display: XDisplay, probe: X11Focus) -> None:
    display.terminal()
    assert await first_answer(probe) is not None
    display.close()
    for _ in range(3):
        assert await probe.focus() is None


async def test_the_window_manager_has_the_last_word(display: XDisplay) -> None:
    xlib_display = pytest.importorskip("Xlib.display")
    atoms = pytest.importorskip("Xlib.Xatom")
    editor, chat = display.terminal("editor"), display.terminal("chat")
    connection = xlib_display.Display(display.display)
    root = connection.screen().root

    def active(window: int) -> None:
        name = connection.intern_atom("_NET_ACTIVE_WINDOW")
        root.change_property(name, atoms.WINDOW, 32, [window])
        connection.sync()

    probe = make_probe(display.environ)
    assert isinstance(probe, X11Focus)
    active(int(editor.window))  # chat has the input focus, as an input method's window may
    found = await first_answer(probe)
    assert found is not None
    assert found.application == "editor"
    active(0)
    found = await probe.focus()
    assert found is not None
    assert found.application == "chat"
    chat.close()
    connection.close()


async def test_its_thread_ends_with_it(display: XDisplay) -> None:
    pytest.importorskip("Xlib")

    def threads() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name == "vivavoce focus"]

    before = len(threads())
    probe = X11Focus(display.environ)
    await probe.focus()
    (thread,) = threads()[before:]
    del probe
    gc.collect()
    await asyncio.to_thread(thread.join, PATIENCE_S)
    assert not thread.is_alive()


async def test_where_no_window_manager_sets_the_focus_the_pointer_has_it(display: XDisplay) -> None:
    pytest.importorskip("Xlib")
    from Xlib import X
    from Xlib.display import Display

    probe = X11Focus(display.environ)
    first, last = display.terminal("first"), display.terminal("last")
    first.close()
    last.close()
    for _ in range(100):  # the server notices it when it does
        if (found := await first_answer(probe)) == Focus():
            break
        await moment()
    assert found == Focus(), "the last window with the focus was closed"
    terminal = display.terminal("editor")
    expected = await first_answer(probe)
    server = Display(display.display)
    for nowhere in (X.PointerRoot, server.screen().root):
        server.set_input_focus(nowhere, X.RevertToPointerRoot, X.CurrentTime)
        server.sync()
        display.xdotool("mousemove", "--window", terminal.window, "5", "5")
        assert await first_answer(probe) == expected
        display.xdotool("mousemove", "799", "599")
        assert await first_answer(probe) == Focus()
    server.close()
