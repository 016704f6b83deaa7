"""What a run did, in figures, for people and for tests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.channel import Channel, ChannelStatistics
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.metrics import HistogramSummary

if TYPE_CHECKING:  # not needed to start
    from vivavoce.actors.monitor import MonitorActor
    from vivavoce.actors.monitor.report import MonitorSummary


class PipelineStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot; memory in bytes, times in seconds. CPU is this process's, engine excluded."""

    ledger: LedgerSummary
    elapsed_s: float
    cpu_s: float
    rss_bytes: int
    first_sample_s: float
    """Process start → first captured sample; 0 before it."""
    counters: Mapping[str, float]
    gauges: Mapping[str, float]
    histograms: Mapping[str, HistogramSummary]
    channels: Mapping[str, ChannelStatistics]
    monitor: MonitorSummary | None = None
    """What the monitor found; None: there is none in this pipeline."""

    def report(self) -> str:
        """The statistics as lines for a person: what is wrong first, and what to do about it."""
        from vivavoce.actors.monitor.report import render  # not needed to start

        return render(self, self.monitor)

    @property
    def overload(self) -> str:
        """On which rung of the overload ladder the run stands, in words; empty: not known."""
        from vivavoce.actors.transcription.overload import Rung  # not needed to start

        now = self.gauges.get("vivavoce_overload_rung")
        highest = self.gauges.get("vivavoce_overload_rung_highest")
        if now is None or highest is None:
            return ""
        return f"{Rung(int(now))}; at worst: {Rung(int(highest))}"


def gather_statistics(
    context: ActorContext,
    channels: Iterable[Channel[Any]],
    monitor: MonitorActor | None = None,
) -> PipelineStatistics:
    """Take the snapshot, with what ``monitor`` found; a few milliseconds, for occasional use."""
    import psutil

    process = psutil.Process()
    times = process.cpu_times()
    wall_start = context.stream.wall_start
    return PipelineStatistics(
        ledger=context.ledger.summary(),
        elapsed_s=context.stream.elapsed(),
        cpu_s=times.user + times.system,
        rss_bytes=process.memory_info().rss,
        first_sample_s=0.0 if wall_start is None else process_age() - (time.time() - wall_start),
        counters=context.metrics.counters(),
        gauges=context.metrics.gauges(),
        histograms=context.metrics.histograms(),
        channels={channel.name: channel.statistics() for channel in channels},
        monitor=monitor.summary() if monitor is not None else None,
    )


def process_age() -> float:
    """Seconds since this process was started, to about 10 ms."""
    import psutil

    try:
        # psutil counts from the boot time in whole seconds; the kernel's own figures are finer.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, AttributeError):
        return time.time() - psutil.Process().create_time()
