"""The ladder that the pipeline climbs when the engine cannot keep up: pure.

Lag is seconds of speech that has ended and is not final yet. It climbs a rung at each third of the
largest lag, and goes down one at a time, after the lag has been small for a while.
"""

from __future__ import annotations

from enum import IntEnum

_CALM_S = 10.0
_CATCH_UP_S = 15.0


class Rung(IntEnum):
    """What is given up, in this order."""

    KEEPING_UP = 0
    FEWER_PARTIALS = 1
    NO_PARTIALS = 2
    CHEAPER_FINALS = 3

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


class OverloadLadder:
    """Where the pipeline stands.

    Args:
        max_lag_s: the lag at which finals become cheaper.
        enabled: stay on the ground otherwise.
    """

    def __init__(self, max_lag_s: float, *, enabled: bool = True) -> None:
        self.take_settings(max_lag_s, enabled=enabled)
        self._calm_since: float | None = None
        self._catching_up_until = float("-inf")
        self.rung = Rung.KEEPING_UP

    def take_settings(self, max_lag_s: float, *, enabled: bool) -> None:
        """Other settings hold from now on."""
        self._step = max_lag_s / Rung.CHEAPER_FINALS
        self._enabled = enabled

    def begin(self, now: float) -> None:
        """The engine is ready: what waited for it while it was loaded is no overload yet."""
        self._catching_up_until = now + _CATCH_UP_S

    def update(self, now: float, lag_s: float) -> Rung:
        """The rung for a lag measured at ``now`` (seconds)."""
        if lag_s < self._step:
            self._catching_up_until = float("-inf")
        if not self._enabled:
            self.rung = Rung.KEEPING_UP
        if not self._enabled or now < self._catching_up_until:
            return self.rung
        reached = Rung(min(int(lag_s / self._step), Rung.CHEAPER_FINALS))
        if reached > self.rung:
            self.rung = reached
            self._calm_since = None
        elif lag_s >= self.rung * self._step / 2:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= _CALM_S and self.rung:
            # Nobody asks while it is silent: several steps may have become due.
            steps = int((now - self._calm_since) / _CALM_S)
            self.rung = Rung(max(0, self.rung - steps))
            self._calm_since = now
        return self.rung
