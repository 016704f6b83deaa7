"""Decoding utterances with one engine that may die: sessions, replay and retries."""

from __future__ import annotations

import msgspec

from vivavoce.actors.transcription.client import EngineClient, RevivedEngine
from vivavoce.actors.transcription.engines.base import (
    EngineDied,
    EngineError,
    EngineInfo,
    Hypothesis,
    SessionOptions,
)
from vivavoce.actors.transcription.phrase_cache import PhraseCache, placed
from vivavoce.actors.transcription.utterance import Utterance
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger

TRIES = 3
"""How often an utterance may kill the engine (or fail in it) before it is set aside."""

log = get_logger("transcription")


class EngineDesk:
    """One engine, and which utterances it has heard how far.

    An engine that dies is started again and hears an utterance from its beginning when it is
    next asked about it.

    Attributes:
        options: of utterances that are opened from now on.

    Args:
        engine: starts, and starts again.
        options: of every utterance.
        context: clock and metrics.
        cache: finals of sounds that were heard before; None: each is decoded.
    """

    def __init__(
        self,
        engine: RevivedEngine,
        options: SessionOptions,
        context: ActorContext,
        cache: PhraseCache[Hypothesis] | None = None,
    ) -> None:
        self.engine = engine
        self.cache = cache
        self.options = options
        self._context = context
        self._generation = 0
        self._fed: dict[int, int] = {}  # bytes that the session of an utterance has heard

    @property
    def info(self) -> EngineInfo | None:
        """What was loaded."""
        return self.engine.client.info if self.engine.client else None

    async def partial(
        self, utterance: Utterance, end: int, prefix: tuple[str, ...], *, times: bool = False
    ) -> Hypothesis | None:
        """A cheap hypothesis up to sample ``end``; None when the engine failed at it."""
        client, generation = await self._ready()
        try:
            await self._feed(client, utterance, end)
            return await client.partial(utterance.key, end - utterance.start, prefix, times=times)
        except EngineDied as death:
            self._died(death, generation)
        except EngineError as error:
            log.warning(f"no partial: {error}")
        return None

    async def final(
        self, utterance: Utterance, end: int, previous: str = "", *, cheap: bool = False
    ) -> Hypothesis | None:
        """The exact hypothesis up to sample ``end``; None when the engine failed too often.

        What depends on the words before it, or was decoded cheaply, is not kept in the cache.
        """
        began = self._context.clock.now()
        known = None if previous else self._remembered(utterance, end)
        if known is not None:
            return msgspec.structs.replace(known, decode_s=self._context.clock.now() - began)
        hypothesis = await self._decoded(utterance, end, previous, cheap=cheap)
        if hypothesis is not None:
            now = self._context.clock.now()
            self._context.metrics.histogram("vivavoce_final_seconds").observe(now - began)
            if self.cache is not None and not previous and not cheap:
                self.cache.store(utterance.pcm(end), hypothesis, now)
        return hypothesis

    async def close(self, utterance: Utterance) -> None:
        """End the utterance's session; the engine need not be alive."""
        client = self.engine.client
        if self._fed.pop(utterance.key, None) is None or client is None:
            return
        generation = self.engine.generation
        try:
            await client.close(utterance.key)
        except EngineDied as death:
            self._died(death, generation)

    def _remembered(self, utterance: Utterance, end: int) -> Hypothesis | None:
        if self.cache is None:
            return None
        hit = self.cache.lookup(utterance.pcm(end), self._context.clock.now())
        if hit is None:
            return None
        self._context.metrics.counter("vivavoce_phrase_cache_hits_total").add()
        return placed(hit.value, hit.shift, end - utterance.start)

    async def _decoded(
        self, utterance: Utterance, end: int, previous: str, *, cheap: bool
    ) -> Hypothesis | None:
        for _ in range(TRIES):
            client, generation = await self._ready()
            try:
                await self._feed(client, utterance, end)
                return await client.final(
                    utterance.key, end - utterance.start, previous, cheap=cheap
                )
            except EngineDied as death:
                self._died(death, generation)
            except EngineError as error:
                log.warning(f"the engine could not decode an utterance: {error}")
                await self.close(utterance)  # it hears the utterance anew
        return None

    async def _ready(self) -> tuple[EngineClient, int]:
        client = await self.engine.ready()
        if self._generation != self.engine.generation:
            self._generation = self.engine.generation
            self._fed.clear()
        return client, self._generation

    async def _feed(self, client: EngineClient, utterance: Utterance, end: int) -> None:
        """Let the session hear the utterance up to ``end``, if it has not yet.

        What was sent is noted before it is awaited: partials and finals ask side by side.
        """
        if utterance.key not in self._fed:
            self._fed[utterance.key] = 0
            await client.open(utterance.key, self.options)
        fed = self._fed[utterance.key]
        fresh = utterance.audio(fed, end)
        if fresh:
            self._fed[utterance.key] = fed + len(fresh)
            await client.feed(utterance.key, fresh)

    def _died(self, death: EngineDied, generation: int) -> None:
        self.engine.died(death, generation)
