"""What a microphone keeps in mind between two streams, and what it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from vivavoce.actors.capture.device_stream import DeviceStream
from vivavoce.actors.capture.handover import Handover
from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.messages import GapReason
from vivavoce.pipeline.metrics import Metrics

_TOLD_AFTER_S = 2.0


@dataclass(slots=True)
class Away:
    """No device is open.

    Attributes:
        since: when the last sample was captured, on the clock that goes on during sleep.
        reason: why.
        lost_at: when the device was closed, on the loop's clock.
        told: a gap has told of the time until ``since``.
    """

    since: float
    reason: GapReason
    lost_at: float
    told: bool = False

    @property
    def tell_at(self) -> float | None:
        """When a gap is told though no device is back, on the loop's clock; None: only then.

        Whoever was speaking when the device went is not kept waiting for the end of the gap, and
        where it was released at once, others learn that the stream has begun.
        """
        return None if self.told else self.lost_at + _TOLD_AFTER_S


@dataclass(slots=True)
class Successor:
    """A stream that is being opened, or is open and not read yet.

    Attributes:
        future: the opening.
        began: when, on the loop's clock.
        complain: how loud it is logged when it comes to nothing: a person may have asked for it.
        block_ms: the block length that it is opened for; 0 where it is another device.
        handover: from the stream that is read, once both deliver.
        patient_from: when it began to be waited for.
    """

    future: asyncio.Future[DeviceStream | None]
    began: float
    complain: Callable[..., None]
    block_ms: int = 0
    handover: Handover | None = None
    patient_from: float | None = None

    @property
    def stream(self) -> DeviceStream | None:
        """The stream, when it is open."""
        future = self.future
        return future.result() if future.done() and future.exception() is None else None

    @property
    def unneeded(self) -> bool:
        """Whether it turned out that there is nothing to change."""
        return self.future.done() and self.future.exception() is None and self.stream is None

    @property
    def delivering(self) -> DeviceStream | None:
        """The stream, when sound comes from it."""
        stream = self.stream
        return stream if stream is not None and stream.latest is not None else None

    def failed(self, now: float, patience: float) -> str | None:
        """Why there is no hope at ``now`` that it delivers, if so.

        Raises:
            Exception: the opening failed in a way that is no fault of a device.
        """
        if not self.future.done():
            return None
        error = self.future.exception()
        if isinstance(error, SourceError):
            return str(error)
        stream = self.future.result()
        if stream is None:
            return None
        if stream.died:
            return "it ended at once"
        if self.patient_from is None:
            self.patient_from = now
        if now < self.patient_from + patience:
            return None
        return "it delivers no sound" if stream.latest is None else "it hears something else"


class Counts:
    """The instruments of a microphone.

    Args:
        metrics: where they are.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._block = metrics.gauge("vivavoce_capture_block_seconds")
        self._handovers = metrics.counter("vivavoce_capture_handovers_total")
        self._high_water = metrics.gauge("vivavoce_capture_ring_high_water_seconds")

    def opened(self, block_ms: int) -> None:
        """A stream is read, with that block length."""
        self._block.set(block_ms / 1_000)

    def released(self) -> None:
        """No stream is open."""
        self._block.set(0)

    def depth(self, stream: DeviceStream) -> None:
        """The ring holds so much, just before it is read."""
        depth = len(stream.ring) / stream.rate
        if depth > self._high_water.value:
            self._high_water.set(depth)

    def reopened(self, reason: GapReason) -> None:
        """A device was opened again."""
        self._metrics.counter("vivavoce_capture_device_reopened_total", reason=reason.value).add()

    def handed_over(self, took_s: float) -> None:
        """A stream goes on where another one was, ``took_s`` seconds after that began."""
        self._handovers.add()
        self._metrics.histogram("vivavoce_capture_handover_seconds").observe(took_s)
