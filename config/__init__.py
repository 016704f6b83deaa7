"""Profiles: the typed schema, its layers, and errors that name file, line and fix."""

from vivavoce.config.errors import ProfileError, VivavoceError
from vivavoce.config.loader import load_profile
from vivavoce.config.schema import Profile

__all__ = ["Profile", "ProfileError", "VivavoceError", "load_profile"]
