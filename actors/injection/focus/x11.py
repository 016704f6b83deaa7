"""The focus on X11: through python-xlib where it is installed, else through xdotool and xprop."""

from __future__ import annotations

import asyncio
import re
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from vivavoce.actors.injection.focus.probe import PATIENCE_S, Probe
from vivavoce.pipeline.messages import Focus

if TYPE_CHECKING:
    from vivavoce.actors.injection.tool import ToolRunner

_MOST_ANCESTORS = 16
_WM_CLASS = re.compile(r'WM_CLASS\(\w+\) = "(?:[^"\\]|\\.)*", "((?:[^"\\]|\\.)*)"')


class X11Focus(Probe):
    """Asks the X server.

    Args:
        environ: with ``DISPLAY`` (and ``PATH``, for the tools).
        tools: use xdotool and xprop even where python-xlib is installed.
    """

    def __init__(self, environ: Mapping[str, str], *, tools: bool = False) -> None:
        super().__init__()
        self._environ = environ
        self._questions: SimpleQueue[_Question | None] | None = None
        self._owed: _Question | None = None
        self._tools = tools or find_spec("Xlib") is None
        self._runner: ToolRunner | None = None

    async def ask(self) -> Focus | None:
        """The active window as the window manager says, else the one with the X input focus."""
        if self._tools:
            return await self._ask_tools()
        if self._questions is None:
            self._questions = _start_thread(self._environ["DISPLAY"])
            # The thread ends with its only asker, not before its asker's last question.
            weakref.finalize(self, self._questions.put, None).atexit = False
        if self._owed is not None and not self._owed.answered:
            raise OSError("the X server still owes an answer")
        self._owed = _Question()
        self._questions.put(self._owed)
        return await self._owed.answer

    async def _ask_tools(self) -> Focus | None:
        if self._runner is None:
            from vivavoce.actors.injection.tool import ToolRunner

            self._runner = ToolRunner(self._environ)
        found = await self._runner.run(["xdotool", "getwindowfocus"], timeout_s=PATIENCE_S)
        window = found.output.decode(errors="replace").strip()
        if not found.ok or not window.isdecimal():
            raise OSError(found.complaint("xdotool"))
        if int(window) <= 1:  # 0: nobody; 1: whatever the pointer is on
            return Focus() if window == "0" else None
        told = await self._runner.run(["xprop", "-id", window, "WM_CLASS"], timeout_s=PATIENCE_S)
        named = _WM_CLASS.search(told.output.decode(errors="replace"))
        return Focus(window=window, application=named[1] if named else "")


class _Question:
    """One question of the loop to the thread.

    Attributes:
        answer: what the asker waits for; nobody may wait any more.
        answered: set by the thread: it is free again.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Focus | None] = self._loop.create_future()
        self.answered = False

    def settle(self, found: Focus | OSError | None) -> None:
        """In the thread: ``found`` is the answer."""
        self.answered = True
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._settle, found)

    def _settle(self, found: Focus | OSError | None) -> None:
        if self.answer.done():
            return
        if isinstance(found, OSError):
            self.answer.set_exception(found)
        else:
            self.answer.set_result(found)


def _start_thread(display: str) -> SimpleQueue[_Question | None]:
    """Keep a connection in a daemon thread, because python-xlib can only block."""
    questions: SimpleQueue[_Question | None] = SimpleQueue()
    threading.Thread(
        target=_answer, args=(display, questions), name="vivavoce focus", daemon=True
    ).start()
    return questions


def _answer(name: str, questions: SimpleQueue[_Question | None]) -> None:
    server: Any = None
    while (question := questions.get()) is not None:
        try:
            if server is None:
                server = _connect(name)
            question.settle(_ask_server(server))
        except Exception as error:  # noqa: BLE001 - python-xlib's are of many kinds; it is passed on
            server = None
            question.settle(error if isinstance(error, OSError) else OSError(repr(error)))
    if server is not None:
        with suppress(Exception):  # it is gone already
            server.close()


def _connect(name: str) -> Any:
    from Xlib import display

    server = display.Display(name)
    server.set_error_handler(lambda *_: None)  # errors come as answers, too
    return server


def _ask_server(server: Any) -> Focus | None:
    from Xlib import X

    active = _active(server)
    if active:
        return _described(server.create_resource_object("window", active))
    focused = server.get_input_focus().focus
    if focused == X.NONE:
        return Focus()
    root = server.screen().root
    if focused in (X.PointerRoot, root):
        # Keys go to the window that the pointer is on: so it is left after the last window with
        # the focus was closed, where there is no window manager.
        under = root.query_pointer().child
        return _described(under) if under != X.NONE else Focus()
    described = _described(focused)
    # The window manager says that no window is active: what has the focus is its own.
    return Focus() if active == 0 and not described.application else described


def _active(server: Any) -> int | None:
    """``_NET_ACTIVE_WINDOW`` of the root window; None: no window manager has set it."""
    from Xlib import X

    atom = server.intern_atom("_NET_ACTIVE_WINDOW")
    told = server.screen().root.get_full_property(atom, X.AnyPropertyType)
    return int(told.value[0]) if told is not None and len(told.value) else None


def _described(window: Any) -> Focus:
    """The window, or the ancestor of it that has a class: toolkits focus inner windows."""
    inner = window
    for _ in range(_MOST_ANCESTORS):
        named = window.get_wm_class()
        if named:
            return Focus(window=str(window.id), application=named[1])
        window = window.query_tree().parent
        if not window:
            break
    return Focus(window=str(inner.id))
