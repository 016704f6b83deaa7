"""From a profile's ``capture`` section to its source."""

from __future__ import annotations

import stat
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
    pace, block_ms = settings.pace, settings.block_ms
    if settings.source == "-":
        from vivavoce.actors.capture.stdin import StdinSource

        return StdinSource(pace=pace, block_ms=block_ms, clock=clock)
    path = Path(settings.source).expanduser()
    if _is_pipe(path):  # such as the <(command) of a shell
        from vivavoce.actors.capture.stdin import PipeSource

        return PipeSource(str(path), path, pace=pace, block_ms=block_ms, clock=clock)
    from vivavoce.actors.capture.recording import RecordingSource

    return RecordingSource(path, pace=pace, block_ms=block_ms, clock=clock)


def _is_pipe(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False  # opening it will say why
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)
