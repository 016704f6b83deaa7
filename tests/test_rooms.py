"""The house rules: who may import whom, what may not be imported at start, functions and names.

A file is one thought, be it 40 lines or 600; there is no rule for its length. A function fits on a
screen, a name stands for one thing, and no room goes round in a circle.
"""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("config", "pipeline", "actors", "vivavoce", "profiles", "bench")
SHIPPED = ("config", "pipeline", "actors", "profiles")
ALLOWED = {
    "config": {"config", "profiles"},
    "pipeline": {"pipeline", "config"},
    "actors": {"actors", "pipeline", "config"},
    "profiles": {"profiles"},
}
SHARED = "desktop"
"""The room of no actor: what several of them share beside the stream."""

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
    return {name for name in found if name.split(".")[0] in ("vivavoce", *ROOMS)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_respect_the_floors(path: Path) -> None:
    room = room_of(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "vivavoce":
            assert room == "bench", f"{path}: {name} is not in the package"
            assert parts[0] == "bench", f"{path}: import vivavoce.{name}"
            continue
        target = parts[1] if len(parts) > 1 and parts[1] in SHIPPED else "vivavoce"
        if room in ALLOWED:
            assert target in ALLOWED[room], f"{path}: {room} must not import {name}"
        if room == "actors" and target == "actors" and len(parts) > 2:
            own = path.relative_to(ROOT).parts[1]
            assert parts[2] in (own, SHARED), (
                f"{path}: an actor must not import another actor ({name})"
            )


LONGEST_FUNCTION = 60
"""Lines, its docstring not counted: nothing is to be gained by leaving words out."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_fit_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words = (ast.get_docstring(node, clean=False) or "").count("\n") + 1
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - words
            assert lines <= LONGEST_FUNCTION, f"{path}: {node.name}() has {lines} lines"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[1:] if parts[0] == "src" else ("vivavoce", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in SOURCES}


def needed_at_import(path: Path) -> set[str]:
    """The modules of the house that importing one imports, those for type checkers left out."""
    found: set[str] = set()

    def look(body: list[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.ImportFrom) and node.module in MODULES:
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                found.update((names & MODULES.keys()) or {node.module})
            elif isinstance(node, ast.If) and ast.unparse(node.test) != "TYPE_CHECKING":
                look(node.body + node.orelse)

    look(ast.parse(path.read_text()).body)
    return found


def test_no_module_imports_itself_in_a_circle() -> None:
    needs = {name: needed_at_import(path) for name, path in MODULES.items()}
    done: set[str] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"a circle: {' → '.join((*way, name))}"
        if name not in done:
            for needed in sorted(needs[name]):
                follow(needed, (*way, name))
            done.add(name)

    for name in sorted(needs):
        follow(name, ())


SAME_THING = ("config", "bench", "src/vivavoce/bench", "src/vivavoce/cli")
"""Folders whose files are called like what they set, measure or command: the same thing."""

FILES_OF_TWO_THINGS = {
    "clipboard", "delivery", "factory", "gate", "guards", "hotkeys", "instance",
    "machine", "opening", "place", "protocol", "sensors", "upkeep",
}  # fmt: skip
"""What is to go, one by one: a name that is not here any more must not come back."""

CLASSES_OF_TWO_THINGS = {
    "BackOff", "Cancel", "Command", "Comparison", "Conditions", "Cost", "Cue",
    "Delivery", "Finding", "Machine", "Measurement", "Outcome", "Place",
    "Placed", "Readings", "Request", "Result", "Run", "Series", "Start", "Stop",
    "Word", "Worker",
}  # fmt: skip
"""As above."""


def several(named: list[tuple[str, Path]]) -> set[str]:
    counted = Counter(name for name, _ in set(named))
    return {name for name, count in counted.items() if count > 1}


def test_a_file_name_stands_for_one_thing() -> None:
    named = [
        (path.stem, path)
        for path in SOURCES
        if not path.stem.startswith("_")
        and path.name != "actor.py"  # each room of an actor has one
        and not any(path.parent == ROOT / folder for folder in SAME_THING)
    ]
    assert several(named) == FILES_OF_TWO_THINGS


def test_a_class_name_stands_for_one_thing() -> None:
    named = [
        (node.name, path)
        for path in SOURCES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert several(named) == CLASSES_OF_TWO_THINGS


def test_there_are_sources() -> None:
    assert len(SOURCES) > 40


HEAVY = (
    "onnxruntime av psutil rich structlog faster_whisper ctranslate2 pocketsphinx huggingface_hub"
)


@pytest.mark.process
def test_nothing_heavy_is_imported_before_the_first_sample() -> None:
    probe = (
        "import sys, vivavoce.cli.run, vivavoce.assembly, vivavoce.actors.transcription,"
        "vivavoce.actors.vad, vivavoce.actors.cleanup, vivavoce.actors.captions,"
        "vivavoce.actors.monitor;"
        f"print([m for m in {HEAVY.split()!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
