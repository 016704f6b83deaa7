"""The profiles that are shipped with vivavoce."""

from __future__ import annotations

from pathlib import Path

# Not with importlib.resources, which imports archives, compression and temporary files.
_FOLDER = Path(__file__).parent


def profile_names() -> list[str]:
    """The names of the shipped profiles, in order."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def profile_text(name: str) -> str:
    """The YAML text of a shipped profile.

    Raises:
        FileNotFoundError: there is none of that name.
    """
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
