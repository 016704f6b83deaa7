"""What this program typed, and where: for going on from it, and for taking it back. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque

import msgspec

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.injection.joining import MOST_TAIL, UNKNOWN

_MOST_WINDOWS = 64
_MOST_TEXTS = 64


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the text of one utterance.

    ``typed`` is exactly what was typed, ``back_end`` by what; both empty where it was not typed.
    ``tail`` is what was known to be before it, ``at`` the time in seconds.
    """

    utterance: int
    outcome: Outcome
    window: str = ""
    application: str = ""
    typed: str = ""
    tail: str = ""
    back_end: str = ""
    at: float = 0.0


class Memory:
    """Bounded: windows and texts that were not typed into for longest are forgotten.

    Attributes:
        disturbed: how often all was forgotten, because a person typed.
    """

    def __init__(self) -> None:
        self.disturbed = 0
        self._tails: OrderedDict[str, str] = OrderedDict()
        self._placed: deque[Placed] = deque(maxlen=_MOST_TEXTS)

    def tail(self, window: str) -> str:
        """The end of what was typed into ``window``; empty: unknown."""
        return self._tails.get(window, "")

    def typed(self, window: str, text: str) -> None:
        """``text`` stands in ``window`` now, after what was there."""
        self._keep(window, (self.tail(window) + text)[-MOST_TAIL:])

    def typed_anew(self, window: str, tail: str) -> None:
        """All that was typed after ``tail`` is erased, or told once more."""
        self._keep(window, tail)

    def place(self, placed: Placed) -> None:
        """One more utterance is dealt with."""
        self._placed.append(placed)

    def unplace(self, utterance: int) -> None:
        """An utterance that was held back is dealt with anew."""
        self._placed = deque(
            (placed for placed in self._placed if placed.utterance != utterance), _MOST_TEXTS
        )

    def last(self) -> Placed | None:
        """The utterance that was dealt with last, and not taken back."""
        return self._placed[-1] if self._placed else None

    def take_back(self) -> None:
        """The last is undone: before it is again what was before it."""
        placed = self._placed.pop()
        if placed.typed:
            self._keep(placed.window, placed.tail)

    def forget(self, window: str) -> None:
        """What stands in ``window`` is not known any more, so nothing there may be erased.

        Something may stand there: what is typed next begins with a space.
        """
        self._keep(window, UNKNOWN)
        for at, placed in enumerate(self._placed):
            if placed.window == window:
                self._placed[at] = _unknown(placed)

    def forget_all(self) -> None:
        """As :meth:`forget` for all windows, where a person has typed, who sees to the space."""
        self.disturbed += 1
        self._tails.clear()
        self._placed = deque((_unknown(placed) for placed in self._placed), _MOST_TEXTS)

    def _keep(self, window: str, tail: str) -> None:
        self._tails[window] = tail
        self._tails.move_to_end(window)
        if len(self._tails) > _MOST_WINDOWS:
            self._tails.popitem(last=False)


def _unknown(placed: Placed) -> Placed:
    if not placed.typed:
        return placed
    return msgspec.structs.replace(placed, typed="", back_end="?")
