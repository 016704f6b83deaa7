"""SubRip and WebVTT: cues of at most two lines of 42 columns, timed by words."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Literal

import msgspec

from vivavoce.actors.captions.layout import width, wrap
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import SAMPLE_RATE, Caption, Final
from vivavoce.pipeline.safety import neutralise

_COLUMNS = 42
_LINES = 2
_MILLISECOND = SAMPLE_RATE // 1000

# SubRip has no escapes, but players obey tags in it.
_TAG = re.compile(r"<(?=/?\w)").sub


class Cue(msgspec.Struct, frozen=True):
    """A piece of text and when it is shown, in samples; at least a millisecond."""

    start: int
    end: int
    text: str


def cues(final: Final) -> list[Cue]:
    """Cut a final into cues that follow one another within it; none for an empty text. Pure.

    Words are shared out evenly over lines of up to 42 columns and cues of two lines. Where there
    are as many recognised words as the text has, cues are timed by them; else time is shared out
    by length.
    """
    lines = _balanced(neutralise(final.text))
    if not lines:
        return []
    groups = [lines[at : at + _LINES] for at in range(0, len(lines), _LINES)]
    starts = [final.start, *_word_starts(final, groups)[1:]]
    found: list[Cue] = []
    earliest = final.start
    for group, start, end in zip(groups, starts, [*starts[1:], final.end], strict=True):
        # Times of words come from a model: they may run backwards, or out of the utterance.
        begin = max(start, earliest)
        earliest = max(begin + _MILLISECOND, min(end, final.end))
        found.append(Cue(begin, earliest, "\n".join(group)))
    return found


def _balanced(text: str) -> list[str]:
    """As few lines as fit, made as even as they can be: no last cue of one lonely word."""
    lines = wrap(text, _COLUMNS)
    longest_word = max((width(word) for word in text.split()), default=_COLUMNS)
    narrower = range(min(longest_word, _COLUMNS), _COLUMNS)
    at = bisect_left(narrower, -len(lines), key=lambda columns: -len(wrap(text, columns)))
    return wrap(text, narrower[at]) if at < len(narrower) else lines


def _word_starts(final: Final, groups: list[list[str]]) -> list[int]:
    """When each group of lines begins."""
    counts = [sum(len(line.split()) for line in group) for group in groups]
    if len(final.words) == sum(counts):
        return [final.words[sum(counts[:number])].start for number in range(len(groups))]
    lengths = [sum(width(line) for line in group) for group in groups]
    total, span = max(1, sum(lengths)), final.end - final.start
    return [final.start + span * sum(lengths[:number]) // total for number in range(len(groups))]


class SubtitleWriter:
    """A cue (or several) for each final, written as it comes."""

    def __init__(self, kind: Literal["srt", "vtt"]) -> None:
        self._kind = kind
        self._number = 0

    def render(self, event: Caption, t: float) -> bytes:
        """The cues of a final with text."""
        if not isinstance(event, Final):
            return b""
        return "".join(self._cue(cue) for cue in cues(event)).encode()

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """The header of a WebVTT file without any cue; else nothing."""
        return self._header().encode()

    def abandon(self) -> bytes:
        """Nothing: cues are complete."""
        return b""

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
