"""The components of the program that log, by the names that `log.levels` knows them by."""

from __future__ import annotations

COMPONENTS = (
    "capture",
    "engine",
    "monitor",
    "power",
    "profile",
    "supervisor",
    "transcription",
)
