"""The trigger actor: all audio in, that of recordings out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.trigger.gate import Gate, Passed, Unwanted
from vivavoce.actors.trigger.machine import (
    Cancel,
    Command,
    Decision,
    Decisions,
    Resume,
    Start,
    Stop,
    TriggerMachine,
)
from vivavoce.config.schema import Profile
from vivavoce.config.trigger import TriggerMode, TriggerSettings
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.mailbox import Urgent
from vivavoce.pipeline.messages import (
    SAMPLE_RATE,
    Audio,
    AudioBlock,
    EndOfStream,
    Gap,
    RecordingEnded,
)
from vivavoce.pipeline.power import PowerEvent

log = get_logger("trigger")


@dataclass(frozen=True, slots=True)
class _Take(Urgent):
    """The gate is to carry out what was decided; ``at`` is the sample."""

    decision: Decision
    at: int
    held: bool
    always: bool


class TriggerActor(Actor[Audio, Audio]):
    """Passes on what was said while a key or a command wants it; the rest is settled as silence.

    Keys and commands come by method calls in the event loop: what they decide holds from their own
    moment on and is told at once, however much audio waits. What follows from it for the stream
    goes through the mailbox, in front of the audio.

    Args:
        keys: is told while a key is held to talk.
        context: as for every actor.
    """

    name = "trigger"
    closing_grace_s = None

    def __init__(
        self,
        keys: HeldKeys | None = None,
        context: ActorContext | None = None,
    ) -> None:
        super().__init__(context=context)
        self._keys = keys or HeldKeys()
        self._forced: TriggerMode | None = None
        self._machine = TriggerMachine(self._settings)
        self._gate = Gate(self._settings, recording=self._machine.recording)
        self._watchers: list[Callable[[Decision], None]] = []
        self._opening = 0  # recordings that were begun, and of which the gate has not heard yet
        self._wanted = False  # whether power was told that it records
        self._timer: asyncio.TimerHandle | None = None

    # -- what people and programs say

    @property
    def recording(self) -> bool:
        """Whether what is said now is recognised."""
        return self._machine.recording and not self.inbox.ended

    @property
    def mode(self) -> TriggerMode:
        """The trigger mode that holds."""
        return self._machine.mode

    def start(self) -> None:
        """Record from now on, until :meth:`stop`. Call these in the event loop."""
        self._decide(self._machine.command(Command.START, self.context.clock.now()))

    def stop(self) -> None:
        """What was said until now is finished; nothing more is wanted."""
        self._decide(self._machine.command(Command.STOP, self.context.clock.now()))

    def toggle(self) -> None:
        """:meth:`stop` where it records, else :meth:`start`."""
        self._decide(self._machine.command(Command.TOGGLE, self.context.clock.now()))

    def cancel(self) -> None:
        """Discard what was said since the recording began, also in its tail.

        In the mode ``voice``, which has no beginning, the utterance that is open is discarded.
        """
        now = self.context.clock.now()
        in_tail = (self._gate.open or self._opening > 0) and not self._machine.recording
        self._decide((Cancel(now),) if in_tail else self._machine.command(Command.CANCEL, now))

    def press(self, at: float) -> None:
        """The hotkey went down at ``at``, seconds of the pipeline's clock."""
        self._decide(self._machine.press(at))

    def release(self, at: float) -> None:
        """The hotkey went up at ``at``."""
        self._decide(self._machine.release(at))

    def keys_lost(self, at: float) -> None:
        """Nobody hears the keys any more."""
        self._decide(self._machine.keys_lost(at))

    def watch(self, watcher: Callable[[Decision], None]) -> None:
        """Tell ``watcher`` of each decision as it is taken."""
        self._watchers.append(watcher)

    def force_mode(self, mode: TriggerMode | None) -> None:
        """Use this trigger mode until the end, whatever the profile says; None: as that says."""
        self._forced = mode
        self._enter_mode()

    def _settings(self) -> TriggerSettings:
        return self.context.settings.profile.trigger

    def _enter_mode(self) -> None:
        mode = self._forced or self._settings().mode
        self._decide(self._machine.enter(mode, self.context.clock.now()))
        if mode == "voice" and self._wanted:
            self._tell_power(PowerEvent.RECORDING_ENDED)  # by silence, as the power policy says

    # -- audio

    async def on_profile(self, profile: Profile) -> None:
        """Enter another mode, or end what is longer than another limit, at once."""
        self._enter_mode()

    async def on_message(self, message: Audio) -> None:
        """Pass on what is wanted of a block, and gaps and the end in their places."""
        if isinstance(message, AudioBlock):
            await self._pass(self._gate.take(message))
        elif isinstance(message, Gap):
            await self._pass(self._gate.gap(message))
        elif isinstance(message, EndOfStream):
            await self._pass(self._gate.finish(message.end))
            await self.emit(message)

    async def on_start(self) -> None:
        """A recording that was on when the actor failed still ends by itself."""
        self._set_timer()

    async def on_stop(self) -> None:
        """No timer outlives the actor."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _pass(self, found: Iterable[Passed]) -> None:
        for one in found:
            if isinstance(one, Unwanted):
                self.context.ledger.silence(one.start, one.end)
                continue
            await self.emit(one)
            if isinstance(one, RecordingEnded):
                self._count("cancelled" if one.cancelled else "finished")
                if self._wanted and not self._machine.recording and not self._gate.open:
                    # Not before: until the tail is here, the microphone must stay open.
                    self._tell_power(PowerEvent.RECORDING_ENDED)

    # -- decisions

    def _decide(self, decisions: Decisions) -> None:
        if self.inbox.ended:
            return  # a key may well come after the end of the stream
        for decision in decisions:
            at = self._sample_at(decision.at)
            held = self.mode == "hold" and self._machine.held
            self.inbox.put_first(_Take(decision, at, held, self.mode == "voice"))
            if isinstance(decision, Start | Resume):
                self._opening += 1
                self._wake()
            log.debug(type(decision).__name__.lower(), at=round(at / SAMPLE_RATE, 3))
            for watcher in self._watchers:
                watcher(decision)
        machine = self._machine
        self._keys.talk(self.mode == "hold" and machine.recording and machine.held)
        self._set_timer()

    async def obey(self, urgent: Urgent) -> None:
        """Cut the stream where it was decided; see :class:`Actor`."""
        if isinstance(urgent, _Take):
            self._carry_out(urgent)
        else:
            await super().obey(urgent)

    def _carry_out(self, wanted: _Take) -> None:
        self._opening -= isinstance(wanted.decision, Start | Resume)
        if isinstance(wanted.decision, Start):
            self._gate.start(wanted.at, held=wanted.held, always=wanted.always)
        elif isinstance(wanted.decision, Stop):
            self._gate.stop(wanted.at)
        elif isinstance(wanted.decision, Resume):
            self._gate.resume(wanted.at)
        else:
            self._gate.cancel()
        if not self._gate.open and self._wanted and not self._machine.recording:
            self._tell_power(PowerEvent.RECORDING_ENDED)

    def _wake(self) -> None:
        """Who holds a key is listened to as long as it takes; `voice` sleeps when it is quiet."""
        always = self.mode == "voice"
        self._tell_power(PowerEvent.WAKE if always else PowerEvent.RECORDING_STARTED)

    def _tell_power(self, event: PowerEvent) -> None:
        self._wanted = event is PowerEvent.RECORDING_STARTED
        self.context.power.tell(event)

    def _count(self, outcome: str) -> None:
        self.context.metrics.counter("vivavoce_recordings_total", outcome=outcome).add()

    def _sample_at(self, moment: float) -> int:
        """The sample that is captured at a moment of the clock."""
        ago = self.context.clock.now() - moment
        return max(0, round((self.context.stream.elapsed() - ago) * SAMPLE_RATE))

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self.context.clock.now()
        due = self._machine.due(now)
        if due is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, due - now), self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self.context.clock.now()
        decisions = self._machine.tick(now)
        longest = self._settings().max_recording_s
        if longest is not None and any(isinstance(decision, Stop) for decision in decisions):
            log.warning(f"recording for {longest:g} s: it ends by itself (trigger.max_recording_s)")
        self._decide(decisions)
