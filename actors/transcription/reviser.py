"""Progressive refinement: a better model's text follows the instant final of a draft model."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from vivavoce.actors.transcription.client import StartEngine
from vivavoce.actors.transcription.desk import EngineDesk
from vivavoce.actors.transcription.engines.base import EngineDied, Hypothesis
from vivavoce.actors.transcription.finals import final_again, revision_message
from vivavoce.actors.transcription.utterance import Utterance
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import Final, Revision

log = get_logger("transcription")


class Reviser:
    """Decodes utterances once more, in the background, in order.

    Each final gets exactly one revision. Where more finals wait than the limit, or the engine fails
    at one, its revision repeats the final's own text, so that nobody waits for it in vain. An
    engine that dies too often is given up; captions go on.

    Args:
        desk: the better engine.
        context: metrics.
        emit: sends a revision on.
        limit: how many finals may wait.
        on_idle: told whenever no final waits any more.
    """

    def __init__(
        self,
        desk: EngineDesk,
        context: ActorContext,
        emit: Callable[[Revision], Awaitable[None]],
        limit: int,
        on_idle: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._context = context
        self._emit = emit
        self._limit = limit
        self._on_idle = on_idle
        self._waiting: deque[tuple[Utterance | None, Final]] = deque()
        self._skipped: list[Final] = []  # directly behind the first of those that wait
        self._given_up = False
        self._off = False
        self._news = asyncio.Event()
        self._all_done = asyncio.Event()
        self._all_done.set()

    def add(self, utterance: Utterance, final: Final, *, hurry: bool = False) -> None:
        """Revise ``final`` when its turn comes; in a ``hurry`` only by its own text.

        The draft's engine cannot keep up then, and needs what this one would take.
        """
        self._waiting.append((None if hurry or self._off else utterance, final))
        self._all_done.clear()
        self._news.set()
        # The first is being decoded.
        if len(self._waiting) > self._limit + 1:
            _, skipped = self._waiting[1]
            del self._waiting[1]
            self._skipped.append(skipped)
            self._context.metrics.counter("vivavoce_revisions_skipped_total").add()

    async def drain(self) -> None:
        """Wait until every final has its revision."""
        await self._all_done.wait()

    async def run(self) -> None:
        """Work for ever.

        Raises:
            EngineError: the engine cannot be loaded.
        """
        while True:
            if not self._waiting:
                self._all_done.set()
                self._on_idle()
                self._news.clear()
                await self._news.wait()
                continue
            utterance, final = self._waiting[0]
            hypothesis = await self._better(utterance, final)
            if utterance is None or hypothesis is None:
                revision = final_again(final)
            else:
                revision = revision_message(utterance, hypothesis, self._desk.info)
                self._context.metrics.counter("vivavoce_revisions_total").add()
            self._waiting.popleft()
            skipped, self._skipped = self._skipped, []
            await self._emit(revision)
            for other in skipped:
                await self._emit(final_again(other))
            if utterance is not None:
                await self._desk.close(utterance)

    async def _better(self, utterance: Utterance | None, final: Final) -> Hypothesis | None:
        if self._given_up or utterance is None:
            return None
        try:
            return await self._desk.final(utterance, final.end)
        except EngineDied as death:
            self._give_up(death)
            return None

    async def ready(self) -> None:
        """Load the engine, if there are to be revisions at all.

        Raises:
            EngineError: it cannot be loaded.
        """
        if self._given_up or self._off:
            return
        try:
            await self._desk.engine.ready()
        except EngineDied as death:
            self._give_up(death)

    def _give_up(self, death: EngineDied) -> None:
        # Captions go on without: the draft's finals are what was said.
        self._given_up = True
        log.error(f"no more revisions, finals stay as they are: {death}")

    @property
    def busy(self) -> bool:
        """Whether a final waits for its revision."""
        return bool(self._waiting)

    async def replace(self, start: StartEngine | None) -> None:
        """Revise with another engine; None: repeat finals, and load nothing.

        Raises:
            EngineError, EngineDied: the other engine cannot be loaded; all stays as it is.
        """
        if start is None:
            await self._desk.engine.stop()
        else:
            await self._desk.engine.replace(start)
        self._off = start is None

    async def stop(self) -> None:
        """End the engine; it starts again when it is needed."""
        await self._desk.engine.stop()
