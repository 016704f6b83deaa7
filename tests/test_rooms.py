"""The house rules: who may import whom, what may not be imported at start, how long a file is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("config", "pipeline", "actors", "vivavoce", "profiles", "bench")
ALLOWED = {
    "config": {"config", "profiles"},
    "pipeline": {"pipeline", "config"},
    "actors": {"actors", "pipeline", "config"},
    "profiles": {"profiles"},
}
FOLDERS = {room: ROOT / ("src/vivavoce" if room == "vivavoce" else room) for room in ROOMS}
SOURCES = [path for folder in FOLDERS.values() for path in sorted(folder.rglob("*.py"))]


def room_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return "vivavoce" if first == "src" else first


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module or "")
    return {name for name in found if name.split(".")[0] == "vivavoce"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_respect_the_floors(path: Path) -> None:
    room = room_of(path)
    for name in imported(path):
        parts = name.split(".")
        target = parts[1] if len(parts) > 1 and parts[1] in ROOMS else "vivavoce"
        if room in ALLOWED:
            assert target in ALLOWED[room], f"{path}: {room} must not import {name}"
        if room == "actors" and target == "actors" and len(parts) > 2:
            own = path.relative_to(ROOT).parts[1]
            assert parts[2] == own, f"{path}: an actor must not import another actor ({name})"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_there_are_sources() -> None:
    assert len(SOURCES) > 40


HEAVY = "onnxruntime av rich structlog faster_whisper ctranslate2 pocketsphinx huggingface_hub"


def test_nothing_heavy_is_imported_before_the_first_sample() -> None:
    probe = (
        "import sys, vivavoce.cli.run, vivavoce.assembly, vivavoce.actors.transcription,"
        "vivavoce.actors.vad, vivavoce.actors.cleanup, vivavoce.actors.captions;"
        f"print([m for m in {HEAVY.split()!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
