"""Types a text with keys lent for the characters that an X11 keyboard lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from vivavoce.actors.injection.back_end import DONE, Report, Result
from vivavoce.actors.injection.keymap import SETTLED_S, SpareKeys
from vivavoce.actors.injection.worker import Worker
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.tasks import in_background

log = get_logger("injection")

_PATIENCE_S = 1.0
_BACK_AFTER_S = 3.0
"""Silence after which the lent keys are given back."""


class Lending:
    """The spare keys of an X server, used from the event loop.

    Args:
        display: as in ``DISPLAY``.
        name: of the back end, for what it reports.
    """

    def __init__(self, display: str, name: str) -> None:
        self.keys = SpareKeys(display)
        self.worker = Worker()
        self._name = name
        self._giving_back: asyncio.TimerHandle | None = None
        self._giving: asyncio.Task[None] | None = None

    async def typed(
        self, text: str, type_one: Callable[[str, float], Awaitable[Report]], timeout_s: float
    ) -> Report:
        """Type ``text``, one stretch after the other, as far as half of the time goes.

        Args:
            text: without control characters.
            type_one: types a stretch whose characters all have keys now, within some seconds.
            timeout_s: for all of it.
        """
        self._keep()
        loop = asyncio.get_running_loop()
        began = loop.time()
        typed = 0
        try:
            pieces, missing = await self.worker.do(self.keys.stretches, text)
            for piece in pieces:
                needed = [character for character in dict.fromkeys(piece) if character in missing]
                await self._lend(needed)
                passed = loop.time() - began
                if typed and passed > timeout_s / 2:
                    return Report(Result.DONE, typed=typed)
                report = await type_one(piece, max(0.001, timeout_s - passed))
                await self.worker.do(self.keys.used, needed, loop.time())
                in_part = report.typed is not None and report.typed < len(piece)
                if not report.done or report.paused or in_part:
                    return msgspec.structs.replace(report, typed=typed + (report.typed or 0))
                typed += len(piece)
        except OSError as error:
            return Report(Result.NOTHING, f"{self._name}: {error}", typed)
        finally:
            self._keep()
            self._giving_back = loop.call_later(_BACK_AFTER_S, self._give_back)
        return DONE

    async def held(self) -> bool:
        """Whether a modifier is down; False where the X server does not say."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                return bool(await self.worker.do(self.keys.held))
        return False

    async def let_go(self) -> str:
        """Release the modifiers that are down; why not, where that fails."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self.worker.do(self.keys.let_go)
        except TimeoutError:
            return "the X server does not answer"
        except OSError as error:
            return f"{self._name}: {error}"
        return ""

    async def rest(self) -> None:
        """Give lent keys back now, if there are any, when windows have read what was typed."""
        if self._giving_back is None:
            return
        self._keep()
        await asyncio.sleep(SETTLED_S)
        with suppress(TimeoutError):  # who types next will find out
            async with asyncio.timeout(_PATIENCE_S):
                await self.worker.do(self.keys.give_back)

    async def close(self) -> None:
        """Give lent keys back now."""
        self._keep()
        if self._giving is not None:
            await asyncio.wait([self._giving], timeout=_PATIENCE_S)
        try:
            with suppress(TimeoutError):  # the X server hangs, and this program ends
                async with asyncio.timeout(_PATIENCE_S):
                    await self.worker.do(self.keys.give_back)
        finally:
            self.worker.close()

    async def _lend(self, needed: list[str]) -> None:
        loop = asyncio.get_running_loop()
        while needed:
            wait = await self.worker.do(self.keys.lend, needed, loop.time())
            if wait <= 0:
                return
            await asyncio.sleep(wait)

    def _keep(self) -> None:
        if self._giving_back is not None:
            self._giving_back.cancel()
            self._giving_back = None

    def _give_back(self) -> None:
        self._giving = in_background(
            self.worker.do(self.keys.give_back), "giving lent keys back", log
        )
