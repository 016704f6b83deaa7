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
    """Hears audio; a hypothesis is one word for each half second. Dies when told.

    ``calls`` are those that began, ``done`` those that were answered and ``cancelled`` those that
    nobody waited for to the end: the kind and the samples of each. ``left_open`` are the
    sessions that were not closed before the engine was stopped. What a call costs (seconds) may be
    changed at any time. ``costs_of`` overrides the cost of a final by its number of samples.
    """

    def __init__(
        self,
        *,
        partial_s: float = 0.05,
        final_s: float = 0.2,
        cheap_s: float = 0.05,
        side_by_side: int = 1,
        costs_of: dict[int, float] | None = None,
        info: EngineInfo = INFO,
    ) -> None:
        self.info: EngineInfo | None = None
        self.pid = None
        self.on_death = None
        self.partial_s, self.final_s, self.cheap_s = partial_s, final_s, cheap_s
        self.most = {"partial": 1, "final": side_by_side}
        self.costs_of = costs_of or {}
        self.sessions: dict[int, bytearray] = {}
        self.dies_at: list[str] = []
        self.errors_at: list[str] = []
        self.starts = 0
        self.running_now = False
        self.cannot_load: Exception | None = None
        self.left_open: list[int] = []
        self.calls: list[tuple[str, int]] = []
        self.done: list[tuple[str, int]] = []
        self.cancelled: list[tuple[str, int]] = []
        self.running: list[str] = []
        self.most_finals = 0
        self.finals: list[tuple[int, str, bool]] = []
        self.finals_at: list[float] = []
        self._loaded = info

    async def start(self) -> EngineInfo:
        self.starts += 1
        self.sessions = {}
        await asyncio.sleep(0.5)
        if self.cannot_load is not None:
            raise self.cannot_load
        self.running_now = True
        self.info = self._loaded
        return self._loaded

    async def open(self, session, options) -> None:
        self.sessions[session] = bytearray()

    async def feed(self, session, pcm) -> None:
        self.sessions[session] += pcm

    async def close(self, session) -> None:
        self.sessions.pop(session, None)

    async def stop(self) -> None:
        self.left_open += self.sessions
        self.sessions = {}
        self.running_now = False

    async def partial(self, session, samples, prefix=(), *, times=False) -> Hypothesis:
        samples_heard = await self._work("partial", session, samples, self.partial_s)
        return self.hear(samples_heard, self.partial_s)

    async def final(self, session, samples, previous="", *, cheap=False) -> Hypothesis:
        self.finals.append((samples, previous, cheap))
        self.finals_at.append(asyncio.get_running_loop().time())
        cost = self.cheap_s if cheap else self.costs_of.get(samples, self.final_s)
        return self.hear(await self._work("final", session, samples, cost), cost)

    async def _work(self, kind: str, session: int, count: int, cost: float) -> np.ndarray:
        assert self.running.count(kind) < self.most[kind], f"too many of {kind} at a time"
        self.running.append(kind)
        self.most_finals = max(self.most_finals, self.running.count("final"))
        try:
            audio = bytes(self.sessions[session][: 2 * count])
            assert len(audio) == 2 * count, "asked for more than it was fed"
            self.calls.append((kind, count))
            await asyncio.sleep(cost)
            if kind in self.dies_at:
                self.dies_at.remove(kind)
                raise EngineDied("killed by SIGKILL", -9)
            if kind in self.errors_at:
                self.errors_at.remove(kind)
                raise EngineError("cannot decode this")
        except asyncio.CancelledError:
            self.cancelled.append((kind, count))
            raise
        finally:
            self.running.remove(kind)
        self.done.append((kind, count))
        return np.frombuffer(audio, dtype=np.int16)

    def hear(self, samples: np.ndarray, cost: float) -> Hypothesis:
        """What it makes of the audio."""
        marks = [f"w{samples[at]}" for at in range(0, len(samples), RATE // 2)]
        words = tuple(
            HypothesisWord(text=mark, start=at * 8_000, end=at * 8_000 + 4_000, probability=0.9)
            for at, mark in enumerate(marks)
        )
        return Hypothesis(text=" ".join(marks), words=words, samples=len(samples), decode_s=cost)
