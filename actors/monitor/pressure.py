"""When memory is short: trim, and if that is not enough, park. Pure policy, with hysteresis."""

from __future__ import annotations

from enum import StrEnum

from vivavoce.actors.monitor.sensors import MemoryReading

_STALLED_SOME = 10.0
_STALLED_FULL = 5.0
_CALM_SOME = 2.0
_CALM_FULL = 1.0
"""Percent of the last ten seconds in which some, or all, of the machine waited for memory."""
_LITTLE_FREE = 0.05
_ENOUGH_FREE = 0.08
"""Shares of the machine's memory; the kernel kills when there is none."""
_PATIENCE_S = 30.0
_CALM_S = 60.0
_AGAIN_S = 300.0


class Relief(StrEnum):
    """What is to be done about it."""

    TRIM = "trim"
    """Empty caches and give free memory back."""
    PARK = "park"
    """Let the engine's process end, if nobody speaks."""


class MemoryPressure:
    """Watches the machine's memory.

    Trims as soon as memory is short, parks when it still is half a minute later, and trims again
    every five minutes for as long as it lasts. It is over after a minute of calm.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._calm_since: float | None = None
        self._acted_at = 0.0
        self._parked = False

    @property
    def since(self) -> float | None:
        """Since when memory has been short, in seconds; None: it is not."""
        return self._since

    def update(self, now: float, reading: MemoryReading) -> Relief | None:
        """What is to be done at second ``now``; None: nothing (more)."""
        if self._since is None:
            if is_short(reading):
                self._since, self._acted_at, self._parked = now, now, False
                self._calm_since = None
                return Relief.TRIM
        elif is_calm(reading):
            if self._calm_since is None:
                self._calm_since = now
            if now - self._calm_since >= _CALM_S:
                self._since = None
        else:
            self._calm_since = None
            if is_short(reading):
                return self._go_on(now)
        return None

    def _go_on(self, now: float) -> Relief | None:
        """It is still short."""
        waited = now - self._acted_at
        if not self._parked and waited >= _PATIENCE_S:
            self._parked, self._acted_at = True, now
            return Relief.PARK
        if self._parked and waited >= _AGAIN_S:
            self._parked, self._acted_at = False, now
            return Relief.TRIM
        return None


def is_short(reading: MemoryReading) -> bool:
    """Whether processes wait for memory, or hardly any is left."""
    return (
        (reading.some_percent or 0.0) >= _STALLED_SOME
        or (reading.full_percent or 0.0) >= _STALLED_FULL
        or reading.available_bytes < _LITTLE_FREE * reading.total_bytes
    )


def is_calm(reading: MemoryReading) -> bool:
    """Whether there is memory again, by a margin."""
    return (
        (reading.some_percent or 0.0) < _CALM_SOME
        and (reading.full_percent or 0.0) < _CALM_FULL
        and reading.available_bytes >= _ENOUGH_FREE * reading.total_bytes
    )
