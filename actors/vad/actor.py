"""The VAD actor: audio blocks in, utterances out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from vivavoce.actors.vad.gate import EnergyGate, level_dbfs
from vivavoce.actors.vad.segmenter import Decision, Frame, Segmenter, Silence
from vivavoce.actors.vad.silero import FRAME, Silero, SpeechDetector
from vivavoce.config.schema import VadSettings
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.messages import (
    Audio,
    AudioBlock,
    EndReason,
    Gap,
    GapReason,
    Pcm,
    Speech,
    SpeechAudio,
    SpeechEnded,
    SpeechStarted,
)

_REPLAY_FRAMES = 8  # 256 ms: what warms up a detector that slept


class VadActor(Actor[Audio, Speech]):
    """Cuts the audio into utterances and settles the silence between them.

    Args:
        settings: the profile's ``vad`` section.
        make_detector: loads the speech detector; Silero by default. It is loaded in a thread with
            the first audio, so that it does not delay the beginning of capture.
    """

    name = "vad"

    def __init__(
        self, settings: VadSettings, make_detector: Callable[[], SpeechDetector] = Silero
    ) -> None:
        super().__init__()
        self._settings = settings
        self._make_detector = make_detector
        self._detector: SpeechDetector | None = None
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
        self._asleep: deque[Pcm] = deque(maxlen=_REPLAY_FRAMES)
        metrics = self.context.metrics
        self._frames = metrics.counter("vivavoce_vad_frames_total")
        self._gated = metrics.counter("vivavoce_vad_gated_frames_total")
        self._detector = None

    async def on_message(self, message: Audio) -> None:
        """Handle a block, a gap or the end."""
        if isinstance(message, AudioBlock):
            await self._take(message)
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

    async def _take(self, block: AudioBlock) -> None:
        if self._detector is None:
            self._detector = await asyncio.to_thread(self._make_detector)
        # Delivered again after a restart, it begins with what was settled, or given up as a gap.
        pcm = block.pcm[max(0, self._next + self._rest_samples - block.start) :]
        if not self._rest and len(pcm) == FRAME:
            await self._frame(pcm)
            return
        self._rest.append(pcm)
        self._rest_samples += len(pcm)
        if self._rest_samples < FRAME:
            return
        joined = self._rest[0] if len(self._rest) == 1 else np.concatenate(self._rest)
        whole = len(joined) - len(joined) % FRAME
        self._rest = [joined[whole:]] if whole < len(joined) else []
        self._rest_samples = len(joined) - whole
        for at in range(0, whole, FRAME):
            await self._frame(joined[at : at + FRAME])

    async def _frame(self, pcm: Pcm) -> None:
        frame = Frame(self._next, pcm, *self._judge(pcm))
        self._next = frame.end
        await self._carry_out(self._segmenter.push(frame))

    def _judge(self, pcm: Pcm) -> tuple[float, float]:
        """Probability of speech and level of a frame."""
        assert self._detector is not None
        level = level_dbfs(pcm)
        self._frames.add()
        passes = self._gate.passes(level)
        # Inside an utterance the detector alone decides: words may sink into the noise, and its
        # work is little beside the engine's.
        if self._settings.gate and not passes and self._open is None:
            self._gated.add()
            self._asleep.append(pcm)
            return 0.0, level
        if self._asleep:
            # The detector slept: warm it up with what it missed last.
            if len(self._asleep) == _REPLAY_FRAMES:
                self._detector.reset()
            for missed in self._asleep:
                self._detector.probability(missed)
            self._asleep.clear()
        return self._detector.probability(pcm), level

    async def _interrupt(self, reason: EndReason) -> None:
        if self._rest_samples:
            rest = np.concatenate(self._rest)
            self._rest, self._rest_samples = [], 0
            await self._frame(rest)
        await self._carry_out(self._segmenter.interrupt(self._next, reason))
        if self._detector is not None:
            self._detector.reset()
        self._asleep.clear()

    async def _carry_out(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Silence):
                self.context.ledger.silence(decision.start, decision.end)
                self._settled = decision.end
                continue
            await self.emit(decision)
            if isinstance(decision, SpeechStarted):
                self._open = decision
            elif isinstance(decision, SpeechAudio):
                self._settled = decision.end
            elif isinstance(decision, SpeechEnded):
                self._open = None
                self._settled = decision.end

    async def _give_up(self, end: int) -> None:
        """End the open utterance at what was sent of it; the rest up to ``end`` is a gap."""
        opened, self._open = self._open, None
        start, self._settled = self._settled, end
        self._segmenter = Segmenter(self._settings, self._segmenter.next_utterance)
        self._rest, self._rest_samples = [], 0
        self._next = end
        if opened is not None:
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
