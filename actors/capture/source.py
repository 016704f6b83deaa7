"""What a source of audio is: the small protocol behind which microphones and files look alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from vivavoce.config.errors import VivavoceError
from vivavoce.config.schema import CaptureSettings
from vivavoce.pipeline.messages import AudioBlock, Gap
from vivavoce.pipeline.metrics import Metrics
from vivavoce.pipeline.power import Power


class SourceError(VivavoceError):
    """A source cannot be opened or read; the text is one line for the user."""


class Source(Protocol):
    """Delivers audio as mono 16 kHz int16 blocks with consecutive sample indices from 0.

    ``live`` sources cannot be asked to wait: they account for what they lose as :class:`Gap`.
    """

    name: str
    live: bool

    async def open(self) -> None:
        """Acquire the device or file.

        Raises:
            SourceError: with what, where, and how to fix it.
        """
        ...

    def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
        """The audio, in order, without holes: each item starts where the one before ended."""
        ...

    def stop(self) -> None:
        """Deliver nothing new: ``blocks()`` ends after what was captured already. Idempotent."""
        ...

    async def close(self) -> None:
        """Release the device or file. Idempotent."""
        ...


@runtime_checkable
class DeviceSource(Source, Protocol):
    """A source that is a device: it follows power modes and changes of the profile.

    Files, pipes and arrays are none: what they deliver does not depend on how awake anybody is.
    """

    def measure(self, metrics: Metrics) -> None:
        """Count in ``metrics`` from now on; called before :meth:`open`."""
        ...

    async def set_power(self, power: Power) -> None:
        """The pipeline entered another power mode. Returns at once; follows as soon as it can."""
        ...

    async def set_capture(self, settings: CaptureSettings) -> None:
        """The profile's ``capture`` section changed. Returns at once; follows as soon as it can."""
        ...
