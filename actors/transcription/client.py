"""The engine as the transcription actor sees it, and its revival when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from vivavoce.actors.transcription.engines.base import (
    EngineDied,
    EngineInfo,
    Hypothesis,
    SessionOptions,
)
from vivavoce.config.schema import SupervisorSettings
from vivavoce.pipeline.clock import Clock
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.supervisor import RestartIntensity

log = get_logger("transcription")


class EngineClient(Protocol):
    """What the actor needs of an engine process; see ``EngineProcess`` for each method."""

    info: EngineInfo | None
    on_death: Callable[[EngineDied], None] | None
    """Told when it ends by itself, also while nobody asks it anything; each start forgets it."""

    @property
    def pid(self) -> int | None: ...
    async def start(self) -> EngineInfo: ...
    async def open(self, session: int, options: SessionOptions) -> None: ...
    async def feed(self, session: int, pcm: bytes) -> None: ...
    async def partial(
        self, session: int, samples: int, prefix: Sequence[str] = (), *, times: bool = False
    ) -> Hypothesis: ...
    async def final(
        self, session: int, samples: int, previous: str = "", *, cheap: bool = False
    ) -> Hypothesis: ...
    async def close(self, session: int) -> None: ...
    async def stop(self) -> None: ...


StartEngine = Callable[[], Awaitable[EngineClient]]


class RevivedEngine:
    """Starts an engine, and again when it dies, within a restart intensity.

    Args:
        start: makes and starts the engine for the first time.
        max_restarts: restarts within a minute before the last death is final.
        clock: for the back-off between restarts.
        on_death: told of each death; then :meth:`ready` starts it again.
    """

    def __init__(
        self,
        start: StartEngine,
        max_restarts: int,
        clock: Clock,
        on_death: Callable[[], None] = lambda: None,
    ) -> None:
        self._start = start
        self._clock = clock
        self._intensity = RestartIntensity(
            SupervisorSettings(max_restarts=max_restarts, within_s=60.0)
        )
        self._engine: EngineClient | None = None
        self._running = False
        self._starting: asyncio.Future[None] | None = None
        self._changing = asyncio.Lock()  # a process that ends is not started meanwhile
        self._restart_at = 0.0
        self._on_death = on_death
        self._given_up: EngineDied | None = None
        self.restarts = 0
        self.generation = 0
        """How often the engine was started: sessions live in one generation."""

    @property
    def client(self) -> EngineClient | None:
        """The engine, once it was started."""
        return self._engine

    @property
    def running(self) -> bool:
        """Whether it was started and neither stopped nor seen to die since."""
        return self._running

    async def ready(self) -> EngineClient:
        """The running engine; started now if it does not run.

        Whoever stops waiting does not stop the start: others wait for it, too. And a start that was
        stopped for another engine's sake is no end of the waiting: that would be taken for the end
        of who waits.

        Raises:
            EngineError: it cannot be loaded, and starting again would not help.
            EngineDied: it died too often.
        """
        while not self._running:
            if self._given_up is not None:
                raise self._given_up
            if self._starting is None:
                self._starting = asyncio.ensure_future(self._start_again())
                self._starting.add_done_callback(self._started)
            starting = self._starting
            await asyncio.wait([starting])
            if not starting.cancelled():
                starting.result()
        assert self._engine is not None
        return self._engine

    async def _start_again(self) -> None:
        while not self._running:
            await self._clock.sleep(max(0.0, self._restart_at - self._clock.now()))
            try:
                async with self._changing:
                    if self._engine is None:
                        self._engine = await self._start()
                    else:
                        await self._engine.start()
            except EngineDied as death:
                self._note(death)
            else:
                self._begin(self._engine)

    def _started(self, starting: asyncio.Future[None]) -> None:
        self._starting = None
        if not starting.cancelled():
            starting.exception()  # who waits has it; where nobody does, the next who asks will

    def died(self, death: EngineDied, generation: int) -> bool:
        """Somebody saw the engine of ``generation`` die; :meth:`ready` starts it again.

        Returns:
            Whether this was news: several requests may see the same death.

        Raises:
            EngineDied: it died too often within a minute.
        """
        if generation != self.generation or not self._running:
            return False
        self._note(death)
        self._on_death()
        return True

    async def replace(self, start: StartEngine) -> None:
        """Load another engine beside this one, and let it take over.

        What this one is asked meanwhile fails as if it had died, without being counted, and is
        asked again.

        Raises:
            EngineError, EngineDied: the other one cannot be loaded; this one stays.
        """
        other = await start()
        before, self._engine = self._engine, other
        self._start = start
        self._begin(other)
        await self._stop_starting()  # now: who waits for it finds the other one
        if before is not None:
            await before.stop()

    async def stop(self) -> None:
        """End the engine; :meth:`ready` would start it again."""
        await self._stop_starting()
        self._running = False
        async with self._changing:
            if self._engine is not None:
                await self._engine.stop()

    async def _stop_starting(self) -> None:
        starting = self._starting
        if starting is not None:
            starting.cancel()
            await asyncio.wait([starting])

    def _begin(self, engine: EngineClient) -> None:
        self._running = True
        self._given_up = None
        self.generation += 1
        engine.on_death = partial(self._ended, self.generation)

    def _ended(self, generation: int, death: EngineDied) -> None:
        """It ended, perhaps while nobody asked it anything."""
        try:
            self.died(death, generation)
        except EngineDied as last:
            self._given_up = last  # for the next who needs it
            self._on_death()

    def _note(self, death: EngineDied) -> None:
        self._running = False
        now = self._clock.now()
        wait = self._intensity.failed(now)
        if wait is None:
            raise EngineDied(
                f"the engine died too often within a minute, last: {death}", death.returncode
            ) from death
        self._restart_at = now + wait
        self.restarts += 1
        log.warning(f"{death}; it is started again and hears once more what is in work")
