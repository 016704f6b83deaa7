"""The engine as the transcription actor sees it, and its revival when it dies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from vivavoce.actors.transcription.engines.base import (
    EngineDied,
    EngineInfo,
    Hypothesis,
    HypothesisWord,
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

    @property
    def pid(self) -> int | None: ...
    async def start(self) -> EngineInfo: ...
    async def open(self, session: int, options: SessionOptions) -> None: ...
    async def feed(self, session: int, pcm: bytes) -> None: ...
    async def partial(self, session: int, prefix: Sequence[HypothesisWord] = ()) -> Hypothesis: ...
    async def final(self, session: int) -> Hypothesis: ...
    async def close(self, session: int) -> None: ...
    async def stop(self) -> None: ...


StartEngine = Callable[[], Awaitable[EngineClient]]


class RevivedEngine:
    """Starts an engine, and again when it dies, within a restart intensity.

    Args:
        start: makes and starts the engine for the first time.
        max_restarts: restarts within a minute before the last death is final.
        clock: for the back-off between restarts.
    """

    def __init__(self, start: StartEngine, max_restarts: int, clock: Clock) -> None:
        self._start = start
        self._clock = clock
        self._intensity = RestartIntensity(
            SupervisorSettings(max_restarts=max_restarts, within_s=60.0)
        )
        self._engine: EngineClient | None = None
        self._running = False
        self.restarts = 0

    @property
    def client(self) -> EngineClient | None:
        """The engine, once it was started."""
        return self._engine

    async def ready(self) -> EngineClient:
        """The running engine; started now if it does not run.

        Raises:
            EngineError: it cannot be loaded, and starting again would not help.
            EngineDied: it died too often.
        """
        while not self._running:
            try:
                if self._engine is None:
                    self._engine = await self._start()
                else:
                    await self._engine.start()
                self._running = True
            except EngineDied as death:
                await self.died(death)
        assert self._engine is not None
        return self._engine

    async def died(self, death: EngineDied) -> None:
        """The engine died: wait as the back-off says; :meth:`ready` starts it again.

        Raises:
            EngineDied: it died too often within a minute.
        """
        self._running = False
        wait = self._intensity.failed(self._clock.now())
        if wait is None:
            raise EngineDied(
                f"the engine died too often within a minute, last: {death}", death.returncode
            ) from death
        self.restarts += 1
        log.warning(f"{death}; it is started again and hears the utterance once more")
        await self._clock.sleep(wait)

    async def stop(self) -> None:
        """End the engine; :meth:`ready` would start it again."""
        self._running = False
        if self._engine is not None:
            await self._engine.stop()
