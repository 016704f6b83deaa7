"""What a running program offers to those who control it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Protocol

from vivavoce.config.trigger import TriggerMode
from vivavoce.control.protocol import Forced, Status


class Changes:
    """Tells those who follow the status that it changed; they look at it when they come to it."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Event] = set()

    def tell(self) -> None:
        """Something in the status changed. Cheap, never blocks; in the event loop."""
        for watcher in self._watchers:
            watcher.set()

    @contextlib.contextmanager
    def watch(self) -> Iterator[asyncio.Event]:
        """An event that is set at each change; who waits for it clears it."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)


class Instance(Protocol):
    """The running program. All of it is called in the event loop.

    What raises a :class:`VivavoceError` is reported to who asked, in one line and with its exit
    code. Commands about recording are awaited one at a time, in the order of their arrival; so are
    the others, beside them. None may take longer than :data:`vivavoce.control.server.PATIENCE_S`.
    """

    @property
    def changes(self) -> Changes:
        """Told whenever :meth:`status` has something new; more often does no harm.

        That the uptime or the pending seconds alone moved is told to nobody.
        """
        ...

    def status(self) -> Status:
        """How it is doing; cheap."""
        ...

    async def start(self) -> None:
        """Begin to record; nothing where it records already."""
        ...

    async def stop(self) -> None:
        """End the recording; nothing where there is none."""
        ...

    async def toggle(self) -> None:
        """The other of the two."""
        ...

    async def cancel(self) -> None:
        """End the recording and discard what was said in it; nothing where there is none."""
        ...

    async def set_mode(self, mode: TriggerMode | None) -> None:
        """Use another trigger mode; None: that of the profile."""
        ...

    async def set_power(self, mode: Forced) -> None:
        """Spend silence in this mode; ``auto``: as the profile says."""
        ...

    async def use_profile(self, name: str) -> None:
        """Go on with another profile, a name or an absolute path.

        Raises:
            ProfileError: there is no such profile, or it is wrong; nothing has changed.
        """
        ...

    def quit(self) -> None:
        """Finish what was said, and end; returns at once. Idempotent."""
        ...
