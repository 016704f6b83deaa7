"""How many cores there are to work on: one answer for the program and for the engine's process."""

from __future__ import annotations

import os


def cores_available() -> int:
    """Cores that this process may use; all of the machine's where the system has no affinity."""
    if hasattr(os, "sched_getaffinity"):  # macOS and Windows have none
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
