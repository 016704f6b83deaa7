"""Who saw the engine die works alone from then on, so that the next death tells whose fault it is.

Of several decodings that are in work when an engine dies, one has killed it, and nobody knows
which. Were all of them asked again side by side, that one would take the others with it each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Company:
    """Any number of exact decodings side by side, or one alone; who wants to be alone goes first.

    Partials are not among them: they are tried once, and wait for nobody.
    """

    def __init__(self) -> None:
        self._working = 0
        self._wanting = 0
        self._waiting: list[asyncio.Future[None]] = []

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Work beside others; not while somebody works alone, or waits for that."""
        await self._until(lambda: not self._wanting)
        async with self._at_work():
            yield

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Work when nobody else does."""
        self._wanting += 1
        try:
            await self._until(lambda: not self._working)
            async with self._at_work():
                yield
        finally:
            self._wanting -= 1
            self._tell()

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1
            self._tell()

    async def _until(self, free: Callable[[], bool]) -> None:
        while not free():
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting

    def _tell(self) -> None:
        """Whoever waits looks again; the first in line is the first to be free."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)
