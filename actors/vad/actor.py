"""The VAD actor: audio blocks in, utterances out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from vivavoce.actors.vad.gate import EnergyGate, level_dbfs, levels_dbfs
from vivavoce.actors.vad.segmenter import Decision, Frame, Segmenter, Silence
from vivavoce.actors.vad.silero import FRAME, Silero, SpeechDetector
from vivavoce.config.schema import Profile, VadSettings
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.mailbox import Urgent
from vivavoce.pipeline.messages import (
    Audio,
    AudioBlock,
    EndReason,
    Focus,
    Gap,
    GapReason,
    Pcm,
    RecordingEnded,
    RecordingStarted,
    Speech,
    SpeechAudio,
    SpeechEnded,
    SpeechFocused,
    SpeechResumed,
    SpeechStarted,
    seconds,
)
from vivavoce.pipeline.power import Power, PowerEvent
from vivavoce.pipeline.tasks import in_background

log = get_logger("focus")

_REPLAY_FRAMES = 32
"""What warms up a detector that slept: 1 s. With a quarter of it, speech 10 dB above a noise began
up to 0.3 s late, because the detector had not heard the noise alone for long enough."""

_AT_ONCE = 64 * FRAME  # of a longer block: what is computed about it must not grow with it


@dataclass(frozen=True, slots=True)
class _FocusKnown(Urgent):
    """The desktop has answered."""

    known: SpeechFocused


class VadActor(Actor[Audio, Speech]):
    """Cuts the audio into utterances and settles the silence between them.

    In a power mode without detector, the energy gate alone listens. The first frame that passes it
    is told as :attr:`PowerEvent.ONSET` and wakes the detector, which hears what it missed first:
    the utterances are the same as if it had not slept. Utterances are told as
    :attr:`PowerEvent.SPEECH_STARTED` and :attr:`PowerEvent.SPEECH_ENDED`, always in pairs.

    Args:
        settings: the profile's ``vad`` section.
        make_detector: loads the speech detector; Silero by default. It is loaded in a thread with
            the first audio, so that it does not delay the beginning of capture.
        ask_focus: which window has the focus; asked where an utterance begins and where it goes
            on after a pause, in a task of its own, and told behind that as :class:`SpeechFocused`.
            One question at a time: of the places that come meanwhile only the last is asked for.
        context: as for every actor.
    """

    name = "vad"
    closing_grace_s = None

    def __init__(
        self,
        settings: VadSettings,
        make_detector: Callable[[], SpeechDetector] = Silero,
        *,
        ask_focus: Callable[[], Awaitable[Focus | None]] | None = None,
        context: ActorContext | None = None,
    ) -> None:
        super().__init__(context=context)
        self._ask_focus = ask_focus
        self._asking: asyncio.Task[None] | None = None
        self._asked = -1  # the sample for which the desktop was asked last
        self._settings = settings
        self._changed: VadSettings | None = None  # what holds from the next silence on
        self._make_detector = make_detector
        self._detector: SpeechDetector | None = None
        self._awake = True  # whether the power mode keeps a detector
        self._onset_told = False
        self._segmenter = Segmenter(settings)
        self._open: SpeechStarted | None = None  # the utterance that is open for those behind
        self._settled = 0  # audio before this sample is settled, or was sent on
        self._handled = 0  # where the last message that was handled to its end ended
        self._next = 0  # the sample that the next frame begins with
        self._rest: list[Pcm] = []  # less than a frame
        self._rest_samples = 0

    async def on_start(self) -> None:
        """Build the gate anew; utterance numbers and positions survive a restart."""
        self._gate = EnergyGate(self._settings.gate_margin_db)
        self._missed: deque[Pcm] = deque(maxlen=_REPLAY_FRAMES)  # not shown to the detector
        self._fresh = True  # the detector's state is that of its beginning
        metrics = self.context.metrics
        self._frames = metrics.counter("vivavoce_vad_frames_total")
        self._gated = metrics.counter("vivavoce_vad_gated_frames_total")
        self._delay = metrics.histogram("vivavoce_stage_seconds", stage="capture")
        self._detector = None

    async def on_power(self, power: Power) -> None:
        """Let the detector go where the mode has none; the next audio loads it where it has one.

        One that hears an open utterance stays until that has ended.
        """
        self._awake = power.settings.detector
        self._onset_told = False
        self._let_go()

    async def on_profile(self, profile: Profile) -> None:
        """Take changed settings over at the next silence."""
        self._changed = None if profile.vad == self._settings else profile.vad

    async def obey(self, urgent: Urgent) -> None:
        """Tell which window had the focus; see :class:`Actor`."""
        if isinstance(urgent, _FocusKnown):
            await self.emit(urgent.known)
        else:
            await super().obey(urgent)

    async def on_message(self, message: Audio) -> None:
        """Handle a block, a gap, the begin or end of a recording, or the end of the stream."""
        if isinstance(message, AudioBlock):
            await self._take(message)
        elif isinstance(message, RecordingStarted):
            await self._skip_to(message.start)  # what lies before it was nobody's, and is settled
            self._handled = message.start
            await self.emit(message)
            return
        elif isinstance(message, RecordingEnded):
            cancelled, opened = message.cancelled, self._open
            await self._interrupt(EndReason.CANCELLED if cancelled else EndReason.RELEASED)
            if cancelled and message.always:
                start = message.end if opened is None else opened.start
                message = msgspec.structs.replace(message, start=start)
            await self.emit(message)
        elif isinstance(message, Gap):
            await self._interrupt(EndReason.GAP)
            self._next = self._settled = message.end
            await self.emit(message)
        else:
            await self._interrupt(EndReason.END_OF_STREAM)
            await self.emit(message)
        self._handled = message.end

    async def on_set_aside(self, message: Any) -> None:
        """A block that cannot be handled becomes a gap."""
        if isinstance(message, AudioBlock):
            await self._give_up(message.end)

    async def on_restart(self, cause: BaseException) -> None:
        """Give up the audio that was held, as a gap, and begin anew behind it.

        The message that failed comes again: of its audio, only whole frames behind which the
        failure lies are given up.
        """
        await self._give_up(max(self._next, self._handled))
        await self.on_start()

    async def on_stop(self) -> None:
        """Release the detector; whoever was speaking is not heard any more."""
        self._detector = None
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            await asyncio.wait([asking])
        if self._open is not None:
            self._open = None
            self.context.power.tell(PowerEvent.SPEECH_ENDED)

    # -- from blocks to frames

    async def _take(self, block: AudioBlock) -> None:
        if self._awake and self._detector is None:
            await self._load()
        await self._skip_to(block.start)
        # Delivered again after a restart, it begins with what was settled, or given up as a gap.
        pcm = block.pcm[max(0, self._next + self._rest_samples - block.start) :]
        if self._rest or len(pcm) % FRAME:
            self._rest.append(pcm)
            self._rest_samples += len(pcm)
            if self._rest_samples < FRAME:
                return
            joined = self._rest[0] if len(self._rest) == 1 else np.concatenate(self._rest)
            whole = len(joined) - len(joined) % FRAME
            self._rest = [joined[whole:]] if whole < len(joined) else []
            self._rest_samples = len(joined) - whole
            pcm = joined[:whole]
        for at in range(0, len(pcm), _AT_ONCE):
            piece = pcm[at : at + _AT_ONCE]
            await self._judge(piece, levels_dbfs(piece, FRAME))

    async def _skip_to(self, start: int) -> None:
        """Go on at ``start``, where that lies behind all that was heard: who left out what lies
        between has settled it."""
        if start > self._next + self._rest_samples:
            await self._interrupt(EndReason.GAP)
            self._next = self._settled = start

    async def _interrupt(self, reason: EndReason) -> None:
        if self._rest_samples:
            rest = np.concatenate(self._rest)
            self._rest, self._rest_samples = [], 0
            await self._judge(rest, [level_dbfs(rest)])
        await self._carry_out(self._segmenter.interrupt(self._next, reason))
        if self._detector is not None:
            self._detector.reset()
        self._missed.clear()
        self._fresh = True
        self._let_go()

    # -- from frames to utterances

    async def _judge(self, pcm: Pcm, levels: list[float]) -> None:
        """Handle the next frames, one for each of ``levels``; a frame that is alone may be short.

        Frames in a row that the gate holds back are handled as one.
        """
        self._frames.add(len(levels))
        quiet: list[Frame] = []
        start = self._next
        for number, level in enumerate(levels):
            if self._changed is not None:
                await self._rest_through(quiet)
                self._take_over()
            at = number * FRAME
            heard = pcm[at : at + FRAME]
            passes = self._gate.passes(level)
            # Inside an utterance the detector alone decides: words may sink into the noise, and
            # its work is little beside the engine's.
            gated = self._settings.gate or not self._awake
            if gated and not passes and self._open is None:
                quiet.append(Frame(start + at, heard, 0.0, level))
                continue
            await self._rest_through(quiet)
            if not (self._awake or self._onset_told or self._open):
                self._onset_told = True
                self.context.power.tell(PowerEvent.ONSET)
            if self._detector is None:
                await self._load()
            frame = Frame(start + at, heard, self._detect(heard), level)
            self._next = frame.end
            await self._carry_out(self._segmenter.push(frame))
        await self._rest_through(quiet)

    async def _rest_through(self, quiet: list[Frame]) -> None:
        """Nobody speaks in the next frames, which are taken out of the list."""
        if not quiet:
            return
        self._gated.add(len(quiet))
        self._missed.extend(frame.pcm for frame in quiet[-_REPLAY_FRAMES:])
        self._next = quiet[-1].end
        await self._carry_out(self._segmenter.rest(quiet))
        quiet.clear()
        self._let_go()

    def _take_over(self) -> None:
        """Change the settings, unless somebody speaks."""
        if self._changed is not None and self._segmenter.resting:
            self._settings, self._changed = self._changed, None
            self._segmenter.change(self._settings)
            self._gate.margin_db = self._settings.gate_margin_db

    # -- the detector

    async def _load(self) -> None:
        self._detector = await asyncio.to_thread(self._make_detector)

    def _let_go(self) -> None:
        """Release a detector that the power mode does not keep.

        Only where it would begin anew for the next frame it hears anyhow: that it is released must
        make no difference.
        """
        begins_anew = self._fresh or len(self._missed) == _REPLAY_FRAMES
        if not self._awake and self._open is None and begins_anew:
            self._detector = None
            self._onset_told = False

    def _detect(self, pcm: Pcm) -> float:
        """The probability of speech in a frame."""
        detector = self._detector
        assert detector is not None
        if len(self._missed) == _REPLAY_FRAMES:
            detector.reset()
        self._fresh = False
        while self._missed:
            detector.probability(self._missed.popleft())
        return detector.probability(pcm)

    # -- what follows

    async def _carry_out(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Silence):
                self.context.ledger.silence(decision.start, decision.end)
                self._settled = decision.end
                continue
            await self.emit(decision)
            if isinstance(decision, SpeechStarted):
                self._open = decision
                self.context.power.tell(PowerEvent.SPEECH_STARTED)
                self._note_delay(decision.at)
                self._look_where_it_goes(decision.start)
            elif isinstance(decision, SpeechResumed):
                self._look_where_it_goes(decision.at)
            elif isinstance(decision, SpeechAudio):
                self._settled = decision.end
            elif isinstance(decision, SpeechEnded):
                self._open = None
                self._settled = decision.end
                self.context.power.tell(PowerEvent.SPEECH_ENDED)
                self._note_delay(decision.at)

    def _look_where_it_goes(self, start: int) -> None:
        self._asked = start
        if self._ask_focus is not None and (self._asking is None or self._asking.done()):
            work = self._find_focus(self._ask_focus)
            self._asking = in_background(work, "asking which window has the focus", log)

    async def _find_focus(self, ask: Callable[[], Awaitable[Focus | None]]) -> None:
        told = -1
        while told < self._asked:
            told = self._asked
            focus = await ask()
            if focus is not None:
                self.inbox.put_first(_FocusKnown(SpeechFocused(start=told, focus=focus)))

    def _note_delay(self, at: int) -> None:
        """How long after sample ``at`` was heard something was decided: block, capture and VAD."""
        delay = self.context.stream.elapsed() - seconds(at)
        if delay >= 0.0:  # else it was not heard but read ahead
            self._delay.observe(delay)

    async def _give_up(self, end: int) -> None:
        """End the open utterance at what was sent of it; the rest up to ``end`` is a gap."""
        opened, self._open = self._open, None
        start, self._settled = self._settled, end
        self._segmenter = Segmenter(self._settings, self._segmenter.next_utterance)
        self._rest, self._rest_samples = [], 0
        self._next = end
        if opened is not None:
            self.context.power.tell(PowerEvent.SPEECH_ENDED)
            await self.emit(
                SpeechEnded(
                    utterance=opened.utterance,
                    start=opened.start,
                    end=start,
                    at=start,
                    reason=EndReason.GAP,
                )
            )
        if start < end:
            self.context.ledger.drop(start, end)
            await self.emit(Gap(start=start, end=end, reason=GapReason.ACTOR_RESTARTED))
