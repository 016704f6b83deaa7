"""A microphone without a sound card: a private PulseAudio daemon with a null sink."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_STARTS_WITHIN_S = 10.0


def missing() -> str | None:
    """Why there can be no such microphone here; None when there can."""
    if shutil.which("pulseaudio") is None:
        return "PulseAudio is not installed"
    try:
        import sounddevice
    except OSError:
        return "PortAudio is not installed"
    del sounddevice
    return None


@contextlib.contextmanager
def null_sink() -> Iterator[dict[str, str]]:
    """Start the daemon and yield the environment in which PortAudio opens its monitor."""
    with tempfile.TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        runtime = Path(folder)
        socket = runtime / "pulse.sock"
        (runtime / "asound.conf").write_text("pcm.!default {type pulse}\nctl.!default {type pulse}")
        environ = {
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_SOURCE": "mic.monitor",
            "PULSE_RUNTIME_PATH": folder,
            "ALSA_CONFIG_PATH": f"{_system_alsa()}{runtime / 'asound.conf'}",
            "XDG_RUNTIME_DIR": folder,
            "HOME": folder,
        }
        daemon = subprocess.Popen(
            [
                "pulseaudio",
                *("-n", "--exit-idle-time=-1", "--daemonize=no"),
                *("-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"),
                *("-L", "module-null-sink sink_name=mic rate=16000 channels=1"),
            ],
            env=os.environ | environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(socket)
            yield environ
        finally:
            daemon.terminate()
            daemon.wait()


def _system_alsa() -> str:
    system = Path("/usr/share/alsa/alsa.conf")
    return f"{system}:" if system.exists() else ""


def _wait_for(socket: Path) -> None:
    gives_up = time.monotonic() + _STARTS_WITHIN_S
    while not socket.exists():
        if time.monotonic() > gives_up:
            raise TimeoutError(f"PulseAudio made no {socket} within {_STARTS_WITHIN_S:g} s")
        time.sleep(0.02)
