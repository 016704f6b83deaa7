"""Tidy text: spoken signs, edits, numbers, replacements, spacing and case, and guards against what
engines invent."""

from vivavoce.actors.cleanup.actor import CleanupActor
from vivavoce.actors.cleanup.cleaner import Cleaner
from vivavoce.actors.cleanup.explanation import Step

__all__ = ["Cleaner", "CleanupActor", "Step"]
