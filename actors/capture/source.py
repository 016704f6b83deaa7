"""What a source of audio is: the small protocol behind which microphones and files look alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.messages import AudioBlock, Gap


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
