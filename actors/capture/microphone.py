"""The microphone: one device after the other, and one timeline for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

from vivavoce.actors.capture.device_stream import DeviceStream
from vivavoce.actors.capture.handover import Handover
from vivavoce.actors.capture.opening import Opener, Worker
from vivavoce.actors.capture.reopening import BackOff, BetterDevice, sound_cards
from vivavoce.actors.capture.resample import Doorway
from vivavoce.actors.capture.successor import Away, Counts, Successor
from vivavoce.actors.capture.suspension import boot_time
from vivavoce.actors.capture.vigil import OVERSLEPT_S, SILENT_AT_FIRST_S, Vigil
from vivavoce.actors.capture.wake import LoopWaker
from vivavoce.actors.capture.wishes import Wishes
from vivavoce.config.schema import CaptureSettings, DeviceChoice
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import SAMPLE_RATE, AudioBlock, Gap, GapReason
from vivavoce.pipeline.metrics import Metrics
from vivavoce.pipeline.power import Power
from vivavoce.pipeline.ring import Hole

log = get_logger("capture")


class MicrophoneSource:
    """A microphone by name, index or ranked list; 16 kHz, or resampled to it.

    Only the first opening can fail. From then on it listens until it is stopped: a device that is
    lost, that was suspended or released is opened again, and the time between is one :class:`Gap`
    (two where it takes long). The block length follows the power mode without losing a sample: a
    second stream is opened beside the first, which is closed when the second can go on.

    Args:
        choice: the profile's ``capture.device``.
        block_ms: shortest length of a block in milliseconds.
        ring_s: seconds kept while the pipeline is busy.
        now: seconds on a clock that goes on while the machine sleeps; called in any thread.
    """

    live = True

    def __init__(
        self,
        choice: DeviceChoice,
        *,
        block_ms: int,
        ring_s: int,
        now: Callable[[], float] = boot_time,
    ) -> None:
        self.name = "the microphone"
        self._wishes = Wishes(choice, block_ms, ring_s)
        self._now = now
        self._counts = Counts(Metrics())
        self._arrived = asyncio.Event()
        self._worker = Worker()
        self._waker: LoopWaker | None = None
        self._opening: asyncio.Future[DeviceStream] | None = None
        self._vigil: Vigil | None = None
        self._away: Away | None = None
        self._successor: Successor | None = None
        self._better: BetterDevice | None = None
        self._stopping = self._warned = False

    async def open(self) -> None:
        """Open the first device of the choice that can be opened, if it is to be open at all.

        After :meth:`close`, it goes on by itself: nothing is raised, the time between is a gap.

        Raises:
            SourceError: there is none, it is unknown, busy, or PortAudio is missing.
        """
        self._waker = LoopWaker(asyncio.get_running_loop(), self._arrived)
        self._opener = Opener(self._waker.wake, self._now)
        self._opening = None
        self._door = Doorway(SAMPLE_RATE)
        self._pending: list[AudioBlock | Gap] = []
        self._exclusive: set[int] = set()
        if self._away is None and self._wishes.released:
            self._go_away(self._now(), GapReason.CLOSED)
        if self._away:
            return
        self._opening = self._worker.run(partial(self._opener.first, *self._wishes.settings))
        await asyncio.wait([self._opening])  # not cancelled with it: close() waits for the thread
        self._adopt(self._opening.result())

    # -- what it is told

    def measure(self, metrics: Metrics) -> None:
        """Count in ``metrics`` from now on."""
        self._counts = Counts(metrics)

    async def set_power(self, power: Power) -> None:
        """Follow the power mode: its block length, and whether to listen at all."""
        self._wishes.set_power(power, self._time())
        self._arrived.set()

    async def set_capture(self, settings: CaptureSettings) -> None:
        """Take over a changed profile: device and block length soon, the ring when it is opened."""
        self._wishes.set_capture(settings)
        self._arrived.set()

    def stop(self) -> None:
        """End after what was recorded already. Idempotent."""
        self._stopping = True
        self._arrived.set()

    async def close(self) -> None:
        """Release the device. Idempotent."""
        if self._waker is None:
            return
        self._drop_successor()
        if self._opening is not None:
            self._worker.close_opened(self._opening)  # which may not have been waited for
        vigil, self._vigil = self._vigil, None
        if vigil is not None:
            self._worker.run(vigil.stream.close)
        await self._worker.end()
        if vigil is not None:
            self._go_away(vigil.left_since(), GapReason.ACTOR_RESTARTED)
        self._waker.close()
        self._waker = None

    # -- the loop

    async def blocks(self) -> AsyncIterator[AudioBlock | Gap]:
        """Audio as it comes; holes become gaps in their place."""
        while True:
            self._arrived.clear()
            ending = self._stopping  # before looking: what came until then is delivered
            if ending and self._vigil is not None:
                self._worker.run(self._vigil.stream.close)
                await self._worker.idle()
            for items in self._heard():
                for item in items:
                    yield item
                if self._stopping and not ending:
                    break  # take nothing new, however fast it comes
            else:
                if ending:
                    break
                if self._go_on():
                    await self._wait()
        if self._away is not None:
            self._end_pause(self._away, self._now())
        for item in self._pending:
            yield item
        for block in self._door.finish():
            yield block

    def _heard(self) -> Iterator[list[AudioBlock | Gap]]:
        """What there is, piece by piece."""
        if self._pending:
            pending, self._pending = self._pending, []
            yield pending
        if (vigil := self._vigil) is None:
            return
        stream = vigil.stream
        vigil.observe(self._time())
        self._counts.depth(stream)
        while (found := stream.take()) is not None:
            if isinstance(found, Hole):
                vigil.history.hole()
                yield list(self._door.hole(found.end - found.start, vigil.reason_of(found)))
            else:
                vigil.history.heard(found)
                yield list(self._door.audio(found))
        if stream.overflows and not self._warned:
            self._warned = True
            log.warning("the audio driver lost input: the machine is too busy")

    def _go_on(self) -> bool:
        """Everything was read. Do what is due; whether there is nothing more to do by now."""
        vigil, successor = self._vigil, self._successor
        if vigil is None:
            return self._come_back()
        if vigil.stream.closed:
            if vigil.stream.empty:
                self._depart(vigil)
            return False
        if vigil.leaving is not None:
            return True
        if self._wishes.released:
            self._leave(vigil, GapReason.CLOSED)
        elif (reason := vigil.lost(self._time())) is not None:
            log.warning(f"the microphone {self.name!r} delivers no more sound; trying again")
            self._leave(vigil, reason)
        elif vigil.missing:
            log.info(f"{vigil.missing:.1f} s were slept through: opening the microphone anew")
            self._leave(vigil, GapReason.SUSPENDED)
        elif successor is not None:
            return self._hand_over(vigil, successor)
        else:
            self._begin_change(vigil)
        return True

    async def _wait(self) -> None:
        """Return when something may have come, or may be due."""
        vigil, successor = self._vigil, self._successor
        new = successor.stream if successor is not None else None
        if (vigil and not vigil.stream.empty) or (new and not new.empty):
            return
        began, before, due = self._time(), self._now(), self._due()
        try:
            async with asyncio.timeout_at(due):
                await self._arrived.wait()
        except TimeoutError:
            if due is not None and self._now() - before > due - began + OVERSLEPT_S:
                if vigil is not None:
                    vigil.overslept(self._time())
                if successor is not None:
                    successor.patient_from = None

    def _due(self) -> float | None:
        """When something is to be done though nothing comes."""
        vigil, successor, away = self._vigil, self._successor, self._away
        due: list[float] = []
        if vigil is not None and vigil.leaving is None:
            due.append(vigil.due)
            if successor is None and self._wants_other_blocks(vigil.stream):
                due.append(self._wishes.settled_at)
            if successor is None and self._better is not None and self._wishes.quiet:
                due.append(self._better.due)
        if away is not None and successor is None and not self._wishes.released:
            due.append(self._back_off.due)
        if away is not None and away.tell_at is not None:
            due.append(away.tell_at)
        if successor is not None and successor.patient_from is not None:
            due.append(successor.patient_from + SILENT_AT_FIRST_S)
        return min(due, default=None)

    def _time(self) -> float:
        return asyncio.get_running_loop().time()

    # -- away and back

    def _leave(self, vigil: Vigil, reason: GapReason) -> None:
        """Close the device; what it had delivered is read meanwhile."""
        vigil.leaving = reason
        self._drop_successor()
        self._worker.run(vigil.stream.close)

    def _depart(self, vigil: Vigil) -> None:
        """The device is closed, and all that it had delivered was read."""
        self._vigil = None
        self._pending += self._door.finish()
        self._go_away(vigil.left_since(), vigil.leaving or GapReason.DEVICE_LOST)

    def _go_away(self, since: float, reason: GapReason) -> None:
        now = self._time()
        self._away = Away(since, reason, lost_at=now)
        self._back_off = BackOff(now, gone=reason is GapReason.DEVICE_LOST)
        self._counts.released()

    def _come_back(self) -> bool:
        """No stream is open: see to it that one is."""
        away, successor = self._away, self._successor
        if away is None:
            raise RuntimeError("a microphone is opened before it is read")
        now = self._time()
        if self._wishes.released and away.reason is not GapReason.CLOSED:
            self._stay_away(away, GapReason.CLOSED)
            return False
        if away.tell_at is not None and now >= away.tell_at:
            self._stay_away(away, away.reason)
            return False
        if self._wishes.released:
            self._drop_successor()
        elif successor is None:
            if now >= self._back_off.due:
                self._seek(away)
        elif (reason := successor.failed(now, SILENT_AT_FIRST_S)) is not None:
            self._drop_successor()
            self._still_away(away, reason)
            return False
        elif (stream := successor.delivering) is not None:
            self._successor = None
            self._back_again(away, stream)
            return False
        return True

    def _stay_away(self, away: Away, reason: GapReason) -> None:
        """Tell of the time until now, and stay away for ``reason``."""
        now = self._now()
        self._end_pause(away, now)
        lost_at = away.lost_at if reason is away.reason else self._time()
        self._away = Away(now, reason, lost_at, told=True)

    def _still_away(self, away: Away, reason: str) -> None:
        log.debug("the microphone is not there yet", reason=reason)
        if away.reason is GapReason.CLOSED:
            log.warning(f"the microphone {self.name!r} cannot be opened; trying again")
            self._stay_away(away, GapReason.DEVICE_LOST)
        self._back_off.failed(self._time())

    def _back_again(self, away: Away, stream: DeviceStream) -> None:
        self._end_pause(away, stream.time_of(0))
        self._exclusive.clear()
        self._adopt(stream)
        self._counts.reopened(away.reason)
        if away.reason is GapReason.DEVICE_LOST:
            lasted = self._time() - away.lost_at
            log.warning(f"the microphone {self.name!r} is back after {lasted:.1f} s")

    def _seek(self, away: Away) -> None:
        choice, block_ms, ring_s = self._wishes.settings
        anew = away.reason is GapReason.DEVICE_LOST or self._back_off.failures > 0
        self._wishes.choice_changed = False
        self._open_next(lambda: self._opener.first(choice, block_ms, ring_s, anew=anew))

    def _end_pause(self, away: Away, until: float) -> None:
        self._pending += self._door.pause(max(0.0, until - away.since), away.reason)

    def _adopt(self, stream: DeviceStream) -> None:
        """``stream`` is what is read from now on."""
        if stream.rate != self._door.rate:
            self._pending += self._door.finish()
            self._door = Doorway(stream.rate, self._door.at)
        if stream.device.name != self.name:
            self.name = stream.device.name
            self._exclusive.clear()
        now = self._time()
        self._vigil = Vigil(stream, now)
        self._away = None
        self._better = None
        self._look_for_better(stream)
        self._counts.opened(stream.block_ms)

    # -- from one stream to the next

    def _look_for_better(self, stream: DeviceStream) -> None:
        if stream.best:
            self._better = None
        elif self._better is None:
            self._better = BetterDevice(self._time(), sound_cards())

    def _wants_other_blocks(self, stream: DeviceStream) -> bool:
        return self._wishes.block_ms not in (stream.block_ms, *self._exclusive)

    def _begin_change(self, vigil: Vigil) -> None:
        """Begin to open the stream that is wanted instead of this one, if another is."""
        stream, wishes, better, now = vigil.stream, self._wishes, self._better, self._time()
        block_ms, ring_s = wishes.block_ms, wishes.ring_s
        if wishes.choice_changed:
            wishes.choice_changed = False
            self._open_better(stream, log.warning)
        elif self._wants_other_blocks(stream) and now >= wishes.settled_at:
            self._open_next(lambda: self._opener.same(stream, block_ms, ring_s), block_ms=block_ms)
        elif better is not None and wishes.quiet and now >= better.due:
            if better.look(now, sound_cards()):
                log.info("the sound cards changed: looking for a better microphone")
                self._leave(vigil, GapReason.DEVICE_LOST)
            elif better.may_try(now):
                self._open_better(stream, log.debug)

    def _open_better(self, stream: DeviceStream, complain: Callable[..., None]) -> None:
        settings = self._wishes.settings
        self._open_next(lambda: self._opener.better(stream, *settings), complain=complain)

    def _open_next(
        self,
        opening: Callable[[], DeviceStream | None],
        *,
        block_ms: int = 0,
        complain: Callable[..., None] = log.debug,
    ) -> None:
        future = self._worker.run(opening)
        future.add_done_callback(lambda _: self._arrived.set())
        self._successor = Successor(future, self._time(), complain, block_ms)

    def _hand_over(self, vigil: Vigil, successor: Successor) -> bool:
        """Both streams are open, or nearly so: read on in the new one as soon as that can be."""
        reason = successor.failed(self._time(), SILENT_AT_FIRST_S)
        if reason is not None or successor.unneeded:
            self._drop_successor()
            self._exclusive.add(successor.block_ms)
            self._look_for_better(vigil.stream)
            if reason is not None:
                successor.complain(f"it stays the microphone {self.name!r} as it is: {reason}")
            return False
        new = successor.delivering
        if new is None:
            return True
        if successor.handover is None:
            successor.handover = Handover(vigil.stream, new, vigil.history)
        if not successor.handover.attempt():
            return True
        self._successor = None
        self._worker.run(vigil.stream.close)
        self._counts.handed_over(self._time() - successor.began)
        self._adopt(new)
        return False

    def _drop_successor(self) -> None:
        successor, self._successor = self._successor, None
        if successor is not None:
            self._worker.close_opened(successor.future)
