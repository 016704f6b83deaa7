"""Progressive refinement: a better model's text follows the instant finals of a draft model."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from vivavoce.actors.transcription.engine import RecognitionEngine, StartEngine
from vivavoce.actors.transcription.engines.base import EngineDied, Hypothesis
from vivavoce.actors.transcription.finals import final_again, revision_message
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import Final, Revision

log = get_logger("transcription")


@dataclass(frozen=True, slots=True)
class WindowAudio:
    """A window as it was decoded: its audio is kept until its finals are revised."""

    key: int
    start: int
    end: int
    pcm: bytes

    def audio(self, begin: int, end: int) -> bytes:
        """See :class:`Audible`."""
        return self.pcm[2 * max(0, begin - self.start) : 2 * max(0, end - self.start)]


class Reviser:
    """Decodes windows once more, in the background, in order.

    Each final gets exactly one revision. Where more windows wait than the limit, or the engine
    fails at one, its revisions repeat the finals' own texts, so that nobody waits for them in vain.
    An engine that dies too often is given up; captions go on.

    Args:
        engine: the better one.
        context: metrics.
        emit: sends a revision on.
        limit: how many windows may wait.
        on_idle: told whenever no window waits any more.
    """

    def __init__(
        self,
        engine: RecognitionEngine,
        context: ActorContext,
        emit: Callable[[Revision], Awaitable[None]],
        limit: int,
        on_idle: Callable[[], None],
    ) -> None:
        self.engine = engine
        self._context = context
        self._emit = emit
        self._limit = limit
        self._on_idle = on_idle
        self._waiting: deque[tuple[WindowAudio | None, tuple[Final, ...]]] = deque()
        self._skipped: list[Final] = []  # directly behind the first of those that wait
        self._given_up = False
        self._off = False
        self._news = asyncio.Event()

    def add(self, heard: WindowAudio, finals: Sequence[Final], *, hurry: bool = False) -> None:
        """Revise ``finals``, which come from one window, when their turn comes; in a ``hurry`` only
        by their own texts.

        The draft's engine cannot keep up then, and needs what this one would take.
        """
        self._waiting.append((None if hurry or self._off else heard, tuple(finals)))
        self._news.set()
        # The first is being decoded.
        if len(self._waiting) > self._limit + 1:
            _, skipped = self._waiting[1]
            del self._waiting[1]
            self._skipped += skipped
            self._context.metrics.counter("vivavoce_revisions_skipped_total").add(len(skipped))

    async def run(self) -> None:
        """Work for ever.

        Raises:
            EngineError: the engine cannot be loaded.
        """
        while True:
            if not self._waiting:
                self._on_idle()
                self._news.clear()
                await self._news.wait()
                continue
            heard, finals = self._waiting[0]
            hypothesis = await self._better(heard)
            for final in finals:
                if hypothesis is None:
                    await self._emit(final_again(final))
                    continue
                await self._emit(revision_message(final, hypothesis, self.engine.info))
                self._context.metrics.counter("vivavoce_revisions_total").add()
            skipped, self._skipped = self._skipped, []
            for other in skipped:
                await self._emit(final_again(other))
            self._waiting.popleft()
            if heard is not None:
                await self.engine.close(heard)

    async def _better(self, heard: WindowAudio | None) -> Hypothesis | None:
        if self._given_up or heard is None:
            return None
        try:
            return await self.engine.exact(heard, heard.end)
        except EngineDied as death:
            self.give_up(death)
            return None

    def give_up(self, death: EngineDied) -> None:
        """Captions go on without: the draft's finals are what was said."""
        if not self._given_up:
            self._given_up = True
            log.error(f"no more revisions, finals stay as they are: {death}")

    @property
    def busy(self) -> bool:
        """Whether a final waits for its revision."""
        return bool(self._waiting)

    def want(self, wanted: bool) -> None:
        """Whether its engine is to be there while nothing waits."""
        self.engine.want(wanted and not (self._given_up or self._off))

    async def replace(self, start: StartEngine | None, settings: TranscriptionSettings) -> None:
        """Revise with another engine; None: repeat finals, and load nothing.

        Raises:
            EngineError, EngineDied: the other engine cannot be loaded; all stays as it is.
        """
        if start is None:
            await self.engine.stop()
        else:
            await self.engine.replace(start, settings)
        self._off = start is None
