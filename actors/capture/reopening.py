"""When a microphone is tried again, and when a better one is looked for. Pure."""

from __future__ import annotations

from pathlib import Path

from vivavoce.actors.capture.devices import InputDevice, ranked
from vivavoce.actors.capture.source import SourceError
from vivavoce.config.schema import DeviceChoice

_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 5.0
_LOOK_EVERY_S = 10.0
_LONGEST_LOOK_S = 300.0


class BackOff:
    """The wait between attempts: 0.25 s, doubling up to 5 s, for ever.

    Args:
        now: the first attempt is due then.
        gone: the device is gone, so that the first attempt waits, too: it may be there soon.
    """

    def __init__(self, now: float, *, gone: bool = False) -> None:
        self.due = now + _FIRST_WAIT_S if gone else now
        self.failures = 0

    def failed(self, now: float) -> None:
        """An attempt failed at ``now``."""
        self.due = now + min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(self.failures, 10))
        self.failures += 1


class BetterDevice:
    """When to look whether a device that the profile likes better is back.

    PortAudio learns of new devices only when it is started anew, which takes all streams down. What
    costs nothing to look at are the sound cards that the system knows (``cards``): while they are
    what they were, no device can have come. A device that PortAudio lists but that could not be
    opened (another program had it) is tried at intervals that double from 10 s to 5 minutes.

    Args:
        now: when the worse device was opened.
        cards: what the system's sound cards were then; None where it does not tell.
    """

    def __init__(self, now: float, cards: str | None) -> None:
        self._cards = cards
        self._listed_at = now
        self._wait = _LOOK_EVERY_S
        self._try_at = now + self._wait
        self.due = now + _LOOK_EVERY_S

    def look(self, now: float, cards: str | None) -> bool:
        """Whether PortAudio is to be started anew; asked when :attr:`due` has come, at a silence.

        Where the system does not tell of its sound cards: every 5 minutes.
        """
        self.due = now + _LOOK_EVERY_S
        if cards is None:
            return now - self._listed_at >= _LONGEST_LOOK_S
        return cards != self._cards

    def may_try(self, now: float) -> bool:
        """Whether to try the better devices that PortAudio lists; the next time is later."""
        if now < self._try_at:
            return False
        self._wait = min(2 * self._wait, _LONGEST_LOOK_S)
        self._try_at = now + self._wait
        return True


def better_devices(
    devices: list[InputDevice], choice: DeviceChoice, current: InputDevice
) -> list[InputDevice]:
    """The devices that ``choice`` ranks above ``current``, best first; all where it has no rank."""
    try:
        wanted = ranked(devices, choice)
    except SourceError:
        return []
    names = [device.name for device in wanted]
    return wanted[: names.index(current.name)] if current.name in names else wanted


def is_best(devices: list[InputDevice], choice: DeviceChoice, current: InputDevice) -> bool:
    """Whether ``current`` is the very first of ``choice``, so that nothing better can come."""
    if isinstance(choice, list) and choice:
        choice = choice[0]
    try:
        return ranked(devices, choice)[0].name == current.name
    except SourceError:
        return False


def sound_cards() -> str | None:
    """What the system says of its sound cards, cheaply; None where it says nothing (not Linux)."""
    try:
        return Path("/proc/asound/cards").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
