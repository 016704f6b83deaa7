"""SubRip and WebVTT: cues of at most two lines of 42 columns, timed by words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from vivavoce.actors.captions.layout import width, wrap
from vivavoce.actors.captions.safety import neutralise
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import SAMPLE_RATE, Caption, Final

_COLUMNS = 42
_LINES = 2


class Cue(msgspec.Struct, frozen=True):
    """A piece of text and when it is shown, in samples."""

    start: int
    end: int
    text: str


def cues(final: Final) -> Iterator[Cue]:
    """Cut a final into cues: pure.

    Words are shared out over lines of 42 columns and cues of two lines. Where there are as many
    recognised words as the text has, cues are timed by them; else time is shared out by length.
    """
    lines = wrap(neutralise(final.text), _COLUMNS)
    groups = [lines[at : at + _LINES] for at in range(0, len(lines), _LINES)]
    counts = [sum(len(line.split()) for line in group) for group in groups]
    starts = _starts(final, groups, counts)
    ends = [*starts[1:], final.end]
    for group, start, end in zip(groups, starts, ends, strict=True):
        yield Cue(start, max(start + 1, end), "\n".join(group))


def _starts(final: Final, groups: list[list[str]], counts: list[int]) -> list[int]:
    if final.words and len(final.words) == sum(counts):
        firsts = [sum(counts[:number]) for number in range(len(counts))]
        starts = [final.words[first].start for first in firsts]
    else:
        lengths = [sum(width(line) for line in group) for group in groups]
        total = sum(lengths) or 1
        span = final.end - final.start
        starts = [
            final.start + span * sum(lengths[:number]) // total for number in range(len(groups))
        ]
    return [final.start, *starts[1:]] if starts else []


class SubtitleWriter:
    """A cue (or several) for each final, written as it comes."""

    def __init__(self, kind: Literal["srt", "vtt"]) -> None:
        self._kind = kind
        self._number = 0

    def render(self, event: Caption, t: float) -> bytes:
        """The cues of a final with text."""
        if not isinstance(event, Final) or not event.text:
            return b""
        return b"".join(self._cue(cue) for cue in cues(event))

    def _cue(self, cue: Cue) -> bytes:
        head = self._header()
        self._number += 1
        mark = "," if self._kind == "srt" else "."
        times = f"{_time(cue.start, mark)} --> {_time(cue.end, mark)}"
        number = f"{self._number}\n" if self._kind == "srt" else ""
        return (head + f"{number}{times}\n{self._escaped(cue.text)}\n\n").encode()

    def _escaped(self, text: str) -> str:
        if self._kind == "srt":
            return text.replace("-->", "→")
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def _header(self) -> str:
        return "WEBVTT\n\n" if self._kind == "vtt" and not self._number else ""

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """The header of a WebVTT file without any cue; else nothing."""
        return self._header().encode()


def _time(sample: int, mark: str) -> str:
    milliseconds = sample * 1000 // SAMPLE_RATE
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{milliseconds:03}"
