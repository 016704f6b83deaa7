"""A microphone without a sound card: a private PulseAudio daemon with a null sink."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_STARTS_WITHIN_S = 10.0


def missing() -> str | None:
    """Why there can be no such microphone here; None when there can."""
    for program in ("pulseaudio", "parec", "pacat"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    try:
        import sounddevice
    except OSError:
        return "PortAudio is not installed"
    del sounddevice
    return None


@contextlib.contextmanager
def null_sink(listener_ms: int = 20) -> Iterator[dict[str, str]]:
    """Start the daemon and yield the environment in which PortAudio opens its monitor.

    Args:
        listener_ms: how often the listener that keeps the sink awake is served. PulseAudio serves
            everybody as often as the most impatient: where wake-ups are counted, it must not be
            the listener that causes them.
    """
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
            with _listener(environ, listener_ms):
                yield environ
        finally:
            daemon.terminate()
            daemon.wait()


@contextlib.contextmanager
def playing(pcm: bytes, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Play mono 16 kHz int16 into the sink of :func:`null_sink`, in one piece and to its end.

    Yields the player, which ends when all of it was heard; leaving the body ends it.
    """
    with tempfile.TemporaryFile() as sound:
        sound.write(pcm)
        sound.seek(0)
        player = subprocess.Popen(
            [
                *("pacat", "--playback", "--raw", "--device=mic"),
                *("--format=s16le", "--rate=16000", "--channels=1", "--latency-msec=200"),
            ],
            env=os.environ | environ,
            stdin=sound,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield player
        finally:
            player.terminate()
            player.wait()


@contextlib.contextmanager
def _listener(environ: dict[str, str], every_ms: int) -> Iterator[None]:
    """Keep the sink awake, as a sound card is.

    A null sink that nobody listens to renders two seconds at once: the first program to open it
    would wait for them. One that has a listener delivers every few milliseconds.
    """
    listener = subprocess.Popen(
        [
            *("parec", "--device=mic.monitor", "--channels=1", "--rate=16000"),
            f"--latency-msec={every_ms}",
        ],
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert listener.stdout is not None
    heard = threading.Event()
    listening = threading.Thread(target=_discard, args=(listener.stdout, heard))
    listening.start()
    try:
        if not heard.wait(_STARTS_WITHIN_S):
            raise TimeoutError(f"PulseAudio delivered no sound within {_STARTS_WITHIN_S:g} s")
        yield
    finally:
        listener.terminate()
        listener.wait()
        listening.join()


def _discard(sound: IO[bytes], heard: threading.Event) -> None:
    while sound.read(640):
        heard.set()


def _system_alsa() -> str:
    system = Path("/usr/share/alsa/alsa.conf")
    return f"{system}:" if system.exists() else ""


def _wait_for(socket: Path) -> None:
    gives_up = time.monotonic() + _STARTS_WITHIN_S
    while not socket.exists():
        if time.monotonic() > gives_up:
            raise TimeoutError(f"PulseAudio made no {socket} within {_STARTS_WITHIN_S:g} s")
        time.sleep(0.02)
