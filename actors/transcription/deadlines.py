"""How long an engine may be silent, and may take for an answer, before it is taken to hang.

Only time in which this program itself ran is counted: it is told the time each second while
something is in flight, and a longer step counts as little more. So neither a machine that slept
nor a program that was stopped takes its engine to hang.

Signs of life are the packets of the engine, the heartbeats among them, and where these are missing
its use of the processor: native code may hold Python's lock while it works.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["load", "send", "partial", "exact"]

TICK_S = 1.0
"""Between two looks at the clock while something is in flight."""

SILENCE_S = 4.0
"""Without any sign of life; four heartbeats are missed."""

LOADING_SILENCE_S = 10.0
"""The same while it loads: native libraries come from a disk that may be slow."""

UNMEASURED_S = 120.0
"""For the first answer of its kind."""

LEAST_S = {"partial": 10.0, "exact": 30.0}
"""However quick they were so far: where the text looks bad, the same is decoded again at up to five
other temperatures. A process that is stopped is noticed by its silence, long before."""

_LONGEST_STEP_S = 1.5 * TICK_S
_TIMES_THE_COST = 4.0
_ALWAYS_S = 2.0
_SEND_S = 30.0  # bytes that a process takes while it decodes
_FALL = 0.1
_MISSED_S = 2.0  # of heartbeats, before the processor's time is looked at
_WORKED_S = 0.01  # of it in a second: as little as the system tells


class Patience:
    """What is in flight, since when, and what such things cost so far. Times are in seconds."""

    def __init__(self) -> None:
        self._cost: dict[Kind, float] = {}
        self._flying: dict[int, tuple[Kind, float, float]] = {}
        self._ran = 0.0  # time of this program, counted while something is in flight
        self._at = 0.0  # when that was counted last
        self._heard = 0.0
        self._worked: float | None = None  # the engine's time on the processor, in a silence

    @property
    def waits(self) -> bool:
        """Whether something is in flight."""
        return bool(self._flying)

    def begin(self, number: int, kind: Kind, now: float) -> None:
        """Something is asked for."""
        if not self._flying:
            self._at = now
            self._heard = self._ran
        self._flying[number] = (kind, self._time(now), now)

    def end(self, number: int, now: float, *, answered: bool) -> None:
        """It is answered, or nobody waits for it any more. What it cost counts if answered."""
        kind, _, began = self._flying.pop(number)
        if answered:
            took, known = now - began, self._cost.get(kind, 0.0)
            # It rises at once and falls slowly: one slow decoding announces others.
            self._cost[kind] = max(took, known + _FALL * (took - known))

    def hear(self, now: float) -> None:
        """The engine gave a sign of life."""
        self._heard = self._time(now)

    def limit(self, kind: Kind) -> float | None:
        """Seconds that an answer of this kind may take; None: any, as a download may."""
        if kind == "load":
            return None
        if kind == "send":
            return _SEND_S
        cost = self._cost.get(kind)
        if cost is None:
            return UNMEASURED_S
        return max(LEAST_S[kind], _TIMES_THE_COST * cost + _ALWAYS_S)

    def tick(self, now: float, worked: Callable[[], float]) -> float | None:
        """Note the time.

        Args:
            now: the time.
            worked: seconds that the engine has used of processors so far.

        Returns:
            for how many seconds the engine has not answered, if it is too many.
        """
        slept = now - self._at > 2 * TICK_S
        self._ran = self._time(now)
        self._at = now
        if slept:
            self._heard = self._ran  # what the engine said meanwhile was not read yet
        if not self._flying:
            return None
        self._look_for_work(worked)
        loading = any(kind == "load" for kind, _, _ in self._flying.values())
        silence = self._ran - self._heard
        if silence > (LOADING_SILENCE_S if loading else SILENCE_S):
            return silence
        for kind, began, _ in self._flying.values():
            limit = self.limit(kind)
            if limit is not None and self._ran - began > limit:
                # Perhaps it really is so slow: next time it has twice as long.
                self._cost[kind] = 2 * (limit - _ALWAYS_S) / _TIMES_THE_COST
                return self._ran - began
        return None

    def _look_for_work(self, worked: Callable[[], float]) -> None:
        if self._ran - self._heard < _MISSED_S:
            self._worked = None
            return
        before, self._worked = self._worked, worked()
        if before is not None and self._worked - before >= _WORKED_S:
            self._heard = self._ran - _MISSED_S  # it is looked at again with the next tick

    def _time(self, now: float) -> float:
        return self._ran + min(now - self._at, _LONGEST_STEP_S)
