"""Time as a dependency: a real clock, a virtual one, and the stream's own time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Clock(Protocol):
    """Where actors get the time from, so that a test can own it."""

    def now(self) -> float:
        """Seconds on a clock that never goes backwards; its zero means nothing."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task; zero or less still yields to other tasks once."""
        ...


class MonotonicClock:
    """The real clock."""

    def now(self) -> float:
        """Seconds of :func:`time.monotonic`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task for real seconds."""
        await asyncio.sleep(max(0.0, seconds))


class LoopClock:
    """The time of the running event loop: virtual under :func:`run_virtual`."""

    def now(self) -> float:
        """Seconds of the running loop's :meth:`~asyncio.AbstractEventLoop.time`."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task for seconds of the loop's time."""
        await asyncio.sleep(max(0.0, seconds))


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that, asked to wait, moves virtual time on by the wait instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0
        self.working = 0  # threads that the loop waits for: time stands still meanwhile

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None or (self.working and timeout > 0):
            # Only another thread or process can go on from here.
            return super().select(None)
        self.elapsed += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers fire in order but at once, with exact virtual times.

    Everything that uses loop time (``asyncio.sleep``, timeouts, :class:`LoopClock`) becomes
    deterministic. Work in threads of the loop's executor takes no virtual time. Meant for code
    without other input and output: a pipe takes real time, while virtual time would run ahead.
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.elapsed

    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[[Unpack[Arguments]], T],
        *arguments: *Arguments,
    ) -> asyncio.Future[T]:
        """As in any loop; virtual time stands still until the work is done."""
        working = super().run_in_executor(executor, func, *arguments)
        self._jumping.working += 1
        working.add_done_callback(self._worked)
        return working

    def _worked(self, _: asyncio.Future[Any]) -> None:
        self._jumping.working -= 1


def run_virtual(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``main()`` to its end on a new :class:`VirtualLoop` and return its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


class StreamClock:
    """Seconds since capture started: the ``t`` of every event.

    Before :meth:`start` the elapsed time is 0.

    Attributes:
        wall_start: :func:`time.time` of the first sample; None before it.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.wall_start: float | None = None
        self._started: float | None = None
        self._lasted: float | None = None
        self._begun = asyncio.Event()

    def start(self, heard: float = 0.0) -> None:
        """Capture delivers its first ``heard`` seconds of audio now; later calls change nothing.

        The clock's zero is the first sample: by now, those seconds have passed.
        """
        self._begun.set()
        if self._started is None:
            self._started = self.clock.now() - heard
            self.wall_start = time.time() - heard

    def catch_up(self, heard: float) -> None:
        """At least ``heard`` seconds of audio time have passed by now, lost time included.

        While a machine is suspended its monotonic clock stands still and audio time does not: what
        follows would carry times that lie behind its audio, and latencies below zero.
        """
        if self._started is not None:
            self._started = min(self._started, self.clock.now() - heard)

    @property
    def started(self) -> bool:
        """Whether capture has begun."""
        return self._started is not None

    async def begun(self) -> None:
        """Return when capture has begun: until then nothing may compete with it for the machine."""
        await self._begun.wait()

    def stop(self) -> None:
        """The stream has ended: it takes no more time, and can be asked without a loop."""
        self._lasted = self.elapsed()

    def elapsed(self) -> float:
        """Seconds since capture started, until the end of the stream."""
        if self._lasted is not None:
            return self._lasted
        return 0.0 if self._started is None else self.clock.now() - self._started
