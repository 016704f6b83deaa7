"""From a profile's ``capture`` section to its source."""

from __future__ import annotations

from pathlib import Path

from vivavoce.actors.capture.source import Source
from vivavoce.config.schema import CaptureSettings
from vivavoce.pipeline.clock import Clock


def make_source(settings: CaptureSettings, clock: Clock) -> Source:
    """The source that ``settings`` names, not opened yet."""
    # Each source imports what it needs when it is opened; only one of them is.
    if settings.source == "mic":
        from vivavoce.actors.capture.microphone import MicrophoneSource

        return MicrophoneSource(settings.device, block_ms=settings.block_ms, ring_s=settings.ring_s)
    from vivavoce.actors.capture.paced import RecordingSource, StdinSource

    if settings.source == "-":
        return StdinSource(pace=settings.pace, block_ms=settings.block_ms, clock=clock)
    path = Path(settings.source).expanduser()
    return RecordingSource(path, pace=settings.pace, block_ms=settings.block_ms, clock=clock)
