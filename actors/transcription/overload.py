"""The ladder that the pipeline climbs when the engine cannot keep up.

Lag is seconds for which speech has ended and is not final. It climbs a rung at a third, a half and
two thirds of the largest lag and at all of it, and goes down one at a time, after the lag has been
small for a while.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol

from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger

_CALM_S = 10.0
_CATCH_UP_S = 15.0

log = get_logger("transcription")


class Rung(IntEnum):
    """What is given up, in this order."""

    KEEPING_UP = 0
    FEWER_PARTIALS = 1
    NO_PARTIALS = 2
    LONGER_WINDOWS = 3
    CHEAPER_FINALS = 4

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


_REACHED = {
    Rung.FEWER_PARTIALS: 1 / 3,
    Rung.NO_PARTIALS: 1 / 2,
    Rung.LONGER_WINDOWS: 2 / 3,
    Rung.CHEAPER_FINALS: 1.0,
}
"""At which part of the largest lag. The first is no less: a full window takes a model that keeps up
a second or two."""


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
        self._at = {rung: part * max_lag_s for rung, part in _REACHED.items()}
        self._enabled = enabled

    def begin(self, now: float) -> None:
        """The engine is ready: what waited for it while it was loaded is no overload yet."""
        self._catching_up_until = now + _CATCH_UP_S

    def update(self, now: float, lag_s: float) -> Rung:
        """The rung for a lag measured at ``now`` (seconds)."""
        if lag_s < self._at[Rung.FEWER_PARTIALS]:
            self._catching_up_until = float("-inf")
        if not self._enabled:
            self.rung = Rung.KEEPING_UP
        if not self._enabled or now < self._catching_up_until:
            return self.rung
        reached = max(
            (rung for rung, at in self._at.items() if lag_s >= at), default=Rung.KEEPING_UP
        )
        if reached > self.rung:
            self.rung = reached
            self._calm_since = None
        elif self.rung and lag_s >= self._at[self.rung] / 2:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= _CALM_S and self.rung:
            # Nobody asks while it is silent: several steps may have become due.
            steps = int((now - self._calm_since) / _CALM_S)
            self.rung = Rung(max(0, self.rung - steps))
            self._calm_since = now
        return self.rung


class RunningEngine(Protocol):
    """What must be known of an engine."""

    @property
    def running(self) -> bool: ...
    @property
    def generation(self) -> int: ...


class LagWatch:
    """Moves on the ladder as the lag is measured, and says so.

    Args:
        settings: the profile's ``transcription`` section.
        context: clock and metrics.
    """

    def __init__(self, settings: TranscriptionSettings, context: ActorContext) -> None:
        self._ladder = OverloadLadder(settings.max_lag_ms / 1_000, enabled=settings.overload_ladder)
        self._clock = context.clock
        self._generation = 0  # of the engine that the ladder knows
        self._lag = context.metrics.gauge("vivavoce_lag_seconds")
        self._rung = context.metrics.gauge("vivavoce_overload_rung")
        self._highest = context.metrics.gauge("vivavoce_overload_rung_highest")

    @property
    def rung(self) -> Rung:
        """Where the run stands."""
        return self._ladder.rung

    def take_settings(self, settings: TranscriptionSettings) -> None:
        """Other settings hold from now on."""
        enabled = settings.overload_ladder
        self._ladder.take_settings(settings.max_lag_ms / 1_000, enabled=enabled)

    def note(self, lag_s: float, engine: RunningEngine, decoding_s: float = 0.0) -> None:
        """The lag was measured now.

        Args:
            lag_s: in seconds.
            engine: that decodes.
            decoding_s: what an exact decoding takes of it: who waits for no more than that keeps
                up, however slow the machine is.
        """
        self._lag.set(lag_s)
        lag_s = max(0.0, lag_s - decoding_s)
        if not engine.running:
            return  # what waits for an engine that is being loaded is no overload
        now = self._clock.now()
        if self._generation != engine.generation:
            self._generation = engine.generation
            self._ladder.begin(now)
        before = self._ladder.rung
        rung = self._ladder.update(now, lag_s)
        self._rung.set(rung)
        self._highest.set(max(self._highest.value, rung))
        if rung is not before:
            log.warning(
                f"the engine is {lag_s:.1f} s behind: {rung}"
                if rung > before
                else f"the engine catches up: {rung}"
            )
