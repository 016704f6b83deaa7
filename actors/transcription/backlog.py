"""What was heard and has not been emitted yet, in the order of the stream. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeAlias

from vivavoce.actors.transcription.settle import Pause
from vivavoce.actors.transcription.window import LONGEST, Window
from vivavoce.pipeline.messages import (
    EndOfStream,
    EndReason,
    Gap,
    PowerChanged,
    Recording,
    Speech,
    SpeechAudio,
    SpeechEnded,
    SpeechFocused,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    seconds,
)

_SEVERAL = 4 * LONGEST
"""As long as a part of a recording that is read ahead may become."""

Item: TypeAlias = Window | Recording | Gap | PowerChanged | EndOfStream

Cut: TypeAlias = Callable[[Window], int | None]
"""Where a stretch that is still open is divided in two."""


class Backlog:
    """Windows, the last of them perhaps still open, and the events between them.

    Args:
        new_key: names the session of the next window.
        cut: says where a recording that is read ahead is divided; None: nowhere.
    """

    def __init__(self, new_key: Callable[[], int], cut: Cut | None = None) -> None:
        self._new_key = new_key
        self._cut = cut
        self._items: deque[Item] = deque()
        self._open: Window | None = None
        self._open_number = 0  # the VAD's number of the open stretch

    @property
    def waiting(self) -> int:
        """How many items are complete and wait; for more than a few windows, the open one counts as
        so many."""
        complete = len(self._items) - (self._open is not None)
        return complete + (0 if self._open is None else _overlong(self._open) // LONGEST)

    @property
    def head(self) -> Item | None:
        """What is next to be emitted."""
        return self._items[0] if self._items else None

    def windows(self) -> Iterator[Window]:
        """In order; the open one is the last."""
        return (item for item in self._items if isinstance(item, Window))

    def take(self, message: Speech, now: float) -> None:
        """Take the next message of the VAD.

        The open window of a recording that was cancelled stays until it is told as lost: it is
        marked, and nothing more is decoded of it.

        Raises:
            ValueError: it belongs to a stretch that is not open, or its audio does not follow.
        """
        if isinstance(message, SpeechStarted):
            self._open_number = message.utterance
            self._begin(message.start)
        elif isinstance(message, SpeechAudio | SpeechPaused | SpeechResumed | SpeechEnded):
            window = self._open
            if window is None or self._open_number != message.utterance:
                raise ValueError(f"{type(message).__name__} of a stretch that is not open")
            self._hear(window, message, now)
        elif not isinstance(message, SpeechFocused):  # which has no place in the order
            self._items.append(message)

    def pop(self) -> None:
        """The head was emitted."""
        self._items.popleft()

    def lag(self, now: float) -> float:
        """Seconds for which the oldest speech that could be final is not: its stretch has ended, or
        its window has been full."""
        return max((_behind(window, now) for window in self.windows()), default=0.0)

    def _begin(self, start: int) -> None:
        self._open = Window(self._new_key(), start)
        self._items.append(self._open)

    def _hear(
        self,
        window: Window,
        message: SpeechAudio | SpeechPaused | SpeechResumed | SpeechEnded,
        now: float,
    ) -> None:
        if isinstance(message, SpeechAudio):
            window.append(message)
            cut = None if self._cut is None else self._cut(window)
            if cut is not None:
                self._divide(window, cut, now)
        elif isinstance(message, SpeechPaused):
            window.pause(message, now)
        elif isinstance(message, SpeechResumed):
            window.resume(message)
        else:
            window.end(message, now)
            window.cancelled = message.reason is EndReason.CANCELLED
            self._open = None

    def _divide(self, window: Window, cut: int, now: float) -> None:
        """End an open window at ``cut``; what lies behind is the beginning of the next one."""
        rest = SpeechAudio(
            utterance=self._open_number, start=cut, pcm=window.pcm(cut, window.heard)
        )
        pauses, quiet_from = window.pauses, window.quiet_from
        window.pauses = [
            Pause(pause.start, min(pause.end, cut)) for pause in pauses if pause.start < cut
        ]
        window.quiet_from = None
        window.end(
            SpeechEnded(
                utterance=self._open_number,
                start=window.stretch_start,
                end=cut,
                at=rest.end,
                reason=EndReason.MAX_LENGTH,
            ),
            now,
        )
        self._begin(cut)
        assert self._open is not None
        self._open.append(rest)
        self._open.pauses = [pause for pause in pauses if pause.end > cut]
        self._open.quiet_from = quiet_from


def _behind(window: Window, now: float) -> float:
    if window.cancelled or window.all_settled:
        return 0.0
    too_much = max(0, window.heard - window.start - LONGEST)
    return seconds(too_much) + (now - window.ended_at if window.ended is not None else 0.0)


def _overlong(window: Window) -> int:
    return max(0, window.heard - window.start - _SEVERAL)
