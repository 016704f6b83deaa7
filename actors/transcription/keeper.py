"""Keeps the engines as the power mode and the profile want them: running, gone, or others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

import msgspec

from vivavoce.actors.transcription.client import RevivedEngine, StartEngine
from vivavoce.actors.transcription.desk import EngineDesk
from vivavoce.actors.transcription.engines.base import (
    EngineDied,
    EngineError,
    Hypothesis,
    SessionOptions,
)
from vivavoce.actors.transcription.phrase_cache import PhraseCache
from vivavoce.actors.transcription.reviser import Reviser
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import SAMPLE_RATE, Revision

_MAX_REVISIONS = 16
"""Finals that may wait for the better model; each keeps its audio, at most half a minute."""

log = get_logger("transcription")


class Starters(NamedTuple):
    """What makes and starts the engine, and the better one where the first is of a draft."""

    engine: StartEngine
    reviser: StartEngine | None = None


ChooseEngines: TypeAlias = Callable[[TranscriptionSettings], Starters]


class EngineKeeper:
    """The engine, the reviser's engine, and their desks.

    Attributes:
        engine: of partials and finals.
        desk: at which that engine is asked.
        reviser: makes revisions, where the profile has a draft model.

    Args:
        choose: what starts the engines of the given settings.
        settings: the profile's ``transcription`` section.
        context: clock and metrics.
        emit: sends a revision on.
        cache: finals of sounds that were heard before.
        busy: whether the engines are needed just now, whatever the power mode.
    """

    def __init__(
        self,
        choose: ChooseEngines,
        settings: TranscriptionSettings,
        context: ActorContext,
        *,
        emit: Callable[[Revision], Awaitable[None]],
        cache: PhraseCache[Hypothesis] | None,
        busy: Callable[[], bool],
    ) -> None:
        self._choose = choose
        self._settings = settings
        self._context = context
        self._busy = busy
        self._wanted = True
        self._replacement: TranscriptionSettings | None = None
        self._news = asyncio.Event()
        starters = choose(settings)
        options, restarts = session_options(settings), settings.max_engine_restarts
        drafts = starters.reviser is not None
        self.engine = RevivedEngine(starters.engine, restarts, context.clock, self._died)
        self.desk = EngineDesk(self.engine, options, context, None if drafts else cache)
        self.reviser: Reviser | None = None
        if starters.reviser is not None:
            better = RevivedEngine(starters.reviser, restarts, context.clock, self._died)
            desk = EngineDesk(better, options, context, cache)
            self.reviser = Reviser(desk, context, emit, _MAX_REVISIONS, self.idle)

    def want(self, wanted: bool) -> None:
        """Whether the engines are to be there while nobody needs them."""
        self._wanted = wanted
        self._news.set()

    def take_settings(self, settings: TranscriptionSettings) -> None:
        """Other settings hold: for utterances from the next one on, or for another engine.

        That one is loaded beside the old one, which works on until it can be replaced.
        """
        before = self._replacement or self._settings
        self.desk.options = session_options(settings)
        if engine_settings(before) != engine_settings(settings):
            self._replacement = settings
            self._news.set()
        elif self._replacement is None:
            self._settings = settings

    def idle(self) -> None:
        """Nothing is in work any more: what waited for this can be done."""
        self._news.set()

    async def run(self) -> None:
        """Start and stop the engines as they are wanted, until cancelled.

        Raises:
            EngineError: the engine of the profile that the run began with cannot be loaded.
        """
        while True:
            self._news.clear()
            if self._replacement is not None:
                await self._replace()
            if self._wanted:
                await self.engine.ready()
                if self.reviser is not None:
                    await self.reviser.ready()
            elif not self._in_work():
                await self.stop()
            await self._news.wait()

    async def stop(self) -> None:
        """End the engines; their memory goes back to the system. They start again when asked."""
        await self.engine.stop()
        if self.reviser is not None:
            await self.reviser.stop()

    def _died(self) -> None:
        """An engine died: it is started again as it is wanted, also in silence."""
        self._context.metrics.counter("vivavoce_engine_restarts_total").add()
        self._news.set()

    def _in_work(self) -> bool:
        return self._busy() or (self.reviser is not None and self.reviser.busy)

    async def _replace(self) -> None:
        settings, self._replacement = self._replacement, None
        assert settings is not None
        if settings.draft is not None and self.reviser is None:
            log.warning("transcription.draft takes effect at the next start")
            settings = msgspec.structs.replace(settings, draft=None)
        starters = self._choose(settings)
        try:
            await self.engine.replace(starters.engine)
            if self.reviser is not None:
                await self.reviser.replace(starters.reviser)
        except (EngineError, EngineDied) as failure:
            log.warning(f"the engine stays as it is: {failure}")
            return
        self._settings = settings


def engine_settings(settings: TranscriptionSettings) -> tuple[object, ...]:
    """What an engine is loaded with: where it differs, another one is needed."""
    return (
        settings.engine,
        settings.model,
        settings.draft,
        settings.task,
        settings.language,
        tuple(settings.languages),
        settings.device,
        settings.compute_type,
        settings.threads,
        settings.python,
        settings.offline,
    )


def session_options(settings: TranscriptionSettings) -> SessionOptions:
    """How the profile wants its utterances decoded."""
    return SessionOptions(
        task=settings.task,
        language=settings.language,
        languages=tuple(settings.languages),
        final_context=settings.final_context,
        partial_context=settings.partial_context,
        context_margin=settings.context_margin_ms * SAMPLE_RATE // 1_000,
        beam_size=settings.beam_size,
        temperature_fallback=settings.temperature_fallback,
        word_times=settings.word_times,
        initial_prompt=settings.initial_prompt,
        hotwords=settings.hotwords,
    )
