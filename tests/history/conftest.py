import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from vivavoce.actors.history.entry import Kept
from vivavoce.actors.history.store import Store

BEGAN = 1_777_000_000_000
MINUTE = 60_000


def made_row(number: int, text: str, **more: object) -> Kept:
    """Rows lie a minute apart."""
    at = BEGAN + number * MINUTE
    values: dict[str, object] = {
        "utterance": number,
        "run_began": BEGAN,
        "began": at,
        "ended": at + 1_500,
        "start": number * 960_000,
        "end": number * 960_000 + 24_000,
        "text": text,
        "profile": "dictation",
        **more,
    }
    return Kept(**values)  # type: ignore[arg-type]


@pytest.fixture
def row() -> Callable[..., Kept]:
    return made_row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "vivavoce" / "history.sqlite3"


@pytest.fixture
def fill(path: Path) -> Callable[..., Path]:
    """Keep texts, in one transaction; the database."""

    def keep(*texts: str, run: str = "run1", first: int = 0, **more: object) -> Path:
        store = Store(path, run)
        with store.transaction():
            for number, text in enumerate(texts, first):
                store.add(made_row(number, text, **more))
        store.close()
        return path

    return keep


@pytest.fixture
def every_byte(path: Path) -> Callable[[], bytes]:
    """All that is on disk: the database and its companions."""

    def read() -> bytes:
        return b"".join(part.read_bytes() for part in path.parent.glob(path.name + "*"))

    return read


@pytest.fixture
def sound(path: Path) -> Callable[[], None]:
    """Check that the database and its index are whole and agree with each other."""

    def check() -> None:
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.execute("INSERT INTO words(words, rank) VALUES('integrity-check', 1)")
        connection.close()

    return check
