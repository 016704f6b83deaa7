"""A VAD actor that a test lets hear something."""

import numpy as np

from vivavoce.actors.vad import VadActor
from vivavoce.actors.vad.silero import Silero
from vivavoce.config.schema import VadSettings
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.messages import AudioBlock, EndOfStream, Gap, GapReason, SpeechEnded
from vivavoce.pipeline.power import PowerEvent


class Listening:
    """A VAD actor, what it says, what it tells of power, and how often its detector was loaded.

    Args:
        settings: of the ``vad`` section.
        block: samples that it is given at a time.
    """

    def __init__(self, settings: VadSettings | None = None, block: int = 512) -> None:
        self.loaded = 0
        self.block = block
        self.actor = VadActor(settings or VadSettings(), self._load)
        self.context = self.actor.context
        self.told: list[PowerEvent] = []
        self.context.power.listen(self.told.append)
        self.out: Channel = Channel(1_000_000)
        self.actor.send_to(self.out)
        self.at = 0

    def _load(self) -> Silero:
        self.loaded += 1
        return Silero()

    async def hear(self, pcm: np.ndarray, block: int | None = None) -> None:
        block = block or self.block
        for start in range(0, len(pcm), block):
            piece = pcm[start : start + block]
            self.context.ledger.capture(self.at + len(piece))
            await self.actor.on_message(AudioBlock(start=self.at, pcm=piece))
            self.at += len(piece)

    async def lose(self, samples: int) -> None:
        self.context.ledger.capture(self.at + samples)
        self.context.ledger.drop(self.at, self.at + samples)
        gap = Gap(start=self.at, end=self.at + samples, reason=GapReason.OVERRUN)
        self.at += samples
        await self.actor.on_message(gap)

    async def end(self) -> list:
        await self.actor.on_message(EndOfStream(end=self.at))
        return [self.out.receive_nowait() for _ in range(len(self.out))]

    async def start(self) -> "Listening":
        await self.actor.on_start()
        return self

    def settle(self, messages: list) -> None:
        """Do what transcription does, so that the ledger can balance."""
        for message in messages:
            if isinstance(message, SpeechEnded):
                self.context.ledger.transcribe(message.start, message.end)
        assert self.context.ledger.summary().pending == 0
