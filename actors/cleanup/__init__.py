"""Tidy text: spacing, sentence case, replacements, and guards against what engines invent."""

from vivavoce.actors.cleanup.actor import Cleaner, CleanupActor

__all__ = ["Cleaner", "CleanupActor"]
