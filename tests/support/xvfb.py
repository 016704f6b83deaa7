"""A virtual X server on a display number of its own."""

from __future__ import annotations

import os
import subprocess


def start_xvfb(screen: str = "800x600x24") -> tuple[subprocess.Popen[bytes], str]:
    """Start one; its process, and its number as in ``DISPLAY``.

    It does not start anew when its last client leaves: the next one could not connect meanwhile.
    """
    reading, writing = os.pipe()
    options = ["-displayfd", str(writing), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(
        ["Xvfb", *options],
        pass_fds=(writing,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    assert number, "Xvfb did not start"
    return server, f":{number}"
