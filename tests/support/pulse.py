"""A microphone without a sound card: a private PulseAudio daemon with a null sink."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

NEEDED = ("pulseaudio", "paplay", "pactl")

ALSA_CONFIGURATION = """\
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


def missing() -> str | None:
    """What keeps the microphone from being tested here, if anything does."""
    tools = [tool for tool in NEEDED if shutil.which(tool) is None]
    if tools:
        return f"not installed: {', '.join(tools)}"
    try:
        import sounddevice  # noqa: F401
    except OSError as error:
        return str(error)
    return None


class PulseMicrophone:
    """The daemon, and what a program needs in its environment to hear it."""

    def __init__(self, folder: Path) -> None:
        socket = folder / "pulse.sock"
        alsa = folder / "asound.conf"
        alsa.write_text("</usr/share/alsa/alsa.conf>\n" + ALSA_CONFIGURATION)
        self.environ = {
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_SOURCE": "mic.monitor",
            "ALSA_CONFIG_PATH": str(alsa),
        }
        own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self._environ = {**os.environ, **own, "PULSE_SERVER": f"unix:{socket}"}
        self._daemon = subprocess.Popen(
            [
                "pulseaudio", "-n", "--exit-idle-time=-1", "--daemonize=no", "--log-level=error",
                "-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1",
                "-L", "module-null-sink sink_name=mic rate=16000 channels=1",
            ],
            env={key: value for key, value in self._environ.items() if key != "PULSE_SERVER"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait(lambda: self._pactl("info").returncode == 0, "PulseAudio did not start")

    def play(self, path: Path) -> None:
        """Speak a recording into the microphone; returns when it has been played."""
        subprocess.run(
            ["paplay", "--device=mic", str(path)], env=self._environ, check=True, timeout=60
        )

    def wait_for_listener(self) -> None:
        """Return when a program records from the microphone."""
        self._wait(
            lambda: bool(self._pactl("list", "short", "source-outputs").stdout.strip()),
            "no program opened the microphone",
        )

    def kill(self) -> None:
        """The daemon dies, as when a device is pulled out."""
        self._daemon.kill()
        self._daemon.wait()

    def close(self) -> None:
        """End the daemon."""
        self._daemon.terminate()
        try:
            self._daemon.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()

    def _pactl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pactl", *arguments],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )

    @staticmethod
    def _wait(condition, complaint: str) -> None:
        deadline = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < deadline, complaint
            time.sleep(0.05)
