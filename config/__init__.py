"""Profiles: the typed schema, its layers, and errors that name file, line and fix."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vivavoce.config.errors import ProfileError, VivavoceError

if TYPE_CHECKING:
    from vivavoce.config.loader import load_profile
    from vivavoce.config.schema import Profile

# Found on first use: `vivavoce ctl`, which is bound to keys, needs the errors and no schema.
_HOMES = {"load_profile": "vivavoce.config.loader", "Profile": "vivavoce.config.schema"}

__all__ = ["Profile", "ProfileError", "VivavoceError", "load_profile"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'vivavoce.config' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
