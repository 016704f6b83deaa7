"""An utterance on its way to its final: its audio, and what is known about it."""

from __future__ import annotations

from vivavoce.actors.transcription.agreement import LocalAgreement
from vivavoce.actors.transcription.engines.base import Hypothesis
from vivavoce.pipeline.messages import SpeechAudio, SpeechEnded, SpeechPaused


class Utterance:
    """Keeps the audio until the final is out, so that an engine that died can hear it again.

    Bounded by the VAD's maximum length of an utterance.
    """

    def __init__(self, number: int, start: int) -> None:
        self.number = number
        self.start = start
        self.agreement = LocalAgreement()
        self.revision = 0
        self.shown = ("", "")
        self.paused: SpeechPaused | None = None
        self.ended: SpeechEnded | None = None
        self.ended_at = 0.0
        self.speculation: tuple[int, Hypothesis] | None = None
        self.session_open = False
        self.fed = 0  # bytes that the engine's session has heard
        self._audio = bytearray()

    @property
    def heard(self) -> int:
        """Index one past the last sample of audio that is kept."""
        return self.start + len(self._audio) // 2

    def append(self, message: SpeechAudio) -> None:
        """Keep the next audio.

        Raises:
            ValueError: it does not begin where the audio before it ended.
        """
        if message.start != self.heard:
            raise ValueError(
                f"utterance {self.number} was heard up to {self.heard}, but the next audio starts "
                f"at {message.start}"
            )
        self._audio += message.pcm.tobytes()

    def end(self, message: SpeechEnded, now: float) -> None:
        """The utterance is exactly ``[start, message.end)``; what was sent beyond is forgotten."""
        self.ended = message
        self.ended_at = now
        del self._audio[2 * (message.end - self.start) :]

    def audio(self, from_byte: int, end: int) -> bytes:
        """The audio from a byte of this utterance up to sample ``end``."""
        return bytes(self._audio[from_byte : 2 * (end - self.start)])

    def forget_session(self) -> None:
        """The engine that knew this utterance is gone."""
        self.session_open = False
        self.fed = 0
