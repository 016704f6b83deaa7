"""All that blocks in PortAudio: one call at a time, in a thread that is there only meanwhile."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from vivavoce.actors.capture.alsa import leave_out_converters, silence_messages
from vivavoce.actors.capture.device_stream import DeviceStream, open_first
from vivavoce.actors.capture.devices import InputDevice, list_input_devices, portaudio, ranked
from vivavoce.actors.capture.reopening import better_devices, is_best
from vivavoce.actors.capture.source import SourceError
from vivavoce.config.schema import DeviceChoice
from vivavoce.pipeline.log import get_logger

T = TypeVar("T")

log = get_logger("capture")

_PATIENCE_S = 2.0
"""How long the end of a run waits for a call; a healthy one takes half a second at most."""


class Worker:
    """Runs blocking calls one after the other, each in a thread of its own.

    A thread cannot be stopped: to cancel what is returned means that nobody waits for it any more.
    The call is made all the same, and a stream that it opens is closed. A sound server that hangs
    keeps its call for ever: nobody waits for one longer than some seconds, nor does the end of the
    program.
    """

    def __init__(self) -> None:
        self._thread = _PassingThread()
        self._running: set[asyncio.Future[Any]] = set()
        self._answered_at = 0.0

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Begin ``work``, or line it up behind the call that is being made."""
        loop = asyncio.get_running_loop()
        if not self._running:
            self._answered_at = loop.time()
        call = loop.run_in_executor(self._thread, work)
        self._running.add(call)
        call.add_done_callback(self._done)
        wanted = asyncio.shield(call)
        wanted.add_done_callback(partial(self._answered, call))
        return wanted

    def _done(self, call: asyncio.Future[Any]) -> None:
        self._running.discard(call)
        self._answered_at = call.get_loop().time()

    def _answered(self, call: asyncio.Future[Any], wanted: asyncio.Future[Any]) -> None:
        if not wanted.cancelled():
            wanted.exception()  # whoever still wants it, asks; nobody has to
        elif call.done():
            self._close(call)
        else:
            call.add_done_callback(self._close)

    def _close(self, opening: asyncio.Future[Any]) -> None:
        """Close the stream that a call has opened, if it has."""
        if opening.exception() is None and isinstance(opening.result(), DeviceStream):
            self.run(opening.result().close)

    def close_opened(self, opening: asyncio.Future[Any]) -> None:
        """Close the stream that ``opening`` gives, when it does; None and failures are none."""
        if not opening.done():
            opening.cancel()
        elif not opening.cancelled():
            self._close(opening)

    async def idle(self) -> bool:
        """Return when no call is being made, and no thread is there.

        Returns:
            Whether that is so; False: a call does not end.
        """
        while self._running:
            patience = self._answered_at + _PATIENCE_S - asyncio.get_running_loop().time()
            done, _ = await asyncio.wait(
                self._running, timeout=max(0.0, patience), return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                return False
        self._thread.join()
        return True

    async def end(self) -> None:
        """Return when no call is being made, or none will end any more."""
        if not await self.idle():
            log.warning("the sound server does not answer: it is left alone")
            atexit.unregister(portaudio()._exit_handler)  # it would wait without an end


class _PassingThread(Executor):
    """Calls one after the other in a thread that is there only meanwhile.

    It is a daemon, unlike those of the executors of the standard library: the end of the program
    does not wait for a call that hangs.
    """

    def __init__(self) -> None:
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._works = False

    def submit(self, call: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        """See :class:`concurrent.futures.Executor`."""
        future: Future[T] = Future()
        with self._lock:
            self._calls.append((partial(call, *arguments, **named), future))
            if not self._works:
                self._works = True
                self._thread = threading.Thread(
                    target=self._work, name="vivavoce-microphone", daemon=True
                )
                self._thread.start()
        return future

    def join(self) -> None:
        """Return when the thread is gone; every call has been made."""
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._calls:
                    self._works = False
                    return
                call, future = self._calls.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - whoever waits for the future gets it
                future.set_exception(error)
            else:
                future.set_result(result)


class Opener:
    """Opens microphones. Every method blocks: for the worker.

    Args:
        wake: told to each stream.
        now: likewise.
    """

    def __init__(self, wake: Callable[[], object], now: Callable[[], float]) -> None:
        self._wake = wake
        self._now = now

    def first(
        self, choice: DeviceChoice, block_ms: int, ring_s: int, *, anew: bool = False
    ) -> DeviceStream:
        """Open the best device of ``choice`` that can be opened.

        Args:
            anew: start PortAudio anew, or it would not see devices that came since. No stream may
                be open.

        Raises:
            SourceError: there is none, it is unknown, busy, or PortAudio is missing.
        """
        if anew:
            _start_anew()
        devices = list_input_devices()
        return self._open(devices, ranked(devices, choice), choice, block_ms, ring_s)

    def same(self, old: DeviceStream, block_ms: int, ring_s: int) -> DeviceStream:
        """Open the device of ``old`` a second time, in the same way but for the block length.

        Raises:
            SourceError: it cannot be shared.
        """
        stream = self._make(old.device, old.rate, old.channels, block_ms, ring_s)
        stream.best = old.best
        sounddevice = portaudio()
        try:
            stream.start()
        except sounddevice.PortAudioError as error:
            raise SourceError(f"{old.device.name!r} cannot be opened twice: {error}") from error
        return stream

    def better(
        self, current: DeviceStream, choice: DeviceChoice, block_ms: int, ring_s: int
    ) -> DeviceStream | None:
        """Open a device that ``choice`` ranks above that of ``current``; None where there is none.

        ``current`` is told whether it is the best of all that may come.

        Raises:
            SourceError: there is none of the choice at all, or those above cannot be opened.
        """
        devices = list_input_devices()
        current.best = is_best(devices, choice, current.device)
        ranked(devices, choice)
        wanted = better_devices(devices, choice, current.device)
        return self._open(devices, wanted, choice, block_ms, ring_s) if wanted else None

    def _open(
        self,
        devices: list[InputDevice],
        wanted: list[InputDevice],
        choice: DeviceChoice,
        block_ms: int,
        ring_s: int,
    ) -> DeviceStream:
        stream = open_first(
            wanted,
            lambda device, rate, channels: self._make(device, rate, channels, block_ms, ring_s),
        )
        stream.best = is_best(devices, choice, stream.device)
        return stream

    def _make(
        self, device: InputDevice, rate: int, channels: int, block_ms: int, ring_s: int
    ) -> DeviceStream:
        return DeviceStream(
            device,
            rate=rate,
            channels=channels,
            block_ms=block_ms,
            ring_s=ring_s,
            wake=self._wake,
            now=self._now,
        )


def _start_anew() -> None:
    sounddevice = portaudio()
    with suppress(sounddevice.PortAudioError):  # the last attempt to start it may have failed
        sounddevice._terminate()
    silence_messages()
    leave_out_converters()
    try:
        sounddevice._initialize()
    except sounddevice.PortAudioError as error:
        raise SourceError(f"PortAudio cannot be started: {error}") from error
