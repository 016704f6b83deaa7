"""What profile and power mode want of a microphone. Pure."""

from __future__ import annotations

from vivavoce.config.schema import CaptureSettings, DeviceChoice
from vivavoce.pipeline.messages import PowerMode
from vivavoce.pipeline.power import Power

_SETTLE_S = 0.25
"""Modes that last no longer change no block length: from a sound to speech is one change."""


class Wishes:
    """The settings that hold now.

    Args:
        choice: the profile's ``capture.device``.
        block_ms: shortest length of a block in milliseconds.
        ring_s: seconds kept while the pipeline is busy.

    Attributes:
        choice, ring_s: as given, or as the profile says since.
        choice_changed: another device was chosen; whoever acts on it takes it back.
        settled_at: from when on the block length is one to follow, on the loop's clock.
    """

    def __init__(self, choice: DeviceChoice, block_ms: int, ring_s: int) -> None:
        self.choice = choice
        self.ring_s = ring_s
        self.choice_changed = False
        self.settled_at = 0.0
        self._least_block_ms = block_ms
        self._power: Power | None = None

    def set_power(self, power: Power, now: float) -> None:
        """The power mode is this one from ``now`` on."""
        before, self._power = self.block_ms, power
        if self.block_ms != before:
            self.settled_at = now + _SETTLE_S

    def set_capture(self, settings: CaptureSettings) -> None:
        """The profile says this from now on."""
        self.choice_changed |= settings.device != self.choice
        self.choice = settings.device
        self.ring_s = settings.ring_s
        self._least_block_ms = settings.block_ms

    @property
    def block_ms(self) -> int:
        """The length of blocks."""
        mode = 0 if self._power is None else self._power.settings.block_ms
        return max(mode, self._least_block_ms)

    @property
    def settings(self) -> tuple[DeviceChoice, int, int]:
        """The choice, the length of blocks, and the seconds kept: what a stream is opened with."""
        return self.choice, self.block_ms, self.ring_s

    @property
    def released(self) -> bool:
        """Whether the microphone is to be closed."""
        return self._power is not None and self._power.settings.microphone == "closed"

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks, so that a short gap harms nobody."""
        return self._power is not None and self._power.mode is not PowerMode.ACTIVE
