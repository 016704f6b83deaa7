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

    def __init__(
        self, *, partial_s: float = 0.05, final_s: float = 0.2, cheap_s: float = 0.05
    ) -> None:
        self.info: EngineInfo | None = None
        self.pid = None
        self.partial_s, self.final_s, self.cheap_s = partial_s, final_s, cheap_s
        self.sessions: dict[int, bytearray] = {}
        self.dies_at: list[str] = []
        self.errors_at: list[str] = []
        self.starts = 0
        self.calls: list[tuple[str, int]] = []
        self.running: set[str] = set()
        self.finals: list[tuple[int, str, bool]] = []

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

    async def partial(self, session, samples, prefix=(), *, times=False) -> Hypothesis:
        return await self._answer("partial", session, samples, self.partial_s)

    async def final(self, session, samples, previous="", *, cheap=False) -> Hypothesis:
        self.finals.append((samples, previous, cheap))
        cost = self.cheap_s if cheap else self.final_s
        return await self._answer("final", session, samples, cost)

    async def _answer(self, kind: str, session: int, count: int, cost: float) -> Hypothesis:
        assert kind not in self.running, f"one {kind} at a time"
        self.running.add(kind)
        try:
            audio = bytes(self.sessions[session][: 2 * count])
            assert len(audio) == 2 * count, "asked for more than it was fed"
            self.calls.append((kind, len(audio) // 2))
            await asyncio.sleep(cost)
            if kind in self.dies_at:
                self.dies_at.remove(kind)
                raise EngineDied("killed by SIGKILL", -9)
            if kind in self.errors_at:
                self.errors_at.remove(kind)
                raise EngineError("cannot decode this")
        finally:
            self.running.discard(kind)
        samples = np.frombuffer(audio, dtype=np.int16)
        marks = [f"w{samples[at]}" for at in range(0, len(samples), RATE // 2)]
        words = tuple(
            HypothesisWord(text=mark, start=at * 8_000, end=at * 8_000 + 4_000, probability=0.9)
            for at, mark in enumerate(marks)
        )
        return Hypothesis(text=" ".join(marks), words=words, samples=len(samples), decode_s=cost)
