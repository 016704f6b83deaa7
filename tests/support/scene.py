"""What the VAD would tell the transcription actor, played to it on a virtual clock."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from vivavoce.actors.transcription import Starters, TranscriptionActor
from vivavoce.config.schema import SupervisorSettings, TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext, ActorHandle
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.mailbox import Mailbox
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import (
    EndOfStream,
    EndReason,
    Final,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from vivavoce.pipeline.supervisor import Supervisor
from vivavoce.testing import ScriptedEngine

T = TypeVar("T")

_HANGS_S = 10_000


def audio(start: int, count: int) -> np.ndarray:
    return ((np.arange(start, start + count, dtype=np.int64) // 8_000) % 30_000).astype(np.int16)


class Scene:
    """Speech as the VAD would tell it, in virtual real time.

    Args:
        engine: of finals and partials.
        side_by_side: exact decodings that it is asked for at once.
        ahead: as a recording that is read ahead.
        reviser: the better engine, where ``engine`` is a draft.
        sound: the samples from an index on, so many of them.
        settings: of the ``transcription`` section.
    """

    def __init__(
        self,
        engine: ScriptedEngine,
        *,
        side_by_side: int = 1,
        ahead: bool = False,
        reviser: ScriptedEngine | None = None,
        sound: Callable[[int, int], np.ndarray] = audio,
        **settings: Any,
    ) -> None:
        self.engine = engine
        self.sound = sound
        self.context = ActorContext()
        self.out: Channel[Any] = Channel(10_000)
        self.events: list[tuple[float, Any]] = []

        self.reviser = reviser
        self.others: dict[str, ScriptedEngine] = {}  # engines of other models
        self.model = settings.get("model", TranscriptionSettings().model)
        self.actor = TranscriptionActor(
            TranscriptionSettings(**settings),
            self._choose,
            side_by_side,
            self.context,
            ahead=ahead,
        )
        self.actor.send_to(self.out)
        self.at = 0
        self.number = 0

    @property
    def inbox(self) -> Mailbox[Any]:
        return self.actor.inbox

    def _choose(self, settings: TranscriptionSettings) -> Starters:
        def starter(started: ScriptedEngine):
            async def start_engine():
                await started.start()
                return started

            return start_engine

        drafts = self.reviser is not None and settings.model == self.model
        reviser = starter(self.reviser) if drafts else None
        if settings.model == self.model:
            return Starters(starter(self.engine), reviser)
        return Starters(starter(self.others[settings.model]), reviser)

    async def play(self, script) -> list[Any]:
        supervisor = Supervisor(SupervisorSettings(), self.context)
        supervisor.add(self.actor)
        # In virtual time this is no wait: what hangs fails at once.
        async with asyncio.timeout(_HANGS_S), asyncio.TaskGroup() as group:
            group.create_task(supervisor.run())
            group.create_task(self._collect())
            await script(self)
            await self.inbox.send(EndOfStream(end=self.at))
            self.inbox.close()
        return [event for _, event in self.events]

    async def _collect(self) -> None:
        async for event in self.out:
            self.events.append((asyncio.get_running_loop().time(), event))

    async def silence(self, seconds: float) -> None:
        count = int(seconds * RATE)
        self.context.stream.start()
        self.context.ledger.capture(self.at + count)
        self.context.ledger.silence(self.at, self.at + count)
        self.at += count
        await asyncio.sleep(seconds)

    async def begin(self) -> None:
        self.context.stream.start()
        self.number += 1
        self.start = self.at
        await self.inbox.send(SpeechStarted(utterance=self.number, start=self.at, at=self.at))

    async def say(self, seconds: float) -> None:
        for _ in range(int(seconds * 10)):
            captured = self.context.ledger.summary().captured
            self.context.ledger.capture(max(captured, self.at + 1_600))
            await self.inbox.send(
                SpeechAudio(utterance=self.number, start=self.at, pcm=self.sound(self.at, 1_600))
            )
            self.at += 1_600
            await asyncio.sleep(0.1)

    async def ask(self, question: str) -> Any:
        return await ActorHandle(self.actor).ask(question)

    def counter(self, name: str) -> int:
        return self.context.metrics.counters().get(f"vivavoce_{name}_total", 0)

    def gauge(self, name: str) -> float:
        return self.context.metrics.gauges()[f"vivavoce_{name}"]

    def shown_at(self, kind: type) -> list[float]:
        return [at for at, event in self.events if isinstance(event, kind)]

    async def pause(self) -> None:
        await self.inbox.send(SpeechPaused(utterance=self.number, end=self.at, at=self.at + 4_096))

    async def resume(self) -> None:
        await self.inbox.send(SpeechResumed(utterance=self.number, at=self.at))

    async def hesitate(self, seconds: float) -> None:
        """A pause inside a stretch: its audio follows when speech goes on, as from the VAD."""
        count = int(seconds * RATE)
        await self.pause()
        await asyncio.sleep(seconds)
        self.at += count
        self.context.ledger.capture(self.at)
        await self.resume()
        pcm = np.zeros(count, np.int16)
        await self.inbox.send(SpeechAudio(utterance=self.number, start=self.at - count, pcm=pcm))

    async def end(self, reason: EndReason = EndReason.SILENCE, end: int | None = None) -> None:
        end = self.at if end is None else end
        await self.inbox.send(
            SpeechEnded(
                utterance=self.number, start=self.start, end=end, at=self.at + 10_240, reason=reason
            )
        )

    async def utterance(self, seconds: float) -> None:
        await self.begin()
        await self.say(seconds)
        await self.end()


def play(scene: Scene, script) -> list[Any]:
    return run_virtual(lambda: scene.play(script))


def only(events: Iterable[Any], kind: type[T]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def finals(events: Iterable[Any]) -> list[Final]:
    return only(events, Final)


def expected_text(start: int, end: int) -> str:
    return " ".join(f"w{at // 8_000}" for at in range(start, end, 8_000))
