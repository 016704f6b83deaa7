"""What others count, as instruments: the channels and the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from vivavoce.pipeline.channel import ChannelStatistics
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.metrics import Instrument


def channel_instruments(
    channels: Mapping[str, ChannelStatistics], ledger: LedgerSummary
) -> list[Instrument]:
    """Depths, high-water marks and drops of each channel, and what became of every sample."""
    found = []
    for name, one in channels.items():
        figures: dict[str, tuple[Literal["counter", "gauge"], float]] = {
            "depth": ("gauge", one.depth),
            "high_water": ("gauge", one.high_water),
            "capacity": ("gauge", one.capacity),
            "sent_total": ("counter", one.sent),
            "dropped_total": ("counter", one.dropped),
            "blocked_seconds_total": ("counter", one.blocked_s),
            "waiting_seconds": ("gauge", one.waiting_s),
        }
        found += [
            Instrument(
                kind=kind,
                name=f"vivavoce_channel_{what}",
                labels=(("channel", name),),
                value=value,
            )
            for what, (kind, value) in figures.items()
        ]
    fates = ("captured", "transcribed", "silence", "dropped", "pending")
    found += [
        Instrument(
            kind="gauge",  # what is pending goes up and down
            name="vivavoce_ledger_samples",
            labels=(("fate", fate),),
            value=getattr(ledger, fate),
        )
        for fate in fates
    ]
    return found
