"""A microphone without a sound card: a private PulseAudio daemon with a null sink."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from support.waiting import wait_until

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
    """The daemon, and what a program needs in its environment to hear it.

    Args:
        folder: for the daemon's files.
        devices: ALSA names of microphones, besides the default, each with its PulseAudio source.
    """

    def __init__(self, folder: Path, devices: dict[str, str] | None = None) -> None:
        self._socket = folder / "pulse.sock"
        alsa = folder / "asound.conf"
        more = "".join(
            f'pcm.{name} {{ type pulse device "{source}" hint.show on }}\n'
            for name, source in (devices or {}).items()
        )
        alsa.write_text("</usr/share/alsa/alsa.conf>\n" + ALSA_CONFIGURATION + more)
        self.environ = {
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_SOURCE": "mic.monitor",
            "ALSA_CONFIG_PATH": str(alsa),
        }
        own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self._environ = {**os.environ, **own, "PULSE_SERVER": f"unix:{self._socket}"}
        self._listener: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the daemon (again, after :meth:`kill`)."""
        self._socket.unlink(missing_ok=True)
        self._daemon = subprocess.Popen(
            [
                "pulseaudio", "-n", "--exit-idle-time=-1", "--daemonize=no", "--log-level=error",
                "-L", f"module-native-protocol-unix socket={self._socket} auth-anonymous=1",
                "-L", "module-null-sink sink_name=mic rate=16000 channels=1",
            ],
            env={key: value for key, value in self._environ.items() if key != "PULSE_SERVER"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(lambda: self._pactl("info").returncode == 0, "PulseAudio did not start")

    def load_sink(self, name: str) -> str:
        """Another microphone ``name.monitor``; the number by which it is unloaded."""
        done = self._pactl(
            "load-module", "module-null-sink", f"sink_name={name}", "rate=16000", "channels=1"
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def unload(self, module: str) -> None:
        """Pull a device out: by the number of its module, or the name of all of a kind."""
        assert self._pactl("unload-module", module).returncode == 0

    def keep_awake(self) -> None:
        """Listen to the sink, so that it delivers every few milliseconds, as a sound card does.

        One that nobody listens to renders two seconds at once for its first listener.
        """
        self._listener = subprocess.Popen(
            ["parec", "--device=mic.monitor", "--latency-msec=20", "--channels=1", "--rate=16000"],
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        stdout = self._listener.stdout
        assert stdout is not None
        stdout.read(640)
        threading.Thread(target=_discard, args=(stdout,), daemon=True).start()

    def play_samples(self, pcm: bytes) -> subprocess.Popen[bytes]:
        """Speak raw s16le 16 kHz mono into the microphone; returns at once."""
        player = subprocess.Popen(
            ["pacat", "--device=mic", "--channels=1", "--rate=16000", "--format=s16le", "--raw"],
            env=self._environ,
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        threading.Thread(target=_feed, args=(player, pcm), daemon=True).start()
        return player

    def play(self, path: Path) -> None:
        """Speak a recording into the microphone; returns when it has been played."""
        subprocess.run(
            ["paplay", "--device=mic", str(path)], env=self._environ, check=True, timeout=60
        )

    def listeners(self) -> list[str]:
        """What records from the microphone now."""
        return self._pactl("list", "short", "source-outputs").stdout.split("\n")[:-1]

    def wait_for_listener(self) -> None:
        """Return when a program records from the microphone."""
        wait_until(lambda: bool(self.listeners()), "no program opened the microphone")

    def kill(self) -> None:
        """The daemon dies, as when a device is pulled out."""
        self._daemon.kill()
        self._daemon.wait()

    def hang(self) -> None:
        """The daemon stands still, and answers nobody."""
        self._daemon.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It goes on."""
        self._daemon.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End the daemon."""
        self.go_on()
        if self._listener is not None:
            self._listener.kill()
            self._listener.wait()
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
            timeout=60,
            check=False,
        )


def _discard(sound: IO[bytes]) -> None:
    while sound.read(640):
        pass


def _feed(player: subprocess.Popen[bytes], pcm: bytes) -> None:
    assert player.stdin is not None
    with suppress(BrokenPipeError), player.stdin:
        player.stdin.write(pcm)
