"""Checks of `vivavoce doctor` that look at the machine: sound, permissions, folders, sensors.

Each yields findings and changes nothing. What is only worth knowing is "ok" with its text.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from vivavoce.cli.finding import Finding

_HOT_CELSIUS = 90.0
_FREE_BYTES = 2_000_000_000
"""Space for a model of the size of `small`, twice."""


def microphone_permission() -> Iterator[Finding]:
    """May this user record at all?"""
    nodes = [*Path("/dev/snd").glob("pcm*c")] if Path("/dev/snd").is_dir() else []
    if not nodes:
        yield Finding("microphone permission", "ok", "no sound card that only some may use")
    elif all(os.access(node, os.R_OK | os.W_OK) for node in nodes):
        yield Finding("microphone permission", "ok", f"{len(nodes)} inputs may be opened")
    elif sound_server(os.environ):
        yield Finding("microphone permission", "ok", "the sound server opens the card for you")
    else:
        fix = "run `sudo usermod -aG audio $USER` and log in again"
        text = "this user may not open the sound card, and there is no sound server"
        yield Finding("microphone permission", "warning", text, fix)


def sound_server(environ: Mapping[str, str]) -> str:
    """The sound server that can be reached: PipeWire, PulseAudio, or "" for none."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    if environ.get("PULSE_SERVER"):
        return f"PulseAudio at {environ['PULSE_SERVER']}"
    if runtime and (Path(runtime) / "pipewire-0").exists():
        return "PipeWire"
    if runtime and (Path(runtime) / "pulse" / "native").exists():
        return "PulseAudio"
    return ""


def sound() -> Iterator[Finding]:
    """Which sound server there is."""
    server = sound_server(os.environ)
    if server:
        yield Finding("sound server", "ok", server)
    else:
        fix = "start one (`systemctl --user start pipewire pipewire-pulse`), if you use a desktop"
        yield Finding("sound server", "ok", "none is running: cards are opened directly", fix)


def folders() -> Iterator[Finding]:
    """Can models and sockets be written where they belong?"""
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    yield _writable("cache folder", home, "models cannot be kept")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        yield _writable("runtime folder", Path(runtime), "control sockets cannot be made")
    else:
        text = "XDG_RUNTIME_DIR is not set"
        fix = "log in with a session (as `machinectl shell` does), or set XDG_RUNTIME_DIR"
        yield Finding("runtime folder", "ok", text, fix)


def _writable(check: str, folder: Path, otherwise: str) -> Finding:
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
        free = shutil.disk_usage(there).free
    except OSError as error:
        text = f"{folder} cannot be written ({error.strerror}): {otherwise}"
        return Finding(check, "warning", text, f"run `sudo chown -R $USER {there}`")
    if check == "cache folder" and free < _FREE_BYTES:
        text = f"{folder} has only {free / 1e9:.1f} GB left"
        return Finding(check, "warning", text, "make room, or set XDG_CACHE_HOME to another disk")
    return Finding(check, "ok", f"{folder}, {free / 1e9:.0f} GB free")


def keyboard() -> Iterator[Finding]:
    """What dictation and keys could use; nothing else needs it."""
    uinput, inputs = Path("/dev/uinput"), [*Path("/dev/input").glob("event*")]
    if not uinput.exists():
        yield Finding("typing (/dev/uinput)", "ok", "not there; only dictation would use it")
    elif os.access(uinput, os.W_OK):
        yield Finding("typing (/dev/uinput)", "ok", "may be used")
    else:
        fix = "for dictation: `sudo usermod -aG input $USER`, and log in again"
        yield Finding("typing (/dev/uinput)", "ok", "not for this user", fix)
    readable = sum(os.access(node, os.R_OK) for node in inputs)
    text = f"{readable} of {len(inputs)} may be read" if inputs else "no keyboard is attached"
    yield Finding("keys (/dev/input)", "ok", text)


def sensors() -> Iterator[Finding]:
    """What the monitor and the power modes can read here."""
    from vivavoce.actors.monitor.sensors import SystemSensors

    read = SystemSensors()
    battery = read.battery()
    if battery is None:
        yield Finding("battery", "ok", "none, or not readable: profiles act as on mains")
    else:
        state = "on mains" if battery.plugged else "on battery"
        yield Finding("battery", "ok", f"{battery.percent:.0f} %, {state}")
    pressure = read.cpu_pressure()
    if pressure is None:
        text = "the kernel does not tell (/proc/pressure): free memory and load are used"
        fix = "boot Linux with `psi=1`, if you want power.under_pressure to work"
        yield Finding("pressure", "ok", text, fix)
    else:
        yield Finding("pressure", "ok", f"processors {pressure:.0f} % of the last ten seconds")
    temperature = read.temperature()
    if temperature is None:
        yield Finding("temperature", "ok", "not readable here")
    elif temperature >= _HOT_CELSIUS:
        text = f"{temperature:.0f} °C: the processor slows itself down"
        yield Finding("temperature", "warning", text, "let it cool, or use a smaller model")
    else:
        yield Finding("temperature", "ok", f"{temperature:.0f} °C")


def governor(folder: Path = Path("/sys/devices/system/cpu/cpu0/cpufreq")) -> Iterator[Finding]:
    """Is the processor held at its lowest clock?"""
    try:
        found = (folder / "scaling_governor").read_text().strip()
    except OSError:
        yield Finding("processor clock", "ok", "not readable here")
        return
    if found == "powersave" and not (folder / "energy_performance_preference").exists():
        text = "the governor `powersave` holds the lowest clock: captions will be late"
        yield Finding("processor clock", "warning", text, "run `powerprofilesctl set balanced`")
    else:
        yield Finding("processor clock", "ok", f"governor {found}")


def this_process() -> Iterator[Finding]:
    """What a run of the program would be measured by, read once."""
    from vivavoce.actors.monitor.sensors import SystemSensors

    read = SystemSensors()
    try:
        process, memory = read.process(), read.memory()
    except (OSError, ValueError) as error:
        text = f"this process cannot be measured: {error}"
        yield Finding("monitor", "warning", text, "mount /proc, or run outside of the sandbox")
        return
    yield Finding(
        "monitor",
        "ok",
        f"{process.resident_bytes / 1e6:.0f} MB resident here, "
        f"{memory.available_bytes / 1e9:.1f} of {memory.total_bytes / 1e9:.1f} GB available",
    )


CHECKS = (microphone_permission, sound, folders, keyboard, sensors, governor, this_process)
