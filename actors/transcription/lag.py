"""How far the engine is behind, and on which rung of the overload ladder that puts the run."""

from __future__ import annotations

from vivavoce.actors.transcription.backlog import Backlog
from vivavoce.actors.transcription.client import RevivedEngine
from vivavoce.actors.transcription.overload import OverloadLadder, Rung
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger

log = get_logger("transcription")


class LagWatch:
    """Measures the lag of a backlog and moves on the ladder.

    Args:
        settings: the profile's ``transcription`` section.
        backlog: what waits.
        context: clock and metrics.
    """

    def __init__(
        self, settings: TranscriptionSettings, backlog: Backlog, context: ActorContext
    ) -> None:
        self._ladder = OverloadLadder(settings.max_lag_ms / 1_000, enabled=settings.overload_ladder)
        self._backlog = backlog
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

    def note(self, engine: RevivedEngine) -> None:
        """Measure now."""
        now = self._clock.now()
        lag = self._backlog.lag(now)
        self._lag.set(lag)
        if not engine.running:
            return  # what waits for an engine that is being loaded is no overload
        if self._generation != engine.generation:
            self._generation = engine.generation
            self._ladder.begin(now)
        before = self._ladder.rung
        rung = self._ladder.update(now, lag)
        self._rung.set(rung)
        self._highest.set(max(self._highest.value, rung))
        if rung is not before:
            log.warning(
                f"the engine is {lag:.1f} s behind: {rung}"
                if rung > before
                else f"the engine catches up: {rung}"
            )
