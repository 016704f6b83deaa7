"""``Channel`` against anyio's memory object stream and ``asyncio.Queue``."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import anyio

from vivavoce.bench.measure import in_turns, paired_ratio, quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.pipeline.channel import Channel

name = "channel"
description = "Channel against anyio's memory object stream and asyncio.Queue: cost of a message"

_BUFFERED = 64
_ANYIO_BUDGET = 5.0
_QUEUE_BUDGET = 1.0


class _Ends(Protocol):
    """The four operations that all three kinds have, under one set of names."""

    put: Callable[[Any], Awaitable[None]]
    get: Callable[[], Awaitable[Any]]
    put_nowait: Callable[[Any], None]
    get_nowait: Callable[[], Any]


class _OurEnds:
    def __init__(self, capacity: int) -> None:
        channel: Channel[int] = Channel(capacity)
        self.put, self.get = channel.send, channel.receive
        self.put_nowait, self.get_nowait = channel.send_nowait, channel.receive_nowait


class _QueueEnds:
    def __init__(self, capacity: int) -> None:
        queue: asyncio.Queue[int] = asyncio.Queue(capacity)
        self.put, self.get = queue.put, queue.get
        self.put_nowait, self.get_nowait = queue.put_nowait, queue.get_nowait


class _AnyioEnds:
    def __init__(self, capacity: int) -> None:
        self._ends = sender, receiver = anyio.create_memory_object_stream[int](capacity)
        self.put, self.get = sender.send, receiver.receive
        self.put_nowait, self.get_nowait = sender.send_nowait, receiver.receive_nowait

    def close(self) -> None:
        for end in self._ends:
            end.close()


_KINDS: dict[str, Callable[[int], Any]] = {
    "vivavoce": _OurEnds,
    "anyio": _AnyioEnds,
    "asyncio.Queue": _QueueEnds,
}


async def _without_waiting(make: Callable[[int], _Ends], messages: int) -> float:
    """Fill and empty the buffer with the ``_nowait`` calls: the path of a channel that keeps up."""
    ends = make(_BUFFERED)
    put, get = ends.put_nowait, ends.get_nowait
    began = time.thread_time()
    for _ in range(messages // _BUFFERED):
        for item in range(_BUFFERED):
            put(item)
        for _ in range(_BUFFERED):
            get()
    taken = time.thread_time() - began
    _close(ends)
    return taken / (messages // _BUFFERED * _BUFFERED)


async def _awaited(make: Callable[[int], _Ends], messages: int) -> float:
    """The same with ``await send`` and ``await receive``, which need not wait."""
    ends = make(_BUFFERED)
    began = time.thread_time()
    for _ in range(messages // _BUFFERED):
        for item in range(_BUFFERED):
            await ends.put(item)
        for _ in range(_BUFFERED):
            await ends.get()
    taken = time.thread_time() - began
    _close(ends)
    return taken / (messages // _BUFFERED * _BUFFERED)


async def _producer_and_consumer(
    make: Callable[[int], _Ends], messages: int, *, capacity: int
) -> float:
    """Two tasks: the producer sends as fast as it can, so that the buffer runs full again and
    again and backpressure holds it (with capacity 1 every message wakes somebody)."""
    ends = make(capacity)

    async def produce() -> None:
        for item in range(messages):
            await ends.put(item)

    async def consume() -> None:
        for _ in range(messages):
            await ends.get()

    began = time.thread_time()
    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        group.create_task(consume())
    taken = time.thread_time() - began
    _close(ends)
    return taken / messages


async def _ping_pong(make: Callable[[int], _Ends], messages: int) -> float:
    """Two tasks and two channels of capacity 1: each hop wakes the other task."""
    there, back = make(1), make(1)

    async def ping() -> None:
        for item in range(messages // 2):
            await there.put(item)
            await back.get()

    async def pong() -> None:
        for _ in range(messages // 2):
            await back.put(await there.get())

    began = time.thread_time()
    async with asyncio.TaskGroup() as group:
        group.create_task(ping())
        group.create_task(pong())
    taken = time.thread_time() - began
    _close(there)
    _close(back)
    return taken / (messages // 2 * 2)


def _close(ends: Any) -> None:
    if isinstance(ends, _AnyioEnds):
        ends.close()


_Scenario = Callable[[Callable[[int], Any], int], Awaitable[float]]
_SCENARIOS: dict[str, _Scenario] = {
    "buffered, send_nowait": _without_waiting,
    "buffered, await send": _awaited,
    "backpressure, capacity 64": partial(_producer_and_consumer, capacity=_BUFFERED),
    "ping-pong, capacity 1": _ping_pong,
}


def run(options: Options) -> Result:
    """CPU time per message in four scenarios, the three kinds in turns."""
    messages, rounds = (640, 2) if options.quick else (19_200, 15)
    figures: list[Figure] = []
    for title, scenario in _SCENARIOS.items():
        options.say(title)
        taken = in_turns(
            {kind: partial(_measure, scenario, make, messages) for kind, make in _KINDS.items()},
            rounds,
        )
        figures += _figures(title, taken)
    return Result(
        name=name,
        figures=figures,
        quick=options.quick,
        notes=[f"CPU time of the loop's thread; {messages} messages a round, {rounds} rounds."],
    )


def _measure(scenario: _Scenario, make: Callable[[int], Any], messages: int) -> float:
    async def main() -> float:
        return await scenario(make, messages)

    return asyncio.run(main())


def _figures(title: str, taken: dict[str, list[float]]) -> list[Figure]:
    ours = [seconds * 1e9 for seconds in taken["vivavoce"]]
    figures = [
        Figure(
            name=title,
            value=statistics.median(ours),
            unit="ns/message",
            samples=len(ours),
            p50=quantile(ours, 0.5),
            p99=quantile(ours, 0.99),
        )
    ]
    for other, budget in (("anyio", _ANYIO_BUDGET), ("asyncio.Queue", _QUEUE_BUDGET)):
        figures.append(
            Figure(
                name=f"{title}: {other} ÷ ours",
                value=paired_ratio(taken[other], taken["vivavoce"]),
                unit="×",
                better="higher",
                budget=budget,
                ratio_to=other,
                samples=len(ours),
            )
        )
    return figures
