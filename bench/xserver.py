"""An X server without a screen, and fingers on its keyboard."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec


def missing() -> str | None:
    """Why there can be no such server here; None when there can."""
    if shutil.which("Xvfb") is None:
        return "Xvfb is not installed"
    for library in ("pynput", "Xlib"):
        if find_spec(library) is None:
            return f"{library} is not installed: pip install 'vivavoce[dictation]'"
    return None


@contextlib.contextmanager
def private_display() -> Iterator[dict[str, str]]:
    """Start Xvfb on a free display and yield the environment in which programs find it."""
    reading, writing = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "320x200x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as told:
                number = told.readline().strip()
            if not number:
                raise OSError("Xvfb did not start")
            # A file that is not there: python-xlib prints a warning about an empty one.
            yield {"DISPLAY": f":{number}", "XAUTHORITY": os.devnull + "/none"}
        finally:
            server.terminate()


def press(key: str, count: int, seed: int) -> list[tuple[float, float]]:
    """Hold a key for 25 to 60 ms, again and again, as far apart, on ``DISPLAY``.

    Returns:
        For each press when it and its release were sent to the server: seconds of
        :func:`time.monotonic`.
    """
    import Xlib.display
    import Xlib.ext.xtest
    import Xlib.X
    import Xlib.XK

    chance = random.Random(seed)
    display = Xlib.display.Display()
    # The server sends out what it has for listeners when it has something for a window, too.
    screen = display.screen()
    window = screen.root.create_window(
        0, 0, 100, 100, 0, screen.root_depth, event_mask=Xlib.X.KeyPressMask | Xlib.X.KeyReleaseMask
    )
    window.map()
    window.set_input_focus(Xlib.X.RevertToParent, Xlib.X.CurrentTime)
    display.sync()
    keycode = display.keysym_to_keycode(Xlib.XK.string_to_keysym(key))

    def send(what: int) -> float:
        Xlib.ext.xtest.fake_input(display, what, keycode)
        at = time.monotonic()
        display.flush()
        time.sleep(chance.uniform(0.025, 0.06))
        return at

    pairs = [(send(Xlib.X.KeyPress), send(Xlib.X.KeyRelease)) for _ in range(count)]
    display.close()
    return pairs
