"""The components of the program that log, by the names that `log.levels` knows them by."""

from __future__ import annotations

COMPONENTS = (
    "capture",
    "cleanup",
    "control",
    "engine",
    "focus",
    "history",
    "injection",
    "monitor",
    "pipeline",
    "power",
    "profile",
    "supervisor",
    "transcription",
    "trigger",
)
