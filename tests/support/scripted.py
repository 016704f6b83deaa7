"""An engine whose answers and latencies are scripted: for tests of time and faults only."""

from __future__ import annotations

import asyncio

import numpy as np

from vivavoce.actors.transcription.engines.base import (
    EngineDied,
    EngineError,
    EngineInfo,
    Hypothesis,
    HypothesisWord,
)

RATE = 16_000
INFO = EngineInfo(
    engine="scripted",
    model="m",
    device="cpu",
    compute_type="int8",
    streams_natively=False,
    load_s=0.0,
    warm_up_s=0.0,
)


class ScriptedEngine:
    """Hears audio; a hypothesis is one word for each half second. Dies when told."""

    def __init__(self, *, partial_s: float = 0.05, final_s: float = 0.2) -> None:
        self.info: EngineInfo | None = None
        self.pid = None
        self.partial_s, self.final_s = partial_s, final_s
        self.sessions: dict[int, bytearray] = {}
        self.dies_at: list[str] = []
        self.errors_at: list[str] = []
        self.starts = 0
        self.calls: list[tuple[str, int]] = []
        self.running = 0

    async def start(self) -> EngineInfo:
        self.starts += 1
        self.sessions = {}
        await asyncio.sleep(0.5)
        self.info = INFO
        return INFO

    async def open(self, session, options) -> None:
        self.sessions[session] = bytearray()

    async def feed(self, session, pcm) -> None:
        self.sessions[session] += pcm

    async def close(self, session) -> None:
        self.sessions.pop(session, None)

    async def stop(self) -> None:
        self.sessions = {}

    async def partial(self, session, prefix=()) -> Hypothesis:
        return await self._answer("partial", session, self.partial_s)

    async def final(self, session) -> Hypothesis:
        return await self._answer("final", session, self.final_s)

    async def _answer(self, kind: str, session: int, cost: float) -> Hypothesis:
        assert self.running == 0, "one request at a time"
        self.running += 1
        try:
            audio = bytes(self.sessions[session])
            self.calls.append((kind, len(audio) // 2))
            await asyncio.sleep(cost)
            if kind in self.dies_at:
                self.dies_at.remove(kind)
                raise EngineDied("killed by SIGKILL", -9)
            if kind in self.errors_at:
                self.errors_at.remove(kind)
                raise EngineError("cannot decode this")
        finally:
            self.running -= 1
        samples = np.frombuffer(audio, dtype=np.int16)
        marks = [f"w{samples[at]}" for at in range(0, len(samples), RATE // 2)]
        words = tuple(
            HypothesisWord(text=mark, start=at * 8_000, end=at * 8_000 + 4_000, probability=0.9)
            for at, mark in enumerate(marks)
        )
        return Hypothesis(text=" ".join(marks), words=words, samples=len(samples), decode_s=cost)
