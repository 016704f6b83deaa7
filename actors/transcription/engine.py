"""One engine as the room sees it: there when wanted, started again and told again when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Protocol, TypeAlias

from vivavoce.actors.transcription.company import Company
from vivavoce.actors.transcription.engines.base import (
    SAMPLE_RATE,
    EngineDied,
    EngineError,
    EngineInfo,
    Hypothesis,
    SessionOptions,
)
from vivavoce.config.schema import SupervisorSettings, TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.supervisor import RestartIntensity

TRIES = 3
"""How often a window may kill the engine (or fail in it) before it is set aside."""

_WITHIN_S = 60.0

log = get_logger("transcription")


class Audible(Protocol):
    """An open window. All positions are samples since capture began."""

    @property
    def key(self) -> int:
        """Names its session; no other window of the engine has the same."""
        ...

    @property
    def start(self) -> int:
        """Where its audio begins; it may move on."""
        ...

    def audio(self, begin: int, end: int) -> bytes:
        """Its audio, mono 16 kHz little-endian int16: ``[begin, end)``, or what there is of it."""
        ...


class EngineClient(Protocol):
    """What the room needs of an engine process; see ``EngineProcess`` for each method."""

    info: EngineInfo | None
    on_death: Callable[[EngineDied], None] | None
    """Told when it ends by itself, also while nobody asks it anything; each start forgets it."""

    @property
    def pid(self) -> int | None: ...
    async def start(self) -> EngineInfo: ...
    async def open(self, session: int, options: SessionOptions, at: int = 0) -> None: ...
    async def feed(self, session: int, pcm: bytes) -> None: ...
    async def partial(
        self, session: int, end: int, prefix: Sequence[str] = (), *, language: str | None = None
    ) -> Hypothesis: ...
    async def exact(
        self, session: int, end: int, *, cheap: bool = False, language: str | None = None
    ) -> Hypothesis: ...
    async def advance(self, session: int, to_sample: int) -> None: ...
    async def close(self, session: int) -> None: ...
    async def stop(self) -> None: ...


StartEngine: TypeAlias = Callable[[], Awaitable[EngineClient]]


def session_options(settings: TranscriptionSettings) -> SessionOptions:
    """How the profile wants its windows decoded."""
    return SessionOptions(
        task=settings.task,
        language=settings.language,
        languages=tuple(settings.languages),
        final_context=settings.final_context,
        partial_context=settings.partial_context,
        context_margin=settings.context_margin_ms * SAMPLE_RATE // 1_000,
        beam_size=settings.beam_size,
        temperature_fallback=settings.temperature_fallback,
        initial_prompt=settings.initial_prompt,
        hotwords=settings.hotwords,
    )


class _Heard:
    """What a window's session has heard: ``[start, end)``."""

    __slots__ = ("end", "start")

    def __init__(self, start: int) -> None:
        self.start = self.end = start


class RecognitionEngine:
    """Decodes windows with one engine that may die, be replaced, or not be wanted for a while.

    It is started by the first who needs it. When it dies or hangs, it is started again within a
    restart intensity, and hears a window from its start when it is next asked about it. A window
    whose start has moved on is forgotten up to there with the next request.

    Args:
        start: makes and starts the engine for the first time.
        settings: the profile's ``transcription`` section.
        context: clock and metrics.
        on_news: told when the engine was loaded, has died, or could not be loaded.

    Attributes:
        failure: why it does not run although it was asked for or wanted.
        restarts: how often it was started again because it died.
        generation: how often it was started: sessions live in one generation.
    """

    def __init__(
        self,
        start: StartEngine,
        settings: TranscriptionSettings,
        context: ActorContext,
        *,
        on_news: Callable[[], None],
    ) -> None:
        self._start = start
        self._options = session_options(settings)
        self._context = context
        self._on_news = on_news
        self._intensity = RestartIntensity(
            SupervisorSettings(max_restarts=settings.max_engine_restarts, within_s=_WITHIN_S)
        )
        self._client: EngineClient | None = None
        self._running = False
        self._wanted = True
        self._company = Company()
        self._asked = 0  # those who need it just now
        self._starting: asyncio.Future[None] | None = None
        self._ending: asyncio.Future[None] | None = None
        self._changing = asyncio.Lock()  # a process that ends is not started meanwhile
        self._restart_at = 0.0
        self._heard: dict[int, _Heard] = {}
        self.failure: Exception | None = None
        self.restarts = 0
        self.generation = 0

    @property
    def running(self) -> bool:
        """Whether it was started and neither stopped nor seen to die since."""
        return self._running

    @property
    def info(self) -> EngineInfo | None:
        """What was loaded last."""
        return self._client.info if self._client else None

    @property
    def pid(self) -> int | None:
        """The running engine's process, where it has one."""
        return self._client.pid if self._client and self._running else None

    # -- being there

    async def ready(self) -> None:
        """Return when it runs; started now if it does not.

        Whoever stops waiting does not stop the start: others wait for it, too. And a start that was
        stopped for another engine's sake is no end of the waiting: that would be taken for the end
        of who waits.

        Raises:
            EngineError: it cannot be loaded; the next who asks tries again.
            EngineDied: it died too often within a minute, and is given up.
        """
        with self._needed():
            while not self._running:
                starting = self._begin_start()
                await asyncio.wait([starting])
                if not starting.cancelled():
                    starting.result()

    def want(self, wanted: bool) -> None:
        """Whether it is to be there while no window is open: loaded now, or ended when it may be.

        A load that fails is told by ``on_news`` and found in ``failure``.
        """
        self._wanted = wanted
        if wanted and not self._running and not self._given_up:
            self._begin_start()
        self._end_if_idle()

    def take_settings(self, settings: TranscriptionSettings) -> None:
        """Decode windows that are opened from now on by these settings."""
        self._options = session_options(settings)

    async def replace(self, start: StartEngine, settings: TranscriptionSettings) -> None:
        """Load another engine beside this one, and let it take over.

        What this one is asked meanwhile fails as if it had died, without being counted, and is
        asked again.

        Raises:
            EngineError, EngineDied: the other one cannot be loaded; this one stays.
        """
        other = await start()
        before, self._client = self._client, other
        self._start = start
        self._options = session_options(settings)
        self._begin(other)
        await self._stop_starting()  # now: who waits for it finds the other one
        if before is not None:
            await before.stop()
        self._end_if_idle()

    async def stop(self) -> None:
        """End it, and wait until it is gone; it starts again when it is asked or wanted anew."""
        self._wanted = False
        await self._end()

    # -- decoding

    async def partial(
        self,
        window: Audible,
        end: int,
        prefix: Sequence[str] = (),
        *,
        language: str | None = None,
    ) -> Hypothesis | None:
        """A cheap hypothesis up to sample ``end``; None when the engine failed at it.

        Args:
            window: what is decoded, from its start.
            end: the end of the audio to cover.
            prefix: words agreed on already, the first of the window.
            language: of the speech; None: as the settings say.

        Raises:
            EngineError: the engine cannot be loaded.
            EngineDied: it died too often.
        """

        async def ask(client: EngineClient) -> Hypothesis:
            return await client.partial(window.key, end, prefix, language=language)

        found = await self._try(window, end, ask)
        if isinstance(found, EngineError):
            log.warning(f"no partial: {found}")
        return found if isinstance(found, Hypothesis) else None

    async def exact(
        self, window: Audible, end: int, *, cheap: bool = False, language: str | None = None
    ) -> Hypothesis | None:
        """The exact hypothesis up to sample ``end``; None when the engine failed too often at it.

        Args:
            window: what is decoded, from its start.
            end: the end of the audio to cover.
            cheap: greedy and trimmed, for an engine that cannot keep up.
            language: of the speech; None: as the settings say.

        Raises:
            EngineError: the engine cannot be loaded.
            EngineDied: it died too often.
        """

        async def ask(client: EngineClient) -> Hypothesis:
            return await client.exact(window.key, end, cheap=cheap, language=language)

        began = self._context.clock.now()
        with self._needed():
            found: Hypothesis | EngineError | None = None
            company = self._company.together
            for _ in range(TRIES):
                async with company():
                    found = await self._try(window, end, ask)
                if found is None:
                    company = self._company.alone
                if isinstance(found, Hypothesis):
                    taken = self._context.clock.now() - began
                    self._context.metrics.histogram("vivavoce_final_seconds").observe(taken)
                    return found
                if isinstance(found, EngineError):
                    log.warning(f"the engine could not decode a window: {found}")
                    await self.close(window)  # it hears the window anew
        return None

    async def close(self, window: Audible) -> None:
        """End the window's session; the engine need not be alive."""
        heard = self._heard.pop(window.key, None)
        generation = self.generation
        if heard is not None and self._client is not None and self._running:
            try:
                await self._client.close(window.key)
            except EngineDied as death:
                self._died(generation, death)
        self._end_if_idle()

    # -- inside: asking

    async def _try(
        self, window: Audible, end: int, ask: Callable[[EngineClient], Awaitable[Hypothesis]]
    ) -> Hypothesis | EngineError | None:
        """Its hypothesis, or why it could not make one; None: it died."""
        with self._needed():
            await self.ready()
            client, generation = self._client, self.generation
            assert client is not None
            try:
                await self._feed(client, window, end)
                return await ask(client)
            except EngineDied as death:
                self._died(generation, death)
                return None
            except EngineError as error:
                return error

    async def _feed(self, client: EngineClient, window: Audible, end: int) -> None:
        """Let the window's session hear what it has not heard yet, up to ``end``.

        What was sent is noted before it is awaited: partials and exact ones ask side by side.
        """
        start, heard = window.start, self._heard.get(window.key)
        if heard is None or not heard.start <= start <= heard.end:
            heard = self._heard[window.key] = _Heard(start)
            await client.open(window.key, self._options, start)
        elif start > heard.start:
            heard.start = start
            await client.advance(window.key, start)
        fresh = window.audio(heard.end, end) if end > heard.end else b""
        if fresh:
            heard.end += len(fresh) // 2
            await client.feed(window.key, fresh)

    @contextmanager
    def _needed(self) -> Iterator[None]:
        """Meanwhile it is not ended for want of work."""
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1

    # -- inside: starting and ending

    @property
    def _given_up(self) -> bool:
        return isinstance(self.failure, EngineDied)

    def _begin_start(self) -> asyncio.Future[None]:
        """The start in work; begun now if there is none.

        Raises:
            EngineDied: it died too often.
        """
        if isinstance(self.failure, EngineDied):
            raise self.failure
        if self._starting is None:
            self.failure = None
            self._starting = asyncio.ensure_future(self._start_again())
            self._starting.add_done_callback(self._started)
        return self._starting

    async def _start_again(self) -> None:
        clock = self._context.clock
        while not self._running:
            await clock.sleep(max(0.0, self._restart_at - clock.now()))
            try:
                async with self._changing:
                    if self._client is None:
                        self._client = await self._start()
                    else:
                        await self._client.start()
            except EngineDied as death:
                self._note(death)
            else:
                self._begin(self._client)

    def _started(self, starting: asyncio.Future[None]) -> None:
        self._starting = None
        if starting.cancelled():
            return
        failure = starting.exception()  # who waits has it, too
        if isinstance(failure, Exception):
            self.failure = failure
        self._on_news()

    def _begin(self, client: EngineClient) -> None:
        self._running = True
        self._heard.clear()
        self.failure = None
        self.generation += 1
        client.on_death = partial(self._ended, self.generation)

    def _ended(self, generation: int, death: EngineDied) -> None:
        """It ended, perhaps while nobody asked it anything."""
        with suppress(EngineDied):  # too often: it is found in ``failure``
            self._died(generation, death)

    def _died(self, generation: int, death: EngineDied) -> None:
        """Start it again, if this is news: several requests may see the same death.

        Raises:
            EngineDied: it died too often within a minute.
        """
        if generation != self.generation or not self._running:
            return
        try:
            self._note(death)
            if self._wanted or self._asked:
                self._begin_start()
        finally:
            self._on_news()

    def _note(self, death: EngineDied) -> None:
        self._running = False
        self._context.metrics.counter("vivavoce_engine_restarts_total").add()
        now = self._context.clock.now()
        wait = self._intensity.failed(now)
        if wait is None:
            self.failure = EngineDied(
                f"the engine died too often within a minute, last: {death}", death.returncode
            )
            raise self.failure from death
        self._restart_at = now + wait
        self.restarts += 1
        log.warning(f"{death}; it is started again and hears once more what is in work")

    @property
    def _idle(self) -> bool:
        return not (self._wanted or self._heard or self._asked)

    def _end_if_idle(self) -> None:
        there = self._running or self._starting is not None
        if there and self._idle and self._ending is None:
            self._ending = asyncio.ensure_future(self._end_idle())
            self._ending.add_done_callback(self._has_ended)

    async def _end_idle(self) -> None:
        if self._idle:  # still
            await self._end()

    def _has_ended(self, ending: asyncio.Future[None]) -> None:
        self._ending = None
        if not ending.cancelled():
            ending.result()
            if self._wanted:  # since it began to end
                self.want(True)

    async def _stop_starting(self) -> None:
        starting = self._starting
        if starting is not None:
            starting.cancel()
            await asyncio.wait([starting])

    async def _end(self) -> None:
        await self._stop_starting()
        self._running = False
        self._heard.clear()
        async with self._changing:
            if self._client is not None and not self._running:
                await self._client.stop()
