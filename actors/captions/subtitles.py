"""SubRip and WebVTT: two file formats of cues."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from vivavoce.actors.captions.cues import Cue, CueMaker
from vivavoce.actors.captions.timed_text import timed_pieces
from vivavoce.config.schema import SubtitleSettings
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import (
    SAMPLE_RATE,
    Caption,
    Final,
    Gap,
    Partial,
    PowerChanged,
    PowerMode,
)

# SubRip has no escapes, but players obey tags in it.
_TAG = re.compile(r"<(?=/?\w)").sub


class SubtitleWriter:
    """Cues of finals, each written as soon as nothing can change it any more.

    A cue that must be held beyond its words waits until it is known when the next words begin: with
    the next final or partial, a gap, or when nobody has spoken for a while.

    Args:
        kind: the format.
        settings: how long cues and lines are; the defaults when not given.
    """

    def __init__(
        self, kind: Literal["srt", "vtt"], settings: SubtitleSettings | None = None
    ) -> None:
        self._kind = kind
        self._settings = settings or SubtitleSettings()
        self._cues = CueMaker(self._settings)
        self._number = 0
        self._utterance = 0

    @property
    def shown_until(self) -> int:
        """The end of the last cue written, in samples."""
        return self._cues.shown_until

    def render(self, event: Caption, t: float) -> bytes:
        """The cues that ``event`` decides; finals come in the order of speech."""
        match event:
            case Final():
                self._utterance = event.utterance
                pieces = timed_pieces(event, self._settings.line_characters)
                return self._written(
                    self._cues.add(pieces) if pieces else self._cues.quiet(event.end)
                )
            case Partial() if event.utterance == self._utterance + 1:
                return self._written(self._cues.quiet(event.start))
            case Gap():
                return self._written(self._cues.quiet(event.start))
            case PowerChanged() if event.mode is not PowerMode.ACTIVE:
                return self.flush()  # nobody speaks, and no final is missing
        return b""

    def flush(self) -> bytes:
        """The cue that waits for what comes next, if there is one."""
        return self._written(self._cues.flush())

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """What is left, and the header of a WebVTT file without any cue."""
        return self.flush() + self._header().encode()

    def abandon(self) -> bytes:
        """What is left: it was said."""
        return self.flush()

    def _written(self, cues: Iterable[Cue]) -> bytes:
        return "".join(map(self._cue, cues)).encode()

    def _cue(self, cue: Cue) -> str:
        head = self._header()
        self._number += 1
        mark = "," if self._kind == "srt" else "."
        times = f"{_time(cue.start, mark)} --> {_time(cue.end, mark)}"
        number = f"{self._number}\n" if self._kind == "srt" else ""
        return f"{head}{number}{times}\n{self._escaped(cue.text)}\n\n"

    def _escaped(self, text: str) -> str:
        if self._kind == "srt":
            return _TAG("‹", text.replace("-->", "→"))
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def _header(self) -> str:
        return "WEBVTT\n\n" if self._kind == "vtt" and not self._number else ""


def _time(sample: int, mark: str) -> str:
    seconds, milliseconds = divmod(sample * 1000 // SAMPLE_RATE, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{milliseconds:03}"
