"""Runs the real program as a user would, in isolation, and reads what it printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).parents[1] / "assets"
MODEL = ASSETS / "model"
SPEECH = ASSETS / "speech"

SESSION = (
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "SWAYSOCK",
    "HYPRLAND_INSTANCE_SIGNATURE",
    "XDG_SESSION_TYPE",
)
"""Nothing that a test runs may type into the windows of whoever runs it."""

WHISPER = ["--engine", "faster-whisper", "--model", str(MODEL), "--set", "transcription.device=cpu"]


def isolated(home: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing of the machine's user is found, and no network is tried."""
    environ = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("VIVAVOCE") and key not in SESSION
    }
    for name in ("config", "cache", "data", "runtime"):
        (home / name).mkdir(parents=True, exist_ok=True)
    environ.update(
        HOME=str(home),
        XDG_CONFIG_HOME=str(home / "config"),
        XDG_CACHE_HOME=str(home / "cache"),
        XDG_DATA_HOME=str(home / "data"),
        XDG_RUNTIME_DIR=str(home / "runtime"),
        HF_HOME=str(home / "cache" / "huggingface"),
        HF_ENDPOINT="http://127.0.0.1:9",  # nothing listens there: the network is absent
        PYTHONUNBUFFERED="1",
    )
    environ.pop("HF_HUB_CACHE", None)
    return {**environ, **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "vivavoce", *arguments]


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def finals(self) -> list[dict[str, Any]]:
        return self.of_type("final")

    @property
    def texts(self) -> list[str]:
        return [final["text"] for final in self.finals]

    def assert_balanced(self) -> dict[str, int]:
        ledger = self.events[-1]["ledger"]
        assert ledger["captured"] == sum(
            ledger[part] for part in ("transcribed", "silence", "dropped", "pending")
        )
        assert ledger["pending"] == 0
        return ledger


def run(home: Path, *arguments: str, stdin: bytes | None = None, timeout: float = 90) -> Outcome:
    done = subprocess.run(
        command(*arguments),
        env=isolated(home),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def read_wave(path: Path) -> bytes:
    with wave.open(str(path)) as source:
        return source.readframes(source.getnframes())


def join_waves(target: Path, *names: str, gap_s: float = 0.9) -> Path:
    """Make one recording of several, with silence between them."""
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        for name in names:
            out.writeframes(read_wave(SPEECH / name))
            out.writeframes(b"\0\0" * int(16_000 * gap_s))
    return target
