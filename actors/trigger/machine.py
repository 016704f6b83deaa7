"""When a recording begins and ends, from keys and commands: a pure state machine.

Times are seconds on one monotonic clock that the caller reads; a key's time is that of its event,
even where it is told later. Each input returns what follows from it, in order.

What a key does, by mode (``voice`` and ``manual``: nothing):

========================  ====================================  =================================
key                       ``hold``                              ``toggle``
========================  ====================================  =================================
press                     Start; where a command had begun a    Start; Stop where it records
                          recording: from now on it is the
                          key's, and ends at its release
release                   Stop. Held for less than              nothing
                          ``min_hold_ms``: Cancel, once it
                          cannot be a bounce any more
press within              it was never released: Resume where   nothing
``debounce_ms`` of the    it had stopped, else nothing
release (bounce, repeat)
press of a held key       nothing                               nothing
keys are lost             Stop, where a key began it            Stop, where a key began it
========================  ====================================  =================================

What a command does, in every mode:

* ``START``: Start. Where it records: the recording is the command's from now on, so that no
  release ends it.
* ``STOP``: Stop, where it records. A later release of the key does nothing.
* ``TOGGLE``: ``STOP`` where it records, else ``START``.
* ``CANCEL``: Cancel, where it records. A later release of the key does nothing. In ``voice``, Start
  follows at once.

In ``voice`` it records from the beginning, without a Start. In all other modes, a recording ends by
itself after ``max_recording_s``. When the mode changes, a recording that a key began, or that
``voice`` was, stops; one that a command began goes on; to ``voice``, all go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from vivavoce.config.trigger import TriggerMode, TriggerSettings


class Command(StrEnum):
    """What may be asked of a running program."""

    START = "start"
    STOP = "stop"
    TOGGLE = "toggle"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Start:
    """A recording begins; ``at`` is the moment that counts, before pre-roll."""

    at: float


@dataclass(frozen=True, slots=True)
class Stop:
    """The recording ends; ``at`` is the moment that counts, before the tail.

    Until ``final_at``, a :class:`Resume` may follow: where there is no tail that long, wait so long
    before telling anybody.
    """

    at: float
    final_at: float


@dataclass(frozen=True, slots=True)
class Resume:
    """The Stop just before this was a bounce or a repeat of the key: it did not happen."""

    at: float


@dataclass(frozen=True, slots=True)
class Cancel:
    """The recording ends, and what was said in it is discarded."""

    at: float


Decision: TypeAlias = Start | Stop | Resume | Cancel
Decisions: TypeAlias = tuple[Decision, ...]

_Owner: TypeAlias = Literal["key", "command", "voice"]


@dataclass(slots=True)
class _Recording:
    owner: _Owner
    began: float
    pressed: float | None = None
    """When the key that ends it was pressed; None: a short hold of it is no slip."""
    slip: float | None = None
    """When the key was released too soon; it is cancelled unless that was a bounce."""


class TriggerMachine:
    """The state machine of a trigger; see the tables of the module.

    Args:
        settings: the times, as they are then, and the mode with which it begins; another mode is
            entered with :meth:`enter`.
        now: the time of the beginning; no matter in ``voice``, whose recording has no end.
    """

    def __init__(self, settings: Callable[[], TriggerSettings], now: float = 0.0) -> None:
        self._settings = settings
        self._mode = settings().mode
        self._recording: _Recording | None = None
        self._stopped: _Recording | None = None
        """What the last release has stopped, while nothing else has happened since."""
        self._held = False
        self._released: float | None = None
        if self._mode == "voice":
            self._recording = _Recording("voice", now)

    @property
    def mode(self) -> TriggerMode:
        """The mode it is in."""
        return self._mode

    @property
    def recording(self) -> bool:
        """Whether what is said now is wanted."""
        return self._recording is not None

    @property
    def held(self) -> bool:
        """Whether the hotkey is down, as far as it is known."""
        return self._held

    def press(self, now: float) -> Decisions:
        """The hotkey went down at ``now``, or repeats itself."""
        before = self.tick(now)
        if self._held:
            return before
        self._held = True
        released, self._released = self._released, None
        if released is not None and self._bounced(released, now):
            return before + self._never_released(now)
        self._stopped = None
        if self._mode == "hold":
            return before + self._hold(now)
        if self._mode == "toggle":
            return before + (self._start("key", now) if not self._recording else self._stop(now))
        return before

    def release(self, now: float) -> Decisions:
        """The hotkey went up at ``now``."""
        before = self.tick(now)
        if not self._held:
            return before
        self._held = False
        self._released = now
        recording = self._recording
        if recording is None or recording.owner != "key" or self._mode != "hold":
            return before
        short = self._settings().min_hold_ms / 1000
        if recording.pressed is not None and now - recording.pressed < short:
            recording.slip = now
            return before + self.tick(now)
        self._recording, self._stopped = None, recording
        return (*before, Stop(now, now + self._debounce_s))

    def command(self, command: Command, now: float) -> Decisions:
        """Somebody has said so at ``now``."""
        before = self.tick(now)
        self._stopped = None
        if command is Command.TOGGLE:
            command = Command.STOP if self._recording else Command.START
        if command is Command.START:
            return before + self._start("command", now)
        if command is Command.STOP:
            return before + self._stop(now)
        return before + self._cancel(now)

    def keys_lost(self, now: float) -> Decisions:
        """Nobody hears the keys any more: a recording that a key began ends."""
        before = self.tick(now)
        self._held = False
        self._released = self._stopped = None
        recording = self._recording
        if recording is None or recording.owner != "key":
            return before
        return before + self._end(now)

    def tick(self, now: float) -> Decisions:
        """What is due by ``now``."""
        due = self._ends
        return () if due is None or now < due else self._end(due)

    def due(self, now: float) -> float | None:
        """When :meth:`tick` must be called next, not before ``now``; None: not before an input."""
        due = self._ends
        return None if due is None else max(now, due)

    @property
    def _ends(self) -> float | None:
        """When the recording ends by itself."""
        recording = self._recording
        if recording is None:
            return None
        if recording.slip is not None:
            return recording.slip + self._debounce_s
        longest = self._settings().max_recording_s
        if longest is None or recording.owner == "voice":
            return None
        return recording.began + longest

    def enter(self, mode: TriggerMode, now: float) -> Decisions:
        """``mode`` holds from ``now`` on, or still does; other settings may have changed, too.

        A recording that is longer than a limit that was lowered ends now, not when it was that
        long.
        """
        due = self._ends
        overdue = () if due is None or now < due else self._end(now)
        was, self._mode = self._mode, mode
        if mode == was:
            return overdue
        recording, self._stopped = self._recording, None
        if mode == "voice":
            self._recording = _Recording("voice", now)
            return overdue if recording else (*overdue, Start(now))
        if recording is not None and recording.owner != "command":
            return overdue + self._end(now)
        return overdue

    # -- what inputs have in common

    @property
    def _debounce_s(self) -> float:
        return self._settings().debounce_ms / 1000

    def _bounced(self, released: float, now: float) -> bool:
        """Repeats of X11 are a release and a press at the same time, with no debounce as well."""
        return now < released + self._debounce_s or now <= released

    def _never_released(self, now: float) -> Decisions:
        stopped, self._stopped = self._stopped, None
        if self._recording is not None:
            self._recording.slip = None
        elif stopped is not None:
            self._recording = stopped
            return (Resume(now),)
        return ()

    def _hold(self, now: float) -> Decisions:
        if self._recording is None:
            return self._start("key", now)
        self._recording.owner, self._recording.pressed = "key", None
        return ()

    def _start(self, owner: _Owner, now: float) -> Decisions:
        if self._mode == "voice":
            owner = "voice"
        if self._recording is None:
            self._recording = _Recording(owner, now, now if owner == "key" else None)
            return (Start(now),)
        self._recording.owner, self._recording.slip = owner, None
        return ()

    def _end(self, now: float) -> Decisions:
        """Without anybody's word: it stops now, or was a slip already."""
        slip = None if self._recording is None else self._recording.slip
        return self._stop(now) if slip is None else self._cancel(slip)

    def _stop(self, now: float) -> Decisions:
        if self._recording is None:
            return ()
        self._recording = None
        return (Stop(now, now),)

    def _cancel(self, now: float) -> Decisions:
        if self._recording is None:
            return ()
        self._recording = None
        again = self._start("voice", now) if self._mode == "voice" else ()
        return (Cancel(now), *again)
