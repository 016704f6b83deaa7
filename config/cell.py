"""The one place where the profile that holds now stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vivavoce.config.schema import Profile

T = TypeVar("T")


class ProfileCell:
    """The profile that holds now: as somebody wrote it, with what the machine's conditions change.

    Whoever acts reads here each time what he needs, and keeps no copy: so nobody has to be told,
    and nobody can be forgotten. A running pipeline's is written by its upkeep alone. It can be read
    from any thread.

    Args:
        profile: with which it begins; all defaults where it is not given.
    """

    __slots__ = ("_listeners", "_profile")

    def __init__(self, profile: Profile | None = None) -> None:
        self._profile = Profile() if profile is None else profile
        self._listeners: list[Callable[[], None]] = []

    @property
    def profile(self) -> Profile:
        """The profile."""
        return self._profile

    def of(self, part: Callable[[Profile], T]) -> Callable[[], T]:
        """What reads a part of it, as ``cell.of(lambda profile: profile.log)``."""
        return lambda: part(self._profile)

    def put(self, profile: Profile) -> None:
        """Another profile holds from now on."""
        self._profile = profile
        for listener in self._listeners:
            listener()

    def when_changed(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each change: for those who sleep, and must do something about it.

        Actors are told with ``on_profile`` instead.
        """
        self._listeners.append(listener)
