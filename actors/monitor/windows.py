"""The last minutes: bounded windows over figures that only ever grow. Pure."""

from __future__ import annotations

from collections import deque

import msgspec

from vivavoce.actors.monitor.sensors import Usage
from vivavoce.pipeline.messages import PowerMode
from vivavoce.pipeline.metrics import HistogramSnapshot

WINDOW_S = 300.0
"""What "the last minutes" are."""
_SLOTS = 10


class HistogramWindow:
    """What a histogram saw in the last minutes: the difference to one of some ten snapshots."""

    def __init__(self, span_s: float = WINDOW_S) -> None:
        self._span = span_s
        self._kept: deque[tuple[float, HistogramSnapshot | None]] = deque()

    def recent(self, now: float, snapshot: HistogramSnapshot) -> HistogramSnapshot:
        """What came in during the span that ends with ``snapshot``, taken at second ``now``.

        Call it regularly: it keeps what it is given. Before the span is over, this is everything.
        """
        while len(self._kept) > 1 and now - self._kept[1][0] >= self._span:
            self._kept.popleft()
        if not self._kept:
            self._kept.append((now, None))
        if len(self._kept) == 1 or now - self._kept[-1][0] >= self._span / _SLOTS:
            self._kept.append((now, snapshot))
        return snapshot.since(self._kept[0][1])


class CounterWindow:
    """By how much a counter grew in the last minutes."""

    def __init__(self, span_s: float = WINDOW_S) -> None:
        self._span = span_s
        self._kept: deque[tuple[float, float]] = deque()

    def grown(self, now: float, value: float) -> float:
        """The growth up to ``value`` at second ``now``; call it regularly.

        A counter that is less than it was has begun anew, at 0.
        """
        if self._kept and value < self._kept[-1][1]:
            self._kept.clear()
        while len(self._kept) > 1 and now - self._kept[1][0] >= self._span:
            self._kept.popleft()
        if not self._kept:
            self._kept.append((now, 0.0))
        if len(self._kept) == 1 or now - self._kept[-1][0] >= self._span / _SLOTS:
            self._kept.append((now, value))
        return value - self._kept[0][1]


class Highest:
    """The highest value of the last minute."""

    def __init__(self, span_s: float = 60.0) -> None:
        self._span = span_s
        self._falling: deque[tuple[float, float]] = deque(maxlen=1_000)

    def add(self, now: float, value: float) -> float:
        """Note ``value``; the highest of the span."""
        while self._falling and self._falling[-1][1] <= value:
            self._falling.pop()
        self._falling.append((now, value))
        return self.at(now)

    def at(self, now: float) -> float:
        """The highest of the span that ends at ``now``; 0 where nothing was noted."""
        while self._falling and now - self._falling[0][0] > self._span:
            self._falling.popleft()
        return self._falling[0][1] if self._falling else 0.0


class ModeUse(msgspec.Struct, frozen=True, kw_only=True):
    """Time in a power mode, and what this process used in it."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    wakeups: int = 0
    preemptions: int = 0

    def plus(self, other: ModeUse) -> ModeUse:
        """Both together."""
        return ModeUse(
            seconds=self.seconds + other.seconds,
            cpu_s=self.cpu_s + other.cpu_s,
            wakeups=self.wakeups + other.wakeups,
            preemptions=self.preemptions + other.preemptions,
        )

    @property
    def cpu_percent(self) -> float:
        """Of one core."""
        return 100.0 * self.cpu_s / self.seconds if self.seconds > 0 else 0.0

    @property
    def wakeups_per_s(self) -> float:
        """How often a thread of this process was woken."""
        return self.wakeups / self.seconds if self.seconds > 0 else 0.0


class ModeAccount:
    """Who used what: time, CPU and wake-ups, by power mode, in all and in the last minutes.

    Args:
        recent_s: how far back :meth:`recent` looks.
    """

    def __init__(self, recent_s: float = 3 * WINDOW_S) -> None:
        self._recent_s = recent_s
        self._total: dict[PowerMode, ModeUse] = {}
        self._stretches: deque[tuple[float, PowerMode, ModeUse]] = deque(maxlen=400)
        self._mode: PowerMode | None = None
        self._since = 0.0
        self._usage: Usage | None = None

    def note(self, now: float, usage: Usage | None, mode: PowerMode) -> ModeUse | None:
        """Until ``now`` the mode was the one noted before; from now on it is ``mode``.

        Returns:
            What was used since the last note; None where that is not known.
        """
        used: ModeUse | None = None
        if self._mode is not None and now > self._since:
            used = ModeUse(seconds=now - self._since)
            if usage is not None and self._usage is not None:
                used = ModeUse(
                    seconds=used.seconds,
                    cpu_s=usage.cpu_s - self._usage.cpu_s,
                    wakeups=usage.wakeups - self._usage.wakeups,
                    preemptions=usage.preemptions - self._usage.preemptions,
                )
            self._total[self._mode] = self._total.get(self._mode, ModeUse()).plus(used)
            self._stretches.append((now, self._mode, used))
        self._mode, self._since, self._usage = mode, now, usage
        while self._stretches and now - self._stretches[0][0] > self._recent_s:
            self._stretches.popleft()
        return used

    @property
    def mode(self) -> PowerMode | None:
        """The mode that was noted last; None: none was."""
        return self._mode

    @property
    def total(self) -> dict[PowerMode, ModeUse]:
        """Since the start, by mode."""
        return dict(self._total)

    def recent(self, *modes: PowerMode) -> ModeUse:
        """What the last stretches in ``modes`` used, within the last quarter of an hour."""
        found = ModeUse()
        for _, mode, used in self._stretches:
            if mode in modes:
                found = found.plus(used)
        return found
