"""From keys that go up and down to hotkeys that are pressed and released. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from vivavoce.config.hotkeys import MODIFIERS, KeyCombination, kind_of


class KeyEventKind(StrEnum):
    """What happened to the keys."""

    PRESS = "press"
    """The hotkey is down."""
    RELEASE = "release"
    """A key of the hotkey went up."""
    CANCEL = "cancel"
    """The cancel hotkey is down."""
    TYPED = "typed"
    """Some other key is down. Which one is told to nobody."""
    MODIFIER_DOWN = "modifier_down"
    MODIFIER_UP = "modifier_up"
    LOST = "lost"
    """Nobody hears the keys any more."""


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """Something that a hotkey listener tells.

    Attributes:
        at: when, in seconds of :func:`time.monotonic`.
        modifier: of ``MODIFIER_DOWN`` and ``_UP``: `ctrl`, `alt`, `shift` or `super`. One that is
            down on both sides goes up with the second.
        reason: of ``LOST``: a line that says why.
    """

    kind: KeyEventKind
    at: float
    modifier: str = ""
    reason: str = ""


class CombinationWatch:
    """Knows which keys are down, and tells when a combination is complete.

    Keys have the names of :data:`vivavoce.config.hotkeys.KEYS`; a modifier whose side is not known
    counts as the left one. The keys of a combination may go down in any order, but no other
    modifier may be held: `f9` is not `ctrl+f9`. Those of the pressed hotkey do not count as others
    for the cancel hotkey, so that `escape` can cancel while `right_ctrl` is held.

    Args:
        hotkey: tells ``PRESS`` and ``RELEASE``.
        cancel: tells ``CANCEL``.
    """

    def __init__(
        self, hotkey: KeyCombination | None = None, cancel: KeyCombination | None = None
    ) -> None:
        self._hotkey = hotkey
        self._cancel = cancel
        self._down: set[str] = set()
        self._pressed = False

    def down(self, name: str, at: float) -> Iterator[KeyEvent]:
        """A key went down; that it repeats itself means nothing."""
        name = _sided(name)
        if name in self._down:
            return
        kind = kind_of(name)
        if kind in MODIFIERS and kind not in self._kinds():
            yield KeyEvent(KeyEventKind.MODIFIER_DOWN, at, kind)
        self._down.add(name)
        if not self._pressed and self._completes(self._hotkey, name):
            self._pressed = True
            yield KeyEvent(KeyEventKind.PRESS, at)
        elif self._completes(self._cancel, name):
            yield KeyEvent(KeyEventKind.CANCEL, at)
        elif kind not in MODIFIERS:
            yield KeyEvent(KeyEventKind.TYPED, at)

    def up(self, name: str, at: float) -> Iterator[KeyEvent]:
        """A key went up."""
        name = _sided(name)
        if name not in self._down:
            return  # it went down before anybody listened
        self._down.remove(name)
        if self._pressed and not self._all_down(self._hotkey):
            self._pressed = False
            yield KeyEvent(KeyEventKind.RELEASE, at)
        kind = kind_of(name)
        if kind in MODIFIERS and kind not in self._kinds():
            yield KeyEvent(KeyEventKind.MODIFIER_UP, at, kind)

    def _kinds(self) -> set[str]:
        return {kind_of(name) for name in self._down}

    def _all_down(self, combination: KeyCombination | None) -> bool:
        return combination is not None and all(
            name in self._down or (name in MODIFIERS and name in self._kinds())
            for name in combination.names
        )

    def _completes(self, combination: KeyCombination | None, name: str) -> bool:
        """Whether ``combination`` is down now that the key ``name`` is."""
        if combination is None or not self._all_down(combination):
            return False
        own = {kind_of(part) for part in combination.names}
        if self._pressed and self._hotkey is not None:
            own |= {kind_of(part) for part in self._hotkey.names}
        others = self._kinds().intersection(MODIFIERS) - own
        return not others and kind_of(name) in {kind_of(part) for part in combination.names}


def _sided(name: str) -> str:
    return f"left_{name}" if name in MODIFIERS else name
