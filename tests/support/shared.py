"""Whisper's own weights and recordings of people, which lie beside a checkout and not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

_FOLDER = next(
    (found for above in Path(__file__).parents if (found := above / "shared").is_dir()), None
)


def shared(*parts: str) -> Path:
    """A file or folder of `shared`; the test is skipped where there is none."""
    path = _FOLDER.joinpath(*parts) if _FOLDER else None
    if path is None or not path.exists():
        pytest.skip(f"needs {'/'.join(('shared', *parts))} beside the checkout")
    return path
