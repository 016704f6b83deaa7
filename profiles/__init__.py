"""The profiles that are shipped with vivavoce."""

from __future__ import annotations

from importlib.resources import files


def profile_names() -> list[str]:
    """The names of the shipped profiles, in order."""
    found = (entry.name for entry in files(__name__).iterdir())
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


def profile_text(name: str) -> str:
    """The YAML text of a shipped profile.

    Raises:
        FileNotFoundError: there is none of that name.
    """
    return (files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
