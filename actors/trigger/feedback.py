"""What tells a person that recording began, ended or was cancelled: tones and notifications.

Nothing waits for either: a sound server or a desktop that hangs costs a tone or a notification. The
first failure of each is told, once.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vivavoce.actors.trigger.machine import Cancel, Decision, Start, Stop
from vivavoce.config.trigger import FeedbackSettings
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.tasks import end_tasks, in_background

log = get_logger("trigger")

Sound: TypeAlias = npt.NDArray[np.float32]
"""Mono, shape ``(samples,)``, dtype float32, within ±1."""


class Cue(StrEnum):
    """What is told."""

    BEGIN = "begin"
    END = "end"
    CANCEL = "cancel"


_TEXTS = {Cue.BEGIN: "Recording", Cue.END: "Recording ended", Cue.CANCEL: "Recording discarded"}
_NOTES: dict[Cue, tuple[tuple[float, float], ...]] = {
    Cue.BEGIN: ((660.0, 0.05), (880.0, 0.07)),
    Cue.END: ((880.0, 0.05), (660.0, 0.07)),
    Cue.CANCEL: ((330.0, 0.07), (0.0, 0.03), (330.0, 0.07)),
}
"""Hertz and seconds: up, down, and twice low; 0 Hz is a rest."""
_EDGE_S = 0.01
_WAITING = 4
"""Tones that wait for a slow sound server; more are dropped."""
_ENDS_WITHIN_S = 0.4
"""How long the end waits for a tone."""
_NOTIFIED_WITHIN_S = 2.0
_SHOWN_MS = 1_500


def tone(cue: Cue, rate: int, volume: float) -> Sound:
    """The tone of ``cue``: sines whose begin and end are half a cosine, so that nothing clicks.

    Args:
        rate: samples per second.
        volume: of its peaks, 0 to 1.
    """
    parts = []
    for frequency, length in _NOTES[cue]:
        time = np.arange(round(length * rate)) / rate
        nearest = np.minimum(time, time[-1] - time)
        envelope = 0.5 - 0.5 * np.cos(np.pi * np.minimum(1.0, nearest / _EDGE_S))
        parts.append(volume * envelope * np.sin(2 * np.pi * frequency * time))
    return np.concatenate(parts).astype(np.float32)


class Feedback:
    """Tells of recordings as the settings say then. All methods are called in the event loop."""

    def __init__(self, settings: Callable[[], FeedbackSettings]) -> None:
        self._settings = settings
        self._ending: asyncio.TimerHandle | None = None
        self._cancelled_at: float | None = None
        self._tones = _Tones()
        self._notifications = _Notifications()

    def decided(self, decision: Decision) -> None:
        """Tell of a decision of the trigger; a stop only when nothing can resume it any more."""
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.cancel()
        if isinstance(decision, Start):
            if ending is not None:
                self._tell(Cue.END)
            # `voice` goes on at once after a cancel: nothing begins for a person.
            if decision.at != self._cancelled_at:
                self._tell(Cue.BEGIN)
        elif isinstance(decision, Stop):
            patience = decision.final_at - decision.at
            self._ending = asyncio.get_running_loop().call_later(patience, self._ended)
        elif isinstance(decision, Cancel):
            self._cancelled_at = decision.at
            self._tell(Cue.CANCEL)

    async def close(self) -> None:
        """Tell nothing more; what hangs is left behind."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        await self._tones.close()
        await self._notifications.close()

    def _ended(self) -> None:
        self._ending = None
        self._tell(Cue.END)

    def _tell(self, cue: Cue) -> None:
        settings = self._settings()
        if settings.tones:
            self._tones.play(cue, settings.volume)
        if settings.notifications:
            self._notifications.show(_TEXTS[cue])


class _Tones:
    """Plays tones one after the other in a thread, which starts with the first."""

    def __init__(self) -> None:
        self._wanted: queue.Queue[tuple[Cue, float] | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None

    def play(self, cue: Cue, volume: float) -> None:
        if self._thread is None:
            # A thread of its own: those of the loop are waited for at the end, and a sound server
            # may hang. The context knows where this pipeline logs.
            self._thread = threading.Thread(
                target=contextvars.copy_context().run,
                args=(self._run,),
                name="vivavoce tones",
                daemon=True,
            )
            self._thread.start()
        with contextlib.suppress(queue.Full):
            self._wanted.put_nowait((cue, volume))

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            with contextlib.suppress(queue.Full):
                self._wanted.put_nowait(None)
            await asyncio.to_thread(thread.join, _ENDS_WITHIN_S)

    def _run(self) -> None:
        try:
            sounddevice: Any = _sounddevice()
        except (ImportError, OSError) as error:
            log.warning("tones cannot be played", reason=str(error))
            return
        told = False
        while (wanted := self._wanted.get()) is not None:
            try:
                _play(sounddevice, *wanted)
            except Exception as error:  # noqa: BLE001 - drivers' are of all kinds; it is told
                if not told:
                    log.warning("a tone could not be played", reason=str(error))
                told = True


def _sounddevice() -> Any:
    import sounddevice

    return sounddevice


def _play(sounddevice: Any, cue: Cue, volume: float) -> None:
    """Play a tone to its end on the default output.

    The stream is open as long as the tone: an open one would keep the sound card awake.
    """
    device = sounddevice.query_devices(kind="output")
    rate = int(device["default_samplerate"])
    with sounddevice.OutputStream(samplerate=rate, channels=1, dtype="float32") as stream:
        stream.write(tone(cue, rate, volume))


class _Notifications:
    """Shows the latest text with notify-send, one process at a time."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._told = False

    def show(self, text: str) -> None:
        self._text = text
        if self._task is None or self._task.done():
            self._task = in_background(self._show(), "a notification", log)

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            await end_tasks(task)

    async def _show(self) -> None:
        while self._text is not None:
            text, self._text = self._text, None
            problem = await _notify(text)
            if problem and not self._told:
                log.warning("a notification could not be shown", reason=problem)
                self._told = True


async def _notify(text: str) -> str | None:
    """Run notify-send; what went wrong, if anything did."""
    try:
        process = await asyncio.create_subprocess_exec(
            "notify-send",
            "--app-name=vivavoce",
            f"--expire-time={_SHOWN_MS}",
            # The next one takes the place of this one, in the desktops that know either hint.
            "--hint=string:x-canonical-private-synchronous:vivavoce",
            "--hint=string:x-dunst-stack-tag:vivavoce",
            "--",
            "vivavoce",
            text,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        return f"notify-send: {error.strerror}"
    try:
        async with asyncio.timeout(_NOTIFIED_WITHIN_S):
            code = await process.wait()
    except TimeoutError:
        return f"notify-send does not end within {_NOTIFIED_WITHIN_S:g} s"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return None if code == 0 else f"notify-send ended with {code}"
