"""The back ends for one set of settings, what is known of each, and what became of a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.injection.back_end import BackEnd, Clipboard
from vivavoce.actors.injection.back_off import BackOff
from vivavoce.actors.injection.pacing import Pace


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a text.

    ``typed`` counts its characters that are surely typed; ``certain``: into this window, and no
    others of it.
    """

    outcome: Outcome
    back_end: str = ""
    reason: str = ""
    typed: int = 0
    certain: bool = True


@dataclass(slots=True)
class State:
    """Pace and failures of a back end; ``asked``: it said that it is available."""

    pace: Pace
    back_off: BackOff
    asked: bool = False


class Outfit:
    """The back ends for one set of settings, in their order, and what is known of each.

    Args:
        back_ends: the first that can types.
        clipboard: for what could not be typed; None: there is none.
        reason: why there is nothing to type with, where there is not.
        close: releases what the back ends hold (clipboards to restore, keys lent).
    """

    def __init__(
        self,
        back_ends: Sequence[BackEnd],
        clipboard: Clipboard | None = None,
        *,
        reason: str = "",
        close: Sequence[Callable[[], object]] = (),
    ) -> None:
        self.back_ends = tuple(back_ends)
        self.clipboard = clipboard
        self.reason = reason
        self.close = tuple(close)
        self._states = {
            back_end.name: State(Pace(back_end.pace), BackOff()) for back_end in back_ends
        }

    def state(self, back_end: BackEnd) -> State:
        """Pace and failures of one of :attr:`back_ends`."""
        return self._states[back_end.name]

    def in_order(self, now: float) -> list[BackEnd]:
        """All back ends, those that failed lately behind the others: but what only pastes where
        nothing types stays behind all that does."""

        def resting(back_end: BackEnd) -> bool:
            return self.state(back_end).back_off.resting(now)

        at = next(
            (at for at, each in enumerate(self.back_ends) if self.only_falls_back_on(each)),
            len(self.back_ends),
        )
        return [
            *sorted(self.back_ends[:at], key=resting),
            *sorted(self.back_ends[at:], key=resting),
        ]

    def only_falls_back_on(self, back_end: BackEnd) -> bool:
        """Whether it pastes, and only where others could not type: nobody tells whether a window
        took what was pasted."""
        return back_end.name == "clipboard" and back_end is not self.back_ends[0]

    def named(self, name: str) -> BackEnd | None:
        """The back end of that name."""
        return next((each for each in self.back_ends if each.name == name), None)
