"""All that blocks in PortAudio: one call at a time, in a thread that is there only meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from vivavoce.actors.capture.alsa import leave_out_converters, silence_messages
from vivavoce.actors.capture.device_stream import DeviceStream, open_first
from vivavoce.actors.capture.devices import InputDevice, list_input_devices, portaudio, ranked
from vivavoce.actors.capture.reopening import better_devices, is_best
from vivavoce.actors.capture.source import SourceError
from vivavoce.config.schema import DeviceChoice

T = TypeVar("T")


class Worker:
    """Runs blocking calls one after the other.

    What is returned may be waited for with :func:`asyncio.wait`, which does not cancel it: a thread
    cannot be stopped, and what it opens must be closed.
    """

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._retired: ThreadPoolExecutor | None = None
        self._running: set[asyncio.Future[Any]] = set()

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Begin ``work``, or line it up behind the call that is being made."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="vivavoce-microphone")
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        self._running.add(future)
        future.add_done_callback(self._done)
        return future

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._running.discard(future)
        if not future.cancelled():
            future.exception()  # whoever still wants it, asks; nobody has to
        if not self._running and self._executor is not None:
            self._executor.shutdown(wait=False)
            self._executor, self._retired = None, self._executor

    def close_opened(self, opening: asyncio.Future[Any]) -> None:
        """Close the stream that ``opening`` gives, when it does; None and failures are none."""

        def close(opened: asyncio.Future[Any]) -> None:
            if not opened.cancelled() and opened.exception() is None and opened.result():
                self.run(opened.result().close)

        if opening.done():
            close(opening)
        else:
            opening.add_done_callback(close)

    async def idle(self) -> None:
        """Return when no call is being made, and the thread is gone."""
        while self._running:
            await asyncio.wait(self._running)
        if self._retired is not None:
            self._retired.shutdown()  # its work is done: it ends at once
            self._retired = None


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
