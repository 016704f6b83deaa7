"""Power modes: one pure transition table. Time and events come in, the mode comes out.

=============  ==================================================================================
``active``     somebody speaks, or did less than ``listening_after_s`` ago, or a final is missing
``listening``  quiet; or a sound woke the pipeline and may turn out to be speech
``idle``       quiet for ``idle_after_s``
``parked``     quiet for ``park_after_s``
``closed``     quiet for ``close_after_s``; nothing is heard, so only a wake-up or the timer ends it
=============  ==================================================================================

Speech leads from any mode to ``active``. A sound (energy onset) leads from ``idle`` and ``parked``
to ``listening``, and back if no speech follows within ``confirm_s``. While a key or a command has
it record, it is ``listening`` at least.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final as Constant

import msgspec

from vivavoce.config.power import ModeSettings, PowerSettings
from vivavoce.pipeline.messages import PowerMode

_FOREVER: Constant = float("inf")
_FALSE_ALARMS = 3
"""Sounds in a row without speech, after which a sound alone does not start the engine any more."""


class PowerEvent(StrEnum):
    """What can change the mode, besides time."""

    ONSET = "onset"
    """The energy gate opened while the speech detector was asleep."""
    SPEECH_STARTED = "speech_started"
    SPEECH_ENDED = "speech_ended"
    WORK_STARTED = "work_started"
    """The engine owes finals."""
    WORK_ENDED = "work_ended"
    WAKE = "wake"
    """A person, a program or a timer wants the microphone."""
    SLEEP = "sleep"
    """Memory is short: park at once if nobody speaks."""
    RECORDING_STARTED = "recording_started"
    """A key or a command wants to be heard, also where the microphone was released."""
    RECORDING_ENDED = "recording_ended"


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """What every actor is told with ``on_power``.

    ``engine``: whether the engine's process is to be there; mostly what the mode's settings say.
    """

    mode: PowerMode = PowerMode.ACTIVE
    settings: ModeSettings = ModeSettings()
    engine: bool = True


class PowerPolicy:
    """In which mode the pipeline is. Pure: every method takes the time in seconds.

    Args:
        settings: the profile's ``power`` section, as it is then.
        now: when it begins, as if somebody had just spoken.
    """

    def __init__(self, settings: Callable[[], PowerSettings], now: float) -> None:
        self._settings = settings
        self._speaking = False
        self._working = False
        self._recording = False
        self._quiet_since = now
        self._woken_at: float | None = None
        self._false_alarms = 0
        self._sleep_now = False
        self._forced: PowerMode | None = None
        self._overruled: str | None = None  # a mode of the profile, from which somebody woke it

    @property
    def forced(self) -> PowerMode | None:
        """The mode in which silence is spent whatever the time; None: by how long it lasts."""
        if self._forced is not None:
            return self._forced
        mode = self._settings().mode
        return None if mode in ("auto", self._overruled) else PowerMode(mode)

    def force(self, mode: PowerMode | None, now: float) -> None:
        """Spend silence in ``mode`` from now on; None: as the profile says."""
        self._forced = mode
        self._overruled = None
        self._woken_at = None
        if mode is None:
            self.handle(PowerEvent.WAKE, now)

    def settings_changed(self) -> None:
        """Other settings hold; a mode that they change to holds though somebody woke it before."""
        if self._settings().mode != self._overruled:
            self._overruled = None

    def handle(self, event: PowerEvent, now: float) -> None:
        """Something happened at ``now``."""
        if event is PowerEvent.ONSET:
            if self.mode(now) in (PowerMode.IDLE, PowerMode.PARKED):
                self._woken_at = now
                self._false_alarms += 1
        elif event is PowerEvent.SPEECH_STARTED:
            self._speaking = True
            self._false_alarms = 0
            self._quiet(now)
        elif event is PowerEvent.SPEECH_ENDED:
            self._speaking = False
            self._quiet(now)
        elif event is PowerEvent.WORK_STARTED:
            self._working = True
        elif event is PowerEvent.WORK_ENDED:
            self._working = False
        elif event in (PowerEvent.RECORDING_STARTED, PowerEvent.RECORDING_ENDED):
            self._recording = event is PowerEvent.RECORDING_STARTED
            self._false_alarms = 0
            self._quiet(now)
        elif event is PowerEvent.WAKE:
            if self.forced is PowerMode.CLOSED:
                self._forced = None
                self._overruled = "closed" if self._settings().mode == "closed" else None
            self._false_alarms = 0
            self._quiet(now)
            self._woken_at = now
        else:
            self._sleep_now = True
            self._woken_at = None

    def mode(self, now: float) -> PowerMode:
        """The mode at ``now``; ask after each event, and when :meth:`due` has come."""
        if self.forced is PowerMode.CLOSED and not self._recording:
            return PowerMode.CLOSED  # who says so is not to be heard, not even to the end
        if self._speaking or self._working:
            return PowerMode.ACTIVE
        rest = self._rest(now)
        woken = self._woken_at is not None and now < self._woken_at + self._settings().confirm_s
        if (woken or self._recording) and rest not in (PowerMode.ACTIVE, PowerMode.LISTENING):
            return PowerMode.LISTENING
        return rest

    def due(self, now: float) -> float | None:
        """When the mode may change by itself next; None: never without an event."""
        if self._speaking or self._working:
            return None
        settings = self._settings()
        moments = [self._quiet_since + after for _, after in self._thresholds()]
        if self._woken_at is not None:
            moments.append(self._woken_at + settings.confirm_s)
        if settings.close_after_s is not None and settings.reopen_after_s is not None:
            moments.append(self._quiet_since + settings.close_after_s + settings.reopen_after_s)
        later = [moment for moment in moments if moment > now]
        return min(later, default=None)

    def reopens(self, now: float) -> bool:
        """Whether the microphone was released for as long as the profile says."""
        settings = self._settings()
        return (
            self.forced is None
            and settings.close_after_s is not None
            and settings.reopen_after_s is not None
            and now >= self._quiet_since + settings.close_after_s + settings.reopen_after_s
            and self.mode(now) is PowerMode.CLOSED
        )

    def power(self, now: float) -> Power:
        """The mode at ``now``, with what it means."""
        mode = self.mode(now)
        settings: ModeSettings = getattr(self._settings(), mode.value)
        # What was said before the microphone was released still gets its final.
        engine = settings.engine == "resident" or self._speaking or self._working
        if mode is PowerMode.LISTENING and engine and self._false_alarms > _FALSE_ALARMS:
            # A slamming door is no reason to load the model again and again.
            engine = getattr(self._settings(), self._rest(now).value).engine == "resident"
        return Power(mode=mode, settings=settings, engine=engine)

    def _quiet(self, now: float) -> None:
        self._quiet_since = now
        self._woken_at = None
        self._sleep_now = False

    def _thresholds(self) -> list[tuple[PowerMode, float]]:
        settings = self._settings()
        return [
            (PowerMode.ACTIVE, 0.0),
            (PowerMode.LISTENING, settings.listening_after_s),
            (PowerMode.IDLE, settings.idle_after_s),
            (PowerMode.PARKED, _or_never(settings.park_after_s)),
            (PowerMode.CLOSED, _or_never(settings.close_after_s)),
        ]

    def _rest(self, now: float) -> PowerMode:
        """The mode for this much silence."""
        if self.forced is not None:
            return self.forced
        # Compared as `due` adds it up: rounding must not put the mode after its moment.
        since = self._quiet_since
        reached = [mode for mode, after in self._thresholds() if now >= since + after]
        rest = reached[-1] if reached else PowerMode.ACTIVE
        if self._sleep_now and rest is not PowerMode.CLOSED:
            return PowerMode.PARKED
        return rest


def _or_never(after: float | None) -> float:
    return _FOREVER if after is None else after


class PowerPort:
    """Where actors tell what may change the mode; nobody listens before the pipeline runs.

    Attributes:
        power: the mode that every actor was told last.
        speaking: whether somebody speaks.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[[PowerEvent], None]] = []
        self.power = Power()
        self.speaking = False

    def listen(self, listener: Callable[[PowerEvent], None]) -> None:
        """``listener`` is told of each event from now on, in the event loop."""
        self._listeners.append(listener)

    def tell(self, event: PowerEvent) -> None:
        """Something happened; returns at once."""
        if event is PowerEvent.SPEECH_STARTED:
            self.speaking = True
        elif event is PowerEvent.SPEECH_ENDED:
            self.speaking = False
        for listener in self._listeners:
            listener(event)
