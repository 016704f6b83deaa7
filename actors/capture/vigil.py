"""Watching over the stream that is read: whether it still delivers, and whether all came."""

from __future__ import annotations

from vivavoce.actors.capture.device_stream import Delivery, DeviceStream
from vivavoce.actors.capture.handover import History
from vivavoce.actors.capture.suspension import SuspensionWatch
from vivavoce.pipeline.messages import GapReason
from vivavoce.pipeline.ring import Hole

SILENT_AT_FIRST_S = 10.0
"""How long a device may take to its first sound: it may have to wake up."""
OVERSLEPT_S = 0.5
"""How late a timer is in a program that was suspended; the audio thread has not run either."""
_SILENT_S = 1.0
_SILENT_BLOCKS = 4
"""A device that has not called back for so long, the longer of the two, is lost."""


class Vigil:
    """How the stream that is read is doing. Pure: the time is an argument, on the loop's clock.

    Args:
        stream: the stream.
        now: when it began to be read.

    Attributes:
        stream: as given.
        history: what was read from it last.
        leaving: why it is being closed, if it is.
        missing: seconds of sound that were slept through.
    """

    def __init__(self, stream: DeviceStream, now: float) -> None:
        self.stream = stream
        self.history = History(stream.rate)
        self.leaving: GapReason | None = None
        self.missing = 0.0
        self._watch = SuspensionWatch(stream.block_ms / 1000)
        self._seen: Delivery | None = None
        self._alive_at = now
        self._overslept = False

    def observe(self, now: float) -> None:
        """Look at what was delivered last."""
        latest = self.stream.latest
        if latest is not None and latest is not self._seen:
            self._seen = latest
            self._alive_at = now
            self._overslept = False
            late = latest.at - latest.end / self.stream.rate
            self.missing = max(self.missing, self._watch.heard(latest.at, late))

    def overslept(self, now: float) -> None:
        """Everything stood still until ``now``, not only the device: it gets another chance."""
        self._alive_at = now
        self._overslept = True

    @property
    def due(self) -> float:
        """When the stream is lost if it goes on to deliver nothing."""
        if self.stream.latest is None:
            return self._alive_at + SILENT_AT_FIRST_S
        return self._alive_at + max(_SILENT_S, _SILENT_BLOCKS * self.stream.block_ms / 1000)

    def lost(self, now: float) -> GapReason | None:
        """Whether the stream delivers no more, and why."""
        if not self.stream.died and now < self.due:
            return None
        slept = self._overslept or self._watch.suspicious
        return GapReason.SUSPENDED if slept else GapReason.DEVICE_LOST

    def reason_of(self, hole: Hole) -> GapReason:
        """Why the samples of ``hole`` are missing."""
        if hole.overrun:
            return GapReason.OVERRUN
        return GapReason.SUSPENDED if self._watch.suspicious else GapReason.DEVICE_LOST

    def left_since(self) -> float:
        """Until when sound was captured, on the stream's clock, once all of it was read."""
        return self.stream.time_of(self.stream.position) - self.missing
