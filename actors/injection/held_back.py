"""Texts that wait until their window has the focus again. Pure."""

from __future__ import annotations

from collections import deque

import msgspec

from vivavoce.pipeline.messages import Final

MOST_HELD = 64
LONGEST_S = 600.0
"""After ten minutes nobody expects the text there any more: it is copied."""


class _Text(msgspec.Struct, frozen=True):
    final: Final
    window: str
    since: float


class HeldBack:
    """The oldest first."""

    def __init__(self) -> None:
        self._texts: deque[_Text] = deque()

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, final: Final, window: str, now: float) -> None:
        """``final`` waits for ``window`` from ``now`` (seconds) on."""
        self._texts.append(_Text(final, window, now))

    def first_of(self, window: str) -> Final | None:
        """The oldest that waits for ``window``; it goes on waiting."""
        return next((text.final for text in self._texts if text.window == window), None)

    def first_before(self, moment: float) -> Final | None:
        """The oldest, if it waits since before ``moment``; it goes on waiting."""
        return self._texts[0].final if self._texts and self._texts[0].since < moment else None

    def give_up(self) -> list[Final]:
        """All of them, the oldest first; none waits any longer."""
        finals = [text.final for text in self._texts]
        self._texts.clear()
        return finals

    def remove(self, utterance: int) -> None:
        """It waits no longer."""
        self._texts = deque(text for text in self._texts if text.final.utterance != utterance)
