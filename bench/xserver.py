"""An X server without a screen, and fingers on its keyboard."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TypeAlias

from bench import program

Span: TypeAlias = tuple[float, float]
"""Between how many seconds something lasts."""


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
        [
            "Xvfb",
            "-displayfd",
            str(writing),
            "-screen",
            "0",
            "320x200x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ],
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


def pressed(
    key: str,
    count: int,
    seed: int,
    environ: Mapping[str, str],
    *,
    hold_s: Span = (0.025, 0.06),
    apart_s: Span = (0.025, 0.06),
) -> list[tuple[float, float]]:
    """Hold a key again and again, from a process of its own; returns when that is done.

    Args:
        key: its X11 name.
        seed: of how long each is held, and of the time between.
        environ: of :func:`private_display`.

    Returns:
        For each press when it and its release were sent to the server: seconds of
        :func:`time.monotonic`.
    """
    arguments = [key, str(count), str(seed), *(str(limit) for limit in (*hold_s, *apart_s))]
    done = subprocess.run(
        program("xserver", *arguments),
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        check=True,
    )
    return [(at, released) for at, released in json.loads(done.stdout)]


def _press(key: str, count: int, chance: random.Random, *limits: float) -> list[list[float]]:
    import Xlib.display
    import Xlib.ext.xtest
    import Xlib.X
    import Xlib.XK

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

    def send(what: int, shortest: float, longest: float) -> float:
        Xlib.ext.xtest.fake_input(display, what, keycode)
        at = time.monotonic()
        display.flush()
        time.sleep(chance.uniform(shortest, longest))
        return at

    return [
        [send(Xlib.X.KeyPress, *limits[:2]), send(Xlib.X.KeyRelease, *limits[2:])]
        for _ in range(count)
    ]


def main() -> None:
    """Press keys as the arguments say."""
    key, count, seed, *limits = sys.argv[1:]
    print(json.dumps(_press(key, int(count), random.Random(int(seed)), *map(float, limits))))


if __name__ == "__main__":
    main()
