"""``Channel`` against anyio's memory object stream and ``asyncio.Queue``."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
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


async def _bare_futures(messages: int) -> float:
    """Ping-pong with nothing but futures: what asyncio itself takes, the floor."""
    loop = asyncio.get_running_loop()
    waiting: list[asyncio.Future[None] | None] = [None, None]

    def wake(side: int) -> None:
        future = waiting[side]
        if future is not None and not future.done():
            future.set_result(None)

    async def play(mine: int, other: int) -> None:
        for _ in range(messages // 2):
            future = waiting[mine] = loop.create_future()
            wake(other)
            await future
        wake(other)

    began = time.thread_time()
    async with asyncio.TaskGroup() as group:
        group.create_task(play(0, 1))
        group.create_task(play(1, 0))
    return (time.thread_time() - began) / (messages // 2 * 2)


def _close(ends: Any) -> None:
    if isinstance(ends, _AnyioEnds):
        ends.close()


@dataclass(frozen=True, slots=True)
class _Scenario:
    """``anyio_budget``: how many times cheaper than anyio a message has to be, where promised."""

    title: str
    work: Callable[[Callable[[int], Any], int], Coroutine[Any, Any, float]]
    anyio_budget: float | None


_SCENARIOS = (
    _Scenario("buffered, send_nowait", _without_waiting, 1.0),
    _Scenario("buffered, await send", _awaited, 5.0),
    _Scenario(
        "backpressure, capacity 64", partial(_producer_and_consumer, capacity=_BUFFERED), 5.0
    ),
    _Scenario("ping-pong, capacity 1", _ping_pong, None),
)
_NOTES = (
    "send_nowait is a plain call in anyio too: to be no slower is all that can be asked",
    "in ping-pong asyncio's own wake-ups are nearly all of the cost: bare futures show the floor",
)


def run(options: Options) -> Result:
    """CPU time per message in four scenarios, the three kinds in turns."""
    messages, rounds = (640, 2) if options.quick else (19_200, 15)
    figures: list[Figure] = []
    for scenario in _SCENARIOS:
        options.say(scenario.title)
        variants = {
            kind: partial(_measure, partial(scenario.work, make, messages))
            for kind, make in _KINDS.items()
        }
        if scenario.work is _ping_pong:
            variants["bare futures"] = partial(_measure, partial(_bare_futures, messages))
        figures += _figures(scenario, in_turns(variants, rounds))
    measured = f"CPU time of the loop's thread; {messages} messages a round, {rounds} rounds"
    return Result(name=name, figures=figures, quick=options.quick, notes=[measured, *_NOTES])


def _measure(work: Callable[[], Coroutine[Any, Any, float]]) -> float:
    return asyncio.run(work())


def _figures(scenario: _Scenario, taken: dict[str, list[float]]) -> list[Figure]:
    ours = [seconds * 1e9 for seconds in taken["vivavoce"]]
    budgets = {"anyio": scenario.anyio_budget, "asyncio.Queue": _QUEUE_BUDGET}
    figures = [
        Figure(
            name=scenario.title,
            value=statistics.median(ours),
            unit="ns/message",
            samples=len(ours),
            p50=quantile(ours, 0.5),
            p99=quantile(ours, 0.99),
        )
    ]
    figures += [
        Figure(
            name=f"{scenario.title}: {other} ÷ ours",
            value=paired_ratio(values, taken["vivavoce"]),
            unit="×",
            better="higher",
            budget=budgets.get(other),
            ratio_to=other,
            samples=len(ours),
        )
        for other, values in taken.items()
        if other != "vivavoce"
    ]
    return figures
